"""Head motion in depth: the head turns, hair and shoulders follow, the background holds still."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.interpolate import LinearNDInterpolator

from pipelines.portrait.mesh import OVAL
from pipelines.portrait.rig import POINTS

GRID = 8  # pixels between the nodes of the motion field, at 512
BACK_OF_HEAD = 0.45  # how far behind the face's edge the hair lies, in outer-eye-corner distances
NECK_BEHIND = 0.55  # how far behind the face's edge the head turns
FADE = 0.42  # over which distance outside the head its motion ends, in the same unit


@dataclass(frozen=True)
class HeadField:
    """Nodes of the picture in depth, how much each follows the head, and the point the head turns about."""

    nodes: np.ndarray  # (h, w, 3) pixels
    follow: np.ndarray  # (h, w) in [0, 1]
    pivot: np.ndarray  # (3,) pixels
    unit: float  # pixels between the outer eye corners
    size: int

    @staticmethod
    def build(landmarks: np.ndarray, person: np.ndarray, unit: float) -> HeadField:
        """`landmarks` (478, 3) in pixels; `person` (size, size) in [0, 1] says where somebody is."""
        size = person.shape[0]
        count = max(17, size // GRID + 1)
        axis = np.linspace(0, size - 1, count, dtype=np.float32)
        x, y = np.meshgrid(axis, axis)
        oval = landmarks[list(OVAL)]
        edge = float(oval[:, 2].mean())
        depth = _depth(landmarks[:POINTS], x, y, edge + BACK_OF_HEAD * unit)
        middle = (oval[:, 0].min() + oval[:, 0].max()) / 2
        pivot = np.array([middle, landmarks[152, 1] + 0.25 * unit, edge + NECK_BEHIND * unit])
        follow = cv2.resize(_follow(landmarks, person, unit), (count, count), interpolation=cv2.INTER_LINEAR)
        return HeadField(np.stack([x, y, depth], axis=-1), follow, pivot, unit, size)

    def sources(self, head: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where every pixel comes from, x and y (size, size), for a head pose (6,) as in `Motion.head`."""
        turned = (self.nodes - self.pivot) @ _rotation(*head[:3]).T + self.pivot
        turned[..., :2] += head[3:5] * self.unit
        # Weak perspective: a head one unit nearer looks a fifth larger.
        turned[..., :2] = (turned[..., :2] - self.pivot[:2]) * (1 - 0.2 * float(head[5])) + self.pivot[:2]
        move = ((turned - self.nodes)[..., :2] * self.follow[..., None]).astype(np.float32)
        # Solve source + move(source) = target by fixed-point iteration; the field is smooth and contracts.
        step = np.float32((self.size - 1) / (len(move) - 1))
        column, row = (self.nodes[..., k].astype(np.float32) / step for k in range(2))
        back = move
        for _ in range(4):
            at = (column - back[..., 0] / step, row - back[..., 1] / step)
            back = cv2.remap(move, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        pixels = np.arange(self.size, dtype=np.float32)
        grow = np.array([[1 / step, 0, 0], [0, 1 / step, 0]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size = (self.size, self.size)
        wide = cv2.warpAffine(back, grow, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return pixels[None, :] - wide[..., 0], pixels[:, None] - wide[..., 1]


def _depth(points: np.ndarray, x: np.ndarray, y: np.ndarray, behind: float) -> np.ndarray:
    """Depth (h, w) of the nodes: the tracked face, falling off to `behind` around it."""
    oval = points[list(OVAL)]
    centre = oval[:, :2].mean(axis=0)
    halo = np.concatenate([centre + (oval[:, :2] - centre) * reach for reach in (1.5, 6.0)])
    places = np.concatenate([points[:, :2], halo])
    depths = np.concatenate([points[:, 2], np.full(len(halo), behind)])
    surface = LinearNDInterpolator(places, depths, fill_value=behind)(x, y)
    return cv2.GaussianBlur(surface.astype(np.float32), (0, 0), 1.2)


def _follow(landmarks: np.ndarray, person: np.ndarray, unit: float) -> np.ndarray:
    """How much each pixel follows the head: face and hair wholly, neck and shoulders less, background not."""
    size = person.shape[0]
    oval = landmarks[list(OVAL), :2]
    centre = oval.mean(axis=0)
    skull = np.zeros((size, size), np.uint8)
    hull = cv2.convexHull((centre + (oval - centre) * 1.12).astype(np.float32))
    cv2.fillConvexPoly(skull, np.round(hull).astype(np.int32), 1)
    outside = cv2.distanceTransform(((person < 0.5) & (skull == 0)).astype(np.uint8), cv2.DIST_L2, 5)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    chin = landmarks[152, 1]
    upright = _smoothstep(1 - (y - chin) / (1.3 * unit))
    # A shoulder far to the side stays, whatever its height.
    beside = np.where(y < chin - 0.3 * unit, 1, _smoothstep(1.6 - np.abs(x - centre[0]) / (1.25 * unit)))
    border = _smoothstep(np.minimum.reduce([x, y, size - 1 - x]) / (0.06 * size))
    follow = _smoothstep(1 - outside / (FADE * unit)) * upright * beside * border
    return cv2.GaussianBlur(follow, (0, 0), 0.04 * unit + 1)


def _smoothstep(value: np.ndarray) -> np.ndarray:
    """Smooth rise from 0 to 1 over a value in [0, 1]."""
    value = np.clip(value, 0, 1).astype(np.float32)
    return value * value * (3 - 2 * value)


def _rotation(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """Rotation (3, 3) for axes x right, y down, z away.

    pitch > 0 nods down, yaw > 0 turns to the viewer's right, roll > 0 tilts clockwise.
    """
    (cp, cy, cr), (sp, sy, sr) = np.cos([pitch, yaw, roll]), np.sin([pitch, yaw, roll])
    nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    turn = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return tilt @ turn @ nod
