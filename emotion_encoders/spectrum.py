"""Sound as the ear takes it: its log-mel spectrogram, pitch and voicing, a hundred times a second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from emotion_encoders.waveform import RATE

HOP = 160  # samples: 100 frames a second
STEPS = RATE // HOP
MELS = 64
LOWEST, HIGHEST = 50.0, 7800.0  # Hz
FLOOR = 1e-12  # power; that of a full-scale sine is about 1
SILENT_DB = -80.0  # a frame below this, re a full-scale sine, holds nothing

PITCH = (60.0, 520.0)  # Hz that a voice may have
VOICED = 0.5  # height of the autocorrelation's peak above which the folds vibrate

# Long sound is heard in blocks that know nothing of one another but for what overlaps.
HOP_SECONDS = 0.25
BLOCK_SECONDS = 30.0
_OVERLAP_SECONDS = 2.0

_WINDOW, _FFT = 400, 512
_LONG, _LONG_FFT = 640, 1024  # 40 ms: at least two periods of the lowest voice
_LAG_RATE = RATE // 2  # the autocorrelation is read at 8 kHz
_LAGS = range(int(_LAG_RATE / PITCH[1]), int(_LAG_RATE / PITCH[0]) + 2)
_BLOCK = 6000  # frames at once: an hour must not need gigabytes


@dataclass(frozen=True)
class Frames:
    """What is measured every 10 ms; T frames, the first centred on the first sample."""

    mel: Tensor  # (T, MELS) dB
    level: Tensor  # (T,) dB re a full-scale sine
    pitch: Tensor  # (T,) Hz, also where nothing is voiced (then a guess)
    periodicity: Tensor  # (T,) height of the autocorrelation's peak, in [0, 1]
    harmonics: Tensor  # (T, 3) dB of the first and second harmonic, and of the strongest near 2.5 kHz

    def __len__(self) -> int:
        return len(self.level)

    @property
    def voiced(self) -> Tensor:
        """(T,) whether the vocal folds vibrate."""
        return (self.periodicity > VOICED) & (self.level > SILENT_DB)

    @property
    def active(self) -> Tensor:
        """(T,) whether somebody speaks: above the noise floor and not far below the loud moments."""
        if not len(self):
            return self.level > 0
        floor, loud = torch.quantile(_few(self.level), torch.tensor([0.05, 0.95]))
        threshold = torch.maximum(loud - 30, torch.minimum(floor + 8, loud - 12))
        return (self.level > threshold) & (self.level > SILENT_DB)


def measured(sound: Tensor) -> Frames:
    """Frames of a sound that `prepared` gave."""
    count = len(sound) // HOP + 1 if len(sound) else 0
    blocks = [_measured(sound, start, min(_BLOCK, count - start)) for start in range(0, count, _BLOCK)]
    if not blocks:
        nothing = torch.zeros(0)
        return Frames(torch.zeros(0, MELS), nothing, nothing, nothing, torch.zeros(0, 3))
    mel, level, spectra, correlation = (torch.cat(part) for part in zip(*blocks, strict=True))
    pitch, periodicity = _pitch(correlation, level)
    return Frames(mel, level, pitch, periodicity, _harmonics(spectra, pitch))


@dataclass(frozen=True)
class Block:
    """A stretch of sound with what overlaps, of which the hops from `first` to `stop` are its own."""

    frames: Frames
    start_seconds: float
    first: int
    stop: int


def blocks(sound: Tensor) -> Iterator[Block]:
    """A sound that `prepared` gave in blocks of BLOCK_SECONDS, the last up to twice as long."""
    hops = int(len(sound) / RATE / HOP_SECONDS + 1e-9) + 1 if len(sound) else 0
    per_block = int(BLOCK_SECONDS / HOP_SECONDS)
    count = max(1, hops // per_block) if hops else 0
    for number in range(count):
        first = number * per_block
        stop = hops if number == count - 1 else first + per_block
        start = max(0.0, first * HOP_SECONDS - _OVERLAP_SECONDS)
        end = stop * HOP_SECONDS + _OVERLAP_SECONDS
        yield Block(measured(sound[round(start * RATE) : round(end * RATE)]), start, first, stop)


def _measured(sound: Tensor, start: int, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    windows = _windows(sound, start, count, _LONG)
    short = windows[:, (_LONG - _WINDOW) // 2 : (_LONG + _WINDOW) // 2] * _hann(_WINDOW)
    power = torch.fft.rfft(short, _FFT).abs().square() * (4 / _hann(_WINDOW).sum() ** 2)
    mel = 10 * torch.log10(power @ _mel_filters() + FLOOR)
    level = 10 * torch.log10(
        power.sum(1) * (_hann(_WINDOW).sum() ** 2 / _hann(_WINDOW).square().sum() / _FFT) + FLOOR
    )

    long = torch.fft.rfft(windows * _hann(_LONG), _LONG_FFT).abs().square() * (4 / _hann(_LONG).sum() ** 2)
    spectra = 10 * torch.log10(long[:, : _LONG_FFT // 4] + FLOOR)
    # Only up to 4 kHz, so that telephone sound has the same pitch; the taper keeps breath noise out.
    hertz = torch.arange(_LONG_FFT // 4 + 1) * RATE / _LONG_FFT
    taper = ((hertz > 50) & (hertz < 3600)) / (1 + (hertz / 1500) ** 2)
    kept = long[:, : _LONG_FFT // 4 + 1] * taper
    correlation = torch.fft.irfft(kept, _LONG_FFT // 2)[:, : _LAGS.stop + 1]
    correlation = correlation / (correlation[:, :1] + 1e-14) / _own_correlation()
    return mel, level, spectra, correlation[:, _LAGS.start - 1 :]


def _windows(sound: Tensor, start: int, count: int, length: int) -> Tensor:
    """(count, length) of the sound, window k centred on sample (start + k) * HOP."""
    first = start * HOP - length // 2
    last = first + (count - 1) * HOP + length
    part = F.pad(sound[max(0, first) : max(0, last)], (max(0, -first), 0))
    return F.pad(part, (0, last - first - len(part))).unfold(0, length, HOP)


def _pitch(correlation: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
    """Boersma 1993's peak picking, twice: the second time near the pitch that the clip has most."""
    lags = torch.arange(_LAGS.start, _LAGS.stop, dtype=torch.float32)
    octave = torch.log2(_LAG_RATE / lags)
    inner = correlation[:, 1:-1]
    peak = (inner >= correlation[:, :-2]) & (inner >= correlation[:, 2:])
    # A multiple of the period fits as well as the period itself: the shorter lag is preferred a little.
    score = torch.where(peak, inner, -1.0) + 0.04 * octave
    best = score.argmax(1)
    height = inner.gather(1, best[:, None])[:, 0]
    sure = (height > 0.7) & (level > SILENT_DB)
    if bool(sure.any()):
        usual = octave[best[sure]].median()
        best = (score - 0.15 * (octave - usual).square()).argmax(1)

    # A parabola through the peak and its neighbours finds the period between two lags.
    left, mid, right = (correlation.gather(1, best[:, None] + k)[:, 0] for k in range(3))
    bend = (left - 2 * mid + right).clamp(max=-1e-6)
    shift = (0.5 * (left - right) / bend).clamp(-0.5, 0.5)
    pitch = _LAG_RATE / (lags[best] + shift)
    return _median5(pitch), mid.clamp(0, 1)


def _harmonics(spectra: Tensor, pitch: Tensor) -> Tensor:
    bins = pitch * _LONG_FFT / RATE

    def near(multiple: Tensor) -> Tensor:
        where = multiple.round().long().clamp(1, spectra.shape[1] - 2)[:, None]
        return torch.stack([spectra.gather(1, where + k)[:, 0] for k in (-1, 0, 1)]).amax(0)

    low, high = (round(hertz * _LONG_FFT / RATE) for hertz in (2000, 3000))
    return torch.stack([near(bins), near(2 * bins), spectra[:, low:high].amax(1)], dim=1)


def _median5(curve: Tensor) -> Tensor:
    return F.pad(curve[None, None], (2, 2), mode="replicate")[0, 0].unfold(0, 5, 1).median(1).values


def _few(values: Tensor) -> Tensor:
    """Values for a quantile; torch takes it of at most 16 million."""
    return values[:: 1 + len(values) // 1_000_000]


@cache
def _hann(length: int) -> Tensor:
    return torch.hann_window(length)


@cache
def _own_correlation() -> Tensor:
    """The autocorrelation of the window itself, which a steady tone's is divided by."""
    own = torch.fft.irfft(torch.fft.rfft(_hann(_LONG), 2 * _LONG).abs().square())
    return (own / own[0])[: 2 * _LAGS.stop + 2 : 2]


@cache
def _mel_filters() -> Tensor:
    """(257, MELS) triangles, evenly spaced on the mel scale (O'Shaughnessy 1987)."""

    def mel(hertz: Tensor) -> Tensor:
        return 2595 * torch.log10(1 + hertz / 700)

    low, high = (float(mel(torch.tensor(hertz))) for hertz in (LOWEST, HIGHEST))
    edges = torch.linspace(low, high, MELS + 2)
    place = mel(torch.arange(_FFT // 2 + 1) * RATE / _FFT)[:, None]
    rise = (place - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - place) / (edges[2:] - edges[1:-1])
    return torch.minimum(rise, fall).clamp(min=0)
