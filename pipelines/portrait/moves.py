"""Moves: what lives beside the expression and the lips, and how the rules with measured life make it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emotion_encoders.track import EmotionTrack
from pipelines.portrait.expression import LABELS, Expression
from pipelines.portrait.gaze import Looks, aims, blinks
from pipelines.portrait.head import nods, noisy_sway
from pipelines.portrait.life import LIVELY, Life, manners_of
from pipelines.portrait.voice import Voice

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Moves:
    """Frame by frame, before an emotion's posture and expression join in."""

    course: Array  # (T, C) what LIVELY coefficients would do by themselves
    rest: Array  # (T, C) their mean in what is felt: an expression above it is wavered around, not raised
    lids: Array  # (T,) 0 open, 1 shut
    aim: Array  # (T, 2) where the eyes turn in the world: right for the viewer and down, radians
    sway: Array  # (T, 6) the head around its posture, as in Motion


class Mover(Protocol):
    """Whoever makes moves of what is heard and felt; the same seed makes the same ones."""

    def __call__(
        self, voice: Voice, expression: Expression, track: EmotionTrack, *, fps: float, seed: int
    ) -> Moves: ...


@dataclass(frozen=True)
class Rules:
    """Blinks, glances and nods by rule, over a face and a head that waver as measured.

    Without `life` nothing wavers but by round numbers: the floor that measurements compare with.
    """

    life: Life | None

    def __call__(
        self, voice: Voice, expression: Expression, track: EmotionTrack, *, fps: float, seed: int
    ) -> Moves:
        """Moves for a voice of T frames; the track itself is not needed, the expression says it."""
        del track
        frames = voice.frames
        # One stream of randomness for each part: a change to one leaves the others as they were.
        blink_rng, gaze_rng, head_rng, face_rng = np.random.default_rng(seed).spawn(5)[1:]
        manners = manners_of(expression.shares, LABELS)
        if self.life is None:
            looks, course, rest = Looks(), np.zeros((frames, len(LIVELY))), np.zeros((frames, len(LIVELY)))
            sway = noisy_sway(head_rng, frames, fps)
        else:
            looks, rest = self.life.looks(manners), manners @ self.life.rest
            course = self.life.face(face_rng, manners, fps)
            sway = self.life.head(head_rng, frames, fps)
        return Moves(
            course=course,
            rest=rest,
            lids=blinks(blink_rng, frames=frames, fps=fps, phrase_ends=voice.phrase_ends, looks=looks),
            aim=aims(gaze_rng, frames=frames, fps=fps, looks=looks),
            sway=nods(sway, voice, expression, fps=fps, phase=float(head_rng.uniform(0, 2 * np.pi))),
        )
