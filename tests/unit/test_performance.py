"""A recorded motion drives a portrait, and what drove one can be taken away: files in, files out."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from skimage.data import astronaut

from gen import assemble
from gen.assemble import Studio
from gen.intake import MediaError
from gen.job import FaceJob
from gen.media import read_video
from gen.performance import read_motion, write_motion
from gen.runner import Failed, Finished, RenderEvent, Skipped, run
from pipelines.portrait.arkit import ARKIT, index
from pipelines.portrait.motion import Motion

RATE, FPS = 16_000, 10


@pytest.fixture(scope="module")
def assembled() -> Callable[[], Studio]:
    studio = assemble.studio()
    return lambda: studio


@pytest.fixture
def spoken(tmp_path: Path) -> FaceJob:
    Image.fromarray(astronaut()).save(tmp_path / "ada.png")
    time = np.arange(RATE // 2) / RATE
    soundfile.write(tmp_path / "hum.wav", 0.3 * np.sin(2 * np.pi * 150 * time), RATE)
    return FaceJob(tmp_path / "ada.png", tmp_path / "hum.wav", "happiness", size=128, fps=FPS)


@pytest.fixture
def driven(spoken: FaceJob, tmp_path: Path) -> FaceJob:
    face = np.zeros((4, len(ARKIT)), np.float32)
    face[2:, index("jawOpen")] = 0.8
    write_motion(tmp_path / "take.csv", Motion(face, np.zeros((4, 6), np.float32), FPS))
    return replace(spoken, audio=None, emotion=None, motion=tmp_path / "take.csv")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def last(events: list[RenderEvent]) -> Finished:
    assert isinstance(events[-1], Finished), events[-1]
    return events[-1]


def frames_of(path: Path) -> np.ndarray:
    return np.stack(list(read_video(path).frames)).astype(int)


def test_a_motion_makes_a_silent_clip_as_long_as_it(
    driven: FaceJob, out: Path, assembled: Callable[[], Studio]
) -> None:
    done = last(list(run([driven], out, assembled=assembled)))
    frames = frames_of(done.path)
    assert len(frames) == 4
    assert np.abs(frames[3] - frames[0]).max() > 40  # the mouth is open
    assert read_video(done.path).sound is None
    assert done.record.audio is None
    assert done.record.motion is not None
    assert done.record.motion.name == "take.csv"
    assert done.record.agreement is None
    assert done.record.no_agreement == "a performance was given, and no emotion to agree with"


def test_a_voice_beside_a_motion_is_heard_and_its_length_noted(
    driven: FaceJob, spoken: FaceJob, out: Path, assembled: Callable[[], Studio]
) -> None:
    done = last(list(run([replace(driven, audio=spoken.audio)], out, assembled=assembled)))
    assert read_video(done.path).sound is not None
    assert done.record.frames == 4
    assert done.record.notes == ()  # a frame more or less is no one's concern
    short = replace(driven, audio=spoken.audio, fps=60)
    assert "the sound is cut off there" in last(list(run([short], out, assembled=assembled))).record.notes[-1]


def test_what_is_exported_makes_the_same_clip_again(
    spoken: FaceJob, out: Path, assembled: Callable[[], Studio]
) -> None:
    first = last(list(run([spoken], out, export_motion=True, assembled=assembled)))
    assert first.motion == first.path.with_suffix(".csv")
    again = replace(spoken, emotion=None, motion=first.motion)
    second = last(list(run([again], out, assembled=assembled)))
    assert second.path != first.path
    np.testing.assert_array_equal(frames_of(second.path), frames_of(first.path))


def test_a_head_that_turns_further_than_a_photo_is_exported_as_it_was_acted(
    driven: FaceJob, out: Path, assembled: Callable[[], Studio]
) -> None:
    assert driven.motion is not None
    motion, _ = read_motion(driven.motion, FPS)
    motion.head[:, 1], motion.head[:, 3] = np.linspace(-0.6, 0.6, 4), 0.9
    write_motion(driven.motion, motion)
    first = last(list(run([driven], out, export_motion=True, assembled=assembled)))
    assert first.motion is not None
    np.testing.assert_array_equal(read_motion(first.motion, FPS)[0].head, motion.head)
    second = last(list(run([replace(driven, motion=first.motion)], out, force=True, assembled=assembled)))
    np.testing.assert_array_equal(frames_of(second.path), frames_of(first.path))
    assert "turns the head by up to 34 degrees" in second.record.notes[0]


def test_exporting_does_not_change_the_clip_or_its_name(
    spoken: FaceJob, out: Path, assembled: Callable[[], Studio]
) -> None:
    first = last(list(run([spoken], out, assembled=assembled)))
    assert first.motion is None
    (skipped,) = run([spoken], out, export_motion=True, assembled=assembled)  # written without drawing anew
    assert isinstance(skipped, Skipped)
    assert skipped.motion is not None
    assert skipped.motion.name == f"{first.path.stem}.csv"
    assert read_motion(skipped.motion, FPS)[0].frames == 5
    assert sorted(path.suffix for path in out.iterdir()) == [".csv", ".json", ".mp4"]


def test_a_motion_that_cannot_be_written_is_told_and_the_clip_stays(
    spoken: FaceJob, out: Path, assembled: Callable[[], Studio]
) -> None:
    first = last(list(run([spoken], out, assembled=assembled)))
    first.path.with_suffix(".csv").mkdir()
    (failed,) = run([spoken], out, export_motion=True, assembled=assembled)
    assert isinstance(failed, Failed)
    assert "could not be written: a folder has that name" in failed.message
    assert first.path.exists()


def test_notes_about_a_motion_are_in_the_record(
    driven: FaceJob, out: Path, assembled: Callable[[], Studio], tmp_path: Path
) -> None:
    assert driven.motion is not None
    driven.motion.write_text(driven.motion.read_text().replace("HeadYaw", "Neck"))
    done = last(list(run([driven], out, assembled=assembled)))
    assert done.record.notes == (
        "Columns that the motion lacks, 0 was taken: HeadYaw.",
        "Columns of the motion that mean nothing here: Neck.",
    )


def test_a_broken_motion_fails_in_a_sentence_and_leaves_nothing(
    driven: FaceJob, out: Path, assembled: Callable[[], Studio]
) -> None:
    assert driven.motion is not None
    driven.motion.write_text("hello\nworld\n")
    failed = list(run([driven], out, assembled=assembled))[-1]
    assert isinstance(failed, Failed)
    assert failed.message.startswith(f"'{driven.motion}': The first row, 'hello', is not that of a Live Link")
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"\xff\xfe\x00T\x00i", "is not text"), (b"#EXTM3U\n", "list of other files"), (b"", "is empty")],
)
def test_files_of_another_kind_are_refused(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "take.csv"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=told):
        read_motion(path, 25)


def test_inputs_stay_as_they_were(driven: FaceJob, out: Path, assembled: Callable[[], Studio]) -> None:
    before = {path: path.read_bytes() for path in driven.portrait.parent.iterdir()}
    list(run([driven], out, export_motion=True, assembled=assembled))
    shutil.rmtree(out)
    assert {path: path.read_bytes() for path in driven.portrait.parent.iterdir()} == before
