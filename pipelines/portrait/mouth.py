"""The mouth: lips that meet and seal, and behind them teeth and tongue, the photo's own where it has some."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipelines.portrait import opening
from pipelines.portrait.complexion import Complexion
from pipelines.portrait.pose import Pose
from pipelines.portrait.rig import Rig, Teeth

# Rows of lip landmarks from the picture's left corner to its right one, from the opening outwards.
UPPER = (
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
    (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292),
    (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306),
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
)
LOWER = (
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
    (62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292),
    (76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306),
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
)
FOLLOW = (1.0, 0.95, 0.85, 0.7)  # share of a lip's closing that each of its rows takes
CLOSED = 0.035  # a gap under this many outer-eye-corner distances is the tracker's noise, not an open mouth
SEAM = 0.010  # gap kept between lips that were apart in the photo, so that a dark line shows where they meet
CAVITY = np.array([38, 14, 16], np.float32)
TONGUE = np.array([128, 62, 62], np.float32)
DARK_UNDER = 0.035  # little light falls between lips less apart than this
LOWER_TEETH_DOWN = 0.025  # how much lower than sculpted the lower teeth stand
JAW_SHARE = 0.85  # of the chin's way that the lower teeth go


def gaps(points: np.ndarray, down: np.ndarray) -> np.ndarray:
    """How far (11,) the lips' inner edges are apart along the face's down; negative where they cross."""
    return (points[list(LOWER[0]), :2] - points[list(UPPER[0]), :2]) @ down


def part(points: np.ndarray, down: np.ndarray, wanted: np.ndarray) -> None:
    """Moves both lips of (N, >=2) in place, column by column, until their gap is the one wanted (11,)."""
    change = (wanted - gaps(points, down))[1:-1, None] * down
    for rows, share in ((UPPER, -0.45), (LOWER, 0.55)):
        for row, follow in zip(rows, FOLLOW, strict=True):
            points[list(row)[1:-1], :2] += share * follow * change


def seam_gaps(unit: float) -> np.ndarray:
    """The smallest gap (11,) between lips that are apart in the photo: a dark line, gone at the corners."""
    return SEAM * unit * np.sin(np.linspace(0, np.pi, len(UPPER[0])))


@dataclass(frozen=True)
class Row:
    """A row of teeth in the picture of one face."""

    texture: np.ndarray  # (H, W, 4) uint8
    place: np.ndarray  # (2, 3) affine map from the texture's pixels to the picture's


@dataclass(frozen=True)
class Mouth:
    """What lies behind the lips of one face."""

    rows: dict[str, Row]  # "upper" and "lower"
    own: np.ndarray | None  # (size, size, 4) the photo's open mouth with coverage, None where it is closed
    down: np.ndarray  # (2,) the face's downward direction in the picture
    unit: float  # pixels between the outer eye corners
    cavity: np.ndarray  # (3,) colour
    tongue: np.ndarray  # (3,) colour

    @staticmethod
    def build(picture: np.ndarray, landmarks: np.ndarray, rest: np.ndarray, pose: Pose, rig: Rig) -> Mouth:
        """`landmarks` (478, 3) as tracked; `rest` (468, 3) without the photo's expression, lips closed."""
        complexion = Complexion.of(picture, landmarks)
        down, unit = face_down(pose), pose.scale
        seam = (rest[13, :2] + rest[14, :2]) / 2
        rig_seam = (rig.neutral[13] + rig.neutral[14]) / 2
        rows = {}
        for name, teeth in rig.teeth.items():
            toned = np.dstack([complexion.toned(teeth.texture[..., :3]), teeth.texture[..., 3]])
            rows[name] = Row(toned.astype(np.uint8), _place(teeth, rig_seam, seam, pose))
        own = None
        if float(gaps(landmarks, down).max()) > CLOSED * unit:
            outline = opening.outline(landmarks[list(UPPER[0]), :2], landmarks[list(LOWER[0]), :2])
            height, width = picture.shape[:2]
            soft = opening.mask((height, width), outline, (0, 0), 0.012 * unit)
            own = np.dstack([picture, (soft * soft * 255).astype(np.uint8)])
        return Mouth(rows, own, down, unit, complexion.toned(CAVITY), complexion.toned(TONGUE))

    def paint(self, canvas: np.ndarray, origin: tuple[int, int], points: np.ndarray, jaw: np.ndarray) -> None:
        """Draws what is seen between lips at points (>=468, 2); the chin is `jaw` (2,) pixels down."""
        upper, lower = points[list(UPPER[0])], points[list(LOWER[0])]
        gap = float(((lower - upper) @ self.down).max())
        if gap < 0.3:
            return
        polygon = opening.outline(upper, lower)
        height, width = canvas.shape[:2]
        box = (origin[0], origin[1], origin[0] + width, origin[1] + height)
        area = opening.patch(polygon, 3, box)
        if area is None:
            return
        left, top, right, bottom = area
        wide = min(1.0, gap / (DARK_UNDER * self.unit))
        layer = self._inside(area, upper, lower, jaw) * (0.3 + 0.7 * wide)
        seen = opening.mask((bottom - top, right - left), polygon, (left, top), 0.005 * self.unit)
        target = canvas[top - origin[1] : bottom - origin[1], left - origin[0] : right - origin[0]]
        opening.blend(target, layer, seen * (0.5 + 0.5 * wide))

    def _inside(
        self, area: tuple[int, int, int, int], upper: np.ndarray, lower: np.ndarray, jaw: np.ndarray
    ) -> np.ndarray:
        """Cavity, tongue, teeth and the photo's own mouth, from back to front: (h, w, 3) on an area."""
        left, top, right, bottom = area
        shape = (bottom - top, right - left)
        layer = np.broadcast_to(self.cavity, (*shape, 3)).copy()
        corner = np.array([left, top], np.float32)
        across = upper[-1] - upper[0]
        tilt = float(np.degrees(np.arctan2(across[1], across[0])))
        middle = (lower[5] + upper[5]) / 2 - corner
        reach = float(np.hypot(*across))
        ellipse = np.zeros(shape, np.uint8)
        x, y = (lower[5] - corner - 0.02 * self.unit * self.down).tolist()
        cv2.ellipse(ellipse, ((x, y), (0.62 * reach, 0.26 * self.unit), tilt), 255, -1, cv2.LINE_AA)
        tongue = cv2.GaussianBlur(ellipse, (0, 0), 0.025 * self.unit).astype(np.float32) / 255
        opening.blend(layer, np.broadcast_to(self.tongue, layer.shape), tongue * 0.8)
        lowered = jaw * JAW_SHARE + LOWER_TEETH_DOWN * self.unit * self.down
        for row, shift in ((self.rows["lower"], lowered), (self.rows["upper"], np.zeros(2))):
            move = row.place.copy()
            move[:, 2] += shift - corner
            teeth = cv2.warpAffine(row.texture, move, shape[::-1], flags=cv2.INTER_AREA)
            opening.blend(layer, teeth[..., :3], teeth[..., 3].astype(np.float32) / 255)
        if self.own is not None:
            own = self.own[top:bottom, left:right]
            opening.blend(layer, own[..., :3], own[..., 3].astype(np.float32) / 255)
        return layer * self._shadow(shape, upper - corner, middle, reach)[..., None]

    def _shadow(
        self, shape: tuple[int, int], upper: np.ndarray, middle: np.ndarray, reach: float
    ) -> np.ndarray:
        """Darkness (h, w) under the upper lip and towards the corners of the mouth."""
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        edge = np.interp(x[0], upper[:, 0], upper[:, 1]).astype(np.float32)
        below = np.clip((y - edge) / (0.035 * self.unit), 0, 1)
        aside = np.clip(np.abs(x - middle[0]) / (0.5 * reach + 1e-3), 0, 1)
        return (0.62 + 0.38 * below) * (1 - 0.55 * aside**3)


def face_down(pose: Pose) -> np.ndarray:
    """The face's downward direction (2,) in the picture, of length 1."""
    down = pose.rotation[:2, 1]
    return (down / np.hypot(*down)).astype(np.float32)


def _place(teeth: Teeth, rig_seam: np.ndarray, seam: np.ndarray, pose: Pose) -> np.ndarray:
    """Affine map (2, 3) from texture pixels to the picture: teeth sit behind the seam of the closed lips."""
    box, (height, width) = teeth.box, teeth.texture.shape[:2]
    turn = pose.scale * pose.rotation[:2, :2]
    step = np.array([(box[2] - box[0]) / width, (box[3] - box[1]) / height])
    corner = seam + turn @ (box[:2] - rig_seam[:2])
    return np.concatenate([turn * step, corner[:, None]], axis=1).astype(np.float32)
