"""Brightness, shadows and light of a face, read from its pixels."""

import cv2
import numpy as np
import pytest

from pipelines.portrait.complexion import CHEEKS, LUMA, SKIN, Complexion
from pipelines.portrait.eyes import IRISES, LIDS


def landmarks() -> np.ndarray:
    """Cheeks over most of a picture of 200 x 200 pixels, and two eyes at its top."""
    points = np.zeros((478, 3), np.float32)
    angle = np.linspace(0, 2 * np.pi, len(CHEEKS), endpoint=False)
    points[list(CHEEKS), :2] = np.stack([100 + 60 * np.cos(angle), 130 + 40 * np.sin(angle)], axis=1)
    for side, middle in (("Right", 60), ("Left", 140)):
        x = np.linspace(middle - 22, middle + 22, 9)
        bend = 9 * np.sin(np.linspace(0, np.pi, 9))
        for row, sign in zip(LIDS[side], (-1, 1), strict=True):
            points[list(row), :2] = np.stack([x, 50 + sign * bend], axis=1)
        centre, *rim = IRISES[side]
        points[centre, :2] = (middle, 50)
        points[rim, :2] = np.array([middle, 50]) + 7 * np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
    return points


def picture(light: tuple[int, ...], dark: tuple[int, ...], white: tuple[int, ...]) -> np.ndarray:
    image = np.empty((200, 200, 3), np.uint8)
    image[:, :110], image[:, 110:] = light, dark
    cv2.rectangle(image, (0, 0), (200, 75), white, -1)
    return image


def test_folds_take_the_colour_of_the_pictures_own_shadows() -> None:
    orange = Complexion.of(picture((250, 240, 225), (240, 190, 150), (250,) * 3), landmarks())
    violet = Complexion.of(picture((250, 240, 225), (190, 160, 215), (250,) * 3), landmarks())
    assert violet.shadow[0] > orange.shadow[0] + 0.15
    assert violet.shadow[2] < orange.shadow[2] - 0.15


def test_evenly_lit_skin_has_usual_shadows_and_a_grey_picture_grey_ones() -> None:
    even = Complexion.of(picture((230, 180, 150), (230, 180, 150), (240,) * 3), landmarks())
    assert even.shadow == pytest.approx(SKIN)
    grey = Complexion.of(picture((200,) * 3, (120,) * 3, (220,) * 3), landmarks())
    assert grey.shadow == pytest.approx(np.ones(3))
    assert np.ptp(grey.toned(np.array([200.0, 190.0, 170.0]))) < 1


def test_teeth_are_as_warm_as_the_whites_of_the_eyes() -> None:
    teeth = np.array([220.0, 218.0, 210.0])
    daylight = Complexion.of(picture((224, 180, 155), (224, 180, 155), (225,) * 3), landmarks())
    candle = Complexion.of(picture((224, 180, 155), (224, 180, 155), (215, 180, 120)), landmarks())
    cool, warm = daylight.toned(teeth), candle.toned(teeth)
    assert warm[0] / warm[2] > 1.15 * cool[0] / cool[2]
    assert warm @ LUMA < cool @ LUMA + 1
    assert candle.toned(np.full(3, 255.0)).max() <= 255
