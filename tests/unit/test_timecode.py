"""Timecodes say when a row was recorded, whatever they count, and are refused where they do not."""

import numpy as np
import pytest

from pipelines.portrait import timecode


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00:00:00:00.000"),
        (1 / 25, "00:00:00:02.400"),
        (59.99, "00:00:59:59.400"),
        (3661.5, "01:01:01:30.000"),
    ],
)
def test_a_moment_is_written_as_the_app_does(seconds: float, text: str) -> None:
    assert timecode.written(seconds) == text


def test_what_is_written_reads_back() -> None:
    times = np.arange(400) / 29.97
    read = timecode.read([timecode.written(second) for second in times])
    assert np.abs(read - times).max() <= 0.51 * timecode.RESOLUTION


def test_the_app_counts_sixty_frames_a_second_also_at_thirty() -> None:
    times = timecode.read(["13:13:04:57.648", "13:13:04:59.648", "13:13:05:01.648"])
    np.testing.assert_allclose(times, [0, 1 / 30, 2 / 30], atol=1e-6)


@pytest.mark.parametrize("base", timecode.BASES)
def test_other_counts_are_seen_where_a_second_ends(base: int) -> None:
    rows = [f"00:00:{n // base:02d}:{n % base:02d}.000" for n in range(3 * base)]
    np.testing.assert_allclose(timecode.read(rows), np.arange(3 * base) / base, atol=1e-9)


def test_a_missing_stretch_does_not_hide_what_a_second_counts() -> None:
    rows = [f"00:00:{n // 30:02d}:{n % 30:02d}" for n in range(90) if not 25 < n < 33]
    assert timecode.read(rows)[-1] == pytest.approx(89 / 30)


def test_a_clock_with_fractions_is_read_too() -> None:
    np.testing.assert_allclose(timecode.read(["00:00:01.250", "00:00:01.290", "00:00:02"]), [0, 0.04, 0.75])


def test_midnight_may_pass() -> None:
    assert timecode.read(["23:59:59:59.000", "00:00:00:00.000"])[1] == pytest.approx(1 / 60)


@pytest.mark.parametrize(
    ("rows", "row", "told"),
    [
        (["soon"], 0, "is no timecode"),
        (["00:00:00:01.0", ""], 1, "is no timecode"),
        (["00:00:00:01.0", "00:00:00.040"], 1, "is no timecode"),
        (["00:61:00:01.0"], 0, "is no timecode"),
        (["٠0:00:00:01.0"], 0, "is no timecode"),
        (["00:00:00:500.0"], 0, "more frames a second"),
        (["00:00:00:05.0", "00:00:00:04.0"], 1, "earlier than the row before"),
    ],
)
def test_rows_that_do_not_say_when_are_refused_by_number(rows: list[str], row: int, told: str) -> None:
    with pytest.raises(timecode.TimecodeError, match=told) as caught:
        timecode.read(rows)
    assert caught.value.row == row
