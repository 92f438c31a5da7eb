"""How bright and how colourful a face is painted or photographed, so that what is drawn beside it fits."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipelines.portrait import opening
from pipelines.portrait.eyes import IRISES, LIDS

CHEEKS = (50, 280, 205, 425, 187, 411, 117, 346)  # landmarks around both cheeks
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # BT.601
WELL_LIT = 210.0  # brightness of light skin in good light
COLOURFUL = (
    0.18  # spread of the channels, as a share of the brightness, from which a face counts as in colour
)


# Light that reaches a fold has passed through skin: red fades less than blue.
SKIN = np.array([0.65, 1.0, 1.2], np.float32)
OWN_SHADOW = 0.6  # share of the picture's own shadows, from light cheek to dark, in how a fold is coloured
SHADED = 0.06  # log of how much darker than its light parts a cheek's dark ones must be to tell their colour
TINTS = (0.45, 1.6)  # bounds
DIMMED, CASTS = (0.82, 1.0), (0.75, 1.2)  # bounds of what the eyes may say about the light
USUAL_SKIN = np.array([224, 180, 155], np.float32)  # light skin in daylight
EYES_TELL, SKIN_TELLS = 0.6, 0.3  # how far the colour of an eye's white, and of skin, counts as the light's
FEW = 12  # pixels under which too little of the white of the eyes is seen to tell


@dataclass(frozen=True)
class Complexion:
    """Brightness, 1 for light skin in good light, and colour: 0 for a grey picture, 1 for one in colour."""

    light: float
    colour: float
    shadow: np.ndarray  # (3,) how much each channel darkens where the skin does: 1 in a grey picture
    white: np.ndarray  # (3,) what is white here, as the eyes tell: 1 where the light is, and dims nothing

    @staticmethod
    def of(picture: np.ndarray, landmarks: np.ndarray) -> Complexion:
        """Measured on the cheeks of a face at landmarks (478, 3) in a picture (H, W, 3) uint8."""
        area = np.zeros(picture.shape[:2], np.uint8)
        outline = cv2.convexHull(landmarks[list(CHEEKS), :2].astype(np.float32))
        cv2.fillConvexPoly(area, np.round(outline).astype(np.int32), 1)
        skin = picture[area > 0].astype(np.float32)
        if not len(skin):
            return Complexion(light=0.7, colour=1.0, shadow=SKIN, white=np.ones(3, np.float32))
        brightness = skin @ LUMA
        spread = float(np.ptp(skin.mean(axis=0))) / max(1.0, float(brightness.mean()))
        light = float(np.clip(np.percentile(brightness, 70) / WELL_LIT, 0.42, 0.95))
        colour = min(1.0, spread / COLOURFUL)
        white = _white(picture, landmarks, light, skin.mean(axis=0), colour)
        return Complexion(light, colour, _shadow(skin, brightness, 1 + (SKIN - 1) * colour), white)

    def toned(self, colour: np.ndarray) -> np.ndarray:
        """A colour (..., 3) as it would be in this picture: as bright, as warm, and no more colourful."""
        grey = (colour.astype(np.float32) @ LUMA)[..., None]
        return np.clip((grey + (colour - grey) * self.colour) * self.light * self.white, 0, 255)


def _shadow(skin: np.ndarray, brightness: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """How much more or less each channel (3,) darkens than the brightness does, from light skin to dark.

    A drawing's shadows may be violet or orange; a fold in any other colour would look like dirt on it.
    """
    dark, light = (
        np.maximum(skin[chosen].mean(axis=0), 1.0)
        for chosen in (
            brightness <= np.percentile(brightness, 20),
            brightness >= np.percentile(brightness, 80),
        )
    )
    darker = float(np.log((light @ LUMA) / (dark @ LUMA)))
    if darker < SHADED:
        return usual
    own = np.clip(np.log(light / dark) / darker, *TINTS)
    return (OWN_SHADOW * own + (1 - OWN_SHADOW) * usual).astype(np.float32)


def _white(
    picture: np.ndarray, landmarks: np.ndarray, light: float, skin: np.ndarray, colour: float
) -> np.ndarray:
    """What the light makes of something white (3,), read from the eyes' white and the skin's colour (3,).

    1 where no white is seen. Teeth drawn as white as in daylight shine out of a face by candlelight.
    """
    found = []
    for side, (upper, lower) in LIDS.items():
        shape = picture.shape[:2]
        polygon = opening.outline(landmarks[list(upper), :2], landmarks[list(lower), :2])
        inside = opening.mask((shape[0], shape[1]), polygon, (0, 0), 0) > 0.9
        inside = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        centre, *rim = landmarks[list(IRISES[side]), :2]
        radius = float(np.hypot(*(np.array(rim) - centre).T).mean())
        y, x = np.nonzero(inside)
        outside = np.hypot(x - centre[0], y - centre[1]) > 1.15 * radius
        found.append(picture[y[outside], x[outside]].astype(np.float32))
    eyes = np.concatenate(found)
    if len(eyes) < FEW:
        return np.ones(3, np.float32)
    brightness = eyes @ LUMA
    seen = np.maximum(eyes[brightness >= np.percentile(brightness, 60)].mean(axis=0), 1.0)
    skin = np.maximum(skin, 1.0)
    warmer = skin / (skin @ LUMA) * (USUAL_SKIN @ LUMA) / USUAL_SKIN
    cast = (seen / (seen @ LUMA)) ** EYES_TELL * warmer**SKIN_TELLS
    dim = float(np.clip((seen @ LUMA) / (WELL_LIT * light), *DIMMED))
    cast = np.clip(cast / (cast @ LUMA), *CASTS)
    return ((1 + (cast - 1) * colour) * dim).astype(np.float32)
