"""Real emotional voices whose sounds are known: RAVDESS's two sentences, aligned to what was said.

A synthesised sentence, whose sounds' times are known, is laid over each clip by dynamic time warping (Sakoe
& Chiba 1978). From there a left-to-right model with three states a sound, one Gaussian each, is learned over
all clips of a sentence and laid over them anew, five times (Viterbi training, Rabiner 1989).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.fft import dct
from scipy.ndimage import uniform_filter1d

from gen.recipes.lips_corpus import SILENCE, Sound, Spoken, say_with_flite
from pipelines.portrait.lips import RATE, STEPS, mel_power

Array = NDArray[np.float64]

SENTENCES = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
CEPSTRA = 13
STATES = 3  # a sound
ROUNDS = 5
LONGEST = 0.6  # seconds of one sound: where the model needs more, it has lost its way
LOUD_DB = -35.0  # speech lies above this, relative to a clip's loudest moments


@dataclass(frozen=True)
class Clip:
    """A recording: waveform (N,) at RATE, features (S, F) and which steps (S,) are loud."""

    name: str
    waveform: NDArray[np.float32]
    features: Array
    loud: NDArray[np.bool_]


def aligned(folder: Path, actors: Sequence[int], every: int = 1) -> list[Spoken]:
    """Every so-manieth clip of these actors in a folder of RAVDESS speech, with its sounds."""
    paths = [path for path in sorted(folder.glob("03-01-*.opus")) if int(path.stem[-2:]) in actors][::every]
    spoken = []
    for sentence, text in SENTENCES.items():
        clips = [_clip(path) for path in paths if path.stem.split("-")[4] == sentence]
        signs, guesses = _by_warping(clips, text)
        spoken += [
            Spoken(clip.waveform, sounds, f"ravdess {clip.name[-2:]}")
            for clip, sounds in zip(clips, _by_states(clips, signs, guesses), strict=True)
            if max(sound.end - sound.start for sound in sounds[1:-1]) < LONGEST
        ]
    return spoken


def _clip(path: Path) -> Clip:
    waveform, rate = soundfile.read(path, dtype="float32")
    sound = np.asarray(soxr.resample(waveform, rate, RATE), np.float32)
    return Clip(path.stem, sound, *features(sound))


def features(waveform: NDArray[np.float32]) -> tuple[Array, NDArray[np.bool_]]:
    """Cepstra and how they change (S, F), normalised over the loud steps (S,), which come with them."""
    power = mel_power(waveform).astype(np.float64)
    level = 10 * np.log10(power.sum(axis=1) + 1e-9)
    loud = level > np.percentile(level, 98) + LOUD_DB
    decibels = np.maximum(10 * np.log10(power + 1e-9), np.percentile(level, 98) - 70)
    cepstra = np.asarray(dct(decibels, axis=1, norm="ortho"))[:, :CEPSTRA]
    still = (cepstra - cepstra[loud].mean(axis=0)) / (cepstra[loud].std(axis=0) + 1e-3)
    change = uniform_filter1d(np.gradient(still, axis=0), 3, axis=0)
    return np.concatenate([still, 3 * change], axis=1), loud


def _by_warping(clips: Sequence[Clip], text: str) -> tuple[tuple[str, ...], list[Array]]:
    """The sentence's sounds, and for each clip the steps (sounds + 1,) where they begin and the last ends."""
    spoken = [say_with_flite(text, voice) for voice in ("slt", "rms", "awb")]
    sounds = [[s for s in line.sounds if s.sign != SILENCE] for line in spoken]
    references = []
    for line, own in zip(spoken, sounds, strict=True):
        first, last = (round(seconds * STEPS) for seconds in (own[0].start, own[-1].end))
        edges = np.array([s.start for s in own] + [own[-1].end]) * STEPS - first
        references.append((features(line.waveform)[0][first:last], edges))
    guesses = []
    for clip in clips:
        first, last = np.flatnonzero(clip.loud)[[0, -1]]
        stretch = clip.features[first : last + 1]
        costs, maps = zip(*(warped(stretch, reference) for reference, _ in references), strict=True)
        best = int(np.argmin(costs))
        steps = np.interp(references[best][1], np.arange(len(maps[best])), maps[best])
        guesses.append(first + steps)
    return tuple(s.sign for s in sounds[0]), guesses


def warped(stretch: Array, reference: Array) -> tuple[float, Array]:
    """The cost a step, and for each step of the reference (R,) that of the stretch which it lies on."""
    distance = np.sqrt(((stretch[:, None] - reference[None]) ** 2).sum(axis=2))
    total = np.full((len(stretch) + 1, len(reference) + 1), np.inf)
    total[0, 0] = 0
    for diagonal in range(len(stretch) + len(reference) - 1):
        i = np.arange(max(0, diagonal - len(reference) + 1), min(len(stretch) - 1, diagonal) + 1)
        j = diagonal - i
        total[i + 1, j + 1] = distance[i, j] + np.minimum(
            np.minimum(total[i, j], total[i, j + 1]), total[i + 1, j]
        )
    i, j, path = len(stretch), len(reference), np.zeros(len(reference))
    while i and j:
        path[j - 1] = i - 1
        i, j = min(((i - 1, j - 1), (i - 1, j), (i, j - 1)), key=lambda at: total[at])
    return float(total[-1, -1] / sum(total.shape)), path


def _by_states(
    clips: Sequence[Clip], signs: tuple[str, ...], guesses: Sequence[Array]
) -> list[tuple[Sound, ...]]:
    """The sounds of each clip, silence before and after them included."""
    states = [_cut(guess, len(clip.features)) for clip, guess in zip(clips, guesses, strict=True)]
    count = STATES * len(signs) + 2
    for _ in range(ROUNDS):
        everything = np.concatenate([clip.features for clip in clips])
        labels = np.concatenate(states)
        means = np.stack([everything[labels == k].mean(axis=0) for k in range(count)])
        spread = np.stack([everything[labels == k].var(axis=0) for k in range(count)]) + 0.05
        states = [laid(clip.features, means, spread) for clip in clips]
    return [_sounds(clip, state, signs) for clip, state in zip(clips, states, strict=True)]


def _cut(edges: Array, steps: int) -> NDArray[np.int64]:
    """States (S,): 0 before the first sound, three for each sound in turn, the last one after it."""
    inner = np.concatenate([np.linspace(a, b, STATES + 1)[:-1] for a, b in pairwise(edges)])
    return np.searchsorted(np.append(inner, edges[-1]), np.arange(steps), side="right")


def laid(features: Array, means: Array, spread: Array) -> NDArray[np.int64]:
    """The likeliest way (S,) through the states, none left out."""
    fit = -0.5 * (((features[:, None] - means[None]) ** 2 / spread).sum(axis=2) + np.log(spread).sum(axis=1))
    score = np.full(len(means), -np.inf)
    score[0] = fit[0, 0]
    moved = np.zeros(fit.shape, bool)
    for k in range(1, len(fit)):
        arriving = np.concatenate([[-np.inf], score[:-1]])
        moved[k] = arriving > score
        score = np.maximum(arriving, score) + fit[k]
    way = np.empty(len(fit), np.int64)
    state = len(means) - 1
    for k in range(len(fit) - 1, -1, -1):
        way[k] = state
        state -= int(moved[k, state])
    return way


def _sounds(clip: Clip, way: NDArray[np.int64], signs: tuple[str, ...]) -> tuple[Sound, ...]:
    starts = [int(np.searchsorted(way, 1 + STATES * k)) / STEPS for k in range(len(signs) + 1)]
    end = len(clip.waveform) / RATE
    spoken = [Sound(sign, a, b) for sign, a, b in zip(signs, starts, starts[1:], strict=False)]
    return (Sound(SILENCE, 0.0, starts[0]), *spoken, Sound(SILENCE, starts[-1], end))
