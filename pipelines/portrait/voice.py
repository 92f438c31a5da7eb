"""What a voice tells about the mouth that made it: opening, rounding, frication and stress per video frame.

Signal processing only, nothing learned. All is measured below 3.6 kHz, so that a telephone moves the same
lips as a studio recording, and relative to the clip's own noise floor and loud moments.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, minimum_filter1d

Curve = NDArray[np.float64]

RATE = 8000  # Hz; all bands below end under 3.6 kHz
HOP = 40  # samples: features are made 200 times a second, then read off at the video's rate
WINDOW = 200  # samples: 25 ms, about what a vocal tract holds still
STEPS = RATE / HOP  # features a second
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

# Lips move a little before the sound they make; a frame shows the mouth of this much later.
LEAD_SECONDS = 0.02
# Lips are no faster than this (sigma; about 50 ms from closed to open).
LIP_SECONDS = 0.02
# Speakers part their lips to breathe in before they speak: this far, this long before the first sound.
PARTED = 0.3
PARTED_SECONDS = 0.35
# Where the sound breaks off, the mouth takes this long to close.
END_SECONDS = 0.15
# Silence longer than this ends a phrase.
PAUSE_SECONDS = 0.25
# A clip whose loud moments stay below this (dB re full scale) is silence.
SILENT_DB = -60.0


class VoiceError(ValueError):
    """Sound that cannot drive a face; its text is one sentence for the user."""


@dataclass(frozen=True)
class Voice:
    """Features of a voice at video rate, each (T,) in [0, 1]; phrase_ends are seconds."""

    loudness: Curve  # from the clip's noise floor to its loud moments, on a dB scale
    opening: Curve  # how far the lips are apart
    rounding: Curve  # o, u, w, r: lips forward
    spread: Curve  # i, e: lips wide
    frication: Curve  # s, sh, f: teeth nearly closed
    voiced: Curve  # the vocal folds vibrate
    speaking: Curve  # within a phrase, pauses between words included
    stress: Curve  # pulses at the stressed syllables
    phrase_ends: tuple[float, ...]

    def __post_init__(self) -> None:
        curves = [getattr(self, f.name) for f in fields(self) if f.name != "phrase_ends"]
        if len({c.shape for c in curves}) != 1 or any(not np.isfinite(c).all() for c in curves):
            raise ValueError("The curves of a Voice must be finite and of one length.")
        if any(c.min() < 0 or c.max() > 1 for c in curves):
            raise ValueError("The curves of a Voice must lie between 0 and 1.")

    @property
    def frames(self) -> int:
        return len(self.loudness)


def listen(waveform: NDArray[np.floating], rate: int, *, frames: int, fps: float) -> Voice:
    """The voice's features at each of `frames` video frames; after the end of the sound there is silence."""
    sound = _checked(waveform, rate)
    seconds = np.arange(frames) / fps + LEAD_SECONDS
    sound = soxr.resample(sound, rate, RATE) if rate != RATE else sound
    bands = _levels(sound)
    level = bands[WHOLE]
    periodic = _periodicity(sound, len(level))
    floor, loud = np.percentile(level, [8, 95])
    swells, vibrates = loud - floor > 10, periodic.mean() > 0.2  # steady noise does neither
    if np.percentile(level, 99) < SILENT_DB or not (swells or vibrates):
        return _silence(frames)

    loudness = _rise(level)
    # Loud moments count for what they sound like.
    presence = np.clip((level - loud + 45) / 45, 0, 1) ** 2 + 1e-4
    energy = np.mean([_rise(_smooth(bands[octave], 0.007)) for octave in FORMANTS], axis=0)
    # High where the second formant is strong and high (open or spread lips), low for rounded or closing ones.
    brightness = _share(bands[BRIGHT] - bands[DARK], presence, 0.05, 0.8)
    voiced = periodic * np.clip((loudness - 0.2) / 0.2, 0, 1)
    active = (energy > 0.35) | (loudness * voiced > 0.5)

    # A narrow or rounded mouth takes the upper formants away: the energy says that there is a vowel, the
    # spectral balance how open it is.
    vowel = energy * (0.5 + 0.5 * brightness)
    phrases = _phrases(active)
    parted = PARTED * _smooth(_ahead(active, PARTED_SECONDS) * (1 - phrases), 0.04)
    opening = _smooth(np.clip((np.maximum(vowel, parted) - 0.05) / 0.95, 0, 1), LIP_SECONDS)

    front = _share(bands[FRONT] - bands[BACK], presence, 0.5, 0.95)
    hiss = _share(bands[HISS] - bands[DARK], presence, 0.8, 0.98)

    moments = np.append(np.arange(len(level)) / STEPS, len(level) / STEPS + END_SECONDS)

    def at_frames(curve: Curve) -> Curve:
        return np.clip(np.interp(seconds, moments, np.append(curve, 0.0)), 0, 1)

    return Voice(
        loudness=at_frames(_smooth(loudness, 0.03)),
        opening=at_frames(opening),
        rounding=at_frames(_smooth(voiced * energy * (1 - brightness), 0.03)),
        spread=at_frames(_smooth(voiced * energy * front, 0.03)),
        frication=at_frames(_smooth(energy * hiss * (1 - voiced), 0.02)),
        voiced=at_frames(_smooth(voiced, 0.02)),
        speaking=at_frames(_smooth(phrases, 0.1)),
        stress=at_frames(_stress(loudness * voiced)),
        phrase_ends=tuple(float(s) for s in np.flatnonzero(np.diff(phrases) < 0) / STEPS),
    )


def _checked(waveform: NDArray[np.floating], rate: int) -> Curve:
    sound = np.asarray(waveform, dtype=np.float64)
    if sound.ndim != 1:
        raise VoiceError(
            f"The sound has the shape {sound.shape}; one channel is needed: mix it down to mono."
        )
    if not 4000 <= rate <= 768_000:
        raise VoiceError(f"The sound has {rate} samples a second; 4,000 to 768,000 are allowed.")
    if len(sound) < rate / 50:
        raise VoiceError(
            f"The sound has {len(sound)} samples; at {rate} Hz at least {-(-rate // 50)} are needed."
        )
    if not np.isfinite(sound).all():
        raise VoiceError("The sound holds values that are no numbers (NaN or infinity); decode it again.")
    return sound


def _silence(frames: int) -> Voice:
    nothing = np.zeros(frames)
    return Voice(*([nothing] * 8), phrase_ends=())


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


def _smooth(curve: Curve, seconds: float) -> Curve:
    return gaussian_filter1d(curve, seconds * STEPS, mode="nearest")


def _ahead(active: NDArray[np.bool_], seconds: float) -> Curve:
    """1 where something is active now or within the coming seconds."""
    steps = round(seconds * STEPS)
    return maximum_filter1d(active.astype(float), steps, origin=-(steps // 2), mode="nearest")


def _rise(level: Curve) -> Curve:
    """A level in dB as a share of the way from its noise floor to its loud moments."""
    floor, loud = np.percentile(level, [8, 95])
    # Between 20 and 50 dB: a vowel without a pause is no noise, and a synthesiser's zeros are no floor.
    floor = min(max(floor + 3, loud - 50), loud - 20)
    return np.clip((level - floor) / (loud - floor), 0, 1)


def _share(balance: Curve, presence: Curve, low: float, high: float) -> Curve:
    """A spectral balance in dB as a share of the way between two of its quantiles, weighted by presence."""
    balance = _smooth(balance * presence, 0.03) / _smooth(presence, 0.03)
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


def _phrases(active: NDArray[np.bool_]) -> Curve:
    """1 within phrases: stretches of sound with no pause longer than PAUSE_SECONDS."""
    steps = round(PAUSE_SECONDS * STEPS)
    padded = np.pad(active.astype(float), steps)
    closed = minimum_filter1d(maximum_filter1d(padded, steps, mode="constant"), steps, mode="constant")
    return closed[steps:-steps]


def _stress(strength: Curve) -> Curve:
    """Pulses of up to 1 on syllables that stand out from what is around them, at most about two a second."""
    syllables = _smooth(strength, 0.05)
    prominence = np.clip(syllables - _smooth(strength, 0.4), 0, None)
    steps = round(0.45 * STEPS)
    peaks = (prominence == maximum_filter1d(prominence, steps, mode="nearest")) & (prominence > 0.05)
    pulses = np.zeros(len(strength))
    pulses[peaks] = np.clip(prominence[peaks] / 0.35, 0, 1)
    width = 0.07 * STEPS
    return np.clip(gaussian_filter1d(pulses, width, mode="constant") * width * np.sqrt(2 * np.pi), 0, 1)
