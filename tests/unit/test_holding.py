"""What an expression must not move."""

import numpy as np
import pytest

from gen.weights import local_path
from pipelines.portrait.holding import Hold, wears_spectacles
from pipelines.portrait.pose import Pose
from pipelines.portrait.rig import POINTS, Rig

UNIT = 100.0


@pytest.fixture(scope="module")
def rig() -> Rig:
    return Rig.load(local_path("rig"))


def turned(rig: Rig, degrees: float) -> tuple[np.ndarray, Pose]:
    """Landmarks (478, 3) of the rig's rest shape, turned to the side, and the pose that it has."""
    angle = np.radians(degrees)
    yaw = np.array([[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]])
    shift = np.array([200.0, 150.0, 0.0])
    return np.pad(UNIT * rig.neutral @ yaw.T + shift, ((0, 10), (0, 0))), Pose(yaw, UNIT, shift)


def face(landmarks: np.ndarray, *, rim: bool) -> np.ndarray:
    picture = np.full((400, 400, 3), 190, np.uint8)
    if rim:
        row = round(float(landmarks[6, 1]))
        picture[row - 3 : row + 4] = 25
    return picture


def test_a_dark_bridge_over_the_nose_is_seen_and_a_bare_nose_is_not(rig: Rig) -> None:
    landmarks, _ = turned(rig, 0)
    assert wears_spectacles(face(landmarks, rim=True), landmarks, UNIT)
    assert not wears_spectacles(face(landmarks, rim=False), landmarks, UNIT)
    assert not wears_spectacles(face(landmarks, rim=False) // 9, landmarks, UNIT)


def test_rims_hold_the_skin_under_them_and_not_lids_mouth_or_forehead(rig: Rig) -> None:
    landmarks, pose = turned(rig, 0)
    hold = Hold.of(face(landmarks, rim=True), landmarks, pose, rig)
    moves = np.ones((POINTS, 2), np.float32)
    left = hold.applied(moves)[:, 1]
    assert left[[101, 330, 52, 282]].max() < 0.3  # under the eyes and along the brows' lower edge
    assert left[[159, 145, 386, 374]].min() > 0.95  # lids
    assert left[[13, 14, 61, 291, 152, 10]].min() > 0.95  # lips, chin, forehead
    bare = Hold.of(face(landmarks, rim=False), landmarks, pose, rig)
    assert bare.applied(moves) == pytest.approx(moves)


def test_the_far_cheek_of_a_turned_face_is_not_pushed_over_the_background(rig: Rig) -> None:
    landmarks, pose = turned(rig, 34)
    hold = Hold.of(face(landmarks, rim=False), landmarks, pose, rig)
    aside = hold.applied(np.tile(np.array([1.0, 0.0], np.float32), (POINTS, 1)))[:, 0]
    assert aside[454] < 0.1  # beside the far ear
    assert aside[234] > 0.9  # beside the near one
    assert aside[1] > 0.7  # the tip of the nose
    down = hold.applied(np.tile(np.array([0.0, 1.0], np.float32), (POINTS, 1)))[:, 1]
    assert down == pytest.approx(np.ones(POINTS))


def test_a_face_that_looks_at_you_moves_freely(rig: Rig) -> None:
    landmarks, pose = turned(rig, 10)
    hold = Hold.of(face(landmarks, rim=False), landmarks, pose, rig)
    moves = np.random.default_rng(0).standard_normal((3, POINTS, 2)).astype(np.float32)
    assert hold.applied(moves) == pytest.approx(moves, abs=1e-6)
