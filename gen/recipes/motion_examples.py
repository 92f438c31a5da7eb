"""What the motion model learns from: stretches of moves with the voice and the emotion they belong to.

Recordings give faces, lids and gaze (`motion_captures`), tracked clips give heads and, some of them, a voice
(`motion_heads`). What a source does not show is filled in by the rules, and sentences of a corpus acted in
eight emotions are performed by the rules altogether: the corpus aligns emotion and voice, the rules say what
moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion_encoders.track import EmotionTrack
from gen.media import read_sound
from gen.recipes.motion_captures import FPS, CaptureError, Take
from gen.recipes.motion_distance import signals_of
from gen.recipes.motion_residual import without_blinks
from pipelines.portrait.expression import express
from pipelines.portrait.flow import curves_of
from pipelines.portrait.gaze import FULL_LOOK, STEADY
from pipelines.portrait.life import LIVELY, Life
from pipelines.portrait.motion import Motion
from pipelines.portrait.moves import Moves, Rules
from pipelines.portrait.voice import Voice, listen

Array = NDArray[np.float64]
Sound = NDArray[np.float32]

RATE = 16_000
ACTED = (
    "neutral",
    "neutral",
    "happiness",
    "sadness",
    "anger",
    "fear",
    "disgust",
    "surprise",
)  # RAVDESS 01-08
SENTENCES = 4  # in one stretch
PAUSE = (0.5, 2.0)  # seconds between them
# Weights of the sources in a batch.
RECORDED, TRACKED, PERFORMED = 0.5, 0.15, 0.35


@dataclass(frozen=True)
class Example:
    """One stretch: moves (T, CHANNELS), a voice (T, VOICE) or None, what is felt or None, its weight."""

    moves: NDArray[np.float32]
    voice: NDArray[np.float32] | None
    track: EmotionTrack | None
    weight: float

    def __post_init__(self) -> None:
        if not np.isfinite(self.moves).all():
            raise ValueError("Moves that are no numbers came.")


def recorded(takes: Sequence[Take], seed: int) -> Iterator[Example]:
    """Faces of recordings, each with a head of the rules, in silence."""
    total = sum(take.seconds for take in takes)
    for number, take in enumerate(takes):
        track = EmotionTrack.parse(take.asked)
        voice = _silence(len(take.coefficients))
        rules = _by_rules(voice, track, seed + number)
        face = without_blinks(take.coefficients[:, LIVELY], take)
        moves = Moves(face, rules.rest, take.lids, without_blinks(take.gaze, take), rules.sway)
        yield Example(framed(moves), curves_of(voice), track, RECORDED * take.seconds / total)


def tracked(motions: Sequence[tuple[Motion, Sound | None, int]], seed: int) -> Iterator[Example]:
    """Heads, gaze and lids of tracked videos; brows and cheeks, which a camera hardly shows, by the rules."""
    total = sum(motion.frames for motion, _, _ in motions)
    for number, (motion, sound, rate) in enumerate(motions):
        heard = None if sound is None else listen(sound, rate, frames=motion.frames, fps=motion.fps)
        track = EmotionTrack.parse("neutral")
        rules = _by_rules(heard or _silence(motion.frames), track, seed + number)
        moves = Moves(rules.course, rules.rest, *seen(motion))
        curves = None if heard is None else curves_of(heard)
        yield Example(framed(moves), curves, track, TRACKED * motion.frames / total)


def performed(data: Path, stretches: int, seed: int) -> Iterator[Example]:
    """The rules on acted sentences, one emotion a stretch; CaptureError if there are none."""
    folder = data / "ravdess_speech_16k"
    groups = [sorted(folder.rglob(f"03-01-{number:02d}-*")) for number in range(1, len(ACTED) + 1)]
    if not all(groups):
        raise CaptureError(f"'{folder}' does not hold sentences in all eight emotions.")
    rng = np.random.default_rng(seed)
    for number in range(stretches):
        emotion = number % len(ACTED)
        chosen = rng.choice(len(groups[emotion]), min(SENTENCES, len(groups[emotion])), replace=False)
        sound = _spoken([groups[emotion][place] for place in chosen], rng)
        voice = listen(sound, RATE, frames=round(len(sound) / RATE * FPS), fps=FPS)
        # Every second round of emotions is half as strong, so that strength means something.
        track = EmotionTrack.parse(ACTED[emotion] + ("@.5" if number // len(ACTED) % 2 else ""))
        moves = _by_rules(voice, track, seed + number)
        yield Example(framed(moves), curves_of(voice), track, PERFORMED / stretches)


def framed(moves: Moves) -> NDArray[np.float32]:
    """Moves as the model's frames (T, CHANNELS)."""
    return np.concatenate([moves.course, moves.lids[:, None], moves.aim, moves.sway], axis=1).astype(
        np.float32
    )


def seen(motion: Motion) -> tuple[Array, Array, Array]:
    """Lids (T,), where the eyes turn in the world (T, 2), and the head (T, 6) of a tracked performer."""
    head = motion.head.astype(np.float64)
    aim = signals_of(motion.coefficients)[:, -2:] * FULL_LOOK + STEADY * head[:, [1, 0]]
    return motion.coefficients[:, [0, 7]].mean(axis=1).astype(np.float64), aim - np.median(aim, axis=0), head


def _spoken(paths: Sequence[Path], rng: np.random.Generator) -> Sound:
    parts: list[Sound] = []
    for path in paths:
        sound, rate = read_sound(path)
        if rate != RATE:
            raise CaptureError(f"'{path}' has {rate} samples a second; {RATE} were expected.")
        parts += [sound, np.zeros(round(rng.uniform(*PAUSE) * RATE), np.float32)]
    return np.concatenate(parts)


def _by_rules(voice: Voice, track: EmotionTrack, seed: int) -> Moves:
    expression = express(track, frames=voice.frames, fps=FPS)
    return Rules(Life.bundled())(voice, expression, track, fps=FPS, seed=seed)


def _silence(frames: int) -> Voice:
    return listen(np.zeros(RATE, np.float32), RATE, frames=frames, fps=FPS)
