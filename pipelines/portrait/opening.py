"""An opening in the skin, lips or lids: its edges as smooth curves, and a soft mask of what lies between."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

SAMPLES = 4  # points drawn between two landmarks
FINE = 4  # finer pixels a pixel, along each axis
SHIFT = 4  # fractional bits of OpenCV's drawing coordinates


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


def patch(
    polygon: np.ndarray, margin: int, box: tuple[int, int, int, int]
) -> tuple[int, int, int, int] | None:
    """Pixels left, top, right, bottom around a polygon, within a box; None if nothing of it lies inside."""
    low = np.floor(polygon.min(axis=0)).astype(int) - margin
    high = np.ceil(polygon.max(axis=0)).astype(int) + margin + 1
    left, top = max(box[0], int(low[0])), max(box[1], int(low[1]))
    right, bottom = min(box[2], int(high[0])), min(box[3], int(high[1]))
    return (left, top, right, bottom) if right > left and bottom > top else None


def blend(canvas: np.ndarray, layer: np.ndarray, alpha: np.ndarray) -> None:
    """Lays a layer (h, w, 3) over a canvas of the same shape, in place, with coverage (h, w) in [0, 1]."""
    mixed = canvas + (layer.astype(np.float32) - canvas) * alpha[..., None]
    canvas[:] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8) if canvas.dtype == np.uint8 else mixed
