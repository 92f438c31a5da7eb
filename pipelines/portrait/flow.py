"""The learned mover beside the rules: what `motion_model.py` samples, as moves at the video's frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import find_peaks

from emotion_encoders.track import EmotionTrack
from pipelines.guidance import Guidance
from pipelines.portrait.expression import LABELS, Expression
from pipelines.portrait.gaze import BLINK, CLOSING, SHORTEST_PAUSE, blinked
from pipelines.portrait.life import LIVELY, Life, manners_of
from pipelines.portrait.motion_model import FPS, Conditions, MotionModel
from pipelines.portrait.moves import Moves
from pipelines.portrait.voice import Voice

Array = NDArray[np.float64]

BLINK_RISE = 0.15  # what stands out so far from the lids around it is a blink
PLAIN = Guidance(audio=1.0, emotion=1.0)


def curves_of(voice: Voice) -> NDArray[np.float32]:
    """What the model hears (T, VOICE)."""
    return np.stack([voice.loudness, voice.voiced, voice.speaking, voice.stress], axis=1).astype(np.float32)


@dataclass(frozen=True)
class Flow:
    """A mover (`moves.Mover`) that samples a motion model."""

    model: MotionModel
    life: Life  # says what each coefficient is at on average in a manner
    steps: int = 8
    guidance: Guidance = PLAIN

    @staticmethod
    def load(path: Path) -> Flow:
        """A mover with the weights of a file; MotionModelError for one that holds none."""
        return Flow(MotionModel.load(path), Life.bundled())

    def __call__(
        self, voice: Voice, expression: Expression, track: EmotionTrack, *, fps: float, seed: int
    ) -> Moves:
        """Moves for a voice of T frames at `fps`; the model works at its own rate."""
        frames = voice.frames
        there, here = np.arange(int(np.ceil(frames * FPS / fps)) + 1) / FPS, np.arange(frames) / fps
        heard = _read(curves_of(voice), here, there)
        conditions = Conditions(torch.from_numpy(heard.astype(np.float32)), track)
        sampled = self.model.sample(
            conditions, len(there), seed=seed, steps=self.steps, guidance=self.guidance
        )
        moves = _read(sampled.numpy().astype(np.float64), there, here)
        count = len(LIVELY)
        return Moves(
            course=np.clip(moves[:, :count], 0, 1),
            rest=manners_of(expression.shares, LABELS) @ self.life.rest,
            lids=self._lids(sampled[:, count].numpy(), frames, fps, seed),
            aim=moves[:, count + 1 : count + 3],
            sway=moves[:, count + 3 :],
        )

    def _lids(self, sampled: NDArray[np.float32], frames: int, fps: float, seed: int) -> Array:
        """Lids (T,) that shut where the model's do, each as quickly as lids shut: none stays closed."""
        apart = round((BLINK + SHORTEST_PAUSE / 2) * FPS)
        peaks, _ = find_peaks(sampled, prominence=BLINK_RISE, distance=apart)
        starts = peaks / FPS - np.mean(CLOSING)
        return blinked(
            np.random.default_rng(seed), [float(start) for start in starts], frames=frames, fps=fps
        )


def _read(curves: NDArray[np.floating], known: Array, wanted: Array) -> Array:
    return np.stack([np.interp(wanted, known, curve) for curve in curves.T], axis=1)
