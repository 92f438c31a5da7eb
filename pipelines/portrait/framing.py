"""Cuts a square around the head out of a photo, inside it: nothing is ever padded or smeared."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipelines.portrait.tracker import eye_distance

WIDTH = 3.7  # side of the square wanted, in outer-eye-corner distances
BELOW_EYES = 0.42  # where the middle of the square lies under the eyes, in the same unit


@dataclass(frozen=True)
class Framing:
    """A square of the photo, in its pixels, and the size it is brought to."""

    left: int
    top: int
    side: int
    size: int

    @property
    def scale(self) -> float:
        """Canvas pixels a photo pixel."""
        return self.size / self.side

    def picture(self, photo: np.ndarray) -> np.ndarray:
        """The square of a photo (H, W, 3), brought to (size, size, 3)."""
        square = photo[self.top : self.top + self.side, self.left : self.left + self.side]
        method = cv2.INTER_AREA if self.scale < 1 else cv2.INTER_CUBIC
        return cv2.resize(square, (self.size, self.size), interpolation=method)

    def landmarks(self, landmarks: np.ndarray) -> np.ndarray:
        """Photo landmarks (N, 3) in canvas pixels."""
        # Pixel centres are at half-integers of the area that is scaled.
        corner, half = np.array([[self.left, self.top, 0], [0.5, 0.5, 0]], np.float32)
        moved = (landmarks - corner + half) * self.scale
        return (moved - half).astype(np.float32)


def frame_head(photo: np.ndarray, landmarks: np.ndarray, size: int) -> Framing:
    """The square of `WIDTH` around the head, or the largest that fits, moved inside the photo."""
    height, width = photo.shape[:2]
    unit = max(eye_distance(landmarks), 0.62 * float(np.ptp(landmarks[:468, 1])))
    side = min(round(WIDTH * unit), height, width)
    eyes = landmarks[[33, 263], :2].mean(axis=0)
    oval = (landmarks[:468, :2].min(axis=0) + landmarks[:468, :2].max(axis=0)) / 2
    left = round(float(oval[0]) - side / 2)
    top = round(float(eyes[1]) + BELOW_EYES * unit - side / 2)
    return Framing(min(max(left, 0), width - side), min(max(top, 0), height - side), side, size)
