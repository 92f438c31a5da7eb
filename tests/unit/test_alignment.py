"""Crops put eyes and nose where the recognisers learned them, whatever the size, turn and place of a face."""

import cv2
import numpy as np
import pytest

from emotion_encoders.alignment import FRAME, LEFT_EYE, NOSE_BASE, RIGHT_EYE, SIZE, face_crop

BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def landmarks_at(points: np.ndarray) -> np.ndarray:
    """A mesh whose eyes and nose base lie at three points; the rest does not matter."""
    mesh = np.full((478, 3), 5.0)
    for ids, point in zip((LEFT_EYE, RIGHT_EYE, NOSE_BASE), points, strict=True):
        mesh[list(ids), :2] = point
    return mesh


def placed(*, side: float, turn: float, centre: tuple[float, float]) -> np.ndarray:
    """FRAME as a face of this size, turned by degrees, somewhere in a frame."""
    angle = np.deg2rad(turn)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (FRAME - 0.5) @ rotation.T * side + np.array(centre)


def with_dots(points: np.ndarray, *, radius: int, height: int = 512, width: int = 512) -> np.ndarray:
    frame = np.zeros((height, width, 3), np.uint8)
    for x, y in points:
        cv2.circle(frame, (round(x - 0.5), round(y - 0.5)), radius, WHITE, -1)
    return frame


def dots_of(crop: np.ndarray) -> np.ndarray:
    """Centres of the crop's three bright spots in units of its side, in the order of FRAME."""
    count, _, _, centres = cv2.connectedComponentsWithStats((crop > 60).astype(np.uint8))
    assert count == 4
    found = (np.asarray(centres)[1:] + 0.5) / len(crop)
    return np.array([found[np.argmin(np.linalg.norm(found - point, axis=1))] for point in FRAME])


@pytest.mark.parametrize("side", [60, 150, 320])
@pytest.mark.parametrize("turn", [-25, 0, 40])
def test_eyes_and_nose_come_to_lie_where_ferplus_has_them(side: int, turn: int) -> None:
    points = placed(side=side, turn=turn, centre=(250, 240))
    crop = face_crop(with_dots(points, radius=max(2, side // 20)), landmarks_at(points))
    np.testing.assert_allclose(dots_of(crop), FRAME, atol=0.015)


def test_a_crop_is_a_grey_square_of_the_size_asked_for() -> None:
    points = placed(side=200, turn=0, centre=(256, 256))
    frame = with_dots(points, radius=8)
    for size in (SIZE, 64):
        crop = face_crop(frame, landmarks_at(points), size=size)
        assert (crop.shape, crop.dtype) == ((size, size), np.uint8)


def test_a_face_twice_as_large_gives_the_same_crop() -> None:
    random = np.random.default_rng(0)
    small = cv2.GaussianBlur(random.integers(0, 256, (300, 300, 3)).astype(np.uint8), (0, 0), 4)
    large = cv2.resize(small, (600, 600), interpolation=cv2.INTER_CUBIC)
    points = placed(side=160, turn=7, centre=(150, 140))
    first = face_crop(small, landmarks_at(points)).astype(int)
    second = face_crop(large, landmarks_at(points * 2)).astype(int)
    assert np.abs(first - second).max() <= 3


def test_fine_stripes_turn_grey_instead_of_aliasing() -> None:
    frame = np.zeros((512, 512, 3), np.uint8)
    frame[:, ::2] = 255
    crop = face_crop(frame, landmarks_at(placed(side=400, turn=0, centre=(256, 256))))
    assert crop.std() < 12
    assert abs(float(crop.mean()) - 127.5) < 3


def test_a_face_at_the_frames_edge_repeats_the_edge() -> None:
    frame = np.full((200, 200, 3), 90, np.uint8)
    crop = face_crop(frame, landmarks_at(placed(side=180, turn=10, centre=(15, 190))))
    assert crop.min() == crop.max() == 90


def test_a_face_outside_the_frame_is_not_an_error() -> None:
    frame = np.full((200, 200, 3), 90, np.uint8)
    assert face_crop(frame, landmarks_at(placed(side=80, turn=0, centre=(900, -400)))).shape == (SIZE, SIZE)


def test_the_mouth_does_not_move_the_frame() -> None:
    random = np.random.default_rng(1)
    frame = random.integers(0, 256, (300, 300, 3)).astype(np.uint8)
    closed = landmarks_at(placed(side=200, turn=0, centre=(150, 150)))
    opened = closed.copy()
    opened[[13, 14, 61, 291, 17, 152]] += 40.0
    np.testing.assert_array_equal(face_crop(frame, closed), face_crop(frame, opened))


def test_the_frame_stays_as_it_was() -> None:
    points = placed(side=200, turn=5, centre=(256, 256))
    frame = with_dots(points, radius=9)
    before = frame.copy()
    face_crop(frame, landmarks_at(points))
    np.testing.assert_array_equal(frame, before)


def test_landmarks_on_one_spot_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"one spot.*track the face again"):
        face_crop(np.zeros((90, 90, 3), np.uint8), np.full((478, 3), 9.0))


def test_landmarks_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="no size"):
        face_crop(np.zeros((90, 90, 3), np.uint8), np.full((478, 3), np.nan))


@pytest.mark.parametrize("shape", [(68, 2), (478, 4), (478,)])
def test_landmarks_of_another_mesh_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="468 or 478"):
        face_crop(np.zeros((90, 90, 3), np.uint8), np.ones(shape))


@pytest.mark.parametrize("frame", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3), np.float32)])
def test_a_frame_that_is_not_rgb_bytes_is_refused(frame: np.ndarray) -> None:
    with pytest.raises(ValueError, match="RGB uint8"):
        face_crop(frame, np.ones((478, 3)))
