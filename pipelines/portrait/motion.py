"""Motion: what face and head do at each frame, and how a voice and an emotion become it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from emotion_encoders.track import EmotionTrack
from pipelines.portrait.arkit import ARKIT, columns
from pipelines.portrait.articulation import articulate
from pipelines.portrait.expression import Expression, express
from pipelines.portrait.gaze import eyes, look
from pipelines.portrait.head import postured, slow_noise
from pipelines.portrait.life import LIVELY, Life
from pipelines.portrait.lips import LipNetwork
from pipelines.portrait.moves import Mover, Moves, Rules
from pipelines.portrait.voice import Voice, listen

Array = NDArray[np.float64]

LONGEST_FRAMES = 1_000_000


@dataclass(frozen=True)
class Motion:
    """ARKit coefficients and head pose per frame.

    The head: pitch (down), yaw (to the viewer's right) and roll (clockwise for the viewer) in radians, then
    the shift x (right), y (down), z (away from the viewer) in distances between the outer eye corners.
    """

    coefficients: NDArray[np.float32]  # (T, 52) in [0, 1], in the order of ARKIT
    head: NDArray[np.float32]  # (T, 6)
    fps: float

    def __post_init__(self) -> None:
        frames = len(self.coefficients)
        if self.coefficients.shape != (frames, len(ARKIT)) or self.head.shape != (frames, 6) or not frames:
            raise ValueError(
                f"Coefficients {self.coefficients.shape} and head {self.head.shape} came; "
                f"(T, {len(ARKIT)}) and (T, 6) of the same T are needed."
            )
        if not (np.isfinite(self.coefficients).all() and np.isfinite(self.head).all()):
            raise ValueError("A motion must be finite; NaN or infinity came.")
        if self.coefficients.min() < 0 or self.coefficients.max() > 1:
            raise ValueError("Coefficients must lie between 0 and 1.")
        if not 0 < self.fps < np.inf:
            raise ValueError(f"{self.fps} frames a second came; it must be above 0.")

    @property
    def frames(self) -> int:
        return len(self.coefficients)


def perform(
    waveform: NDArray[np.floating],
    rate: int,
    track: EmotionTrack,
    *,
    frames: int,
    fps: float,
    seed: int,
    mover: Mover | None = None,
    lips: LipNetwork | None = None,
) -> Motion:
    """Speaks a mono voice with the emotions of a track; the same arguments give the same motion.

    `mover` decides on blinks, gaze, head and how the upper face wavers; by default rules over measured life.
    `lips` hears what the mouth does; by default the bundled network.
    """
    if not 0 < frames <= LONGEST_FRAMES or not 0 < fps < np.inf:
        raise ValueError(
            f"{frames} frames at {fps} fps came; "
            f"1 to {LONGEST_FRAMES:,} frames at more than 0 fps are allowed."
        )
    voice = listen(waveform, rate, frames=frames, fps=fps, lips=lips)
    expression = express(track, frames=frames, fps=fps)
    moves = (mover or Rules(Life.bundled()))(voice, expression, track, fps=fps, seed=seed)
    face_rng = np.random.default_rng(seed).spawn(1)[0]

    felt = _held(face_rng, expression.coefficients(voice.speaking), voice, fps)
    felt[:, LIVELY] = _lively(felt[:, LIVELY], moves)
    face = articulate(voice, felt, expression.emphasis, fps)
    face = _prosody(face, voice, expression)

    head = postured(moves.sway, expression, fps)
    gaze = look(moves.aim, head=head[:, [1, 0]], down=np.radians(expression.mean("gaze")))
    face = _with_eyes(face, moves.lids, eyes(moves.lids, gaze))
    return Motion(np.clip(face, 0, 1).astype(np.float32), head.astype(np.float32), fps)


def _lively(shown: Array, moves: Moves) -> Array:
    """What LIVELY coefficients (T, C) do where the expression asks for `shown` (T, C).

    One that is left at rest takes its own course; one that is raised wavers around what is asked, and less
    near its end, where wavering could only weaken it.
    """
    room = np.clip((1.1 - shown) / 0.4, 0.3, 1)
    return np.clip(shown + room * (moves.course - np.minimum(shown, moves.rest)), 0, 1)


def _held(rng: np.random.Generator, face: Array, voice: Voice, fps: float) -> Array:
    """An expression held but not frozen: it wavers slowly, follows the loudness and is not quite even."""
    frames = len(face)
    is_mouth = np.array([name.startswith(("mouth", "jaw")) for name in ARKIT])
    evenness = np.ones(len(ARKIT))
    for left, right in [columns(name.removesuffix("Left")) for name in ARKIT if name.endswith("Left")]:
        evenness[[left, right]] += rng.uniform(-0.07, 0.07) * np.array([1, -1])
    upper, lower = (1 + 0.06 * slow_noise(part, frames, fps, 0.8) for part in rng.spawn(2))
    # Over a few syllables: cheeks and brows follow the effort, not each sound.
    louder = 0.9 + 0.2 * gaussian_filter1d(voice.loudness * voice.speaking, 0.2 * fps, mode="nearest")
    strength = np.where(is_mouth, lower[:, None], upper[:, None]) * louder[:, None]
    return np.clip(face * strength * evenness, 0, 1)


def _prosody(face: Array, voice: Voice, expression: Expression) -> Array:
    """Brows that rise a little with the stressed syllables (Krahmer & Swerts 2007)."""
    lift = voice.stress * expression.emphasis
    face[:, columns("browInnerUp")[0]] += 0.06 * lift
    face[:, list(columns("browOuterUp"))] += 0.08 * lift[:, None]
    return face


def _with_eyes(face: Array, lids: Array, eyes_only: Array) -> Array:
    """Blinks close also wide and squinting lids; drooping lids come back to where they were."""
    droop = face[:, list(columns("eyeBlink"))]
    face = face + eyes_only
    face[:, list(columns("eyeBlink"))] = np.maximum(droop, lids[:, None])
    face[:, list(columns("eyeWide"))] *= 1 - lids[:, None]
    face[:, list(columns("eyeSquint"))] *= 1 - 0.25 * lids[:, None]
    return face
