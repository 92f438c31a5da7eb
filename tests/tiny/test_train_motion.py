"""`python -m gen.train motion` from end to end: videos in, weights and card out, on again after a stop."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from gen.media import read_sound, write_video
from gen.train import main
from pipelines.portrait.motion_model import MotionModel

FPS, FRAMES = 25, 75
SOUND, RATE = read_sound(Path(__file__).parents[2] / "gen" / "samples" / "line.flac")


@pytest.fixture(scope="module")
def swaying(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head that sways, three seconds of it, with a voice."""
    path = tmp_path_factory.mktemp("video") / "a.mp4"
    face = cv2.resize(astronaut()[0:300, 80:380], (256, 256), interpolation=cv2.INTER_AREA)

    def frame(k: int) -> np.ndarray:
        turn = cv2.getRotationMatrix2D((128, 160), 4 * np.sin(k / 8), 1 + 0.02 * np.sin(k / 11))
        return cv2.warpAffine(face, turn, (256, 256), borderMode=cv2.BORDER_REPLICATE)

    frames = (frame(k) for k in range(FRAMES))
    write_video(path, frames, FPS, SOUND[: RATE * 3], RATE, "", (256, 256))
    return path


@pytest.fixture
def folder(swaying: Path, tmp_path: Path) -> Path:
    """Five such videos, a text about one of them, and one that shows nobody."""
    videos = tmp_path / "videos"
    videos.mkdir()
    for name in "abcde":
        shutil.copy(swaying, videos / f"{name}.mp4")
    (videos / "a.txt").write_text("0:neutral 1:happiness")
    grey = (np.full((64, 64, 3), 90, np.uint8) for _ in range(FRAMES))
    write_video(videos / "f.mp4", grey, FPS, None, None, "", (64, 64))
    return videos


def test_weights_and_a_card_are_made_and_a_stop_is_gone_on_from(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["motion", "--data", str(folder), "-o", str(tmp_path / "run"), "--steps", "2"]
    assert main([*asked, "--minutes", "1e-9"]) == 1
    stopped = capsys.readouterr()
    assert stopped.out == ""
    assert "Time is up at step" in stopped.err
    assert "f.mp4" in stopped.err  # left out, with its reason
    tracked = {path: path.stat().st_mtime_ns for path in (tmp_path / "run" / "tracked").iterdir()}
    assert len(tracked) == 1  # five copies are tracked once

    assert main(asked) == 0
    ended = capsys.readouterr()
    weights = Path(ended.out.strip())
    assert MotionModel.load(weights).emotion.width > 0
    assert {path: path.stat().st_mtime_ns for path in tracked} == tracked
    written = (tmp_path / "run" / "motion.md").read_text("utf-8")
    assert "1 videos were held out" in written
    assert "Fréchet distance to the held-out videos" in written
    assert "f.mp4" in written

    on = ["motion", "--data", str(folder), "-o", str(tmp_path / "on"), "--steps", "1", "--base", str(weights)]
    assert main(on) == 0
    assert "before" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "usage: python -m gen.train"),
        (["lips"], "usage: python -m gen.train"),
        (["motion", "--data", "no-such-folder"], "is no folder"),
        (["motion", "--data", ".", "--steps", "0"], "at least 1"),
        (["motion", "--data", ".", "--base", "pyproject.toml"], "no whole safetensors file"),
    ],
)
def test_a_wrong_request_is_a_sentence_and_code_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    more = ["-o", str(tmp_path / "run")] if len(arguments) > 1 else []
    assert main([*arguments, *more]) == 2
    assert sentence in capsys.readouterr().err


def test_a_folder_without_videos_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["motion", "--data", str(tmp_path), "-o", str(tmp_path / "run")]) == 2
    assert "holds no videos" in capsys.readouterr().err
