"""What signal processing tells of a voice: how loud, bright, hissing and periodic it is over time.

Nothing here is learned. All is measured below 3.6 kHz, so that a telephone moves the same lips as a studio
recording, and relative to the clip's own noise floor and loud moments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Curve = NDArray[np.float64]

RATE = 8000  # Hz; all bands below end under 3.6 kHz
HOP = 40  # samples
STEPS = RATE / HOP  # features a second
WINDOW = 200  # samples: 25 ms, about what a vocal tract holds still
FFT = 256
BLOCK = 12_000  # windows at a time: an hour of sound must not need gigabytes

Band = tuple[float, float]  # Hz
WHOLE: Band = (80, 3600)
# The octaves where an open mouth lets the first, second and third formant out.
FORMANTS: tuple[Band, ...] = ((600, 1200), (1200, 2400), (2400, 3600))
BRIGHT: Band = (1200, 2600)
DARK: Band = (200, 1000)
FRONT: Band = (1700, 3000)  # the second formant of i and e
BACK: Band = (700, 1500)  # the second formant of o and u
HISS: Band = (2400, 3600)
BANDS = tuple(dict.fromkeys((WHOLE, *FORMANTS, BRIGHT, DARK, FRONT, BACK, HISS)))

# A clip whose loud moments stay below this (dB re full scale) is silence.
SILENT_DB = -60.0


@dataclass(frozen=True)
class Signal:
    """Curves (S,) in [0, 1], STEPS a second, and whether anything in the clip could be a voice."""

    loudness: Curve  # from the clip's noise floor to its loud moments, on a dB scale
    energy: Curve  # the same of the octaves of the formants
    brightness: Curve  # high where the second formant is strong and high (open or spread lips)
    front: Curve  # the second formant is that of i and e, not of o and u
    hiss: Curve
    voiced: Curve  # the vocal folds vibrate
    is_loud: bool  # louder than silence
    is_steady: bool  # it neither swells nor vibrates, as noise

    @property
    def steps(self) -> int:
        return len(self.loudness)


def analysed(sound: Curve, rate: int) -> Signal:
    """The curves of a mono sound (N,) at any rate."""
    sound = resampled(sound, rate, RATE)
    bands = _levels(sound)
    level = bands[WHOLE]
    periodic = _periodicity(sound, len(level))
    floor, loud = np.percentile(level, [8, 95])
    # Loud moments count for what they sound like.
    presence = np.clip((level - loud + 45) / 45, 0, 1) ** 2 + 1e-4
    loudness = _rise(level)
    return Signal(
        loudness=loudness,
        energy=np.mean([_rise(smooth(bands[octave], 0.007)) for octave in FORMANTS], axis=0),
        brightness=_share(bands[BRIGHT] - bands[DARK], presence, 0.05, 0.8),
        front=_share(bands[FRONT] - bands[BACK], presence, 0.5, 0.95),
        hiss=_share(bands[HISS] - bands[DARK], presence, 0.8, 0.98),
        voiced=periodic * np.clip((loudness - 0.2) / 0.2, 0, 1),
        is_loud=bool(np.percentile(level, 99) >= SILENT_DB),
        is_steady=bool(loud - floor <= 10 and periodic.mean() <= 0.2),
    )


def resampled(sound: Curve, rate: int, to: int) -> Curve:
    """The sound at another rate."""
    return sound if rate == to else np.asarray(soxr.resample(sound, rate, to))


def smooth(curve: Curve, seconds: float) -> Curve:
    """A curve (S,) under a Gaussian of that standard deviation."""
    return gaussian_filter1d(curve, seconds * STEPS, mode="nearest")


def _windows(sound: Curve, length: int, hop: int, count: int) -> Curve:
    """(count, length) views, window k centred on sample k * hop."""
    padded = np.pad(sound, (length // 2, length + hop))
    return np.lib.stride_tricks.sliding_window_view(padded, length)[::hop][:count]


def _levels(sound: Curve) -> dict[Band, Curve]:
    """The level of each band (S,) in dB, a full-scale sine being 0 dB."""
    window = np.hanning(WINDOW)
    hertz = np.fft.rfftfreq(FFT, 1 / RATE)
    masks = np.array([(hertz >= low) & (hertz < high) for low, high in BANDS], dtype=float).T  # (129, B)
    windows = _windows(sound, WINDOW, HOP, len(sound) // HOP + 1)
    blocks = [
        np.abs(np.fft.rfft(windows[start : start + BLOCK] * window, FFT)) ** 2 @ masks
        for start in range(0, len(windows), BLOCK)
    ]
    power = 4 / (FFT * np.sum(window**2)) * np.concatenate(blocks)
    return dict(zip(BANDS, 10 * np.log10(power.T + 1e-12), strict=True))


def _rise(level: Curve) -> Curve:
    """A level in dB as a share of the way from its noise floor to its loud moments."""
    floor, loud = np.percentile(level, [8, 95])
    # Between 20 and 50 dB: a vowel without a pause is no noise, and a synthesiser's zeros are no floor.
    floor = min(max(floor + 3, loud - 50), loud - 20)
    return np.clip((level - floor) / (loud - floor), 0, 1)


def _share(balance: Curve, presence: Curve, low: float, high: float) -> Curve:
    """A spectral balance in dB as a share of the way between two of its quantiles, weighted by presence."""
    balance = smooth(balance * presence, 0.03) / smooth(presence, 0.03)
    order = np.argsort(balance)
    mass = np.cumsum(presence[order])
    start, end = balance[order][np.searchsorted(mass, [low * mass[-1], high * mass[-1]])]
    return np.clip((balance - start) / max(end - start, 3.0), 0, 1)


def _periodicity(sound: Curve, steps: int) -> Curve:
    """The height of the autocorrelation's peak between 70 and 400 Hz, from noise (0) to a vowel (1)."""
    length, every = 320, 2
    window = np.hanning(length)
    windows = _windows(sound, length, HOP * every, -(-steps // every))
    lags = slice(RATE // 400, RATE // 70)
    own = np.fft.irfft(np.abs(np.fft.rfft(window, 512)) ** 2)
    peaks = []
    for start in range(0, len(windows), BLOCK):
        power = np.abs(np.fft.rfft(windows[start : start + BLOCK] * window, 512)) ** 2
        power[:, 77:] = 0  # above 1,200 Hz voiced breath noise only blurs the peak
        power[:, :4] = 0  # hum
        correlation = np.fft.irfft(power)
        peaks.append((correlation[:, lags] / (own[lags] / own[0])).max(axis=1) / (correlation[:, 0] + 1e-9))
    return np.repeat(np.clip((np.concatenate(peaks) - 0.45) / 0.3, 0, 1), every)[:steps]
