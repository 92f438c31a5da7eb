"""Any mono sound as the ear of the speech encoder wants it: checked, 16,000 samples a second, float32."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

RATE = 16_000  # Hz
RATES = range(4_000, 768_001)  # Hz that are taken
MAX_SECONDS = 4 * 3600.0

# The low-pass filter of resampling: a sinc of this many zero crossings a side under a Hann window.
_CROSSINGS = 16
_ROLL_OFF = 0.96
_BLOCK = 1 << 20  # samples resampled at once


class SoundError(ValueError):
    """Sound that cannot be listened to; its text is one sentence for the user."""


def prepared(waveform: NDArray[np.floating] | Tensor, rate: int) -> Tensor:
    """Mono sound (N,) of any rate as float32 (M,) at RATE, without its constant part; refuses, never repairs.

    Sound of no samples is fine: it is a sound in which nothing is heard.
    """
    sound = torch.as_tensor(waveform).detach().cpu()
    if sound.ndim != 1:
        raise SoundError(
            f"The sound has the shape {tuple(sound.shape)}; one channel is needed: mix it down to mono."
        )
    if not sound.is_floating_point():
        raise SoundError(f"The sound came as {sound.dtype}; numbers between -1 and 1 are needed: scale it.")
    if rate not in RATES:
        raise SoundError(
            f"The sound has {rate:,} samples a second; {RATES.start:,} to {RATES.stop - 1:,} are allowed."
        )
    if len(sound) > MAX_SECONDS * rate:
        raise SoundError(
            f"The sound lasts {len(sound) / rate / 3600:.1f} hours; up to {MAX_SECONDS / 3600:.0f} are "
            "heard: cut it up."
        )
    sound = sound.float()
    if not bool(torch.isfinite(sound).all()):
        raise SoundError("The sound holds samples that are no numbers (NaN or infinity); decode it again.")
    if not len(sound):
        return sound
    sound = resampled(sound, int(rate), RATE)
    # The mean as float64: an hour of a constant offset sums to more than float32 can hold exactly.
    return sound - sound.mean(dtype=torch.float64).float()


def resampled(sound: Tensor, rate: int, to: int) -> Tensor:
    """Band-limited interpolation (Smith 1984): every output phase has its own windowed sinc."""
    if rate == to or not len(sound):
        return sound
    # Odd rates are taken as a fraction near by: at most 3 parts in a million off.
    step = Fraction(rate, to).limit_denominator(700)
    into, out = step.numerator, step.denominator
    kernel, width = _kernel(into, out)

    blocks = []
    per_block = max(1, _BLOCK // into) * into  # whole groups of `into` samples, so that blocks join exactly
    for start in range(0, len(sound), per_block):
        stop = min(len(sound), start + per_block)
        left, right = max(0, start - width), min(len(sound), stop + width + into)
        part = F.pad(sound[left:right], (width - (start - left), 0))
        groups = -(-(stop - start) // into)
        part = F.pad(part, (0, max(0, groups * into + 2 * width - len(part))))
        blocks.append(F.conv1d(part[None, None], kernel, stride=into)[0, :, :groups].T.reshape(-1))
    return torch.cat(blocks)[: math.ceil(len(sound) * out / into)]


def _kernel(into: int, out: int) -> tuple[Tensor, int]:
    """Filters (out, 1, 2 * width + into), one for each phase of the output, and the samples before each."""
    cutoff = min(into, out) * _ROLL_OFF / 2
    width = math.ceil(_CROSSINGS * into / min(into, out) / _ROLL_OFF)
    # In units of the common period of both rates.
    taps = torch.arange(-width, width + into, dtype=torch.float64) / into
    phases = torch.arange(out, dtype=torch.float64) / out
    t = 2 * cutoff * (taps[None] - phases[:, None])
    window = torch.cos(t.clamp(-_CROSSINGS, _CROSSINGS) * math.pi / _CROSSINGS / 2) ** 2
    kernel = torch.sinc(t) * window * 2 * cutoff / into
    return kernel[:, None].float(), width
