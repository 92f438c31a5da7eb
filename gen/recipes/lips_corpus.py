"""Speech whose sounds and their times are known: made-up lines, said by two free synthesisers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from gen.recipes.lips_words import TONGUES, line
from pipelines.portrait.lips import RATE

ESPEAK = Path(__file__).with_name("lips_espeak.py")
FLITE_VOICES = {"awb": 130.0, "rms": 105.0, "slt": 167.0, "kal16": 105.0}  # and their mean pitch in Hz
VARIANTS = ("", "+m1", "+m3", "+m5", "+m7", "+f1", "+f2", "+f3", "+f4", "+f5", "+klatt2", "+klatt4",
            "+Andy", "+Annie", "+Mario", "+steph", "+john", "+linda", "+victor", "+belinda")  # fmt: skip
SILENCE = "_"

# The American phone set of flite in IPA.
ARPABET = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "ay": "aɪ", "b": "b", "ch": "tʃ",
    "d": "d", "dh": "ð", "eh": "ɛ", "er": "ɚ", "ey": "eɪ", "f": "f", "g": "ɡ", "hh": "h", "ih": "ɪ",
    "iy": "i", "jh": "dʒ", "k": "k", "l": "l", "m": "m", "n": "n", "ng": "ŋ", "ow": "oʊ", "oy": "ɔɪ",
    "p": "p", "r": "ɹ", "s": "s", "sh": "ʃ", "t": "t", "th": "θ", "uh": "ʊ", "uw": "u", "v": "v",  "w":
    "w", "y": "j", "z": "z", "zh": "ʒ", "pau": SILENCE
}  # fmt: skip


class SynthesiserError(RuntimeError):
    """A speech program that is missing or does not work; a sentence."""


@dataclass(frozen=True)
class Sound:
    """One speech sound: its IPA sign, and when it lasts, in seconds."""

    sign: str
    start: float
    end: float


@dataclass(frozen=True)
class Spoken:
    """A line: mono sound (N,) float32 at RATE, its sounds in order without gaps, and whose voice it is."""

    waveform: NDArray[np.float32]
    sounds: tuple[Sound, ...]
    voice: str


def by_espeak(count: int, random: np.random.Generator) -> list[Spoken]:
    """Lines in all tongues and many voices of espeak-ng."""
    tongues = list(TONGUES)
    lines = []
    for k in range(count):
        tongue = tongues[k % len(tongues)]
        lines.append(
            {
                "voice": tongue + str(random.choice(VARIANTS)),
                "text": line(tongue, random),
                "words_a_minute": int(random.integers(130, 230)),
                "pitch": int(random.integers(25, 80)),
            }
        )
    with TemporaryDirectory(prefix="mien-lips-") as name:
        folder = Path(name)
        (folder / "lines.json").write_text(json.dumps(lines), encoding="utf-8")
        done = subprocess.run(  # noqa: S603 - this Python, a file of this folder, no shell
            [sys.executable, str(ESPEAK), name], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SynthesiserError(f"espeak-ng could not speak: {done.stderr.strip()[-300:]}")
        return [
            _from_espeak(folder / f"{k}.wav", str(asked["voice"]))
            for k, asked in enumerate(lines)
            if (folder / f"{k}.json").exists()
        ]


def _from_espeak(path: Path, voice: str) -> Spoken:
    waveform = _read(path)
    events = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    starts = [
        _closure(waveform, seconds) if sign[:1] in "pbtdkɡqcɟʈɖʔ" else seconds for seconds, sign in events
    ]
    signs = [SILENCE, *(sign or SILENCE for _, sign in events)]
    times = [0.0, *starts, len(waveform) / RATE]
    sounds = [Sound(s, a, b) for s, a, b in zip(signs, times, times[1:], strict=False) if b > a]
    return Spoken(waveform, tuple(sounds), f"espeak {voice}")


def _closure(waveform: NDArray[np.float32], seconds: float) -> float:
    """Where the mouth closed for a stop: espeak-ng gives the silence before its release to its neighbour."""
    at = min(round(seconds * RATE), len(waveform))
    back = waveform[max(0, at - round(0.13 * RATE)) : at][::-1]
    loud = np.flatnonzero(np.abs(back) > 1e-3)
    silent = int(loud[0]) if len(loud) else len(back)
    return seconds - silent / RATE if silent > 0.01 * RATE else seconds


def by_flite(count: int, random: np.random.Generator) -> Iterator[Spoken]:
    """English lines in the voices of flite, which were made of recordings of four people."""
    voices = list(FLITE_VOICES)
    for k in range(count):
        stretch, pitch = random.uniform(0.75, 1.25), 2 ** random.uniform(-0.3, 0.4)
        yield say_with_flite(line("en-us", random), voices[k % len(voices)], stretch, pitch)


def say_with_flite(text: str, voice: str, stretch: float = 1.0, pitch: float = 1.0) -> Spoken:
    """A text in one of flite's voices, so many times as slow and as high as its own."""
    flite = shutil.which("flite")
    if flite is None:
        raise SynthesiserError("flite is not installed: install it with your system's packages.")
    hertz = FLITE_VOICES[voice] * pitch
    settings = ["--setf", f"duration_stretch={stretch:.3f}", "--setf", f"int_f0_target_mean={hertz:.1f}"]
    with TemporaryDirectory(prefix="mien-lips-") as folder:
        target = Path(folder) / "line.wav"
        done = subprocess.run(  # noqa: S603 - a list without a shell
            [flite, "-voice", voice, *settings, "-psdur", "-t", text, "-o", str(target)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return Spoken(_read(target), segments(done.stdout), f"flite {voice}")


def segments(told: str) -> tuple[Sound, ...]:
    start, sounds = 0.0, []
    for segment in told.split():
        name, end = segment.rsplit(":", 1)
        sounds.append(Sound(ARPABET[name], start, float(end)))
        start = float(end)
    return tuple(sounds)


def _read(path: Path) -> NDArray[np.float32]:
    waveform, rate = soundfile.read(path, dtype="float32")
    return np.asarray(soxr.resample(waveform, rate, RATE), np.float32)
