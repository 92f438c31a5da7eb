"""The ICT-FaceKit head: sculpted shapes with ARKit's names, in colours that a face tracker knows."""

from __future__ import annotations

from pathlib import Path

import numpy as np

FACE_VERTICES = 9409  # they come first
GUMS = slice(14062, 17039)
UPPER_TEETH, LOWER_TEETH = range(17039, 19247), range(19247, 21451)
EYEBALLS = ((21451, 23021), (23021, 24591))
HIDDEN = 24591  # from here on lacrimal fluid, lashes and their like, which would cover the eyes
LIGHT = np.array([0.2, 0.35, 0.9], np.float32)  # where it comes from


class Head:
    """The parametric head: shapes, triangles and vertex colours."""

    def __init__(self, data: Path) -> None:
        archive = np.load(data / "ict_facekit" / "ict_facekit_f16.npz")
        self.neutral: np.ndarray = archive["neutral"].astype(np.float32)  # (26719, 3)
        self.identity: np.ndarray = archive["identity"].astype(np.float32)  # (100, 26719, 3)
        expressions = archive["expr"].astype(np.float32)
        self.expressions = dict(zip((str(n) for n in archive["expr_names"]), expressions, strict=True))
        faces = archive["faces"]
        quads = faces[faces[:, 3] >= 0]
        triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]], faces[faces[:, 3] < 0][:, :3]])
        self.triangles: np.ndarray = triangles[(triangles < HIDDEN).all(axis=1)]
        self.colours = self._colours()

    def _colours(self) -> np.ndarray:
        colours = np.tile(np.array([205, 160, 135], np.float32), (len(self.neutral), 1))
        for left, right in EYEBALLS:
            eye = np.arange(left, right)
            centre = self.neutral[eye].mean(axis=0)
            reach = np.hypot(*(self.neutral[eye, :2] - centre[:2]).T)
            front = self.neutral[eye, 2] > centre[2]
            colours[eye] = (240, 238, 235)
            colours[eye[(reach < 0.62) & front]] = (90, 60, 40)
            colours[eye[(reach < 0.25) & front]] = (15, 10, 10)
        colours[list(UPPER_TEETH)] = colours[list(LOWER_TEETH)] = (235, 228, 215)
        colours[GUMS] = (120, 50, 50)
        face = self.neutral[:FACE_VERTICES]
        middle = (np.abs(face[:, 0]) < 0.1) & (np.abs(self.expressions["jawOpen"][:FACE_VERTICES, 1]) > 0.5)
        seam = face[middle & (face[:, 1] < -2) & (face[:, 1] > -5)][:, 1].max()
        taper = np.sqrt(np.clip(1 - (face[:, 0] / 2.6) ** 2, 0, 1))
        height = face[:, 1] - seam
        lips = (height < 0.6 * taper) & (height > -0.75 * taper) & (face[:, 2] > 9)
        colours[:FACE_VERTICES][lips] = (170, 95, 90)
        return colours

    def person(self, generator: np.random.Generator, spread: float) -> np.ndarray:
        """Vertices (26719, 3) of a random identity; `spread` 0 is the mean face."""
        weights = (generator.standard_normal(len(self.identity)) * spread).astype(np.float32)
        return self.neutral + np.tensordot(weights, self.identity, 1)

    def arkit(self, name: str) -> np.ndarray:
        """Displacement (26719, 3) of one ARKit coefficient; the tongue is not modelled and stays at zero."""
        for suffix, ending in (("Left", "_L"), ("Right", "_R")):
            if name.endswith(suffix) and name[: -len(suffix)] + ending in self.expressions:
                return self.expressions[name[: -len(suffix)] + ending]
        if name in self.expressions:
            return self.expressions[name]
        both = [
            self.expressions[name + ending] for ending in ("_L", "_R") if name + ending in self.expressions
        ]
        return np.sum(both, axis=0) if both else np.zeros_like(self.neutral)


def shade(vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lambert shading (N,) of triangles, and those that face the viewer, farthest first."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    order = np.argsort((a + b + c)[:, 2])
    return np.clip(normals @ LIGHT / np.linalg.norm(LIGHT), 0, 1) * 0.75 + 0.25, order[normals[order, 2] > 0]
