"""Folds, furrows and raised cheeks: how an expression changes the light on the skin of the warped photo."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipelines.portrait.mesh import Mesh, with_rings
from pipelines.portrait.rig import Rig

STEP = 2  # picture pixels a shading pixel
DARKER, BRIGHTER = 1.15, 0.6  # folds read; highlights on skin whose light is not known look painted
# Bounds of the log change, so that no sum of coefficients paints a black line.
DEEPEST, BRIGHTEST = -0.4, 0.16
OWN_BRIGHTEST = 0.2  # folds that the photo holds are lightened further than bare skin would be
# Light that reaches a fold has passed through skin: red fades less than blue.
SKIN = np.array([0.65, 1.0, 1.2], np.float32)


@dataclass(frozen=True)
class Shading:
    """The rig's ratio images in one face's own pixels."""

    layers: np.ndarray  # (52, h, w) float32, log brightness, on every STEP-th pixel of the mesh's box
    origin: tuple[int, int]
    own: np.ndarray  # (h, w) log brightness that takes the photo's own folds away
    tint: np.ndarray  # (3,) how strongly each channel changes: 1 in a grey picture

    @staticmethod
    def build(mesh: Mesh, rig: Rig, own: np.ndarray, colour: float) -> Shading:
        """`own` (52,): the photo's expression that is taken away; `colour` as in `Complexion`."""
        left, top, right, bottom = rig.shading_box
        height, width = rig.shading.shape[1:]
        per_unit = np.array([(width - 1) / (right - left), (height - 1) / (bottom - top)], np.float32)
        texture = (with_rings(rig.neutral) - np.array([left, top], np.float32)) * per_unit
        x, y = (v[::STEP, ::STEP] for v in mesh.carry(mesh.rest, texture))
        inside = (x > 0) & (y > 0) & (x < width - 1) & (y < height - 1)
        layers = [
            cv2.remap(layer, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT) * inside
            for layer in rig.shading
        ]
        taken = np.clip(-DARKER * np.tensordot(own, np.stack(layers), 1), -BRIGHTEST, OWN_BRIGHTEST)
        taken = cv2.GaussianBlur(taken, (0, 0), 0.02 * (mesh.box[2] - mesh.box[0]) / STEP)
        return Shading(np.stack(layers), mesh.box[:2], taken.astype(np.float32), 1 + (SKIN - 1) * colour)

    def apply(
        self, face: np.ndarray, sources: tuple[np.ndarray, np.ndarray], coefficients: np.ndarray
    ) -> np.ndarray:
        """The warped face (H, W, 3) uint8, lit as its expression (52,) would be; `sources` as from
        `Mesh.sources`.
        """
        active = np.flatnonzero(coefficients > 0.01)
        log = np.tensordot(coefficients[active], self.layers[active], 1)
        log = np.clip(np.where(log > 0, BRIGHTER, DARKER) * log, DEEPEST, BRIGHTEST)
        ratio = np.exp(np.clip(log + self.own, DEEPEST, OWN_BRIGHTEST)[..., None] * self.tint)
        x, y = ((v - o) / np.float32(STEP) for v, o in zip(sources, self.origin, strict=True))
        ratio = cv2.remap(
            ratio, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(1.0, 1.0, 1.0)
        )
        return np.clip(face * ratio + 0.5, 0, 255).astype(np.uint8)
