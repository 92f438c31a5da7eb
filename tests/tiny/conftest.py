"""What several tests of small models stand on: a voice."""

import numpy as np
import pytest
import soundfile
import torch

from emotion_encoders.waveform import RATE, resampled
from gen.bundled import line


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    """The bundled line (N,) at RATE."""
    waveform, rate = soundfile.read(line(), dtype="float32")
    return resampled(torch.from_numpy(waveform), rate, RATE).numpy()
