"""Eyes: behind the lids, eyeballs completed from what the photo shows of them, that can look around."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipelines.portrait import opening
from pipelines.portrait.arkit import index

# Upper and lower lid margins from the picture's left to its right, corners included.
LIDS = {
    "Right": ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    "Left": ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
}
# Centre and rim.
IRISES = {"Right": range(468, 473), "Left": range(473, 478)}
LOWER_SHARE = 0.12  # of the way that the lower lid comes up in a blink
LASHES, LASH_BLUR, LASH_ENDS = 0.057, 0.015, 0.25  # of an eye's width: thickness, softness, thinning out
UNSEEN_IRIS = 0.8  # of the dark end of the lids and their surroundings
LID_SHADOW = 0.25  # how much darker the eyeball is right under the upper lid
# How far a full look moves the iris, sideways and up or down, in outer-eye-corner distances.
GAZE = (0.075, 0.05)

SHIFT = 4  # fractional bits of OpenCV's drawing coordinates
BESIDE = np.ones((3, 3), np.uint8)  # a pixel and its neighbours


def close_lids(points: np.ndarray, coefficients: np.ndarray) -> None:
    """Moves lid margins (468, 2) in place: together for a blink, never across each other."""
    for side, (upper, lower) in LIDS.items():
        blink = float(coefficients[index(f"eyeBlink{side}")])
        top, bottom = points[list(upper)], points[list(lower)]
        gap = bottom - top
        crossed = gap[:, 1:] < 0
        middle = (top + bottom) / 2
        top, bottom = np.where(crossed, middle, top), np.where(crossed, middle, bottom)
        gap = bottom - top
        points[list(lower)[1:-1]] = (bottom - blink * LOWER_SHARE * gap)[1:-1]
        points[list(upper)[1:-1]] = (top + blink * (1 - LOWER_SHARE) * gap)[1:-1]


@dataclass(frozen=True)
class Eyeball:
    """One eye's texture on a patch of the picture."""

    side: str
    texture: np.ndarray  # (h, w, 3) uint8
    lid: np.ndarray  # (h, w, 3) uint8 skin of the closed lid, without lashes
    lash: np.ndarray  # (3,) colour of the lashes
    origin: tuple[int, int]  # of the patch, x and y
    anchor: np.ndarray  # (2,) middle of the eye's corners at rest

    def close(
        self, frame: np.ndarray, sources: tuple[np.ndarray, np.ndarray], points: np.ndarray, blink: float
    ) -> None:
        """Draws the lid of a closing eye: its skin where the mesh takes it, and the line of the lashes.

        A lid is stretched several times over when it closes; stretched with it, lashes and liner would smear.
        `sources`, x and y (size, size), say which pixel of the photo each pixel of the frame shows.
        """
        share = float(np.clip((blink - 0.15) / 0.5, 0, 1))
        if share == 0:
            return
        rows = np.concatenate([points[list(row)] for row in LIDS[self.side]])
        area = opening.patch(rows, round(0.5 * np.ptp(rows[:, 0])), frame.shape)
        if area is None:
            return
        left, top, right, bottom = area
        x, y = (plane[top:bottom, left:right] - o for plane, o in zip(sources, self.origin, strict=True))
        layer = cv2.remap(self.lid, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        inside = (x > 1) & (y > 1) & (x < self.lid.shape[1] - 2) & (y < self.lid.shape[0] - 2)
        target = frame[top:bottom, left:right]
        opening.blend(target, layer, inside * np.float32(share))
        curve = opening.smooth(points[list(LIDS[self.side][0])]) - np.array(area[:2], np.float32)
        line = np.zeros(layer.shape[:2], np.uint8)
        wide = float(np.ptp(rows[:, 0]))
        thick = max(1, round(LASHES * wide))
        along = np.arange(layer.shape[1], dtype=np.float32)
        thin = np.clip(np.minimum(along - curve[0, 0], curve[-1, 0] - along) / (LASH_ENDS * wide), 0, 1)
        curve = np.round(curve * (1 << SHIFT)).astype(np.int32)
        cv2.polylines(line, [curve], False, 255, thick, cv2.LINE_AA, SHIFT)
        lashes = cv2.GaussianBlur(line, (0, 0), max(0.7, LASH_BLUR * wide)).astype(np.float32) / 255 * thin
        opening.blend(target, opening.plain(self.lash, layer.shape), lashes * (0.75 * share))

    def paint(self, frame: np.ndarray, place: np.ndarray, points: np.ndarray, gaze: np.ndarray) -> None:
        """Draws what is seen between lids at points (>=468, 2).

        `place` (2, 3) takes the photo's eye to the frame, the gaze (2,) turns it by so many photo pixels.
        """
        upper, lower = LIDS[self.side]
        top, bottom = points[list(upper)], points[list(lower)]
        if float((bottom - top)[1:-1, 1].max()) < 0.4:
            return
        polygon = opening.outline(top, bottom)
        area = opening.patch(polygon, 2, frame.shape)
        if area is None:
            return
        left, high, right, low = area
        corners = points[[upper[0], upper[-1]]].mean(axis=0)
        turn = place[:, :2]
        move = np.empty((2, 3))
        move[:, :2] = turn
        move[:, 2] = corners - np.array([left, high]) + turn @ (gaze + self.origin - self.anchor)
        layer = cv2.warpAffine(
            self.texture, move, (right - left, low - high), borderMode=cv2.BORDER_REPLICATE
        )
        alpha = opening.mask((low - high, right - left), polygon, (left, high), 0.6)
        opening.blend(frame[high:low, left:right], layer, alpha)


def gaze_shift(side: str, coefficients: np.ndarray, unit: float) -> np.ndarray:
    """How far (2,) in pixels the iris of one eye is moved by the eyeLook coefficients."""
    look = {way: float(coefficients[index(f"eyeLook{way}{side}")]) for way in ("In", "Out", "Up", "Down")}
    # The person's left eye looks out towards the picture's right.
    outward = (look["Out"] - look["In"]) * (1 if side == "Left" else -1)
    return np.array([outward * GAZE[0], (look["Down"] - look["Up"]) * GAZE[1]]) * unit


def eyeball(picture: np.ndarray, landmarks: np.ndarray, side: str) -> Eyeball:
    """The eye of a face at landmarks (478, 3): the photo between the lids, sclera and iris behind them."""
    upper, lower = (landmarks[list(row), :2] for row in LIDS[side])
    polygon = opening.outline(upper, lower)
    size = picture.shape[0]
    width = float(np.ptp(polygon[:, 0]))
    area = opening.patch(polygon, int(0.5 * width) + 3, picture.shape) or (0, 0, size, size)
    left, top, right, bottom = area
    photo = np.ascontiguousarray(picture[top:bottom, left:right])
    seen = opening.mask(photo.shape[:2], polygon, (left, top), 0) > 0.9
    # Lashes and the shadow of the lid lie along the edge: they belong to the skin, not to the eyeball.
    inner = cv2.erode(seen.astype(np.uint8), BESIDE, iterations=max(1, round(width / 45)))
    seen &= inner > 0
    corner = np.array([left, top], np.float32)
    iris = landmarks[list(IRISES[side]), :2] - corner
    centre, radius = iris[0], float(np.hypot(*(iris[1:] - iris[0]).T).mean())
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]].astype(np.float32)
    reach = np.hypot(x - centre[0], y - centre[1])
    white = _sclera(photo, seen & (reach > 1.15 * radius))
    texture = np.where(seen[..., None], photo, white)
    disc = _iris(photo, seen, seen & (reach < 0.85 * radius), centre, (x, y))
    cover = np.clip((1.08 * radius - reach) / (0.16 * radius) + 0.5, 0, 1) * ~seen
    opening.blend(texture, disc.astype(np.uint8), cover)
    # What the upper lid hid in the photo comes out in its shadow.
    hidden = (~seen & (y < centre[1])).astype(np.float32)
    shadow = 1 - LID_SHADOW * cv2.GaussianBlur(hidden, (0, 0), 0.03 * width)
    texture = np.where(seen[..., None], texture, (texture * shadow[..., None]).astype(np.uint8))
    rim = cv2.GaussianBlur(texture, (0, 0), 0.8)
    inner = seen.astype(np.uint8)
    edge = cv2.dilate(inner, BESIDE) > cv2.erode(inner, BESIDE)
    texture[edge] = rim[edge]
    anchor = landmarks[[LIDS[side][0][0], LIDS[side][0][-1]], :2].mean(axis=0)
    lid, lash = _lid(photo, polygon - corner, width)
    return Eyeball(side, texture, lid, lash, (left, top), anchor)


def _lid(photo: np.ndarray, polygon: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """The patch with skin in place of eye and lashes, and the lashes' colour: the margin's dark end."""
    inside = (opening.mask(photo.shape[:2], polygon, (0, 0), 0) > 0.3).astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    around = cv2.dilate(inside, cross, iterations=max(2, round(0.09 * width)))
    margin = photo[(around > 0) & (cv2.erode(inside, BESIDE) == 0)]
    lash = _dark_end(margin if len(margin) else photo.reshape(-1, 3))
    return cv2.inpaint(photo, around, 5, cv2.INPAINT_TELEA), lash.astype(np.float32)


def _dark_end(pixels: np.ndarray) -> np.ndarray:
    """The mean colour (3,) of the darkest sixth of pixels (N, 3)."""
    return pixels[np.argsort(pixels.sum(axis=1))[: max(1, len(pixels) // 6)]].mean(axis=0)


def _sclera(photo: np.ndarray, white: np.ndarray) -> np.ndarray:
    """The white of the eye everywhere on the patch, carried on from where it is seen."""
    if white.sum() < 4:
        bright = photo.reshape(-1, 3)[np.argsort(photo.sum(axis=2).reshape(-1))[-20:]].mean(axis=0)
        return np.broadcast_to((bright * 0.9).astype(np.uint8), photo.shape).copy()
    filled = cv2.inpaint(photo, (~white).astype(np.uint8), 3, cv2.INPAINT_TELEA)
    return cv2.GaussianBlur(filled, (0, 0), 1.5)


def _iris(
    photo: np.ndarray,
    seen: np.ndarray,
    inside: np.ndarray,
    centre: np.ndarray,
    at: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """The iris completed: an unseen pixel takes a seen one opposite, above or below or through the centre.

    Where neither is seen it takes the mean of what is seen `inside` the iris; of closed eyes nothing is, and
    the iris is as dark as lashes are in that light.
    """
    x, y = at
    mean = photo[inside].mean(axis=0) if inside.any() else UNSEEN_IRIS * _dark_end(photo.reshape(-1, 3))
    disc = np.broadcast_to(mean, photo.shape).astype(np.float32)
    for mirror_x in (2 * centre[0] - x, x):
        map_x, map_y = mirror_x.astype(np.float32), (2 * centre[1] - y).astype(np.float32)
        there = cv2.remap(seen.astype(np.float32), map_x, map_y, cv2.INTER_LINEAR, borderValue=0.0)
        disc = np.where((there > 0.95)[..., None], cv2.remap(photo, map_x, map_y, cv2.INTER_LINEAR), disc)
    return disc
