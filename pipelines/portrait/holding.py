"""What an expression must not move: spectacles, and a turned face's far side beside the background."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipelines.portrait.complexion import LUMA
from pipelines.portrait.pose import Pose
from pipelines.portrait.rig import POINTS, Rig

BRIDGE = (168, 195)  # landmarks on the ridge of the nose, from between the eyes downwards
DARK_BRIDGE = 0.4  # a rim over the nose is darker than its ridge by this share; bare noses stay under .2
EYE = (0.345, 0.0)  # where the middle of an eye lies in the rig's frame, left and right
LENS = (0.28, 0.17, 0.27)  # from there to a rim: sideways, up, down
INSIDE, OUTSIDE = (0.5, 0.85), (1.15, 1.7)  # in lenses, where the hold of a rim sets in and ends
RIGID = 0.85  # share of the motion that a rim takes away
# Share of its frontal area under which the skin around a landmark is held, and from which it moves freely.
TURNED_AWAY, IN_SIGHT = 0.05, 0.5
TURNS = (16.0, 28.0)  # degrees to the side at which that sets in, and from which it holds fully
ROUNDS = 3  # of evening out between neighbours: a step in the hold would tear the skin


@dataclass(frozen=True)
class Hold:
    """Shares of the motion left to each landmark."""

    free: np.ndarray  # (468,) of all its motion
    sideways: np.ndarray  # (468,) of its motion across the face
    across: np.ndarray  # (2,) that direction in the picture

    @staticmethod
    def of(picture: np.ndarray, landmarks: np.ndarray, pose: Pose, rig: Rig) -> Hold:
        """What a face at landmarks (478, 3) in a picture (H, W, 3) uint8 holds still."""
        across = pose.rotation[:2, 0] / np.hypot(*pose.rotation[:2, 0])
        free = 1 - RIGID * _rims(rig.neutral) * wears_spectacles(picture, landmarks, pose.scale)
        return Hold(free.astype(np.float32), _in_sight(landmarks, pose, rig), across.astype(np.float32))

    def applied(self, moves: np.ndarray) -> np.ndarray:
        """Displacements (..., 468, 2) in pixels, held back."""
        along = (moves @ self.across) * (self.sideways - 1)
        return (moves + along[..., None] * self.across) * self.free[:, None]


def wears_spectacles(picture: np.ndarray, landmarks: np.ndarray, unit: float) -> bool:
    """Whether something much darker than skin crosses the ridge of the nose between the eyes.

    Dark rims are found; rims of thin wire, or without a bridge, are not.
    """
    start, end = landmarks[list(BRIDGE), :2].astype(np.float32)
    line = start + np.linspace(0, 1, 40, dtype=np.float32)[:, None] * (end - start)
    grey = cv2.GaussianBlur(picture.astype(np.float32) @ LUMA, (0, 0), max(0.5, 0.008 * unit))
    seen = cv2.remap(grey, line[:, :1], line[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    usual = float(np.median(seen))
    return usual - float(seen.min()) > DARK_BRIDGE * max(usual, 1.0)


def _rims(neutral: np.ndarray) -> np.ndarray:
    """How much (468,) of a rim lies over each landmark of the rig's rest shape."""
    aside = (np.abs(neutral[:, 0]) - EYE[0]) / LENS[0]
    down = (neutral[:, 1] - EYE[1]) / np.where(neutral[:, 1] < EYE[1], LENS[1], LENS[2])
    reach = np.hypot(aside, down)
    return _rise(reach, *INSIDE) * (1 - _rise(reach, *OUTSIDE))


def _in_sight(landmarks: np.ndarray, pose: Pose, rig: Rig) -> np.ndarray:
    """1 (468,) where the skin is seen as from the front, 0 where a turned face's is turned away."""
    turned = float(np.degrees(np.arcsin(np.clip(abs(pose.rotation[0, 2]), 0, 1))))
    shown = np.zeros(POINTS)
    frontal = np.zeros(POINTS)
    for total, points, unit in ((shown, landmarks, pose.scale), (frontal, rig.neutral, 1.0)):
        corners = points[rig.triangles, :2]
        u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        area = (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) / unit**2
        for corner in range(3):
            np.add.at(total, rig.triangles[:, corner], area)
    seen = _rise(shown / np.where(np.abs(frontal) > 1e-6, frontal, 1), TURNED_AWAY, IN_SIGHT)
    for _ in range(ROUNDS):
        total, count = seen.copy(), np.ones(POINTS, np.float32)
        for one in range(3):
            for other in range(3):
                np.add.at(total, rig.triangles[:, one], seen[rig.triangles[:, other]])
                np.add.at(count, rig.triangles[:, one], 1)
        seen = total / count
    return 1 - _rise(np.array(turned), *TURNS) * (1 - seen)


def _rise(value: np.ndarray, start: float, end: float) -> np.ndarray:
    """Smooth rise from 0 to 1 between two values."""
    share = np.clip((value - start) / (end - start), 0, 1).astype(np.float32)
    return share * share * (3 - 2 * share)
