"""The rig: how each of the 52 ARKit coefficients moves 468 landmarks, and what a photo's own face is doing.

The tensors are learned by `gen/recipes/rig.py`. Their frame: origin between the outer eye corners, unit the
distance between those corners, x right, y down, z away from the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from scipy.optimize import lsq_linear

from pipelines.portrait.arkit import ARKIT
from pipelines.portrait.pose import Pose, align

POINTS = 468
# Coefficients that a still photo does not show reliably, or that a person's build explains as well.
UNSEEN_PARTS = (
    "eyeLook",
    "tongue",
    "jawForward",
    "jawLeft",
    "jawRight",
    "cheekPuff",
    "mouthLeft",
    "mouthRight",
)
UNSEEN = tuple(i for i, name in enumerate(ARKIT) if name.startswith(UNSEEN_PARTS))
NOISE = 0.012  # standard deviation of a tracked landmark, in units
IDENTITY_SPREAD = 0.6  # prior standard deviation of an identity weight
EXPRESSION_SPREAD = 0.35  # prior standard deviation of a coefficient
SIDES_DIFFER = 0.12  # prior standard deviation of left minus right
DEPTH_TRUST = 0.3  # MediaPipe's depth is a guess: it counts less than what is seen in the plane
REFINEMENTS = 2  # rounds of pose and shape after the first
# A photo that is warped has no relief that turns in the light, so small surface motions read weaker on it
# than on a face: where a coefficient mostly slides skin, its way in the picture is longer than the sculpted.
EXAGGERATION = {
    "browDown": 1.9,
    "browInnerUp": 1.6,
    "browOuterUp": 1.2,
    "eyeWide": 1.3,
    "eyeSquint": 1.6,
    "cheekSquint": 1.7,
    "noseSneer": 1.4,
    "mouthSmile": 1.35,
    "mouthFrown": 1.7,
    "mouthStretch": 1.5,
}
SHOWN = np.array(
    [next((v for k, v in EXAGGERATION.items() if name.startswith(k)), 1.0) for name in ARKIT], np.float32
)
LEFTS = [i for i, name in enumerate(ARKIT) if name.endswith("Left") and name[:-4] + "Right" in ARKIT]
SIDES = np.eye(len(ARKIT))[LEFTS] - np.eye(len(ARKIT))[[ARKIT.index(ARKIT[i][:-4] + "Right") for i in LEFTS]]


@dataclass(frozen=True)
class Teeth:
    """One row of teeth, seen from the front."""

    texture: np.ndarray  # (H, W, 4) uint8
    box: np.ndarray  # (4,) left, top, right, bottom in the rig's frame


@dataclass(frozen=True)
class Rig:
    """Rest shape, displacement per coefficient, identity modes, triangles, teeth and shading."""

    neutral: np.ndarray  # (468, 3)
    deltas: np.ndarray  # (52, 468, 3)
    identity: np.ndarray  # (modes, 468, 3)
    triangles: np.ndarray  # (N, 3) skin, open at lips and lids
    openings: np.ndarray  # (M, 3) what would close the openings
    teeth: dict[str, Teeth]  # "upper" and "lower"
    shading: np.ndarray  # (52, H, W) log of how much brighter each coefficient makes the skin
    shading_box: np.ndarray  # (4,) left, top, right, bottom of that texture in the rig's frame

    @staticmethod
    def load(path: Path) -> Rig:
        """Reads the bundled tensors; a file of another rig raises KeyError."""
        tensors = load_file(path)
        return Rig(
            neutral=tensors["neutral"],
            deltas=tensors["deltas"].astype(np.float32),
            identity=tensors["identity"].astype(np.float32),
            triangles=tensors["triangles"],
            openings=tensors["openings"],
            shading=tensors["shading"].astype(np.float32) * tensors["shading_box"][4],
            shading_box=tensors["shading_box"][:4],
            teeth={
                row: Teeth(tensors[f"{row}_teeth"], tensors[f"{row}_teeth_box"]) for row in ("upper", "lower")
            },
        )

    def fit(self, landmarks: np.ndarray) -> tuple[Pose, np.ndarray]:
        """Head pose and ARKit coefficients (52,) in [0, 1] of tracked landmarks (478, 3) in pixels.

        Alternates a similarity alignment (Umeyama 1991) with a bounded maximum a posteriori solve in which
        identity modes compete with expression, so that a long face is not taken for an opened mouth.
        """
        seen = landmarks[:POINTS].astype(np.float64)
        modes = len(self.identity)
        directions = np.concatenate([self.identity, self.deltas]).astype(np.float64)
        weights = np.tile([1.0, 1.0, DEPTH_TRUST], POINTS) / NOISE
        basis = directions.reshape(len(directions), -1).T * weights[:, None]
        basis[:, [modes + i for i in UNSEEN]] = 0
        # The normal equations' Cholesky factor has the same minimiser and a hundredth of the rows.
        factor = np.linalg.cholesky(basis.T @ basis + _precision(modes)).T
        low, high = np.repeat([-3.0, 0.0], [modes, len(ARKIT)]), np.repeat([3.0, 1.0], [modes, len(ARKIT)])

        def solve(pose: Pose) -> np.ndarray:
            residual = (pose.unproject(seen) - self.neutral).reshape(-1) * weights
            target = np.linalg.solve(factor.T, basis.T @ residual)
            return lsq_linear(factor, target, (low, high), method="bvls", max_iter=200).x

        pose = align(self.neutral.astype(np.float64), seen)
        solution = solve(pose)
        for _ in range(REFINEMENTS):
            pose = align(self.neutral + np.tensordot(solution, directions, 1), seen)
            solution = solve(pose)
        return pose, np.clip(solution[modes:], 0, 1).astype(np.float32)

    def displacement(self, pose: Pose, coefficients: np.ndarray) -> np.ndarray:
        """How far (468, 3), in pixels, coefficients (52,) move the landmarks of a face in this pose."""
        return pose.turn(np.tensordot(coefficients, self.deltas, 1)).astype(np.float32)

    def drawn(self, pose: Pose, coefficients: np.ndarray) -> np.ndarray:
        """The displacement to draw coefficients (52,) with: exaggerated where a flat photo needs it."""
        return self.displacement(pose, coefficients * SHOWN)


def _precision(modes: int) -> np.ndarray:
    """Inverse covariance of the prior: weights and coefficients near 0, and both sides of a face alike."""
    spread = np.repeat([IDENTITY_SPREAD, EXPRESSION_SPREAD], [modes, len(ARKIT)])
    prior = np.concatenate([np.diag(1 / spread), np.pad(SIDES / SIDES_DIFFER, ((0, 0), (modes, 0)))])
    return prior.T @ prior
