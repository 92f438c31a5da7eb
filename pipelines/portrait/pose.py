"""Where a face is in a picture: the weak-perspective camera that carries the rig's units to pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Pose:
    """A weak-perspective camera: pixels = scale * rotation @ units + shift."""

    rotation: np.ndarray  # (3, 3)
    scale: float  # pixels a unit
    shift: np.ndarray  # (3,) pixels

    def turn(self, directions: np.ndarray) -> np.ndarray:
        """Rig displacements (..., 3) to pixels (..., 3)."""
        return self.scale * directions @ self.rotation.T

    def unproject(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (..., 3) to rig points (..., 3)."""
        return (pixels - self.shift) @ self.rotation / self.scale


def align(shape: np.ndarray, pixels: np.ndarray) -> Pose:
    """The similarity that carries rig points (N, 3) closest to pixels (N, 3) (Umeyama 1991, eq. 40-43)."""
    centre, target = shape.mean(axis=0), pixels.mean(axis=0)
    source, goal = shape - centre, pixels - target
    u, singular, vt = np.linalg.svd(goal.T @ source)
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((singular * sign).sum() / (source**2).sum())
    return Pose(rotation, scale, target - scale * rotation @ centre)
