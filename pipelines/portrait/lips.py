"""A small network that hears what a mouth does: log-mel in, lips and jaw out, a hundred times a second.

Causal but for a short wait: what it says of a moment hangs on 0.1 s of what follows and on 1.3 s of what
came before, so it could run beside a microphone once the recording's level is set. It knows no language: it
learned made-up words in fourteen tongues (gen/recipes/lips.py). A few matrix products in NumPy need no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

Array = NDArray[np.float32]

RATE = 16_000  # Hz
HOP = 160  # samples
STEPS = RATE // HOP  # a second
WINDOW = 400  # samples: 25 ms
FFT = 512
MELS = 80
BAND = (60.0, 7600.0)  # Hz
RANGE_DB = 75.0  # what is further below the loud moments of the recording is not heard
AHEAD = 10  # steps of what follows that are waited for: 0.1 s
TAPS = 3
DILATIONS = (1, 2, 4, 8, 16, 32)
PAST = (TAPS - 1) * sum(DILATIONS)  # steps of what came before that still count
CURVES = ("opening", "jaw", "rounding", "spread", "seal", "tuck", "speaking")
BLOCK = 6000  # steps at a time: an hour of sound must not need gigabytes


@cache
def mel_filters() -> Array:
    """Triangles (FFT / 2 + 1, MELS) on the mel scale of O'Shaughnessy 1987."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in BAND)
    edges = 700 * (10 ** (np.linspace(low, high, MELS + 2) / 2595) - 1)
    hertz = np.fft.rfftfreq(FFT, 1 / RATE)[:, None]
    up = (hertz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - hertz) / (edges[2:] - edges[1:-1])
    return np.clip(np.minimum(up, down), 0, None).astype(np.float32)


def mel_power(waveform: NDArray[np.floating]) -> Array:
    """Power (S, MELS) of a waveform (N,) at RATE, step k centred on sample k * HOP."""
    steps = len(waveform) // HOP + 1
    padded = np.pad(np.asarray(waveform, np.float32), (WINDOW // 2, WINDOW + HOP))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:steps]
    shape = np.hanning(WINDOW).astype(np.float32)
    blocks = [
        (np.abs(np.fft.rfft(windows[start : start + BLOCK] * shape, FFT)) ** 2).astype(np.float32)
        @ mel_filters()
        for start in range(0, steps, BLOCK)
    ]
    return np.concatenate(blocks)


def heard(power: Array) -> Array:
    """What the network hears of mel power (S, MELS): levels in [0, 1], 1 the recording's loud moments."""
    loud = 10 * np.log10(np.percentile(power.sum(axis=1), 95) + 1e-7)
    return np.clip((10 * np.log10(power + 1e-10) - loud) / RANGE_DB + 1, 0, 1).astype(np.float32)


@dataclass(frozen=True)
class LipNetwork:
    """Causal dilated convolutions with residuals (van den Oord et al. 2016).

    enter (MELS, C) and its bias; for each dilation a look (TAPS, C, C) at the past and a mix (C, C); leave
    (C, len(CURVES)). All tensors are float32.
    """

    tensors: dict[str, Array]

    @classmethod
    def load(cls, path: Path) -> LipNetwork:
        """Reads a safetensors file.

        Raises:
            ValueError: it holds another network.
        """
        tensors = {name: tensor.astype(np.float32) for name, tensor in load_file(path).items()}
        wanted = {"enter.weight", "enter.bias", "leave.weight", "leave.bias"}
        layers = [f"{part}.{k}" for part in ("look", "mix") for k in range(len(DILATIONS))]
        wanted |= {f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")}
        if set(tensors) != wanted or tensors["enter.weight"].shape[0] != MELS:
            what = f"'{path.name}' holds no lip network of this version"
            raise ValueError(f"{what}: restore the file or make it anew with gen/recipes/lips.py.")
        return cls(tensors)

    @staticmethod
    @cache
    def bundled() -> LipNetwork:
        """The network that lies beside this module."""
        return LipNetwork.load(Path(__file__).with_suffix(".safetensors"))

    def __call__(self, waveform: NDArray[np.floating]) -> Array:
        """CURVES (S, 7) in [0, 1], STEPS times a second, of a mono waveform (N,) at RATE."""
        # Silence follows the end. What was before the beginning is unlike silence where a recording starts in
        # the middle of noise or music: the first seconds stand for it, backwards.
        levels = np.pad(heard(mel_power(waveform)), ((0, AHEAD), (0, 0)))
        levels = np.pad(levels, ((PAST, 0), (0, 0)), mode="symmetric")
        starts = range(0, len(levels) - PAST, BLOCK)
        parts = [self.follow(levels[start : start + PAST + BLOCK])[PAST:] for start in starts]
        return np.concatenate(parts)[AHEAD:]

    def follow(self, levels: Array) -> Array:
        """CURVES (S, 7) as `heard` levels (S, MELS) come in: step k tells what the mouth did at k - AHEAD."""
        weights = self.tensors
        x = np.maximum(levels @ weights["enter.weight"] + weights["enter.bias"], 0)
        for k, dilation in enumerate(DILATIONS):
            past = np.pad(x, (((TAPS - 1) * dilation, 0), (0, 0)))
            seen = weights[f"look.{k}.bias"]
            for tap, look in enumerate(weights[f"look.{k}.weight"]):
                seen = seen + past[tap * dilation :][: len(x)] @ look
            x = x + np.maximum(seen, 0) @ weights[f"mix.{k}.weight"] + weights[f"mix.{k}.bias"]
        logits = np.maximum(x, 0) @ weights["leave.weight"] + weights["leave.bias"]
        return (1 / (1 + np.exp(-logits))).astype(np.float32)
