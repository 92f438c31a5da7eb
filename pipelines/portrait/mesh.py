"""A triangle mesh over the face that carries the photo's skin to where the expression puts it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from pipelines.portrait.rig import POINTS, Rig

OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
        152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
RINGS = ((1.16, 0.62), (1.36, 0.22), (1.62, 0.0))  # how far outside the oval, how much of its motion follows
SLIVER = 0.12  # share of its area left under which a triangle is carried along, not stretched
SQUEEZED = 0.5  # and under which it is drawn before the others
SHIFT = 4  # fractional bits of OpenCV's drawing coordinates


@dataclass(frozen=True)
class Mesh:
    """Vertices at rest in the picture, their triangles in drawing order, and the box they cover."""

    rest: np.ndarray  # (V, 2) pixels: landmarks, then rings around the oval
    triangles: np.ndarray  # (N, 3), farthest first
    area: np.ndarray  # (N,) of the triangles at rest, twice, positive
    box: tuple[int, int, int, int]  # left, top, right, bottom

    @staticmethod
    def build(landmarks: np.ndarray, rig: Rig, size: int) -> Mesh:
        """The mesh of a face tracked at landmarks (478, 3) in a picture of size x size pixels."""
        points = landmarks[:POINTS]
        rest = with_rings(points)
        depth = points[rig.triangles, 2].mean(axis=1)
        skin = rig.triangles[np.argsort(-depth)]
        low = np.floor(rest.min(axis=0)).astype(int) - 2
        high = np.ceil(rest.max(axis=0)).astype(int) + 3
        left, top = (max(0, int(v)) for v in low)
        right, bottom = (min(size, int(v)) for v in high)
        triangles = np.concatenate([_ring_triangles(), rig.openings, skin])
        area = _area(rest[triangles])
        triangles = np.where((area < 0)[:, None], triangles[:, ::-1], triangles)
        return Mesh(rest, triangles, np.abs(area), (left, top, right, bottom))

    def move(self, displacement: np.ndarray) -> np.ndarray:
        """Vertices (V, 2) when landmarks are displaced by (468, 2); rings follow the oval, less far out."""
        oval = displacement[list(OVAL), :2]
        return self.rest + np.concatenate([displacement[:, :2], *(oval * share for _, share in RINGS)])

    def sources(self, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where in the picture the skin of each pixel of the box comes from: x and y, (H, W) float32."""
        return self.carry(vertices, self.rest)

    def carry(self, vertices: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Two values a vertex (V, 2), interpolated over the box between vertices (V, 2): both (H, W)."""
        left, top, right, bottom = self.box
        width, height = right - left, bottom - top
        affine, area = _affine(vertices[self.triangles], values[self.triangles])
        # A triangle that has folded over or is squeezed to a sliver would stretch one pixel into a streak: it
        # is carried along without being stretched. Squeezed ones come first, so that their rims are covered.
        left_of_it = area / self.area
        sliver = left_of_it < SLIVER
        shift = (values - vertices)[self.triangles[sliver]].mean(axis=1)
        affine[sliver] = [1, 0, 0, 0, 1, 0]
        affine[sliver, 2], affine[sliver, 5] = shift[:, 0], shift[:, 1]
        at = (vertices - np.array([left, top], np.float32)) * (1 << SHIFT)
        corners = np.round(at).astype(np.int32)[self.triangles]
        index = np.zeros((height, width), np.int32)
        for k in np.argsort(left_of_it > SQUEEZED, kind="stable").tolist():
            cv2.fillConvexPoly(index, corners[k], k + 1, cv2.LINE_8, SHIFT)
        identity = np.array([[1, 0, 0, 0, 1, 0]], np.float32)
        table = np.concatenate([identity, affine])
        rows = np.take(table, index.reshape(-1), axis=0).reshape(height, width, 6)
        x = np.arange(left, right, dtype=np.float32)[None, :]
        y = np.arange(top, bottom, dtype=np.float32)[:, None]
        first = rows[..., 0] * x + rows[..., 1] * y + rows[..., 2]
        second = rows[..., 3] * x + rows[..., 4] * y + rows[..., 5]
        return first, second


def with_rings(points: np.ndarray) -> np.ndarray:
    """Landmarks (468, >=2) and the rings around their oval, (V, 2)."""
    oval = points[list(OVAL), :2]
    centre = oval.mean(axis=0)
    rings = [centre + (oval - centre) * reach for reach, _ in RINGS]
    return np.concatenate([points[:, :2], *rings]).astype(np.float32)


def _ring_triangles() -> np.ndarray:
    """Strips between the face oval and the rings around it, outermost first."""
    count = len(OVAL)
    circles = [np.array(OVAL)] + [POINTS + k * count + np.arange(count) for k in range(len(RINGS))]
    strips = []
    for inner, outer in pairwise(circles):
        after_inner, after_outer = np.roll(inner, -1), np.roll(outer, -1)
        strips += [np.stack([inner, outer, after_inner], 1), np.stack([after_inner, outer, after_outer], 1)]
    return np.concatenate(strips[::-1]).astype(np.int32)


def _area(corners: np.ndarray) -> np.ndarray:
    """Signed area, twice, of triangles (N, 3, 2)."""
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]


def _affine(target: np.ndarray, source: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Affine maps (N, 6) from target triangles (N, 3, 2) back to source ones; the targets' areas, twice."""
    a = target[:, 0]
    u, v = target[:, 1] - a, target[:, 2] - a
    area = _area(target)
    inverse = 1 / np.where(np.abs(area) > 1e-6, area, 1)
    p, q = source[:, 1] - source[:, 0], source[:, 2] - source[:, 0]
    rows = []
    for axis in range(2):
        along_x = (p[:, axis] * v[:, 1] - q[:, axis] * u[:, 1]) * inverse
        along_y = (q[:, axis] * u[:, 0] - p[:, axis] * v[:, 0]) * inverse
        rows += [along_x, along_y, source[:, 0, axis] - along_x * a[:, 0] - along_y * a[:, 1]]
    return np.stack(rows, axis=1).astype(np.float32), area
