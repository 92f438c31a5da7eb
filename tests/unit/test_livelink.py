"""Live Link Face CSV is written as Epic's app does, and read with a word about everything that is odd."""

import numpy as np
import pytest

from pipelines.portrait.arkit import ARKIT, index
from pipelines.portrait.livelink import HEADER, LiveLinkError, from_csv, to_csv
from pipelines.portrait.motion import Motion

FPS = 25.0


def still(frames: int = 6, fps: float = FPS) -> Motion:
    return Motion(np.zeros((frames, len(ARKIT)), np.float32), np.zeros((frames, 6), np.float32), fps)


def lively(frames: int = 60, fps: float = FPS) -> Motion:
    rng = np.random.default_rng(3)
    face = rng.random((frames, len(ARKIT)), np.float32)
    return Motion(face, rng.normal(0, 0.1, (frames, 6)).astype(np.float32), fps)


def rows_of(motion: Motion) -> list[list[str]]:
    return [line.split(",") for line in to_csv(motion).splitlines()]


def text_of(rows: list[list[str]]) -> str:
    return "\n".join(",".join(row) for row in rows)


def changed(name: str, value: str, line: int = 3) -> str:
    """A still motion with one cell, on a line of the file, set to a value."""
    rows = rows_of(still())
    rows[line - 1][HEADER.index(name)] = value
    return text_of(rows)


def test_the_header_is_the_apps_with_three_columns_at_the_end() -> None:
    first = to_csv(still()).splitlines()[0]
    assert first.startswith("Timecode,BlendshapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,")
    assert ",JawForward,JawRight,JawLeft,JawOpen," in first
    assert first.endswith(
        ",TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,"
        "RightEyeYaw,RightEyePitch,RightEyeRoll,HeadX,HeadY,HeadZ"
    )


def test_a_row_is_written_as_the_app_does() -> None:
    row = to_csv(still()).splitlines()[2]
    assert row.startswith("00:00:00:02.400,61,0.0000000000,0.0000000000,")


def test_what_is_written_reads_back_to_the_last_bit() -> None:
    motion = lively()
    again, notes = from_csv(to_csv(motion), FPS)
    assert notes == ()
    np.testing.assert_array_equal(again.coefficients, motion.coefficients)
    np.testing.assert_array_equal(again.head, motion.head)


@pytest.mark.parametrize(
    ("column", "part", "sign"), [("HeadPitch", 0, 1), ("HeadYaw", 1, -1), ("HeadRoll", 2, 1), ("HeadX", 3, 1)]
)
def test_head_angles_are_the_performers_own(column: str, part: int, sign: int) -> None:
    motion, _ = from_csv(changed(column, "0.2", line=3), FPS)
    assert motion.head[1, part] == pytest.approx(sign * 0.2)
    assert np.count_nonzero(motion.head) == 1


def test_eye_angles_follow_the_look_as_in_recordings_of_the_app() -> None:
    face = np.zeros((1, len(ARKIT)), np.float32)
    face[0, [index("eyeLookOutLeft"), index("eyeLookInRight"), index("eyeLookDownLeft")]] = 1
    cells = rows_of(Motion(face, np.zeros((1, 6), np.float32), FPS))[1]
    values = {name: float(cell) for name, cell in zip(HEADER[2:], cells[2:], strict=True)}
    assert values["LeftEyeYaw"] == values["RightEyeYaw"] == pytest.approx(-0.61, abs=0.01)  # own left
    assert values["LeftEyePitch"] == pytest.approx(0.61, abs=0.01)
    assert values["RightEyePitch"] == 0


@pytest.mark.parametrize(("recorded", "asked"), [(60.0, 25.0), (24.0, 30.0), (30.0, 60.0)])
def test_another_rate_is_interpolated(recorded: float, asked: float) -> None:
    frames = round(2 * recorded) + 1
    motion = still(frames, recorded)
    motion.coefficients[:, 5] = np.linspace(0, 1, frames)
    again, notes = from_csv(to_csv(motion), asked)
    assert (again.fps, again.frames, notes) == (asked, round(2 * asked) + 1, ())
    np.testing.assert_allclose(again.coefficients[:, 5], np.linspace(0, 1, again.frames), atol=1e-4)


def test_names_may_differ_in_case_and_lines_in_their_ends() -> None:
    text = (
        to_csv(lively()).replace("BlendshapeCount", "BlendShapeCount").replace("EyeBlinkLeft", "eyeBlinkLeft")
    )
    again, notes = from_csv("\ufeff" + text.replace("\n", "\r\n") + "\r\n", FPS)
    assert notes == ()
    np.testing.assert_array_equal(again.coefficients, lively().coefficients)


def test_the_apps_own_columns_need_no_word() -> None:
    rows = [row[:-3] for row in rows_of(lively())]
    again, notes = from_csv(text_of(rows), FPS)
    assert notes == ()
    assert not again.head[:, 3:].any()


def test_missing_columns_are_named_and_zero() -> None:
    place = HEADER.index("JawOpen")
    rows = [row[:place] + row[place + 1 :] for row in rows_of(lively())]
    again, notes = from_csv(text_of(rows), FPS)
    assert notes == ("Columns that the motion lacks, 0 was taken: JawOpen.",)
    assert not again.coefficients[:, index("jawOpen")].any()


def test_other_columns_are_named_and_passed_over() -> None:
    rows = [[*row, "hello"] for row in rows_of(lively())]
    rows[0][-1] = "Comment"
    again, notes = from_csv(text_of(rows), FPS)
    assert notes == ("Columns of the motion that mean nothing here: Comment.",)
    np.testing.assert_array_equal(again.coefficients, lively().coefficients)


def test_a_long_list_of_columns_is_cut_short() -> None:
    rows = [row + ["0"] * 40 for row in rows_of(still())]
    rows[0][-40:] = [f"Extra{n}" for n in range(40)]
    _, (note,) = from_csv(text_of(rows), FPS)
    assert note.endswith("Extra11 and 28 more.")


def test_columns_may_come_in_any_order() -> None:
    turned = [list(reversed(row)) for row in rows_of(lively())]
    again, notes = from_csv(text_of(turned), FPS)
    assert notes == ()
    np.testing.assert_array_equal(again.head, lively().head)


def test_rows_without_a_face_are_bridged() -> None:
    motion = still(26)
    motion.coefficients[:, 3] = np.linspace(0, 1, 26)
    rows = rows_of(motion)
    for n in range(6, 16):
        rows[n] = [rows[n][0], "0"]
    again, notes = from_csv(text_of(rows), FPS)
    assert notes == (
        "Rows of the motion without a face, bridged or left out: 10.",
        "Gaps in the motion, interpolated: 1, the longest 0.44 s.",
    )
    np.testing.assert_allclose(again.coefficients[:, 3], motion.coefficients[:, 3], atol=1e-6)


def test_rows_without_a_face_at_the_ends_are_left_out() -> None:
    rows = rows_of(still(10))
    for n in (1, 10):
        rows[n][1:] = ["0"] + ["0.0"] * (len(HEADER) - 2)
    again, notes = from_csv(text_of(rows), FPS)
    assert again.frames == 8
    assert notes == ("Rows of the motion without a face, bridged or left out: 2.",)


def test_a_gap_of_more_than_a_second_is_refused() -> None:
    rows = rows_of(still(60))
    del rows[10:40]
    with pytest.raises(LiveLinkError, match=r"Before line 11 1\.2 s are missing; up to 1 s are bridged"):
        from_csv(text_of(rows), FPS)


def test_a_timecode_that_comes_twice_counts_once() -> None:
    rows = rows_of(lively(6))
    rows.insert(3, list(rows[3]))
    again, notes = from_csv(text_of(rows), FPS)
    assert notes == ("Rows of the motion with a timecode that comes again, left out: 1.",)
    np.testing.assert_array_equal(again.coefficients, lively(6).coefficients)


def test_values_a_little_outside_are_held_and_named() -> None:
    motion, notes = from_csv(changed("JawOpen", "1.054"), FPS)
    assert motion.coefficients.max() == 1
    assert notes == ("Columns of the motion held within 0 to 1, left by up to 0.054: JawOpen.",)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("JawOpen", "54", "Line 3 has 54 for JawOpen: coefficients lie between 0 and 1"),
        ("JawOpen", "-0.2", "Line 3 has -0.2 for JawOpen"),
        ("HeadYaw", "12.5", "angles are radians"),
        ("HeadZ", "60", "shifts count"),
        ("JawOpen", "nan", "Line 3 has 'nan' for JawOpen: a number is needed"),
        ("HeadRoll", "inf", "a number is needed"),
        ("JawOpen", "wide", "Line 3 has 'wide' for JawOpen"),
        ("JawOpen", "", "Line 3 has '' for JawOpen"),
        ("JawOpen", "0_1", "a number is needed"),
        ("Timecode", "later", "Line 3: 'later' is no timecode"),
        ("Timecode", "00:00:00:00.000", None),
        ("Timecode", "23:00:00:00.000", "Before line 3"),
    ],
)
def test_what_cannot_be_read_is_refused_by_line_and_column(name: str, value: str, told: str | None) -> None:
    if told is None:
        assert from_csv(changed(name, value), FPS)[1][0].startswith("Rows of the motion with a timecode")
        return
    with pytest.raises(LiveLinkError, match=told.replace("(", r"\(")):
        from_csv(changed(name, value), FPS)


def test_a_row_that_goes_back_in_time_is_refused() -> None:
    rows = rows_of(still(40))
    rows[8], rows[9] = rows[9], rows[8]
    with pytest.raises(LiveLinkError, match=r"Line 10: '00:00:00:16\.800' is earlier than the row before"):
        from_csv(text_of(rows), FPS)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "The file is empty"),
        (" \n\n", "The file is empty"),
        (to_csv(still()).splitlines()[0], "no row follows"),
        (to_csv(still())[:-400], r"Line 7 has \d+ cells and the first row 66"),
        (to_csv(still()).replace(",", ";"), "separated by commas"),
        (to_csv(still()).split("\n", 1)[1], "is not that of a Live Link Face CSV"),
        ("Timecode,BlendshapeCount\n00:00:00:00.0,61\n", "is not that of a Live Link Face CSV"),
        (to_csv(still()).replace("JawOpen", "JawLeft"), "names jawleft twice"),
        (to_csv(still()).replace(",61,", ",0,"), "No row holds a face"),
    ],
)
def test_what_is_no_recording_is_refused(text: str, told: str) -> None:
    with pytest.raises(LiveLinkError, match=told):
        from_csv(text, FPS)


def test_more_than_ten_minutes_are_refused() -> None:
    rows = [HEADER[0], "JawOpen"], *([f"00:{s // 60:02d}:{s % 60:02d}.0", "0"] for s in range(605))
    with pytest.raises(LiveLinkError, match="lasts 10 minutes; up to 10"):
        from_csv(text_of([list(row) for row in rows]), FPS)


def test_one_row_is_a_clip_of_one_frame() -> None:
    assert from_csv(to_csv(still(1)), FPS)[0].frames == 1
