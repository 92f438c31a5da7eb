"""Triangles in the plane: which one covers a node, and the affine maps from one set to another."""

from __future__ import annotations

import numpy as np


def cover(corners: np.ndarray, width: int, height: int) -> np.ndarray:
    """Which triangle covers each node (x, y) of a grid: 1 to N, or 0 for none, (height, width) int32.

    Args:
        corners: (2, 3, N) float32, x and y of three corners in nodes; of several over a node the last wins.
        width: Nodes in a row.
        height: Nodes in a column.

    Every triangle is cut into the rows it crosses, all at once. Neighbours work out the edge they share from
    the same numbers, so that no node between them is missed.
    """
    (xa, xb, xc), (ya, yb, yc) = _downwards(corners)
    first = np.clip(np.ceil(ya), 0, height).astype(np.int32)
    rows = np.clip(np.clip(np.floor(yc) + 1, 0, height).astype(np.int32) - first, 0, None)
    # A level edge is met at its start only: there, any slope will do.
    level = np.float32(1e-6)
    long, upper = (xc - xa) / np.maximum(yc - ya, level), (xb - xa) / np.maximum(yb - ya, level)
    lower = (xc - xb) / np.maximum(yc - yb, level)
    edges = np.stack([xa, ya, xb, yb, long, upper, lower], axis=1)
    which = np.repeat(np.arange(corners.shape[2], dtype=np.int32), rows)
    row = np.repeat((first - np.cumsum(rows) + rows).astype(np.int32), rows)
    row += np.arange(len(which), dtype=np.int32)
    y = row.astype(np.float32)
    x0, y0, x1, y1, long, upper, lower = edges.take(which, axis=0).T
    one = x0 + (y - y0) * long
    other = np.where(y < y1, x0 + (y - y0) * upper, x1 + (y - y1) * lower)
    start = np.clip(np.ceil(np.minimum(one, other)), 0, width).astype(np.int32)
    length = np.clip(np.floor(np.maximum(one, other)) + 1, 0, width).astype(np.int32) - start
    length = np.maximum(length, 0)
    end = np.cumsum(length, dtype=np.int32)
    nodes = np.repeat(row * np.int32(width) + start - end + length, length)
    nodes += np.arange(len(nodes), dtype=np.int32)
    index = np.zeros(height * width, np.int32)
    index[nodes] = np.repeat(which + 1, length)  # the last of several assignments stays
    return index.reshape(height, width)


def doubled_area(corners: np.ndarray) -> np.ndarray:
    """Signed area (N,), twice, of triangles (2, 3, N)."""
    (ux, uy), (vx, vy) = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return ux * vy - uy * vx


def affine(corners: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Affine maps (2, 3, N) that take values (2, 3, N) at corners (2, 3, N), and the triangles' areas, twice.

    Of each of the two values a map holds its share of x, its share of y and its constant.
    """
    ax, ay = corners[:, 0]
    (ux, uy), (vx, vy) = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = ux * vy - uy * vx
    inverse = 1 / np.where(np.abs(area) > 1e-6, area, 1)
    p, q = (values[:, 1] - values[:, 0]) * inverse, (values[:, 2] - values[:, 0]) * inverse
    maps = np.empty_like(corners)
    maps[:, 0] = p * vy - q * uy
    maps[:, 1] = q * ux - p * vx
    maps[:, 2] = values[:, 0] - maps[:, 0] * ax - maps[:, 1] * ay
    return maps, area


def _downwards(corners: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The corners (2, 3, N) of each triangle from top to bottom: their x and their y."""
    x, y = list(corners[0]), list(corners[1])
    for upper, lower in ((0, 1), (1, 2), (0, 1)):
        swap = y[upper] > y[lower]
        for values in (x, y):
            values[upper], values[lower] = (
                np.where(swap, values[lower], values[upper]),
                np.where(swap, values[upper], values[lower]),
            )
    return x, y
