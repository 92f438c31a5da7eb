"""What happens to speech on its way to a listener: noise, rooms, telephones, codecs, other voices."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from emotion_encoders.waveform import RATE

Sound = NDArray[np.float32]
Change = Callable[[Sound, np.random.Generator, Sequence[Sound]], Sound]


def noisy(
    x: Sound, decibels: float, kind: str, random: np.random.Generator, others: Sequence[Sound]
) -> Sound:
    """With noise so many dB below the clip's mean power."""
    noise = babble(len(x), random, others) if kind == "babble" else coloured_noise(len(x), kind, random)
    return (x + noise * (_rms(x) / _rms(noise) * 10 ** (-decibels / 20))).astype(np.float32)


def coloured_noise(samples: int, kind: str, random: np.random.Generator) -> Sound:
    """White, pink or brown noise."""
    slope = {"white": 0.0, "pink": 0.5, "brown": 1.0}[kind]
    length = _fast(samples)
    hertz = np.fft.rfftfreq(length, 1 / RATE)
    spectrum = np.fft.rfft(random.standard_normal(length)) / np.maximum(hertz, 40) ** slope
    return np.fft.irfft(spectrum, length)[:samples].astype(np.float32)


def babble(samples: int, random: np.random.Generator, others: Sequence[Sound]) -> Sound:
    """Six people talking at once."""
    mixed = np.zeros(samples, np.float32)
    for index in random.integers(len(others), size=6):
        voice = others[index]
        mixed += np.resize(np.roll(voice, int(random.integers(len(voice)))), samples) / _rms(voice)
    return mixed


def coloured(x: Sound, random: np.random.Generator) -> Sound:
    """Through a microphone with its own response: a random walk of some dB from octave to octave."""
    points = np.array([0, 200, 500, 1000, 2000, 4000, 8000])
    gain = np.cumsum(random.normal(0, 2, len(points)))
    length = _fast(len(x))
    response = np.interp(np.fft.rfftfreq(length, 1 / RATE), points, gain - gain.mean())
    return np.fft.irfft(np.fft.rfft(x, length) * 10 ** (response / 20), length)[: len(x)].astype(np.float32)


def echoing(x: Sound, random: np.random.Generator) -> Sound:
    """In a room: an exponentially decaying tail of 0.1 to 0.4 s."""
    tail = int(RATE * random.uniform(0.1, 0.4))
    room = (
        random.standard_normal(tail) * np.exp(-6.9 * np.arange(tail) / tail) * 0.05 * random.uniform(0.3, 1.5)
    )
    room[0] = 1
    length = _fast(len(x) + tail)
    return np.fft.irfft(np.fft.rfft(x, length) * np.fft.rfft(room, length), length)[: len(x)].astype(
        np.float32
    )


def faster(x: Sound, factor: float) -> Sound:
    """Played faster: tempo, pitch and formants move together, as from a larger to a smaller speaker."""
    return np.asarray(soxr.resample(x, RATE, RATE / factor), np.float32)


def narrow(x: Sound) -> Sound:
    """As it sounds at 8,000 samples a second."""
    return np.asarray(soxr.resample(soxr.resample(x, RATE, RATE // 2), RATE // 2, RATE), np.float32)


def telephoned(x: Sound, random: np.random.Generator, others: Sequence[Sound]) -> Sound:
    """Narrow, and by chance coloured, coarsened by the μ-law and noisy."""
    y = narrow(coloured(x, random) if random.random() < 0.5 else x)
    y = coarse(y) if random.random() < 0.5 else y
    return noisy(y, random.uniform(12, 30), "pink", random, others) if random.random() < 0.3 else y


def coarse(x: Sound) -> Sound:
    """Eight bits of the μ-law (ITU-T G.711)."""
    loudest = np.abs(x).max() + 1e-9
    steps = np.round(np.sign(x) * np.log1p(255 * np.abs(x) / loudest) / np.log(256) * 127) / 127
    return (np.sign(steps) * (256 ** np.abs(steps) - 1) / 255 * loudest).astype(np.float32)


def coded(x: Sound, container: str, codec: str, compression: float) -> Sound:
    """Written by a codec and read again."""
    file = io.BytesIO()
    soundfile.write(
        file, np.clip(x, -1, 1), RATE, format=container, subtype=codec, compression_level=compression
    )
    file.seek(0)
    decoded, rate = soundfile.read(file, dtype="float32")
    return np.asarray(soxr.resample(decoded, rate, RATE), np.float32)


# What each clip is also learned as; the last argument of a change is other speech, for babble.
TAUGHT: Mapping[str, Change] = {
    "clean": lambda x, _random, _others: x,
    "moved": lambda x, random, _others: coloured(faster(x, random.uniform(0.86, 1.16)), random),
    "far": lambda x, random, others: noisy(
        echoing(faster(x, random.uniform(0.86, 1.16)), random),
        random.uniform(10, 30),
        random.choice(("white", "pink", "brown", "babble")),
        random,
        others,
    ),
    "telephone": telephoned,
}

# What it is measured as, besides clean.
MEASURED: Mapping[str, Change] = {
    "white noise, 10 dB": lambda x, random, others: noisy(x, 10, "white", random, others),
    "babble, 10 dB": lambda x, random, others: noisy(x, 10, "babble", random, others),
    "8 kHz": lambda x, _random, _others: narrow(x),
    "Opus, 10 kbit/s": lambda x, _random, _others: coded(x, "OGG", "OPUS", 0.97),
    "MP3, 12 kbit/s": lambda x, _random, _others: coded(x, "MP3", "MPEG_LAYER_III", 0.97),
}


def _rms(x: Sound) -> float:
    return float(np.sqrt(np.mean(np.square(x)) + 1e-12))


def _fast(samples: int) -> int:
    """A length not below this whose Fourier transform is quick."""
    return 1 << (samples - 1).bit_length()
