"""The square around the head."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.portrait.framing import frame_head


def face_at(x: float, y: float, unit: float) -> np.ndarray:
    """Landmarks (478, 3) of a made-up face whose outer eye corners are `unit` pixels apart around (x, y)."""
    points = np.zeros((478, 3), np.float32)
    points[:, 0] = np.linspace(x - 0.8 * unit, x + 0.8 * unit, 478)
    points[:, 1] = np.linspace(y - 0.5 * unit, y + 1.2 * unit, 478)
    points[33, :2], points[263, :2] = (x - unit / 2, y), (x + unit / 2, y)
    return points


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(80, 900),
    height=st.integers(80, 900),
    across=st.floats(0.1, 0.9),
    down=st.floats(0.1, 0.9),
    unit=st.floats(20, 300),
)
def test_the_square_always_lies_inside_the_photo(
    width: int, height: int, across: float, down: float, unit: float
) -> None:
    photo = np.zeros((height, width, 3), np.uint8)
    framing = frame_head(photo, face_at(across * width, down * height, unit), 64)
    assert framing.left >= 0
    assert framing.top >= 0
    assert framing.left + framing.side <= width
    assert framing.top + framing.side <= height
    assert framing.picture(photo).shape == (64, 64, 3)


def test_landmarks_move_with_the_picture() -> None:
    photo = np.zeros((400, 300, 3), np.uint8)
    photo[196:205, 146:155] = 255
    framing = frame_head(photo, face_at(150, 200, 60), 512)
    spot = np.argwhere(framing.picture(photo)[..., 0] > 127).mean(axis=0)[::-1]
    moved = framing.landmarks(np.array([[150.0, 200.0, 0.0]], np.float32))[0, :2]
    assert moved == pytest.approx(spot, abs=0.6)
