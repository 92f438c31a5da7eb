"""One short round of the benchmark: every number is there and adds up."""

import os

import pytest

from gen.bench import Bench, measure, measured
from gen.bench_encoders import EncodersReport


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


def test_the_encoders_are_measured_together_and_apart() -> None:
    report = measured(Bench("encoders", seconds=1, rounds=1))
    assert isinstance(report, EncodersReport)
    assert report.whole_ms == report.text_ms + report.speech_ms + report.face_ms
    assert min(report.text_ms, report.speech_ms, report.face_ms, report.finding_ms) > 0
    assert 10 < report.megabytes < 32
    assert f"{report.whole_ms:.0f} ms" in str(report)
