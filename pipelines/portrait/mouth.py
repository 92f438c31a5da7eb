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
BETWEEN = np.concatenate([row[1:-1] for row in (*UPPER, *LOWER)])  # the lips without their corners
CLOSING = np.array([*(-0.45 * share for share in FOLLOW), *(0.55 * share for share in FOLLOW)])
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
    points[BETWEEN, :2] += (CLOSING[:, None, None] * change).reshape(-1, 2)


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

    def paint(self, frame: np.ndarray, place: np.ndarray, points: np.ndarray, jaw: np.ndarray) -> None:
        """Draws what is seen between lips at points (>=468, 2).

        `place` (2, 3) takes the photo's mouth to the frame; the chin is `jaw` (2,) photo pixels down.
        """
        upper, lower = points[list(UPPER[0])], points[list(LOWER[0])]
        gap = float(((lower - upper) @ self.down).max())
        if gap < 0.3:
            return
        polygon = opening.outline(upper, lower)
        area = opening.patch(polygon, 3, frame.shape)
        if area is None:
            return
        left, top, right, bottom = area
        wide = min(1.0, gap / (DARK_UNDER * self.unit))
        layer, light = self._inside(area, place, upper, lower, jaw)
        layer = (layer * (light * (0.3 + 0.7 * wide))[..., None]).astype(np.uint8)
        seen = opening.mask((bottom - top, right - left), polygon, (left, top), 0.005 * self.unit)
        opening.blend(frame[top:bottom, left:right], layer, seen * (0.5 + 0.5 * wide))

    def _inside(
        self, area: opening.Patch, place: np.ndarray, upper: np.ndarray, lower: np.ndarray, jaw: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Cavity, tongue, teeth and the photo's own mouth, (h, w, 3), and the light (h, w) on them."""
        left, top, right, bottom = area
        shape = (bottom - top, right - left)
        corner = np.array([left, top], np.float32)
        here = np.concatenate([place[:, :2], (place[:, 2] - corner)[:, None]], axis=1)
        layer = opening.plain(self.cavity, shape)
        across = upper[-1] - upper[0]
        reach = float(np.hypot(*across))
        opening.blend(
            layer, opening.plain(self.tongue, shape), self._tongue(shape, lower[5] - corner, across)
        )
        lowered = jaw * JAW_SHARE + LOWER_TEETH_DOWN * self.unit * self.down
        for row, shift in ((self.rows["lower"], lowered), (self.rows["upper"], np.zeros(2))):
            move = here[:, :2] @ row.place
            move[:, 2] += here[:, :2] @ shift + here[:, 2]
            _lay(layer, row.texture, move)
        if self.own is not None:
            _lay(layer, self.own, here)
        middle = (lower[5] + upper[5]) / 2 - corner
        return layer, self._shadow(shape, upper - corner, middle, reach)

    def _tongue(self, shape: tuple[int, int], at: np.ndarray, across: np.ndarray) -> np.ndarray:
        """How much of the tongue (h, w) is seen behind a lower lip whose middle is at (2,)."""
        ellipse = np.zeros(shape, np.uint8)
        x, y = (at - 0.02 * self.unit * self.down).tolist()
        axes = (0.62 * float(np.hypot(*across)), 0.26 * self.unit)
        tilt = float(np.degrees(np.arctan2(across[1], across[0])))
        cv2.ellipse(ellipse, ((x, y), axes, tilt), 255, -1, cv2.LINE_AA)
        return cv2.GaussianBlur(ellipse, (0, 0), 0.025 * self.unit).astype(np.float32) * (0.8 / 255)

    def _shadow(
        self, shape: tuple[int, int], upper: np.ndarray, middle: np.ndarray, reach: float
    ) -> np.ndarray:
        """Light (h, w) in [0, 1]: less under the upper lip and towards the corners of the mouth."""
        x, y = np.arange(shape[1], dtype=np.float32), np.arange(shape[0], dtype=np.float32)[:, None]
        edge = np.interp(x, upper[:, 0], upper[:, 1]).astype(np.float32)
        below = np.clip((y - edge) / np.float32(0.035 * self.unit), 0, 1)
        aside = np.clip(np.abs(x - np.float32(middle[0])) / np.float32(0.5 * reach + 1e-3), 0, 1)
        return (0.62 + 0.38 * below) * (1 - 0.55 * aside**3)


def _lay(layer: np.ndarray, texture: np.ndarray, move: np.ndarray) -> None:
    """Lays a texture (H, W, 4) uint8 with coverage, moved by an affine map (2, 3), over a layer (h, w, 3)."""
    laid = cv2.warpAffine(texture, move, layer.shape[1::-1], flags=cv2.INTER_LINEAR)
    opening.blend(layer, laid[..., :3], laid[..., 3] * np.float32(1 / 255))


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
