"""Folds, furrows and raised cheeks: how an expression changes the light on the skin before it is warped."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipelines.portrait.lattice import Lattice
from pipelines.portrait.mesh import Area, Mesh, with_rings
from pipelines.portrait.rig import Rig

DARKER, BRIGHTER = 1.15, 0.6  # folds read; highlights on skin whose light is not known look painted
# Bounds of the log change, so that no sum of coefficients paints a black line.
DEEPEST, BRIGHTEST = -0.4, 0.16
OWN_BRIGHTEST = 0.2  # folds that the photo holds are lightened further than bare skin would be
OWN_BLUR = 0.02  # of the mesh's width: the photo's folds do not lie exactly where the sculpted head's do
PLAIN = 200  # the byte that leaves a pixel as bright as it is
LEVELS = 256 / (OWN_BRIGHTEST - DEEPEST)  # log changes are looked up, this many to a natural log


@dataclass(frozen=True)
class Shading:
    """The rig's ratio images, and where their texture lies on one face."""

    layers: np.ndarray  # (52, h * w) float32, log brightness
    own: np.ndarray  # (h, w) float32 log brightness that takes the photo's own folds away
    tint: np.ndarray  # (3,) how strongly each channel changes: 1 in a grey picture
    bytes_of: np.ndarray  # (256, 1, 3) uint8, brightness of each channel for a log change counted in LEVELS
    places: tuple[np.ndarray, np.ndarray]  # x, y (H, W) float32: texture pixels of the lattice's nodes
    area: Area  # which part of the lattice that is, in nodes
    lattice: Lattice

    @staticmethod
    def build(mesh: Mesh, rig: Rig, own: np.ndarray, tint: np.ndarray, lattice: Lattice) -> Shading:
        """`own` (52,): the photo's expression that is taken away; `tint` (3,): the shadow of `Complexion`."""
        left, top, right, bottom = rig.shading_box
        height, width = rig.shading.shape[1:]
        per_unit = np.array([(width - 1) / (right - left), (height - 1) / (bottom - top)], np.float32)
        texture = (with_rings(rig.neutral) - np.array([left, top], np.float32)) * per_unit
        planes, area = mesh.carry(mesh.rest, texture, lattice)
        places, area = _trimmed(planes, area, (width, height), lattice)
        taken = np.clip(-DARKER * np.tensordot(own, rig.shading, 1), -BRIGHTEST, OWN_BRIGHTEST)
        spread = OWN_BLUR * float(np.ptp(mesh.rest[:, 0])) * _texels_a_pixel(mesh.rest, texture)
        taken = cv2.GaussianBlur(taken.astype(np.float32), (0, 0), spread)
        log = np.arange(256)[:, None] / LEVELS + DEEPEST
        ratio = np.exp(log * tint)
        return Shading(
            layers=rig.shading.reshape(len(rig.shading), -1),
            own=taken,
            tint=tint,
            bytes_of=np.clip(PLAIN * ratio + 0.5, 0, 255).astype(np.uint8)[:, None],
            places=places,
            area=area,
            lattice=lattice,
        )

    def apply(self, picture: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """The picture (size, size, 3) uint8, its skin lit as an expression (52,) would be."""
        log = (coefficients.astype(np.float32) @ self.layers).reshape(self.own.shape)
        log = DARKER * log + (BRIGHTER - DARKER) * np.maximum(log, 0)
        log = np.clip(np.clip(log, DEEPEST, BRIGHTEST) + self.own, DEEPEST, OWN_BRIGHTEST)
        level = np.minimum((log - DEEPEST) * LEVELS + 0.5, 255).astype(np.uint8)
        ratio = cv2.remap(
            cv2.LUT(cv2.merge([level] * 3), self.bytes_of),
            *self.places,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(PLAIN, PLAIN, PLAIN),
        )
        left, top, right, bottom = (self.lattice.step * (node - 1) for node in self.area)
        right, bottom = min(right, len(picture)), min(bottom, len(picture))
        lit = picture.copy()
        if self.lattice.step > 1:
            shape = (ratio.shape[1] * self.lattice.step, ratio.shape[0] * self.lattice.step)
            ratio = cv2.resize(ratio, shape)
        skin = lit[top:bottom, left:right]
        cv2.multiply(skin, ratio[: bottom - top, : right - left], dst=skin, scale=1 / PLAIN)
        return lit


def _trimmed(
    places: tuple[np.ndarray, np.ndarray], area: Area, shape: tuple[int, int], lattice: Lattice
) -> tuple[tuple[np.ndarray, np.ndarray], Area]:
    """Places on an area of the lattice, those outside a texture of this width and height moved away from it.

    The area is cut to what lies inside the texture, one node around it, and the picture.
    """
    x, y = places
    inside = (x > 0) & (y > 0) & (x < shape[0] - 1) & (y < shape[1] - 1)
    row, column = np.nonzero(inside)
    left, right = max(column.min() - 1, 1 - area[0], 0), min(column.max() + 2, lattice.count - 1 - area[0])
    top, bottom = max(row.min() - 1, 1 - area[1], 0), min(row.max() + 2, lattice.count - 1 - area[1])
    cut = (slice(top, bottom), slice(left, right))
    first, second = (np.where(inside, plane, np.float32(-9))[cut].copy() for plane in places)
    kept = (int(area[0] + left), int(area[1] + top), int(area[0] + right), int(area[1] + bottom))
    return (first, second), kept


def _texels_a_pixel(points: np.ndarray, texture: np.ndarray) -> float:
    """How much larger the face is in its texture than in the picture."""
    return float(np.ptp(texture[:, 1]) / np.ptp(points[:, 1]))
