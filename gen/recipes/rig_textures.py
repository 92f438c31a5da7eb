"""Bakes the rig's textures from the sculpted head: two rows of teeth, and the light on the skin."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.interpolate import LinearNDInterpolator

from gen.recipes.ict_head import FACE_VERTICES, UPPER_TEETH, Head, shade
from pipelines.portrait.arkit import ARKIT

CROWN = 0.42  # share of a tooth's height that stands out of the gum
ENAMEL, GUM = (238, 230, 216), np.array([176, 104, 100], np.float32)
TEETH_PIXELS = 64.0  # pixels per mesh unit in the teeth texture
SHADE_BOX = (-1.0, -0.75, 1.0, 1.45)  # left, top, right, bottom in the rig's frame
SHADE_SIZE = (106, 96)
SHADE_STEP = 0.008
SOFT_LIGHT = np.array([0.0, 0.62, 0.78])  # from above, where it mostly comes from


@dataclass(frozen=True)
class Frame:
    """Where the rig's frame lies in the mesh's."""

    origin: np.ndarray  # (3,) between the outer eye corners, x right, y down, z away
    unit: float  # mesh units between those corners


def teeth(head: Head, row: range, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """One row of teeth from the front: texture (H, W, 4) uint8 and its box (4,) in the rig's frame."""
    low, high = head.neutral[list(row)].min(axis=0), head.neutral[list(row)].max(axis=0)
    sculpted = _sculpted_teeth(head, row, low, high)
    texture = _in_gums(sculpted, upper=row == UPPER_TEETH)
    corners = np.array([low[0], -high[1], high[0], -low[1]], np.float32)
    return texture, ((corners - np.tile(frame.origin[:2], 2)) / frame.unit).astype(np.float32)


def _sculpted_teeth(head: Head, row: range, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Teeth with their roots, as sculpted, (H, W, 4) uint8; those further back are darker."""
    triangles = head.triangles[np.isin(head.triangles, np.array(row)).all(axis=1)]
    width, height = np.ceil((high - low)[:2] * TEETH_PIXELS).astype(int)
    points = np.stack([(head.neutral[:, 0] - low[0]), (high[1] - head.neutral[:, 1])], axis=1) * TEETH_PIXELS
    picture = np.zeros((height, width, 4), np.uint8)
    brightness, order = shade(head.neutral, triangles)
    depth = np.clip((head.neutral[triangles].mean(axis=1)[:, 2] - low[2]) / (high[2] - low[2]), 0, 1)
    fixed = np.round(points * 16).astype(np.int32)
    for k in order:
        value = (0.62 + 0.4 * brightness[k]) * (0.4 + 0.6 * depth[k])
        colour = [float(c * value) for c in ENAMEL] + [255.0]
        cv2.fillConvexPoly(picture, fixed[triangles[k]], colour, cv2.LINE_AA, 4)
    return picture


def _in_gums(sculpted: np.ndarray, *, upper: bool) -> np.ndarray:
    """The same teeth as a mouth shows them, at half the size.

    Sculpted teeth stand a little apart and show their roots; in a mouth they touch, and gum covers the roots.
    """
    filled = cv2.morphologyEx(sculpted, cv2.MORPH_CLOSE, np.ones((1, 15), np.uint8))
    between = np.concatenate([filled[..., :3] * 0.8, filled[..., 3:]], axis=2)
    picture = np.where(sculpted[..., 3:] > 127, sculpted, between.astype(np.uint8)).astype(np.float32)
    below = np.linspace(0, 1, len(picture), dtype=np.float32)[:, None]
    root = 1 - below if upper else below
    gum = np.clip((root - CROWN) / 0.08, 0, 1)[..., None]
    arch = cv2.morphologyEx(picture[..., 3], cv2.MORPH_CLOSE, np.ones((61, 61), np.uint8))[..., None]
    light = cv2.GaussianBlur(cv2.dilate(picture[..., 1], np.ones((25, 25))), (0, 0), 12)[..., None] / 225
    pink = np.concatenate([light * GUM, arch], axis=2)
    picture = np.clip(picture * (1 - gum) + pink * gum, 0, 255).astype(np.uint8)
    halved = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(halved, (0, 0), 1.2)


def shading(head: Head, frame: Frame) -> np.ndarray:
    """Log of how much brighter each coefficient makes the skin, (52, H, W) int8 in steps of SHADE_STEP.

    Ratio images (Liu, Shan & Zhang 2001, "Expressive expression mapping with ratio images"), baked from the
    sculpted head under a soft light instead of taken from photographs: folds, furrows and raised cheeks.
    """
    triangles = head.triangles[(head.triangles < FACE_VERTICES).all(axis=1)]
    rest = _brightness(head.neutral, triangles)
    toward = _normals(head.neutral, triangles)[:, 2]
    front = toward > 0.1
    # Near the silhouette a small turn of the skin changes its light a lot, and a photo's light is not known.
    trust = np.clip((toward[front] - 0.15) / 0.45, 0, 1)
    trust = (trust * trust * (3 - 2 * trust))[:, None]
    left, top, right, bottom = SHADE_BOX
    x, y = np.meshgrid(
        np.linspace(left, right, SHADE_SIZE[1], dtype=np.float32),
        np.linspace(top, bottom, SHADE_SIZE[0], dtype=np.float32),
    )
    places = (head.neutral[:FACE_VERTICES][front, :2] * [1, -1] - frame.origin[:2]) / frame.unit
    ratios = [np.log(_brightness(head.neutral + head.arkit(name), triangles) / rest) for name in ARKIT]
    surface = LinearNDInterpolator(places, trust * np.stack(ratios, axis=1)[front], fill_value=0.0)(x, y)
    layers = np.moveaxis(surface.astype(np.float32), -1, 0)
    smooth = np.stack([cv2.GaussianBlur(np.ascontiguousarray(layer), (0, 0), 1.0) for layer in layers])
    return np.clip(np.round(smooth / SHADE_STEP), -127, 127).astype(np.int8)


def _normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit normals (9409, 3) of the face's vertices."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    each = np.cross(b - a, c - a)
    total = np.zeros((FACE_VERTICES, 3))
    for k in range(3):
        np.add.at(total, triangles[:, k], each)
    return total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-9)


def _brightness(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Light (9409,) that the face's vertices send back under `SOFT_LIGHT` and what comes from all sides."""
    return 0.4 + 0.6 * np.clip(_normals(vertices, triangles) @ SOFT_LIGHT, 0, 1)
