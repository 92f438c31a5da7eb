"""Finds where faces are in a picture, also small ones: MediaPipe's face detector on overlapping tiles."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from pipelines.portrait.quiet import quiet_stderr

Square = tuple[int, int, int]  # left, top, side in pixels

SURROUNDINGS = 2.2  # side of the square that is returned, in sides of the detected face
SMALLEST_TILE = 192  # pixels: what the detector brings its input to
CONFIDENCE = 0.5  # under which a detection is dropped
TILES_ALONG = (1, 2, 4)  # tiles along the longer side, before their overlap


class FaceDetector:
    """MediaPipe's full-range detector (BlazeFace, Bazarevsky et al. 2019), loaded at the first picture."""

    def __init__(self) -> None:
        self._model: Any = None  # MediaPipe ships no types

    def close(self) -> None:
        """Frees the model; the next picture loads it anew."""
        if self._model is not None:
            self._model.close()
        self._model = None

    def squares(self, picture: np.ndarray) -> list[Square]:
        """Squares with room around every face of a picture (H, W, 3) uint8; one face may have several."""
        height, width = picture.shape[:2]
        return [
            _around(left, top, box, width, height)
            for left, top, side in tiles(width, height)
            for box in self._boxes(picture[top : top + side, left : left + side])
        ]

    def sees(self, picture: np.ndarray) -> bool:
        """Whether a picture (H, W, 3) uint8 that a face should fill shows one, upright or nearly so."""
        return bool(self._boxes(picture))

    def _boxes(self, tile: np.ndarray) -> list[tuple[float, float, float, float]]:
        """Left, top, width and height in pixels of the faces on a tile."""
        height, width = tile.shape[:2]
        with quiet_stderr(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # protobuf's own deprecation notices
            if self._model is None:
                from mediapipe.python.solutions.face_detection import FaceDetection

                self._model = FaceDetection(min_detection_confidence=CONFIDENCE, model_selection=1)
            found = self._model.process(np.ascontiguousarray(tile)).detections or []
        boxes = [detection.location_data.relative_bounding_box for detection in found]
        return [(b.xmin * width, b.ymin * height, b.width * width, b.height * height) for b in boxes]


def tiles(width: int, height: int) -> list[Square]:
    """Squares that cover a picture at several scales, overlapping by half."""
    found: list[Square] = []
    for along in TILES_ALONG:
        side = min(max(SMALLEST_TILE, max(width, height) // along), max(width, height))
        found += [(left, top, side) for top in _starts(height, side) for left in _starts(width, side)]
    return list(dict.fromkeys(found))


def _starts(length: int, side: int) -> list[int]:
    last = max(0, length - side)
    return [*range(0, last, max(1, side // 2)), last]


def _around(left: int, top: int, box: tuple[float, float, float, float], width: int, height: int) -> Square:
    """A square of `SURROUNDINGS` about the middle of a box on a tile, inside the picture."""
    side = min(round(SURROUNDINGS * max(box[2:])), width, height)
    x, y = round(left + box[0] + box[2] / 2 - side / 2), round(top + box[1] + box[3] / 2 - side / 2)
    return min(max(x, 0), width - side), min(max(y, 0), height - side), side
