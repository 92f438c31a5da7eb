"""What motion needs to know of a voice: loudness, pitch, speaking rate and voicing, four times a second."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from emotion_encoders.spectrum import FLOOR, HOP_SECONDS, SILENT_DB, STEPS, Frames, blocks
from emotion_encoders.waveform import SoundError, prepared

Curve = NDArray[np.float64]

# Over so many seconds the syllables are counted: about five of them.
_RATE_SECONDS = 1.5
# A syllable rises above the valleys beside it by so much (de Jong & Wempe 2009), and is voiced.
_RISE_DB = 2.0
_FEWEST_VOICED = 2  # of the 25 frames of a hop: fewer are a guess


@dataclass(frozen=True)
class Prosody:
    """One value for every hop; the value at `seconds` describes the 0.25 s around it."""

    seconds: Curve  # 0, 0.25, 0.5, ... up to the end of the sound
    loudness: Curve  # dB re a full-scale sine, -120 where there is nothing
    pitch: Curve  # Hz; NaN where the vocal folds do not vibrate
    voiced: Curve  # share of the hop in which the vocal folds vibrate, in [0, 1]
    rate: Curve  # syllables a second, in the 1.5 s around

    def __post_init__(self) -> None:
        curves = [getattr(self, field.name) for field in fields(self)]
        if len({curve.shape for curve in curves}) != 1 or self.seconds.ndim != 1:
            raise SoundError(f"The curves of prosody differ in shape: {[curve.shape for curve in curves]}.")

    def __len__(self) -> int:
        return len(self.seconds)

    @property
    def silent(self) -> NDArray[np.bool_]:
        """Where there is nothing to hear."""
        return self.loudness <= SILENT_DB


def prosody(waveform: NDArray[np.floating] | Tensor, rate: int) -> Prosody:
    """The prosody of any mono sound; see waveform.prepared for what is refused."""
    parts = []
    for block in blocks(prepared(waveform, rate)):
        skipped = round(block.first - block.start_seconds / HOP_SECONDS)
        parts.append(_prosody(block.frames, block.first, skipped, block.stop - block.first))
    if not parts:
        nothing = np.zeros(0)
        return Prosody(nothing, nothing, nothing, nothing, nothing)
    names = [field.name for field in fields(Prosody)]
    return Prosody(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _prosody(frames: Frames, first: int, skipped: int, count: int) -> Prosody:
    """Of `count` hops, of which the first is the sound's `first` and the frames' `skipped`."""
    voiced = frames.voiced
    power = _around(10 ** (frames.level / 10), skipped, count)
    share = _around(voiced.float(), skipped, count)
    octaves = torch.where(voiced, torch.log2(frames.pitch), 0.0)
    octaves = _around(octaves, skipped, count) / share.clamp(min=1e-9)
    syllables = _around(_syllables(frames), skipped, count, _RATE_SECONDS) * STEPS
    heard = share >= _FEWEST_VOICED / (HOP_SECONDS * STEPS)
    return Prosody(
        seconds=np.arange(first, first + count, dtype=np.float64) * HOP_SECONDS,
        loudness=_array(10 * torch.log10(power.clamp(min=FLOOR))),
        pitch=np.where(heard.numpy(), _array(2**octaves), np.nan),
        voiced=_array(share.clamp(0, 1)),
        rate=_array(syllables),
    )


def _around(x: Tensor, skipped: int, count: int, seconds: float = HOP_SECONDS) -> Tensor:
    """(count,) means of x over so many seconds around each hop; the ends have shorter stretches."""
    centre = torch.arange(skipped, skipped + count, dtype=torch.float64) * HOP_SECONDS * STEPS
    half = seconds * STEPS / 2
    start = (centre - half).ceil().long().clamp(0, len(x) - 1)
    stop = torch.maximum((centre + half).ceil().long().clamp(max=len(x)), start + 1)
    total = F.pad(x.double().cumsum(0), (1, 0))
    return (total[stop] - total[start]) / (stop - start)


def _syllables(frames: Frames) -> Tensor:
    """(T,) 1 at the nucleus of each syllable: a voiced peak of loudness between two valleys."""
    level = F.avg_pool1d(frames.level[None, None], 7, 1, 3, count_include_pad=False)[0, 0]
    if len(level) < 3:
        return torch.zeros(len(level))
    around = F.max_pool1d(level[None, None], 9, 1, 4)[0, 0]
    # The valley on either side is looked for within 120 ms.
    lowest = -F.max_pool1d(F.pad(-level[None, None], (12, 12), value=-200.0), 13, 1)[0, 0]
    valley = torch.maximum(lowest[: len(level)], lowest[12:])
    peak = (level >= around) & F.pad(level[1:] < level[:-1], (0, 1), value=True)
    return (peak & (level - valley > _RISE_DB) & frames.voiced & frames.active).float()


def _array(x: Tensor) -> Curve:
    return x.double().numpy()
