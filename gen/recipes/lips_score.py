"""How well lips follow lines whose sounds are known: as taught, shut on p, b and m, still in silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion_encoders.track import EmotionTrack
from gen.recipes.lips_corpus import SILENCE, Sound, Spoken
from gen.recipes.lips_fit import paused
from gen.recipes.lips_targets import SEALS, curves, effort, signs
from pipelines.portrait.articulation import VOWEL_GAP, lip_gap
from pipelines.portrait.lips import CURVES, RATE, LipNetwork, mel_power
from pipelines.portrait.motion import perform

Gap = NDArray[np.float64]

FPS = 25.0
PAUSE = 1.5  # seconds of silence around a line
MARGIN = 0.4  # seconds from speech in which lips may still, or already, move
SHUT = 0.1  # of VOWEL_GAP: a gap that nobody sees


@dataclass(frozen=True)
class Score:
    """Correlation of every curve of the network with the taught one, and what the performed lips do."""

    lines: int
    correlations: dict[str, float]
    bilabials: int
    shut: float  # share of the bilabials during which the lips meet
    stillness: float  # deviation of the lip gap in silence, as a share of that in speech


def scored(network: LipNetwork, lines: Sequence[Spoken], noise_db: float | None = None) -> Score:
    """Scores lines with silence around them; with noise, white and so many dB below the line's mean power."""
    told, wanted, shut, still, moving = [], [], [], [], []
    random = np.random.default_rng(0)
    for line in lines:
        sound = np.pad(line.waveform, round(PAUSE * RATE))
        if noise_db is not None:
            level = np.sqrt(np.mean(line.waveform**2)) * 10 ** (-noise_db / 20)
            sound = (sound + level * random.standard_normal(len(sound))).astype(np.float32)
        sounds = paused(line, PAUSE, PAUSE)
        told.append(network(sound))
        wanted.append(curves(sounds, effort(mel_power(sound))))
        gap = performed(sound, network)
        shut += closures(gap, sounds)
        quiet, loud = rests(gap, sounds)
        still.append(quiet)
        moving.append(loud)
    ours, taught = np.concatenate(told), np.concatenate(wanted)
    pairs = {name: (ours[:, k], taught[:, k]) for k, name in enumerate(CURVES)}
    return Score(
        lines=len(lines),
        correlations={n: float(np.corrcoef(a, b)[0, 1]) for n, (a, b) in pairs.items() if b.std() > 0},
        bilabials=len(shut),
        shut=float(np.mean(shut)) if shut else float("nan"),
        stillness=float(np.std(np.concatenate(still)) / np.std(np.concatenate(moving))),
    )


def performed(sound: NDArray[np.float32], network: LipNetwork, emotion: str = "neutral") -> Gap:
    """The lip gap (T,) of a performance of a sound, in outer-eye-corner distances."""
    track, frames = EmotionTrack.parse(emotion), round(len(sound) / RATE * FPS)
    motion = perform(sound, RATE, track, frames=frames, fps=FPS, seed=0, lips=network)
    return lip_gap(motion.coefficients)


def closures(gap: Gap, sounds: Sequence[Sound]) -> list[bool]:
    """For each p, b and m whether the lips meet in it, or half a frame beside it."""
    met = []
    for sound in (part for whole in sounds for part in signs(whole) if part.sign in SEALS):
        first, last = np.ceil(sound.start * FPS - 0.5), np.floor(sound.end * FPS + 0.5)
        during = gap[int(first) : int(last) + 1]
        if len(during):
            met.append(bool(during.min() < SHUT * VOWEL_GAP))
    return met


def rests(gap: Gap, sounds: Sequence[Sound]) -> tuple[Gap, Gap]:
    """The gap in silence, MARGIN away from speech, and in speech."""
    seconds = np.arange(len(gap)) / FPS
    spoken = [sound for sound in sounds if sound.sign != SILENCE]
    near = np.zeros(len(gap), bool)
    speech = np.zeros(len(gap), bool)
    for sound in spoken:
        near |= (seconds > sound.start - MARGIN) & (seconds < sound.end + MARGIN)
        speech |= (seconds >= sound.start) & (seconds < sound.end)
    return gap[~near], gap[speech]
