"""Looking at a clip: frames in, aligned faces out, and what each recogniser saw in them over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from emotion_encoders.alignment import face_crop
from pipelines.portrait.tracker import eye_distance

if TYPE_CHECKING:
    from torch import Tensor

    from emotion_encoders.emotion import Emotion
    from emotion_encoders.evidence import Evidence

T = TypeVar("T")
LEAST_EYES = 4.0  # pixels between the outer eye corners; a smaller face shows no emotion


class Follower(Protocol):
    """A tracker that looks at the frames of one clip in order."""

    def follow(self, frame: np.ndarray) -> np.ndarray | None: ...


class Recogniser(Protocol):
    """What face and judge have in common."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    def probabilities(self, crops: np.ndarray) -> Tensor: ...

    def encode(self, crops: np.ndarray, seconds: Sequence[float]) -> Evidence: ...


@dataclass(frozen=True)
class Faces:
    """The aligned faces of a clip, when they were seen, and how many frames were looked at."""

    crops: np.ndarray  # (N, S, S) uint8 grey
    seconds: tuple[float, ...]  # of the N frames that had a face
    looked: int
    fps: float  # of the frames looked at

    @property
    def found(self) -> int:
        """How many of the frames looked at had a face."""
        return len(self.seconds)

    def spread(self, values: Sequence[T]) -> list[T | None]:
        """One value for every frame looked at: None where there was no face."""
        where = {round(second * self.fps): value for second, value in zip(self.seconds, values, strict=True)}
        return [where.get(index) for index in range(self.looked)]


@dataclass(frozen=True)
class Look:
    """Faces, and the evidence of every recogniser by name; None where no face was found at all."""

    faces: Faces
    evidence: Mapping[str, Evidence | None]

    def emotions(self, name: str) -> list[Emotion | None]:
        """What one recogniser saw in every frame looked at; None where there was no face."""
        evidence = self.evidence[name]
        return self.faces.spread([key.emotion for key in evidence.track.keyframes] if evidence else [])


class Watcher:
    """Collects the faces of a clip frame by frame, so that frames can stream past it."""

    def __init__(self, tracker: Follower, fps: float, *, every: int = 1) -> None:
        self._tracker, self._fps, self._every = tracker, fps, every
        self._crops: list[np.ndarray] = []
        self._seconds: list[float] = []
        self._passed = 0
        self._looked = 0

    def see(self, frame: np.ndarray) -> None:
        """Look at the next frame; only every n-th is looked at."""
        index, self._passed = self._passed, self._passed + 1
        if index % self._every:
            return
        self._looked += 1
        landmarks = self._tracker.follow(frame)
        if landmarks is not None and eye_distance(landmarks) >= LEAST_EYES:
            self._crops.append(face_crop(frame, landmarks))
            self._seconds.append(index / self._fps)

    def watch(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Hand the frames on while looking at them."""
        for frame in frames:
            self.see(frame)
            yield frame

    def faces(self) -> Faces:
        """What was seen so far."""
        crops = np.stack(self._crops) if self._crops else np.zeros((0, 0, 0), np.uint8)
        return Faces(crops, tuple(self._seconds), self._looked, self._fps / self._every)


def recognise(faces: Faces, recognisers: Mapping[str, Recogniser]) -> Look:
    """Ask every recogniser about the same faces."""
    return Look(
        faces,
        {
            name: one.encode(faces.crops, faces.seconds) if faces.found else None
            for name, one in recognisers.items()
        },
    )


def look(
    frames: Iterable[np.ndarray],
    fps: float,
    tracker: Follower,
    recognisers: Mapping[str, Recogniser],
    *,
    every: int = 1,
) -> Look:
    """Follow the face through the frames and ask every recogniser what it shows."""
    watcher = Watcher(tracker, fps, every=every)
    for frame in frames:
        watcher.see(frame)
    return recognise(watcher.faces(), recognisers)
