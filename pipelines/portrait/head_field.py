"""Head motion in depth: the head turns, hair and shoulders follow, the background holds still."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.interpolate import LinearNDInterpolator

from pipelines.portrait.lattice import Lattice
from pipelines.portrait.mesh import OVAL
from pipelines.portrait.rig import POINTS

COARSER = 3  # nodes of the finest lattice from one node of the motion field to the next
ROUNDS = 4  # of the iteration that inverts it
AROUND = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], np.float32)  # where its turn at a point is felt out
BACK_OF_HEAD = 0.45  # how far behind the face's edge the hair lies, in outer-eye-corner distances
NECK_BEHIND = 0.55  # how far behind the face's edge the head turns
FADE = 0.42  # over which distance outside the head its motion ends, in the same unit


@dataclass(frozen=True)
class Turn:
    """One pose of the head: how far it moves the picture, at the nodes of a lattice."""

    lattice: Lattice
    there: np.ndarray  # (n, n, 2) float32 pixels that a node of the photo moves
    back: np.ndarray  # (n, n, 2) float32 pixels that what is seen at a node has moved
    unit: float

    def sources(self, lattice: Lattice) -> tuple[np.ndarray, np.ndarray]:
        """Where in the photo each node of a finer lattice comes from: x and y, (n, n) float32 pixels."""
        x, y = cv2.split(lattice.nodes() - self.lattice.refine(self.back, lattice))
        return x, y

    def place(self, points: np.ndarray) -> np.ndarray:
        """Where points of the photo (N, 2) are seen, in pixels."""
        return points + self.lattice.at(self.there, points)

    def around(self, points: np.ndarray) -> np.ndarray:
        """Affine maps (N, 2, 3) from the photo to the frame, as they fit around each of the points (N, 2)."""
        reach = np.float32(0.25 * self.unit)
        beside = points[:, None] + reach * AROUND
        moved = self.lattice.at(self.there, beside.reshape(-1, 2)).reshape(-1, 4, 2)
        turn = np.stack([moved[:, 0] - moved[:, 1], moved[:, 2] - moved[:, 3]], axis=2) / (2 * reach)
        turn += np.eye(2, dtype=np.float32)
        shift = points + moved.mean(axis=1) - (turn @ points[..., None])[..., 0]
        return np.concatenate([turn, shift[..., None]], axis=2)


@dataclass(frozen=True)
class HeadField:
    """The picture in depth about the point that the head turns about, and how much of it follows the head."""

    lattice: Lattice
    depths: np.ndarray  # (3, n * n) float32 pixels from the point the head turns about to each node
    follow: np.ndarray  # (n * n,) float32 in [0, 1]
    unit: float  # pixels between the outer eye corners

    @staticmethod
    def build(
        landmarks: np.ndarray, person: np.ndarray, unit: float, *, still_below: bool = False
    ) -> HeadField:
        """`landmarks` (478, 3) in pixels; `person` (size, size) in [0, 1] says where somebody is.

        The motion ends at the left, top and right edge, with `still_below` at the lower one too.
        """
        size = person.shape[0]
        lattice = Lattice(size, COARSER * Lattice.over(size).step)
        x, y = np.moveaxis(lattice.nodes(), -1, 0)
        oval = landmarks[list(OVAL)]
        edge = float(oval[:, 2].mean())
        depth = _depth(landmarks[:POINTS], x, y, edge + BACK_OF_HEAD * unit)
        middle = (oval[:, 0].min() + oval[:, 0].max()) / 2
        pivot = np.array([middle, landmarks[152, 1] + 0.25 * unit, edge + NECK_BEHIND * unit], np.float32)
        follow = _follow(landmarks, person, unit, still_below=still_below)
        follow = cv2.remap(follow, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        depths = np.stack([x, y, depth]).reshape(3, -1) - pivot[:, None]
        return HeadField(lattice, depths, follow.reshape(-1), unit)

    def turn(self, head: np.ndarray) -> Turn:
        """What a head pose (6,) as in `Motion.head` does to the picture."""
        pitch, yaw, roll, *shift, nearer = (float(value) for value in head)
        turned = _rotation(pitch, yaw, roll)[:2].astype(np.float32) @ self.depths
        turned += np.float32(self.unit) * np.array(shift, np.float32)[:, None]
        # Weak perspective: a head one unit nearer looks a fifth larger.
        turned *= np.float32(1 - 0.2 * nearer)
        turned -= self.depths[:2]
        turned *= self.follow
        count = self.lattice.count
        there = cv2.merge([plane.reshape(count, count) for plane in turned])
        # Solve source + there(source) = target by fixed-point iteration; the field is smooth and contracts.
        step = np.float32(self.lattice.step)
        column, row = (np.ascontiguousarray(plane) for plane in np.moveaxis(self.lattice.nodes(), -1, 0))
        column, row = self.lattice.numbered(column), self.lattice.numbered(row)
        back = there
        for _ in range(ROUNDS):
            x, y = cv2.split(back)
            x, y = column - x / step, row - y / step
            back = cv2.remap(there, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return Turn(self.lattice, there, back, self.unit)


def _depth(points: np.ndarray, x: np.ndarray, y: np.ndarray, behind: float) -> np.ndarray:
    """Depth (h, w) of the nodes: the tracked face, falling off to `behind` around it."""
    oval = points[list(OVAL)]
    centre = oval[:, :2].mean(axis=0)
    halo = np.concatenate([centre + (oval[:, :2] - centre) * reach for reach in (1.5, 6.0)])
    places = np.concatenate([points[:, :2], halo])
    depths = np.concatenate([points[:, 2], np.full(len(halo), behind)])
    surface = LinearNDInterpolator(places, depths, fill_value=behind)(x, y)
    return cv2.GaussianBlur(surface.astype(np.float32), (0, 0), 1.2)


def _follow(landmarks: np.ndarray, person: np.ndarray, unit: float, *, still_below: bool) -> np.ndarray:
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
    inward = np.minimum.reduce([x, y, size - 1 - x, size - 1 - y] if still_below else [x, y, size - 1 - x])
    border = _smoothstep(inward / (0.06 * size))
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
