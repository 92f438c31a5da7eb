"""The whole photo around an animated square, which goes back to where it was; the rest holds still."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipelines.portrait.framing import Framing

LONGEST = 2048  # pixels of the whole picture's longer side, so that a small face does not make a huge clip
FEATHER = 0.02  # of the square's side over which it fades into the photo, where the photo goes on


@dataclass(frozen=True)
class Surround:
    """A photo at the scale of the square that moves in it, both sides even."""

    picture: np.ndarray  # (H, W, 3) uint8
    left: int  # of the square, in its pixels
    top: int
    size: int  # side of the square
    share: np.ndarray  # (size, size) float32 of the animated square in each pixel, 1 but for its open edges

    @staticmethod
    def of(photo: np.ndarray, framing: Framing) -> Surround:
        """A photo (H, W, 3) uint8 brought to the scale at which a framing brings its square to its size.

        The square lies on whole pixels of the scaled photo, so that nothing is resampled twice and a face at
        rest leaves no edge. A picture that would be longer than LONGEST is made smaller, its square with it.
        """
        scale = min(framing.scale, LONGEST / max(photo.shape[:2]))
        height, width = (round(side * scale) for side in photo.shape[:2])
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        picture = cv2.resize(photo, (width, height), interpolation=method)[: height & -2, : width & -2]
        height, width = picture.shape[:2]
        size = min(round(framing.side * scale / 2) * 2, height, width)
        left, top = (round(corner * scale) for corner in (framing.left, framing.top))
        left, top = min(left, width - size), min(top, height - size)
        goes_on = (left > 0, top > 0, left + size < width, top + size < height)
        return Surround(picture, left, top, size, _share(size, goes_on))

    @property
    def square(self) -> np.ndarray:
        """The part of the photo that is animated, (size, size, 3) uint8."""
        return self.picture[self.top : self.top + self.size, self.left : self.left + self.size].copy()

    @property
    def goes_on_below(self) -> bool:
        """Whether the photo shows more under the square."""
        return self.top + self.size < len(self.picture)

    def landmarks(self, landmarks: np.ndarray, photo: np.ndarray) -> np.ndarray:
        """Landmarks (N, 3) in pixels of a photo (H, W, 3), in pixels of the square."""
        # The scale is that of the resized photo before its last odd row or column was left away.
        scale = min(self.picture.shape[0] / photo.shape[0], self.picture.shape[1] / photo.shape[1])
        corner, half = np.array([[self.left, self.top, 0], [0.5, 0.5, 0]], np.float32)
        return ((landmarks + half) * scale - half - corner).astype(np.float32)

    def around(self, frame: np.ndarray) -> np.ndarray:
        """The whole picture (H, W, 3) uint8 with an animated square (size, size, 3) in it."""
        whole = self.picture.copy()
        place = whole[self.top : self.top + self.size, self.left : self.left + self.size]
        place[:] = cv2.blendLinear(frame, place, self.share, 1 - self.share)
        return whole


def _share(size: int, goes_on: tuple[bool, bool, bool, bool]) -> np.ndarray:
    """Rising from 0 at the left, top, right and bottom edge, each where the photo goes on, to 1 inside."""
    inward = (np.arange(size, dtype=np.float32) + 0.5) / max(1.0, FEATHER * size)
    rise = np.clip(inward, 0, 1)
    rise = rise * rise * (3 - 2 * rise)
    left, top, right, bottom = (rise if on else np.ones_like(rise) for on in goes_on)
    return (left * right[::-1])[None, :] * (top * bottom[::-1])[:, None]
