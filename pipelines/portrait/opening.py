"""An opening in the skin, lips or lids: its edges as smooth curves, and a soft mask of what lies between."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

SAMPLES = 4  # points drawn between two landmarks
FINE = 4  # finer pixels a pixel, along each axis
SHIFT = 4  # fractional bits of OpenCV's drawing coordinates

Patch = tuple[int, int, int, int]  # left, top, right, bottom in pixels


@cache
def _spline(count: int) -> np.ndarray:
    """Matrix (samples, count) of natural cubic interpolation through `count` points."""
    knots = np.arange(count)
    at = np.linspace(0, count - 1, (count - 1) * SAMPLES + 1)
    return CubicSpline(knots, np.eye(count), bc_type="natural")(at)


def smooth(points: np.ndarray) -> np.ndarray:
    """A curve (samples, 2) through points (count, 2)."""
    return _spline(len(points)) @ points


def outline(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Closed outline (N, 2) of an opening with an upper and a lower edge (count, 2) that share their ends."""
    return np.concatenate([smooth(upper), smooth(lower)[::-1]])


def mask(shape: tuple[int, int], polygon: np.ndarray, origin: tuple[int, int], softness: float) -> np.ndarray:
    """Coverage (h, w) float32 in [0, 1] of a polygon in picture pixels, on a patch that starts at origin."""
    filled = np.zeros((shape[0] * FINE, shape[1] * FINE), np.uint8)
    # OpenCV's own anti-aliasing widens a polygon by half a pixel; averaging a finer fill does not.
    corners = ((polygon - np.array(origin, np.float32) + 0.5) * FINE - 0.5) * (1 << SHIFT)
    cv2.fillPoly(filled, [np.round(corners).astype(np.int32)], 255, cv2.LINE_8, SHIFT)
    covered = cv2.resize(filled, shape[::-1], interpolation=cv2.INTER_AREA)
    if softness > 0:
        covered = cv2.GaussianBlur(covered, (0, 0), softness)
    return covered.astype(np.float32) / 255


def patch(polygon: np.ndarray, margin: int, shape: tuple[int, ...]) -> Patch | None:
    """Pixels around a polygon, within a picture of this shape; None if nothing of it lies inside."""
    low = np.floor(polygon.min(axis=0)).astype(int) - margin
    high = np.ceil(polygon.max(axis=0)).astype(int) + margin + 1
    left, top = max(0, int(low[0])), max(0, int(low[1]))
    right, bottom = min(shape[1], int(high[0])), min(shape[0], int(high[1]))
    return (left, top, right, bottom) if right > left and bottom > top else None


def plain(colour: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """One colour (3,) all over a layer of this shape, uint8."""
    layer = np.empty((*shape[:2], 3), np.uint8)
    layer[:] = np.clip(colour + 0.5, 0, 255).astype(np.uint8)
    return layer


def blend(canvas: np.ndarray, layer: np.ndarray, alpha: np.ndarray) -> None:
    """Lays a layer over a canvas, both (h, w, 3) uint8, in place, with coverage (h, w) in [0, 1]."""
    alpha = alpha.astype(np.float32, copy=False)
    canvas[:] = cv2.blendLinear(layer, canvas, alpha, 1 - alpha)
