"""The benchmark's own arithmetic and manners."""

import os
import time
from collections.abc import Iterator

import numpy as np
import pytest

from gen.bench import SIZE, Bench, Report, Stopwatch, Times, one_core, problems, remapped


def test_the_stopwatch_counts_the_making_and_not_the_using() -> None:
    def slow() -> Iterator[np.ndarray]:
        for _ in range(3):
            time.sleep(0.01)
            yield np.zeros(1)

    watch = Stopwatch()
    for _ in watch.around(slow()):
        time.sleep(0.03)
    assert 0.03 <= watch.seconds < 0.08


def test_a_clip_takes_the_sum_of_its_stages() -> None:
    assert Times(1.0, 2.0, 3.0, 5.5).whole == 6.0


def test_the_ceiling_moves_every_frame() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (SIZE, SIZE, 3), np.uint8)
    first, second = remapped(picture, 2)
    assert first.shape == picture.shape
    assert not np.array_equal(first, second)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system cannot pin a process to a core")
def test_one_core_is_used_and_given_back() -> None:
    before = os.sched_getaffinity(0)
    with one_core(None) as told:
        assert len(os.sched_getaffinity(0)) == 1
        assert told == f"pinned to core {min(before)}"
    assert os.sched_getaffinity(0) == before


def report(processor_fps: float) -> Report:
    return Report(
        frames=250,
        fps=60.0,
        ceiling_fps=180.0,
        ratio=1 / 3,
        real_time=2.4,
        processor_fps=processor_fps,
        ceiling_processor_fps=185.0,
        motion_ms=0.1,
        frames_ms=10.0,
        encoding_ms=5.0,
        loading_seconds=1.0,
        preparation_seconds=0.5,
        core="pinned to core 0",
        rounds=3,
    )


def test_a_report_names_the_ceiling_and_what_it_is() -> None:
    text = str(report(processor_fps=61.0))
    assert "60.0 fps end to end" in text
    assert "180.0 fps: one cv2.remap a frame, x264 veryfast crf 18, one thread" in text
    assert "0.33 of the ceiling" in text
    assert "the core was ours alone" in text


def test_a_disturbed_measurement_says_so() -> None:
    assert "others took 25% of the core meanwhile" in str(report(processor_fps=80.0))


def test_a_wrong_request_is_refused_in_words() -> None:
    assert problems(Bench()) == []
    assert len(problems(Bench(seconds=0, rounds=0, core=10_000))) == 3
