"""Finds faces in a picture: 478 landmarks each, by MediaPipe's face mesh (Kartynnik et al. 2019)."""

from __future__ import annotations

import warnings
from types import TracebackType
from typing import Any, Self

import numpy as np

from pipelines.portrait.detector import CONFIDENCE, FaceDetector
from pipelines.portrait.quiet import quiet_stderr

SMALLEST_FACE = 16  # pixels across; what a detector takes for less is as often a speck of paint
OUTER_EYES = (33, 263)  # outer corner of the eye on the picture's left, on its right


class PortraitError(ValueError):
    """A picture that cannot be animated; the message is a sentence for the person who gave it."""


class FaceTracker:
    """MediaPipe's face mesh with refined lips and irises.

    `find` looks at pictures one by one; `follow` at the frames of one clip in order, faster and steadier.
    """

    def __init__(self, max_faces: int = 8) -> None:
        self._max_faces = max_faces
        self._detector = FaceDetector()
        self._still: Any = None  # MediaPipe ships no types
        self._moving: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Frees the graphs; the tracker can be used again and loads them anew."""
        for graph in (self._still, self._moving):
            if graph is not None:
                graph.close()
        self._detector.close()
        self._still = self._moving = None

    def restart(self) -> None:
        """Forgets the clip that `follow` was looking at."""
        if self._moving is not None:
            _reset(self._moving)

    def find(self, picture: np.ndarray) -> list[np.ndarray]:
        """Faces in a picture (H, W, 3) uint8, largest first.

        Each is (478, 3) float32 in pixels, z away from the viewer. The mesh by itself looks for faces on a
        thumbnail, where those of a group photo vanish: a detector's finds are looked at one by one.
        """
        faces = self._look(picture)
        for left, top, side in self._detector.squares(picture):
            for face in self._look(picture[top : top + side, left : left + side]):
                placed = face + np.array([left, top, 0], np.float32)
                seen = np.ptp(placed[:, 0]) >= SMALLEST_FACE
                if seen and not any(_same(placed, known) for known in faces):
                    faces.append(placed)
        return sorted(faces, key=_area, reverse=True)[: self._max_faces]

    def find_one(self, picture: np.ndarray) -> np.ndarray | None:
        """The face of a picture known to be filled by one, (478, 3) in pixels; quicker than `find`."""
        faces = self._look(picture)
        return max(faces, key=_area) if faces else None

    def is_upside_down(self, picture: np.ndarray) -> bool:
        """Whether the face that fills a picture stands on its head.

        The mesh fits such a face as readily, with eyes and mouth exchanged; the detector knows better.
        """
        return not self._detector.sees(picture) and self._detector.sees(picture[::-1, ::-1])

    def follow(self, frame: np.ndarray) -> np.ndarray | None:
        """The face in the next frame (H, W, 3) uint8 of a clip, (478, 3) in pixels; None if there is none."""
        if self._moving is None:
            self._moving = _face_mesh(still=False, faces=1)
        faces = _landmarks(self._moving, frame)
        return faces[0] if faces else None

    def _look(self, picture: np.ndarray) -> list[np.ndarray]:
        if self._still is None:
            self._still = _face_mesh(still=True, faces=self._max_faces)
        return _landmarks(self._still, picture)


def eye_distance(landmarks: np.ndarray) -> float:
    """Distance in pixels between the outer eye corners, in the picture's plane."""
    left, right = OUTER_EYES
    return float(np.hypot(*(landmarks[right, :2] - landmarks[left, :2])))


def _area(landmarks: np.ndarray) -> float:
    return float(np.ptp(landmarks[:, 0]) * np.ptp(landmarks[:, 1]))


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two sets of landmarks lie on one face: the middle of either is inside the other's box."""
    for inner, outer in ((one, other), (other, one)):
        middle = inner[:, :2].mean(axis=0)
        if (outer[:, :2].min(axis=0) < middle).all() and (middle < outer[:, :2].max(axis=0)).all():
            return True
    return False


def _landmarks(mesh: Any, picture: np.ndarray) -> list[np.ndarray]:  # noqa: ANN401 - MediaPipe ships no types
    height, width = picture.shape[:2]
    scale = np.array([width, height, width], np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # protobuf's own deprecation notices, on every call
        result = mesh.process(np.ascontiguousarray(picture))
    found = result.multi_face_landmarks or []
    return [np.array([(p.x, p.y, p.z) for p in face.landmark], np.float32) * scale for face in found]


def _reset(mesh: Any) -> None:  # noqa: ANN401 - MediaPipe ships no types
    with quiet_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mesh.reset()
        mesh.process(np.zeros((64, 64, 3), np.uint8))  # the graph starts again here, and says so


def _face_mesh(*, still: bool, faces: int) -> Any:  # noqa: ANN401 - MediaPipe ships no types
    with quiet_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mediapipe.python.solutions.face_mesh import FaceMesh

        mesh = FaceMesh(
            static_image_mode=still,
            max_num_faces=faces,
            refine_landmarks=True,
            min_detection_confidence=CONFIDENCE,
        )
        mesh.process(np.zeros((64, 64, 3), np.uint8))
    return mesh
