"""The portrait engine: one photo, a voice and an emotion track become a talking clip, on a CPU."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from emotion_encoders.track import EmotionTrack
from pipelines.clip import Clip
from pipelines.portrait.framing import frame_head
from pipelines.portrait.motion import Motion, perform
from pipelines.portrait.paste import Surround
from pipelines.portrait.renderer import Actor, draw, make_actor
from pipelines.portrait.rig import Rig
from pipelines.portrait.segmenter import Segmenter
from pipelines.portrait.tracker import FaceTracker, PortraitError, eye_distance

SMALLEST_EYES = 24.0  # pixels between the outer eye corners under which a face has too little to show
FURTHEST_TILT = 38.0  # degrees that a photographed head may lie on its side
FEATURES = (33, 263, 61, 291, 13, 14, 1)  # eye corners, mouth corners, lips, nose: all must be in the picture
FURTHEST_TURN = 48.0  # degrees to the side or up and down that a photographed head may be turned
SMALLEST_PICTURE = 64  # pixels a side


class PortraitPipeline:
    """Tracker, segmenter and rig, composed; the order of the calls is the whole of it.

    >>> clip = pipeline(photo, waveform, 16000, EmotionTrack.parse("happiness@0.8"))  # doctest: +SKIP
    """

    def __init__(self, tracker: FaceTracker, rig: Rig) -> None:
        self.tracker = tracker
        self.rig = rig
        self.segmenter = Segmenter()

    def prepare(
        self, portrait: np.ndarray, *, size: int = 512, face: int | None = None, whole: bool = False
    ) -> Actor:
        """Makes a photo ready to be drawn.

        Args:
            portrait: (H, W, 3) uint8 RGB.
            size: Side of the square clip in pixels.
            face: Which of several faces to animate, counted from the picture's left from 1; the largest
                if it is None.
            whole: Keep the photo around the square, for `Actor.whole`.

        Raises:
            PortraitError: no face, one that is too small or turned away, or no face of that number.
        """
        landmarks, notes = self._choose(portrait, face)
        framing = frame_head(portrait, landmarks, size)
        surround = Surround.of(portrait, framing) if whole else None
        picture = framing.picture(portrait) if surround is None else surround.square
        if self.tracker.is_upside_down(picture):
            raise PortraitError("The head stands upside down. Turn the picture upright.")
        at = framing.landmarks(landmarks) if surround is None else surround.landmarks(landmarks, portrait)
        at = self._refine(picture, at)
        person = self.segmenter.person(picture)
        actor = make_actor(picture, at, person, self.rig, notes, surround=surround)
        toward = actor.pose.rotation[:, 2]
        turned = float(np.degrees(np.arccos(np.clip(toward[2], -1, 1))))
        if turned > FURTHEST_TURN:
            raise PortraitError(
                f"The face is turned {turned:.0f} degrees away; up to {FURTHEST_TURN:.0f} work. "
                "Use a photo that looks at you."
            )
        return actor

    def frames(self, actor: Actor, motion: Motion) -> Iterator[np.ndarray]:
        """Frames (size, size, 3) uint8 of an actor in motion, one at a time."""
        for coefficients, head in zip(motion.coefficients, motion.head, strict=True):
            yield draw(actor, coefficients, head)

    def __call__(
        self,
        portrait: np.ndarray,
        waveform: np.ndarray,
        rate: int,
        track: EmotionTrack,
        *,
        fps: float = 25.0,
        size: int = 512,
        seed: int = 0,
        face: int | None = None,
    ) -> Clip:
        """A clip as long as the waveform (N,) float32 mono; arguments as in `prepare` and `perform`."""
        actor = self.prepare(portrait, size=size, face=face)
        frames = max(1, math.ceil(len(waveform) * fps / rate))  # no sound is lost
        motion = perform(waveform, rate, track, frames=frames, fps=fps, seed=seed)
        return Clip(np.stack(list(self.frames(actor, motion))), fps, waveform, rate)

    def _choose(self, portrait: np.ndarray, face: int | None) -> tuple[np.ndarray, tuple[str, ...]]:
        """The landmarks (478, 3) of the wanted face, and what should be said about the choice."""
        height, width = portrait.shape[:2]
        if min(height, width) < SMALLEST_PICTURE:
            raise PortraitError(
                f"The picture has {width}x{height} pixels; it needs {SMALLEST_PICTURE} a side at least."
            )
        found = self.tracker.find(portrait)
        if not found:
            raise PortraitError(
                "No face was found in the picture. Use one where a face looks at you and is well lit."
            )
        ordered = sorted(found, key=lambda points: float(points[:, 0].mean()))
        if face is not None and not 1 <= face <= len(ordered):
            raise PortraitError(
                f"Face {face} was asked for; the picture has {len(ordered)}, counted from the left from 1."
            )
        chosen = found[0] if face is None else ordered[face - 1]
        eyes = eye_distance(chosen)
        if eyes < SMALLEST_EYES:
            raise PortraitError(
                f"The face is too small: {eyes:.0f} pixels between the outer eye corners, "
                f"{SMALLEST_EYES:.0f} are needed. Use a larger picture or crop it closer."
            )
        _check_whole(chosen, width, height)
        if face is None and len(ordered) > 1:
            place = next(k for k, points in enumerate(ordered, 1) if points is chosen)
            return chosen, (
                f"{len(ordered)} faces were found; the largest was taken, number {place} from the left.",
            )
        return chosen, ()

    def _refine(self, picture: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """Landmarks tracked again on the cropped picture, where they are finer; else those expected."""
        again = self.tracker.find_one(picture)
        if again is None or np.abs(again[:, :2] - expected[:, :2]).max() > 0.3 * eye_distance(expected):
            return expected
        return again


def _check_whole(landmarks: np.ndarray, width: int, height: int) -> None:
    """Refuses a face that lies on its side or whose features are cut off by the picture's edge."""
    features = landmarks[list(FEATURES), :2]
    if (features < 0).any() or (features > [width - 1, height - 1]).any():
        raise PortraitError(
            "Eyes or mouth lie outside the picture; use one that shows the whole face with some room."
        )
    across = landmarks[263, :2] - landmarks[33, :2]
    tilt = float(np.degrees(np.arctan2(across[1], across[0])))
    if abs(tilt) > FURTHEST_TILT:
        raise PortraitError(
            f"The head is tilted by {abs(tilt):.0f} degrees; up to {FURTHEST_TILT:.0f} work. "
            "Turn the picture upright."
        )
