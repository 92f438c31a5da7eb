"""How bright and how colourful a face is painted or photographed, so that what is drawn beside it fits."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

CHEEKS = (50, 280, 205, 425, 187, 411, 117, 346)  # landmarks around both cheeks
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # BT.601
WELL_LIT = 210.0  # brightness of light skin in good light
COLOURFUL = (
    0.18  # spread of the channels, as a share of the brightness, from which a face counts as in colour
)


@dataclass(frozen=True)
class Complexion:
    """Brightness, 1 for light skin in good light, and colour: 0 for a grey picture, 1 for one in colour."""

    light: float
    colour: float

    @staticmethod
    def of(picture: np.ndarray, landmarks: np.ndarray) -> Complexion:
        """Measured on the cheeks of a face at landmarks (478, 3) in a picture (H, W, 3) uint8."""
        area = np.zeros(picture.shape[:2], np.uint8)
        outline = cv2.convexHull(landmarks[list(CHEEKS), :2].astype(np.float32))
        cv2.fillConvexPoly(area, np.round(outline).astype(np.int32), 1)
        skin = picture[area > 0].astype(np.float32)
        if not len(skin):
            return Complexion(light=0.7, colour=1.0)
        brightness = skin @ LUMA
        spread = float(np.ptp(skin.mean(axis=0))) / max(1.0, float(brightness.mean()))
        light = float(np.clip(np.percentile(brightness, 70) / WELL_LIT, 0.42, 0.95))
        return Complexion(light, min(1.0, spread / COLOURFUL))

    def toned(self, colour: np.ndarray) -> np.ndarray:
        """A colour (..., 3) as it would be in this picture: as bright, and no more colourful."""
        grey = (colour.astype(np.float32) @ LUMA)[..., None]
        return (grey + (colour - grey) * self.colour) * self.light
