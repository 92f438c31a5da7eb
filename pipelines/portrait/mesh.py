"""A triangle mesh over the face that carries the photo's skin to where the expression puts it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipelines.portrait.lattice import Lattice
from pipelines.portrait.rig import POINTS, Rig
from pipelines.portrait.triangles import affine, cover, doubled_area

OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
        152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
RINGS = ((1.16, 0.62), (1.36, 0.22), (1.62, 0.0))  # how far outside the oval, how much of its motion follows
SLIVER = 0.12  # share of its area left under which a triangle is carried along, not stretched
SQUEEZED = 0.5  # and under which it is drawn before the others

Area = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True)
class Mesh:
    """Vertices at rest in the picture, and their triangles in drawing order."""

    rest: np.ndarray  # (V, 2) pixels: landmarks, then rings around the oval
    triangles: np.ndarray  # (N, 3), farthest first
    area: np.ndarray  # (N,) of the triangles at rest, twice, positive

    @staticmethod
    def build(landmarks: np.ndarray, rig: Rig) -> Mesh:
        """The mesh of a face tracked at landmarks (478, 3) in pixels."""
        points = landmarks[:POINTS]
        rest = with_rings(points)
        depth = points[rig.triangles, 2].mean(axis=1)
        skin = rig.triangles[np.argsort(-depth)]
        triangles = np.concatenate([_ring_triangles(), rig.openings, skin])
        area = doubled_area(rest[triangles].transpose(2, 1, 0))
        triangles = np.where((area < 0)[:, None], triangles[:, ::-1], triangles)
        return Mesh(rest, triangles, np.abs(area))

    def move(self, displacement: np.ndarray) -> np.ndarray:
        """Vertices (V, 2) when landmarks are displaced by (468, 2); rings follow the oval, less far out."""
        oval = displacement[list(OVAL), :2]
        return self.rest + np.concatenate([displacement[:, :2], *(oval * share for _, share in RINGS)])

    def carry(
        self, vertices: np.ndarray, values: np.ndarray, lattice: Lattice
    ) -> tuple[tuple[np.ndarray, np.ndarray], Area]:
        """Two values a vertex (V, 2), interpolated between vertices (V, 2), and 0 outside the mesh.

        Returns both, (h, w) float32 each, and which part of the lattice they cover: left, top, right, bottom
        in nodes. A triangle that has folded over or is squeezed to a sliver would stretch one pixel into a
        streak: it takes one value. Squeezed ones come first, so that their rims are covered.
        """
        at = lattice.numbered(vertices).astype(np.float32).T
        low = np.clip(np.floor(at.min(axis=1)), 0, lattice.count - 1)
        high = np.clip(np.ceil(at.max(axis=1)) + 1, 1, lattice.count)
        left, top, right, bottom = (int(v) for v in (*low, *high))
        corners = (at - low[:, None]).take(self.triangles.T, axis=1)
        given = values.astype(np.float32).T.take(self.triangles.T, axis=1)
        maps, area = affine(corners, given)
        left_of_it = area * np.float32(lattice.step**2) / self.area
        sliver = left_of_it < SLIVER
        maps[..., sliver] = 0
        maps[:, 2, sliver] = given[..., sliver].mean(axis=1)
        order = np.argsort(left_of_it > SQUEEZED, kind="stable")
        index = cover(corners[..., order], right - left, bottom - top)
        nothing = np.zeros((2, 3, 1), np.float32)
        maps = np.concatenate([nothing, maps[..., order]], axis=2)
        x = np.arange(right - left, dtype=np.float32)[None, :]
        y = np.arange(bottom - top, dtype=np.float32)[:, None]
        first, second = (_evaluated(rows, index, x, y) for rows in maps)
        return (first, second), (left, top, right, bottom)


def _evaluated(rows: np.ndarray, index: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What affine maps (3, N) give at nodes (h, w), each by the map that its index names."""
    along_x, along_y, value = (row.take(index) for row in rows)
    value += np.multiply(along_x, x, out=along_x)
    value += np.multiply(along_y, y, out=along_y)
    return value


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
