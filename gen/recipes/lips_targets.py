"""What lips and jaw do for a line of speech sounds: targets of each sound, blended by dominance functions.

Cohen & Massaro 1993, "Modeling coarticulation in synthetic visual speech": every sound pulls each part of the
mouth towards its target with a strength that falls off exponentially with the time to the sound; what is seen
is the mean of the targets, weighted by these strengths. Jaw and lips have targets of their own, as they move
apart in speakers (the jaw after Mooshammer, Hoole & Geumann 2007: high for sibilants, low for open vowels,
free for k and h). Lips that must meet, or touch the teeth, do so whatever their neighbours want.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from gen.recipes.lips_corpus import SILENCE, Sound
from pipelines.portrait.lips import CURVES, STEPS

Array = NDArray[np.float64]
PULLED: tuple[str, ...] = ("opening", "jaw", "rounding", "spread")


@dataclass(frozen=True)
class Pull:
    """A target in [0, 1], how strongly it is held, and how fast that fades before and after, per second."""

    target: float
    strength: float
    before: float = 14.0
    after: float = 14.0


def _vowel(opening: float, jaw: float, rounding: float, spread: float) -> tuple[Pull, ...]:
    round_ = Pull(rounding, 1.0 if rounding else 0.5, 9.0, 12.0)  # rounding is prepared long before
    return Pull(opening, 1.5, 22, 20), Pull(jaw, 1.2, 16, 15), round_, Pull(spread, 0.8, 12, 12)


def _consonant(
    opening: tuple[float, float],
    jaw: tuple[float, float],
    rounding: tuple[float, float],
    spread: tuple[float, float],
) -> tuple[Pull, ...]:
    fast, slow = (28.0, 28.0), (20.0, 20.0)
    return Pull(*opening, *fast), Pull(*jaw, *slow), Pull(*rounding, *slow), Pull(*spread, *slow)


# Opening, jaw, rounding, spread. Vowels by height, rounding and frontness; for consonants each target comes
# with its strength, small where the sound does not care.
_VOWELS = {
    _vowel(1.0, 1.0, 0.0, 0.15): "aæɐɑ",
    _vowel(0.85, 0.8, 0.25, 0.0): "ɒ",
    _vowel(0.75, 0.7, 0.0, 0.3): "ɛʌɜɚɝ",
    _vowel(0.6, 0.55, 0.0, 0.6): "e",
    _vowel(0.5, 0.45, 0.0, 0.2): "əɘɵɤ",
    _vowel(0.45, 0.35, 0.0, 0.7): "ɪ",
    _vowel(0.4, 0.25, 0.0, 1.0): "iɨ",
    _vowel(0.35, 0.25, 0.0, 0.3): "ɯ",
    _vowel(0.6, 0.65, 0.65, 0.0): "ɔɞ",
    _vowel(0.45, 0.5, 0.75, 0.0): "o",
    _vowel(0.3, 0.35, 0.7, 0.0): "ʊʏʉ",
    _vowel(0.2, 0.25, 1.0, 0.0): "u",
    _vowel(0.22, 0.25, 0.9, 0.2): "y",
    _vowel(0.4, 0.4, 0.75, 0.1): "øœ",
}
_CONSONANTS = {
    _consonant((0.0, 4.0), (0.25, 0.8), (0.1, 0.1), (0.1, 0.1)): "pbmβɸ",
    _consonant((0.12, 3.0), (0.2, 1.0), (0.0, 0.4), (0.2, 0.2)): "fvʋɱ",
    _consonant((0.15, 2.5), (0.25, 0.6), (1.0, 2.0), (0.0, 1.0)): "wɥʍ",
    _consonant((0.32, 1.0), (0.3, 0.8), (0.0, 0.2), (0.2, 0.2)): "θð",
    _consonant((0.28, 1.2), (0.08, 2.5), (0.0, 0.4), (0.4, 0.6)): "szɕʑ",
    _consonant((0.32, 1.2), (0.1, 2.5), (0.5, 1.2), (0.0, 0.4)): "ʃʒʂʐ",
    _consonant((0.35, 0.7), (0.22, 1.2), (0.0, 0.2), (0.3, 0.2)): "tdnʈɖɳ",
    _consonant((0.4, 0.6), (0.35, 0.6), (0.0, 0.2), (0.3, 0.2)): "lɫɭɾɬ",
    _consonant((0.32, 0.9), (0.3, 0.7), (0.4, 0.8), (0.1, 0.2)): "ɹrʀɻ",
    _consonant((0.35, 0.6), (0.3, 0.5), (0.0, 0.3), (0.7, 0.6)): "jçʎɲcɟ",
    _consonant((0.45, 0.3), (0.4, 0.3), (0.0, 0.1), (0.2, 0.1)): "kɡgŋxɣʁqχ",
    _consonant((0.5, 0.12), (0.45, 0.12), (0.0, 0.05), (0.2, 0.05)): "hɦʔħʕ",
}
_PULLS = {sign: pulls for table in (_VOWELS, _CONSONANTS) for pulls, signs in table.items() for sign in signs}
# A mouth at rest; within a phrase, for so short a time that nobody would close it, nothing at all.
_REST = (Pull(0, 1.2, 14, 14), Pull(0, 1.0, 12, 12), Pull(0, 0.6, 12, 12), Pull(0, 0.6, 12, 12))
_CATCH = tuple(Pull(0.2, 0.15) for _ in PULLED)
CATCH_SECONDS = 0.12

# Lips that meet (p, b, m) or a lip on the teeth (f, v): when, as parts of the sound, and how long they take.
SEALS = {"p": 0.75, "b": 0.9, "m": 1.0}
TUCKS = "fvʋɱ"
SEAL_SECONDS = 0.045
TUCK_SECONDS = 0.06


def signs(sound: Sound) -> tuple[Sound, ...]:
    """A sound as its simple parts: diphthongs and affricates are cut evenly, marks of length are dropped."""
    plain = unicodedata.normalize("NFD", sound.sign)
    known = [sign for sign in plain if sign in _PULLS or sign == SILENCE] or (["j"] if "ʲ" in plain else [])
    if not known:
        known = ["h"]  # a sound that nobody has told lips about leaves them free
    edges = np.linspace(sound.start, sound.end, len(known) + 1)
    return tuple(Sound(s, float(a), float(b)) for s, a, b in zip(known, edges, edges[1:], strict=False))


def effort(power: NDArray[np.floating]) -> Array:
    """How hard a voice of mel power (S, MELS) tries, (S,): 1 at its loud moments, 0 at 25 dB below them."""
    level = 10 * np.log10(np.asarray(power, np.float64).sum(axis=1) + 1e-7)
    return gaussian_filter1d(np.clip((level - np.percentile(level, 95)) / 25 + 1, 0, 1), 0.06 * STEPS)


def curves(sounds: Sequence[Sound], effort: Array) -> Array:
    """The mouth (S, len(CURVES)) in [0, 1] of a line and its effort (S,), from the line's beginning.

    Jaw and lips open further the louder and the more stressed a syllable is (Schulman 1989; de Jong 1995).
    """
    steps = len(effort)
    parts = [part for sound in sounds for part in signs(sound)]
    seconds = np.arange(steps) / STEPS
    result: dict[str, Array] = dict(zip(PULLED, _blended(parts, seconds), strict=True))
    result["seal"] = np.max([np.zeros(steps), *(_held(p, seconds) for p in parts if p.sign in SEALS)], axis=0)
    result["tuck"] = np.max([np.zeros(steps), *(_held(p, seconds) for p in parts if p.sign in TUCKS)], axis=0)
    result["jaw"] = result["jaw"] * (0.6 + 0.4 * effort)
    result["opening"] = result["opening"] * (0.6 + 0.4 * effort) * (1 - result["seal"])
    result["speaking"] = np.clip(
        sum((_spans(p, seconds) for p in parts if p.sign != SILENCE), np.zeros(steps)), 0, 1
    )
    return np.stack([result[name] for name in CURVES], axis=1)


def _blended(parts: Sequence[Sound], seconds: Array) -> Array:
    """Opening, jaw, rounding and spread (4, steps)."""
    weights, sums = np.full((len(PULLED), len(seconds)), 1e-9), np.zeros((len(PULLED), len(seconds)))
    for part in parts:
        quiet = part.sign == SILENCE
        pulls = (
            _REST
            if quiet and part.end - part.start > CATCH_SECONDS
            else _CATCH
            if quiet
            else _PULLS[part.sign]
        )
        # The strength is whole over the middle half of a sound, or a long one would lose itself.
        half = (part.end - part.start) / 2
        away = seconds - (part.start + half)
        beyond = np.clip(np.abs(away) - (half if quiet else half / 2), 0, None)
        for row, pull in enumerate(pulls):
            strength = pull.strength * np.exp(-np.where(away < 0, pull.before, pull.after) * beyond)
            weights[row] += strength
            sums[row] += strength * pull.target
    return sums / weights


def _held(part: Sound, seconds: Array) -> Array:
    """1 while a lip touches, with its way there and back."""
    length = (part.end - part.start) * SEALS.get(part.sign, 1.0)
    ramp = SEAL_SECONDS if part.sign in SEALS else TUCK_SECONDS
    beyond = np.clip(np.maximum(part.start - seconds, seconds - part.start - length), 0, ramp) / ramp
    return 0.5 + 0.5 * np.cos(np.pi * beyond)


def _spans(part: Sound, seconds: Array) -> Array:
    return ((seconds >= part.start) & (seconds < part.end)).astype(float)
