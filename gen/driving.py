"""Reads a driving video: the face in it is followed frame by frame and becomes a motion, with its sound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion_encoders.track import EmotionTrack
from gen.intake import MediaError
from gen.media import read_video
from gen.weights import local_path
from pipelines.portrait.motion import Motion
from pipelines.portrait.rig import Rig
from pipelines.portrait.tracker import FaceTracker, eye_distance
from pipelines.portrait.transfer import TransferError, transfer

LEAST_EYES = 12.0  # pixels between the outer eye corners; lips of a smaller face are told apart by no one


@dataclass(frozen=True)
class Driven:
    """What a performer on video does and says."""

    motion: Motion
    sound: np.ndarray | None  # (N,) float32 mono; None if the video is silent
    rate: int | None
    notes: tuple[str, ...]


def drive(path: Path, fps: float, track: EmotionTrack | None) -> Driven:
    """The motion of a driving video at a frame rate, with the emotions of a track in place of its own.

    Raises:
        MediaError: a video that cannot be read, or that shows no face.
    """
    video = read_video(path)
    landmarks: list[np.ndarray | None] = []
    with FaceTracker(max_faces=1) as tracker:
        for frame in video.frames:
            found = tracker.follow(frame)
            landmarks.append(found if found is not None and eye_distance(found) >= LEAST_EYES else None)
    try:
        motion, notes = transfer(landmarks, video.fps, Rig.load(local_path("rig")), fps=fps, track=track)
    except TransferError as error:
        raise MediaError(f"'{path}': {error}") from error
    return Driven(motion, video.sound, video.rate, notes)
