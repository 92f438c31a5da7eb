"""A person on video drives a portrait: files in, files out."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gen import assemble
from gen.assemble import Studio
from gen.bundled import astronaut
from gen.driving import drive
from gen.intake import MediaError
from gen.job import FaceJob
from gen.media import read_video, write_video
from gen.runner import Failed, Finished, RenderEvent, run
from pipelines.portrait.arkit import ARKIT, columns, index
from pipelines.portrait.renderer import draw

FPS, SIZE, FRAMES, RATE = 10, 192, 20, 16_000
WAVE = np.clip(np.sin(np.linspace(-2, 7, FRAMES)), 0, 1)


@pytest.fixture(scope="module")
def assembled() -> Callable[[], Studio]:
    studio = assemble.studio()
    return lambda: studio


@pytest.fixture(scope="module")
def films(assembled: Callable[[], Studio], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """'speaks.mp4' opens the mouth and turns the head, with sound; 'hides.mp4' goes away; 'wall.mp4'."""
    folder = tmp_path_factory.mktemp("films")
    actor = assembled().pipeline.prepare(astronaut(), size=SIZE)
    face, head = np.zeros((FRAMES, len(ARKIT)), np.float32), np.zeros((FRAMES, 6), np.float32)
    face[:, index("jawOpen")], head[:, 1] = 0.7 * WAVE, 0.15 * np.cos(np.linspace(0, 5, FRAMES))
    frames = [draw(actor, *both) for both in zip(face, head, strict=True)]
    wall = np.full((SIZE, SIZE, 3), 120, np.uint8)
    tone = (0.3 * np.sin(np.arange(FRAMES * RATE // FPS) / 12)).astype(np.float32)
    write_video(folder / "speaks.mp4", frames, FPS, tone, RATE, "", (SIZE, SIZE))
    hidden = [*frames[:7], *[wall] * 6, *frames[13:]]
    write_video(folder / "hides.mp4", hidden, FPS, None, None, "", (SIZE, SIZE))
    write_video(folder / "wall.mp4", [wall] * 8, FPS, None, None, "", (SIZE, SIZE))
    Image.fromarray(astronaut()).save(folder / "ada.png")
    return folder


@pytest.fixture
def job(films: Path) -> FaceJob:
    return FaceJob(films / "ada.png", driving_video=films / "speaks.mp4", size=128, fps=FPS)


def last(events: list[RenderEvent]) -> Finished:
    assert isinstance(events[-1], Finished), events[-1]
    return events[-1]


def test_the_performers_mouth_head_and_sound_come_along(films: Path) -> None:
    driven = drive(films / "speaks.mp4", FPS, None)
    motion = driven.motion
    assert (motion.frames, driven.notes) == (FRAMES, ())
    assert np.corrcoef(motion.coefficients[:, index("jawOpen")], WAVE)[0, 1] > 0.9
    assert np.corrcoef(motion.head[:, 1], np.cos(np.linspace(0, 5, FRAMES)))[0, 1] > 0.9
    assert driven.sound is not None
    assert driven.rate is not None
    assert len(driven.sound) / driven.rate == pytest.approx(FRAMES / FPS, abs=0.1)


def test_a_while_without_a_face_is_told(films: Path) -> None:
    driven = drive(films / "hides.mp4", FPS, None)
    assert driven.motion.frames == FRAMES
    assert driven.sound is None
    (note,) = driven.notes
    assert note.startswith("The video shows no face from 0.7 to 1.")


def test_a_video_without_a_face_is_refused_by_name(films: Path) -> None:
    with pytest.raises(MediaError, match=r"wall\.mp4': No face was found in the video"):
        drive(films / "wall.mp4", FPS, None)


def test_a_video_makes_a_clip_with_its_sound_and_a_record_of_it(
    job: FaceJob, tmp_path: Path, assembled: Callable[[], Studio]
) -> None:
    done = last(list(run([job], tmp_path, assembled=assembled)))
    clip = read_video(done.path)
    frames = np.stack(list(clip.frames)).astype(int)
    assert len(frames) == FRAMES
    assert np.abs(frames[WAVE.argmax()] - frames[WAVE.argmin()]).max() > 40
    assert clip.sound is not None
    assert done.record.driving is not None
    assert (done.record.driving.name, done.record.motion) == ("speaks.mp4", None)
    assert done.record.agreement is None


def test_another_emotion_makes_another_clip_and_is_looked_for(
    job: FaceJob, tmp_path: Path, assembled: Callable[[], Studio]
) -> None:
    felt = replace(job, emotion="happiness")
    done = last(list(run([felt], tmp_path, export_motion=True, assembled=assembled)))
    assert done.record.agreement is not None
    assert done.record.request["emotion"] == "happiness"
    motion = drive(job.driving_video or Path(), FPS, None).motion
    assert motion.coefficients[:, columns("mouthSmile")[0]].max() < 0.4
    assert done.motion is not None
    assert done.motion.exists()


def test_a_silent_video_is_told_and_another_sound_may_be_given(
    job: FaceJob, films: Path, tmp_path: Path, assembled: Callable[[], Studio]
) -> None:
    silent = replace(job, driving_video=films / "hides.mp4")
    done = last(list(run([silent], tmp_path, assembled=assembled)))
    assert "The driving video has no sound: the clip is silent." in done.record.notes
    spoken = replace(silent, audio=films / "speaks.mp4")
    done = last(list(run([spoken], tmp_path, assembled=assembled)))
    assert read_video(done.path).sound is not None
    assert done.record.audio is not None


@pytest.mark.parametrize(
    ("name", "told"), [("ada.png", "ada.png"), ("wall.mp4", "No face was found in the video")]
)
def test_what_shows_no_performance_fails_in_a_sentence_and_leaves_nothing(
    job: FaceJob, films: Path, tmp_path: Path, assembled: Callable[[], Studio], name: str, told: str
) -> None:
    events = list(run([replace(job, driving_video=films / name)], tmp_path, assembled=assembled))
    assert isinstance(events[-1], Failed)
    assert told in events[-1].message
    assert list(tmp_path.iterdir()) == []
