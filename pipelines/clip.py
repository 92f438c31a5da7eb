"""What a pipeline returns: frames, their rate, and the sound that belongs to them."""

from dataclasses import dataclass

import numpy as np


class ClipError(ValueError):
    """Frames or sound of a shape, type or rate that no clip has."""


@dataclass(frozen=True)
class Clip:
    """Frames (T, H, W, 3) uint8 RGB at `fps`; mono sound (N,) float32 at `rate`, or neither of the two."""

    frames: np.ndarray
    fps: float
    sound: np.ndarray | None = None
    rate: int | None = None

    def __post_init__(self) -> None:
        shape, kind = self.frames.shape, self.frames.dtype
        if len(shape) != 4 or shape[3] != 3 or 0 in shape or kind != np.uint8:
            raise ClipError(f"Frames of shape {shape} and type {kind} came; a clip has (T, H, W, 3) uint8.")
        if not 0 < self.fps <= 1000:
            raise ClipError(f"{self.fps} frames per second came; more than 0 and up to 1000 are allowed.")
        if (self.sound is None) != (self.rate is None):
            raise ClipError("Sound and its rate come together: one was given without the other.")
        if self.sound is not None and (self.sound.ndim != 1 or self.sound.dtype != np.float32):
            raise ClipError(
                f"Sound of shape {self.sound.shape} and type {self.sound.dtype} came; it is (N,) float32."
            )
        if self.rate is not None and self.rate <= 0:
            raise ClipError(f"A sound rate of {self.rate} came; it counts samples per second.")

    @property
    def seconds(self) -> float:
        """How long the picture lasts."""
        return len(self.frames) / self.fps
