"""All that may sound beside a voice and moves no lips: hiss, hum, clatter, music, a room full of people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from pipelines.portrait.lips import RATE

Sound = NDArray[np.float32]


def noises(seconds: float, voices: Sequence[Sound], random: np.random.Generator) -> Sound:
    """So many seconds of each kind, end to end, all equally loud."""
    samples = round(seconds * RATE)
    made = [
        *(_slope(samples, slope, random) for slope in (0.0, 0.5, 1.0)),
        _hum(samples, random),
        _clatter(samples, random),
        *(_music(samples, random) for _ in range(6)),
        _organ(samples, random),
        _babble(samples, voices, random),
    ]
    return np.concatenate([part / (np.sqrt(np.mean(part**2)) + 1e-9) * 0.1 for part in made]).astype(
        np.float32
    )


def _slope(samples: int, slope: float, random: np.random.Generator) -> NDArray[np.float64]:
    """White, pink or brown noise whose level wanders."""
    spectrum = np.fft.rfft(random.standard_normal(samples))
    spectrum /= np.maximum(np.fft.rfftfreq(samples, 1 / RATE), 40) ** slope
    seconds = np.arange(samples // RATE + 2)
    wander = np.interp(np.arange(samples) / RATE, seconds, random.normal(0, 3, len(seconds)))
    return np.fft.irfft(spectrum, samples) * 10 ** (wander / 20)


def _hum(samples: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Mains and a fan."""
    seconds = np.arange(samples) / RATE
    tones = sum(np.sin(2 * np.pi * 50 * k * seconds + random.uniform(0, 6)) / k for k in range(1, 12))
    fan = lfilter([1.0], [1.0, -0.95], random.standard_normal(samples))
    return tones + 0.5 * np.asarray(fan)


def _clatter(samples: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Knocks, keys and steps: short bursts with resonances, three a second."""
    sound = np.zeros(samples)
    for at in random.integers(0, samples - RATE, samples * 3 // RATE):
        length = int(RATE * random.uniform(0.02, 0.25))
        fading = np.exp(-np.arange(length) / RATE * random.uniform(20, 120))
        angle = 2 * np.pi * random.uniform(150, 4000) / RATE
        ring = np.asarray(lfilter([1.0], [1.0, -1.9 * np.cos(angle), 0.9025], random.standard_normal(length)))
        sound[at : at + length] += 10 ** random.uniform(-1, 0) * fading * ring
    return sound


def _music(samples: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Chords, a melody, a bass and drums, with the spectra of strings, pipes and plucked things."""
    sound = np.zeros(samples)
    beat = 60 / random.uniform(60, 150)
    scale = 110 * 2 ** (random.integers(0, 12) / 12) * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11]) / 12)
    slope, pluck, vibrato = random.uniform(0.6, 2.0), random.uniform(0.3, 8), random.uniform(0, 0.006)
    for start in np.arange(0, samples / RATE - 4 * beat, beat):
        chord = scale[(random.integers(7) + np.array([0, 2, 4])) % 7] * random.choice([1, 2])
        melody = scale[random.integers(7)] * random.choice([2, 4])
        tones = (*chord[: random.integers(1, 4)], melody, scale[0] / 2)
        notes = [(hertz, beat * random.choice([1, 2])) for hertz in tones]
        for hertz, length in notes:
            if random.random() < 0.4:
                _add(sound, start, _note(hertz, length, slope, pluck, vibrato))
        if random.random() < 0.6:
            drum = random.standard_normal(int(0.12 * RATE)) * np.exp(-np.arange(int(0.12 * RATE)) / RATE * 40)
            _add(sound, start, random.uniform(0.1, 0.8) * drum)
    return sound


def _organ(samples: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Chords held for seconds."""
    sound = np.zeros(samples)
    for start in np.arange(0, samples / RATE - 5, 2.0):
        for hertz in random.uniform(80, 600, int(random.integers(1, 5))):
            _add(sound, start, _note(hertz, random.uniform(1, 5), random.uniform(0.3, 2), 0.0, 0.0))
    return sound


def _note(hertz: float, seconds: float, slope: float, pluck: float, vibrato: float) -> NDArray[np.float64]:
    at = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * hertz * (at + vibrato * np.sin(2 * np.pi * 5.5 * at) / 5.5)
    harmonics = range(1, min(20, int(7000 / hertz)) + 1)
    wave = np.sum([np.sin(k * phase) / k**slope for k in harmonics], axis=0)
    return wave * np.exp(-pluck * at) * np.clip(np.minimum(at, seconds - at) / 0.02, 0, 1)


def _add(sound: NDArray[np.float64], start: float, part: NDArray[np.float64]) -> None:
    at = round(start * RATE)
    end = min(len(sound), at + len(part))
    sound[at:end] += part[: end - at]


def _babble(samples: int, voices: Sequence[Sound], random: np.random.Generator) -> NDArray[np.float64]:
    """Seven people at once."""
    mixed = np.zeros(samples)
    for index in random.integers(len(voices), size=7):
        mixed += np.resize(np.roll(voices[index], int(random.integers(len(voices[index])))), samples)
    return mixed
