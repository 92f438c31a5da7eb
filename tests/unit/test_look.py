"""Looking at frames: which were looked at, which had a face, and what that makes of them."""

import numpy as np
import pytest

from gen.look import Faces, Look, Watcher, look

FACE = np.full((478, 3), 50, np.float32)
FACE[33, :2], FACE[263, :2] = (20, 40), (80, 40)
FACE[133, :2], FACE[362, :2] = (40, 40), (60, 40)
FACE[[2, 98, 327], 1] = 70


class Script:
    """A tracker that finds what the script says, frame by frame."""

    def __init__(self, *found: np.ndarray | None) -> None:
        self.found = list(found)

    def follow(self, frame: np.ndarray) -> np.ndarray | None:
        return self.found.pop(0)


def frames(count: int) -> list[np.ndarray]:
    return [np.full((100, 100, 3), index, np.uint8) for index in range(count)]


def test_a_frame_without_a_face_leaves_a_gap_and_not_a_zero() -> None:
    seen = look(frames(3), 10, Script(FACE, None, FACE), {}).faces
    assert (seen.found, seen.looked, seen.seconds) == (2, 3, (0.0, 0.2))
    assert seen.spread(["a", "b"]) == ["a", None, "b"]


def test_every_second_frame_is_looked_at_half_as_often() -> None:
    seen = look(frames(5), 10, Script(FACE, None, FACE), {}, every=2).faces
    assert (seen.looked, seen.fps, seen.seconds) == (3, 5, (0.0, 0.4))
    assert seen.spread(["a", "b"]) == ["a", None, "b"]


def test_a_face_of_a_few_pixels_is_no_face() -> None:
    assert look(frames(1), 10, Script(FACE / 50), {}).faces.found == 0


def test_without_any_face_no_recogniser_is_asked_and_nothing_is_seen() -> None:
    class Never:
        labels = ()

        def probabilities(self, crops: np.ndarray) -> None:
            raise AssertionError

        encode = probabilities

    seen = look(frames(2), 10, Script(None, None), {"face": Never()})  # pyright: ignore[reportArgumentType]
    assert seen.evidence == {"face": None}
    assert seen.emotions("face") == [None, None]


def test_frames_stream_past_a_watcher_unchanged() -> None:
    given = frames(3)
    watcher = Watcher(Script(FACE, FACE, FACE), 25)
    passed = list(watcher.watch(given))
    assert all(a is b for a, b in zip(given, passed, strict=True))
    assert watcher.faces().crops.shape == (3, 48, 48)


@pytest.mark.parametrize("fps", [10, 23.976, 25, 29.97, 60])
def test_frames_are_put_back_where_they_were_at_any_rate(fps: float) -> None:
    seconds = tuple(index / fps for index in range(0, 900, 7))
    faces = Faces(np.zeros((len(seconds), 1, 1), np.uint8), seconds, 900, fps)
    spread = Look(faces, {}).faces.spread(list(seconds))
    assert [index for index, value in enumerate(spread) if value is not None] == list(range(0, 900, 7))
