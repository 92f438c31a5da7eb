"""What comes along to try Mien with: a public-domain portrait and spoken lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np

SAMPLES = Path(__file__).parent / "samples"


def line() -> Path:
    """The line that is spoken where none is given, made with a free synthesiser."""
    return SAMPLES / "line.flac"


def astronaut() -> np.ndarray:
    """Eileen Collins by NASA (public domain), as scikit-image carries her: (512, 512, 3) uint8."""
    from skimage.data import astronaut as portrait

    return np.asarray(portrait())


def speech_of(seconds: float) -> tuple[np.ndarray, int]:
    """The bundled line, repeated or cut to this length, and its rate."""
    from gen.media import read_sound

    waveform, rate = read_sound(line())
    return np.resize(waveform, round(seconds * rate)), rate
