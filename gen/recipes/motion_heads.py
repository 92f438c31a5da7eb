"""Heads of real people on video: tracked as `Motion.head` has them, split by speaker in learned and held out.

DIR/talking_clips holds six clips of the GRID corpus (one speaker each) and ten driving clips. Heads that go
beyond what one photo can follow (`pipelines.portrait.reach`) belong to dancers, and are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gen.media import read_video
from gen.recipes.lips_measure import read as read_grid
from gen.recipes.motion_captures import FPS, CaptureError
from gen.weights import local_path
from pipelines.portrait.motion import Motion
from pipelines.portrait.reach import SHIFT, TURN
from pipelines.portrait.rig import Rig
from pipelines.portrait.tracker import FaceTracker
from pipelines.portrait.transfer import transfer

Array = NDArray[np.float64]

# Of each pattern every second speaker by name is held out.
CLIPS = ("grid/*.mpg", "liveportrait/*.mp4")
WITHOUT_SPEECH = ("d10", "d11", "d12")  # music
LONGEST = 500  # frames looked at
WITHIN = 97  # percent of the frames that must be within reach


@dataclass(frozen=True)
class TrackedClip:
    """A person on video at FPS frames a second, with the sound if it is their voice."""

    name: str
    is_held_out: bool
    motion: Motion
    sound: NDArray[np.float32] | None
    rate: int

    @property
    def head(self) -> Array:
        return self.motion.head.astype(np.float64)

    @property
    def is_within_reach(self) -> bool:
        far = np.percentile(np.abs(self.head), WITHIN, axis=0)
        return bool((far[:3] <= TURN[0]).all() and (far[3:] <= SHIFT[0]).all())


def heads(data: Path) -> tuple[TrackedClip, ...]:
    """All clips whose head a photo can follow; CaptureError if there are none."""
    rig = Rig.load(local_path("rig"))
    found = tuple(clip for clip in _tracked(data, rig) if clip.is_within_reach)
    if not found:
        raise CaptureError(f"'{data}' holds no talking_clips/{CLIPS[0]} whose heads could be learned from.")
    return found


def learned_heads(data: Path) -> list[Array]:
    """The heads (T, 6) of the clips that are not held out."""
    return [clip.head for clip in heads(data) if not clip.is_held_out]


def _tracked(data: Path, rig: Rig) -> Iterator[TrackedClip]:
    for pattern in CLIPS:
        for place, path in enumerate(sorted((data / "talking_clips").glob(pattern))):
            landmarks, fps, sound, rate = _watched(path)
            motion, _ = transfer(landmarks, fps, rig, fps=FPS)
            yield TrackedClip(path.stem, place % 2 == 1, motion, sound, rate)


def _watched(path: Path) -> tuple[list[NDArray[np.float32] | None], float, NDArray[np.float32] | None, int]:
    """Landmarks of every frame, frames a second, and the voice with its rate."""
    if path.suffix == ".mpg":
        take = read_grid(path)
        frames, fps, sound, rate = iter(take.frames), take.fps, take.sound, take.rate
    else:
        video = read_video(path)
        frames, fps, sound, rate = iter(video.frames), video.fps, video.sound, video.rate or 0
    with FaceTracker(max_faces=1) as tracker:
        faces = [tracker.follow(frame) for frame, _ in zip(frames, range(LONGEST), strict=False)]
    return faces, fps, None if path.stem in WITHOUT_SPEECH else sound, rate
