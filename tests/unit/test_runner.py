"""A run tells what happens, job by job, and leaves whole clips with records, or nothing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from skimage.data import astronaut, coffee

from gen import assemble
from gen.assemble import Studio
from gen.job import FaceJob, JobError
from gen.media import read_video
from gen.record import RenderRecord, sidecar
from gen.runner import Failed, Finished, Preview, RenderEvent, Skipped, Started, Step, run

RATE, SECONDS, FPS = 16_000, 0.5, 10


@pytest.fixture(scope="module")
def assembled() -> Callable[[], Studio]:
    studio = assemble.studio()
    return lambda: studio


@pytest.fixture
def job(tmp_path: Path) -> FaceJob:
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    Image.fromarray(astronaut()).save(inputs / "ada.png")
    time = np.arange(round(SECONDS * RATE)) / RATE
    soundfile.write(inputs / "hum.wav", 0.3 * np.sin(2 * np.pi * 150 * time), RATE)
    return FaceJob(inputs / "ada.png", inputs / "hum.wav", "happiness", size=128, fps=FPS)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def kinds(events: list[RenderEvent]) -> list[type]:
    return [type(event) for event in events]


def test_a_job_starts_steps_and_finishes(job: FaceJob, out: Path, assembled: Callable[[], Studio]) -> None:
    events = list(run([job], out, assembled=assembled))
    assert kinds(events) == [Started, *[Step] * 5, Finished]
    steps = [event for event in events if isinstance(event, Step)]
    assert [(step.done, step.frames) for step in steps] == [(n, 5) for n in range(1, 6)]
    assert steps[-1].seconds_left == 0
    assert steps[-1].frames_per_second > 0


def test_the_record_lies_beside_and_inside_the_clip(
    job: FaceJob, out: Path, assembled: Callable[[], Studio]
) -> None:
    finished = list(run([job], out, assembled=assembled))[-1]
    assert isinstance(finished, Finished)
    beside = RenderRecord.from_json(sidecar(finished.path).read_text("utf-8"))
    inside = RenderRecord.from_json(read_video(finished.path).comment or "")
    assert beside == finished.record == replace(inside, clip_sha256=beside.clip_sha256)
    assert beside.audio is not None
    assert beside.portrait is not None
    assert (beside.portrait.name, beside.audio.name, beside.frames) == ("ada.png", "hum.wav", 5)
    assert {"rig", "face", "face-mesh"} <= {weight.name for weight in beside.weights}
    assert beside.agreement is not None
    assert beside.agreement.judge == assembled().recogniser.name
    assert beside.agreement.judge_n == assembled().recogniser.n
    assert str(job.portrait.parent) not in beside.to_json()


def test_picture_and_sound_are_of_one_length(
    job: FaceJob, out: Path, assembled: Callable[[], Studio]
) -> None:
    (path,) = [e.path for e in run([job], out, assembled=assembled) if isinstance(e, Finished)]
    video = read_video(path)
    assert video.sound is not None
    assert video.rate is not None
    assert len(list(video.frames)) / FPS == pytest.approx(len(video.sound) / video.rate, abs=1 / FPS)


def test_the_same_job_again_is_skipped_without_loading_anything(
    job: FaceJob, out: Path, assembled: Callable[[], Studio]
) -> None:
    list(run([job], out, assembled=assembled))

    def never() -> Studio:
        raise AssertionError("nothing may be loaded")

    events = list(run([job], out, assembled=never))
    assert kinds(events) == [Skipped]


@pytest.mark.parametrize("suffix", ["mp4", "json"])
def test_a_damaged_clip_is_made_again(
    job: FaceJob, out: Path, assembled: Callable[[], Studio], suffix: str
) -> None:
    (path,) = [e.path for e in run([job], out, assembled=assembled) if isinstance(e, Finished)]
    damaged = path.with_suffix(f".{suffix}")
    damaged.write_bytes(damaged.read_bytes()[:-10])
    assert isinstance(list(run([job], out, assembled=assembled))[-1], Finished)
    assert kinds(list(run([job], out, assembled=assembled))) == [Skipped]


def test_force_makes_the_same_clip_again(job: FaceJob, out: Path, assembled: Callable[[], Studio]) -> None:
    first, again = (list(run([job], out, force=True, assembled=assembled))[-1] for _ in range(2))
    assert isinstance(first, Finished)
    assert isinstance(again, Finished)
    assert first.path == again.path
    assert first.record.finished <= again.record.finished


def test_a_clip_is_the_same_alone_and_after_others(
    job: FaceJob, tmp_path: Path, assembled: Callable[[], Studio]
) -> None:
    other = replace(job, emotion="anger", seed=7)
    (alone,) = [e for e in run([job], tmp_path / "a", assembled=assembled) if isinstance(e, Finished)]
    *_, after = [e for e in run([other, job], tmp_path / "b", assembled=assembled) if isinstance(e, Finished)]
    assert alone.path.name == after.path.name
    pairs = zip(read_video(alone.path).frames, read_video(after.path).frames, strict=True)
    assert all(np.array_equal(one, two) for one, two in pairs)


def test_the_emotion_changes_the_clip(job: FaceJob, out: Path, assembled: Callable[[], Studio]) -> None:
    jobs = [job, replace(job, emotion="anger")]
    glad, cross = [
        np.stack(list(read_video(e.path).frames)).astype(int)
        for e in run(jobs, out, assembled=assembled)
        if isinstance(e, Finished)
    ]
    assert np.abs(glad - cross).mean() > 0.5


def test_a_picture_without_a_face_fails_in_words_and_the_next_job_is_done(
    job: FaceJob, out: Path, assembled: Callable[[], Studio], tmp_path: Path
) -> None:
    faceless = tmp_path / "coffee.png"
    Image.fromarray(coffee()).save(faceless)
    events = list(run([replace(job, portrait=faceless), job], out, assembled=assembled))
    failed = [event for event in events if isinstance(event, Failed)]
    assert len(failed) == 1
    assert "No face was found" in failed[0].message
    assert isinstance(events[-1], Finished)
    assert sorted(path.suffix for path in out.iterdir()) == [".json", ".mp4"]


def test_what_should_not_break_fails_in_words_too(job: FaceJob, out: Path) -> None:
    def broken() -> Studio:
        raise ZeroDivisionError("a fault of ours")

    (event,) = [e for e in run([job], out, assembled=broken) if not isinstance(e, Started)]
    assert isinstance(event, Failed)
    assert "something broke that should not (ZeroDivisionError: a fault of ours)" in event.message


def test_all_problems_of_all_jobs_are_told_before_anything_is_loaded(job: FaceJob, tmp_path: Path) -> None:
    wrong = [replace(job, emotion="suprise"), replace(job, audio=tmp_path / "none.wav", size=7)]
    with pytest.raises(JobError) as caught:
        run(wrong, job.portrait / "out")  # not even iterated
    assert [line.split(":")[0] for line in caught.value.problems] == [
        "--emotion",
        "--audio",
        "--size",
        "--out",
    ]


def test_a_wrong_request_makes_no_folder(job: FaceJob, out: Path) -> None:
    with pytest.raises(JobError):
        run([replace(job, emotion="suprise")], out)
    assert not out.exists()


def test_a_folder_that_cannot_be_made_is_a_problem(job: FaceJob) -> None:
    with pytest.raises(JobError, match="--out"):
        run([job], Path("/proc/no/such/place"))


def test_a_folder_name_that_no_disk_takes_is_a_problem(job: FaceJob, tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"--out: .* cannot be made: File name too long"):
        run([job], tmp_path / ("n" * 300))


def test_a_clip_whose_record_cannot_be_written_is_taken_back(
    job: FaceJob, out: Path, assembled: Callable[[], Studio]
) -> None:
    (name,) = {event.name for event in run([job], out, assembled=assembled)}
    for path in out.iterdir():
        path.unlink()
    (out / f"{name}.json").mkdir()
    failed = list(run([job], out, assembled=assembled))[-1]
    assert isinstance(failed, Failed)
    assert f"{name}.json' could not be written: a folder has that name" in failed.message
    assert [path.name for path in out.iterdir()] == [f"{name}.json"]


def test_stopping_half_way_leaves_the_folder_empty(
    job: FaceJob, out: Path, assembled: Callable[[], Studio]
) -> None:
    events = run([job], out, assembled=assembled)
    for event in events:
        if isinstance(event, Step) and event.done == 3:
            break
    events.close()  # type: ignore[attr-defined]  # run() promises no more than an iterator
    assert list(out.iterdir()) == []


def test_previews_come_as_often_as_asked(job: FaceJob, out: Path, assembled: Callable[[], Studio]) -> None:
    events = list(run([job], out, preview_every=2, assembled=assembled))
    previews = [event for event in events if isinstance(event, Preview)]
    assert len(previews) == 3
    assert previews[0].frame.shape == (128, 128, 3)
    assert not any(isinstance(e, Preview) for e in run([job], out, force=True, assembled=assembled))


def test_an_emotion_that_outlasts_the_sound_is_noted(
    job: FaceJob, out: Path, assembled: Callable[[], Studio]
) -> None:
    late = replace(job, emotion="0:neutral 9:anger")
    finished = list(run([late], out, assembled=assembled))[-1]
    assert isinstance(finished, Finished)
    assert any("goes on to 9 s" in note for note in finished.record.notes)


def test_inputs_stay_as_they_were(job: FaceJob, out: Path, assembled: Callable[[], Studio]) -> None:
    before = {path: path.read_bytes() for path in job.portrait.parent.iterdir()}
    list(run([job], out, assembled=assembled))
    assert {path: path.read_bytes() for path in job.portrait.parent.iterdir()} == before
