"""The whole photo around an animated square."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.portrait.framing import Framing
from pipelines.portrait.paste import LONGEST, Surround


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(70, 500),
    height=st.integers(70, 500),
    share=st.floats(0.2, 1),
    across=st.floats(0, 1),
    down=st.floats(0, 1),
    size=st.integers(32, 200),
)
def test_a_square_as_it_was_gives_the_photo_back(
    width: int, height: int, share: float, across: float, down: float, size: int
) -> None:
    photo = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    side = max(24, round(share * min(width, height)))
    framing = Framing(round(across * (width - side)), round(down * (height - side)), side, size * 2)
    surround = Surround.of(photo, framing)
    tall, wide = surround.picture.shape[:2]
    assert tall % 2 == wide % 2 == surround.size % 2 == 0
    assert max(tall, wide) <= LONGEST
    assert surround.square.shape == (surround.size, surround.size, 3)
    assert np.abs(surround.around(surround.square).astype(int) - surround.picture).max() <= 1


def test_a_changed_square_fades_in_where_the_photo_goes_on_and_not_at_its_edge() -> None:
    photo = np.zeros((200, 300, 3), np.uint8)
    surround = Surround.of(photo, Framing(0, 50, 100, 100))
    whole = surround.around(np.full((100, 100, 3), 200, np.uint8))
    assert whole.shape == photo.shape
    assert (whole[100, 0] == 200).all()
    assert whole[50, 50].max() < 60
    assert whole[100, 99].max() < 60
    assert (whole[100, 50] == 200).all()
    outside = whole.copy()
    outside[50:150, :100] = 0
    assert (outside == 0).all()


def test_landmarks_move_with_the_picture() -> None:
    photo = np.zeros((401, 307, 3), np.uint8)
    photo[196:205, 146:155] = 255
    surround = Surround.of(photo, Framing(60, 90, 220, 512))
    spot = np.argwhere(surround.square[..., 0] > 127).mean(axis=0)[::-1]
    moved = surround.landmarks(np.array([[150.0, 200.0, 0.0]], np.float32), photo)[0, :2]
    assert moved == pytest.approx(spot, abs=1.0)


def test_a_small_face_in_a_large_photo_does_not_make_a_huge_clip() -> None:
    surround = Surround.of(np.zeros((1500, 3000, 3), np.uint8), Framing(100, 100, 300, 512))
    assert surround.picture.shape[1] == LONGEST
    assert surround.size == 204
