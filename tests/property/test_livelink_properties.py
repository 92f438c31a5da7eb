"""Whatever the motion, its CSV means the same again; whatever the text, a motion or a sentence comes back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipelines.portrait.arkit import ARKIT
from pipelines.portrait.livelink import HEADER, LiveLinkError, from_csv, to_csv
from pipelines.portrait.motion import Motion
from pipelines.portrait.reach import SHIFT, TURN, within_reach

inside = st.floats(0, 1, width=32)
turns = st.floats(-1.5, 1.5, width=32)
rates = st.floats(2, 120) | st.sampled_from([10.0, 23.976, 24.0, 25.0, 29.97, 30.0, 60.0])


@st.composite
def motions(draw: st.DrawFn) -> Motion:
    frames = draw(st.integers(1, 12))
    face = draw(arrays.arrays(np.float32, (frames, len(ARKIT)), elements=inside, fill=inside))
    head = draw(arrays.arrays(np.float32, (frames, 6), elements=turns, fill=turns))
    return Motion(face, head, draw(rates))


@settings(max_examples=60, deadline=None)
@given(motions())
def test_a_motion_comes_back_as_it_went(motion: Motion) -> None:
    again, notes = from_csv(to_csv(motion), motion.fps)
    assert notes == ()
    np.testing.assert_array_equal(again.coefficients, motion.coefficients)
    np.testing.assert_array_equal(again.head, motion.head)


@settings(max_examples=40, deadline=None)
@given(motions(), rates)
def test_another_rate_stays_within_what_was_recorded(motion: Motion, fps: float) -> None:
    again, _ = from_csv(to_csv(motion), fps)
    assert again.frames == int((motion.frames - 1) / motion.fps * fps + 1e-6) + 1 or again.frames <= (
        motion.frames / motion.fps * fps + 1
    )
    assert again.coefficients.max() <= motion.coefficients.max()
    assert again.coefficients.min() >= motion.coefficients.min()


def answer(text: str, fps: float = 25) -> str:
    """What reading a text comes to, as a sentence; any other exception breaks the test."""
    try:
        motion, _ = from_csv(text, fps)
    except LiveLinkError as error:
        return str(error)
    return f"{motion.frames} frames."


cells = st.sampled_from(["0", "1", "0.5", "nan", "-1", "1e400", '"', "", " ", "00:00:00:01.000", "\x00", "٣"])
texts = st.text(max_size=200) | st.lists(st.lists(cells | st.text(max_size=5), max_size=5), max_size=6).map(
    lambda rows: "Timecode,JawOpen,HeadYaw\n" + "\n".join(",".join(row) for row in rows)
)


@settings(max_examples=150, deadline=None)
@given(texts)
def test_any_text_is_a_motion_or_a_sentence(text: str) -> None:
    assert answer(text).endswith(".")


@settings(max_examples=60, deadline=None)
@given(motions(), st.integers(0, 12), st.integers(0, len(HEADER) - 1), cells | st.text(max_size=8))
def test_a_damaged_cell_is_a_motion_or_a_sentence(motion: Motion, row: int, column: int, cell: str) -> None:
    rows = [line.split(",") for line in to_csv(motion).splitlines()]
    rows[min(row, len(rows) - 1)][column] = cell
    assert answer("\n".join(",".join(cells) for cells in rows), motion.fps).endswith(".")


@settings(max_examples=60, deadline=None)
@given(motions())
def test_a_head_is_never_turned_further_than_a_photo_bears(motion: Motion) -> None:
    held, notes = within_reach(motion)
    assert np.abs(held.head[:, :3]).max() <= TURN[1] + 1e-6
    assert np.abs(held.head[:, 3:]).max() <= SHIFT[1] + 1e-6
    assert (held is motion) == (notes == ())


def test_a_head_within_reach_stays_and_one_beyond_is_noted() -> None:
    head = np.zeros((2, 6), np.float32)
    head[0, 1], head[0, 3] = np.radians(11), 0.3
    near = Motion(np.zeros((2, len(ARKIT)), np.float32), head, 25)
    assert within_reach(near) == (near, ())
    head[1, 1], head[1, 5] = -0.6, 2
    far, (turned, shifted) = within_reach(near)
    assert "by up to 34 degrees; a photo is turned by 20" in turned
    assert "by up to 2.0 distances" in shifted
    assert far.head[0] == pytest.approx(head[0])
    assert -TURN[1] < far.head[1, 1] < -TURN[0]
