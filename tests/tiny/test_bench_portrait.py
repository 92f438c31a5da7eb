"""One short round of the benchmark: every number is there and adds up."""

import os

import pytest

from gen.bench import Bench, measure


def test_a_second_of_video_is_measured_beside_its_ceiling() -> None:
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    report = measure(Bench(seconds=1, rounds=1))
    assert report.frames == 25
    assert report.ceiling_fps > report.fps > 0
    assert report.ratio == pytest.approx(report.fps / report.ceiling_fps)
    stages = report.motion_ms + report.frames_ms + report.encoding_ms
    assert stages == pytest.approx(1000 / report.fps)
    assert min(report.motion_ms, report.frames_ms, report.encoding_ms, report.loading_seconds) > 0
    assert (os.sched_getaffinity(0) if before else None) == before
