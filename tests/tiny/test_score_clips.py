"""Scoring real clips: the public-domain astronaut, who smiles, and pictures without a face."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emotion_encoders.track import EmotionTrack
from gen.bundled import astronaut
from gen.media import write_video
from gen.plot import write_plot
from gen.score import Score, Witness, score, witnesses
from pipelines.portrait.tracker import FaceTracker

ROOT = Path(__file__).parents[2]
FPS = 10


def clip(path: Path, pictures: Sequence[np.ndarray], comment: str = "") -> Path:
    write_video(path, pictures, FPS, None, None, comment, (pictures[0].shape[1], pictures[0].shape[0]))
    return path


@pytest.fixture(scope="module")
def smiling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = [np.roll(astronaut(), shift, axis=1) for shift in range(6)]
    blank = np.full_like(frames[0], 127)
    return clip(tmp_path_factory.mktemp("clips") / "smiling.mp4", [*frames, blank, blank])


@pytest.fixture(scope="module")
def asked() -> tuple[Witness, ...]:
    return witnesses()


def look(path: Path, asked: Sequence[Witness], wanted: str | None = None) -> Score:
    with FaceTracker(max_faces=1) as tracker:
        return score(path, EmotionTrack.parse(wanted) if wanted else None, asked, tracker)


def test_both_recognisers_see_the_smile(smiling: Path, asked: Sequence[Witness]) -> None:
    result = look(smiling, asked, "happiness")
    assert [one.witness.role for one in result.views] == ["judge", "face"]
    for one in result.views:
        assert one.mean is not None
        assert one.mean.top == "happiness"
        assert one.agreement is not None
        assert one.agreement.top1 == 1.0


def test_frames_without_a_face_are_counted_and_left_out(smiling: Path, asked: Sequence[Witness]) -> None:
    result = look(smiling, asked, "happiness")
    assert (result.frames, result.faces_found) == (8, 6)
    assert result.views[0].emotions[6:] == (None, None)


def test_what_was_not_asked_for_scores_low(smiling: Path, asked: Sequence[Witness]) -> None:
    agreement = look(smiling, asked, "anger").views[0].agreement
    assert agreement is not None
    assert agreement.probability is not None
    assert agreement.probability < 0.2


def test_without_a_record_nothing_is_compared(smiling: Path, asked: Sequence[Witness]) -> None:
    result = look(smiling, asked)
    assert (result.wanted, result.views[0].agreement) == (None, None)
    assert result.views[0].mean is not None


def test_a_clip_without_any_face_gets_no_number(tmp_path: Path, asked: Sequence[Witness]) -> None:
    result = look(clip(tmp_path / "grey.mp4", [np.full((64, 64, 3), 90, np.uint8)] * 3), asked, "anger")
    assert result.faces_found == 0
    assert (result.views[0].mean, result.views[1].mean) == (None, None)
    assert result.views[0].agreement is not None
    assert result.views[0].agreement.probability is None


def test_the_plot_shows_wanted_and_seen(smiling: Path, asked: Sequence[Witness], tmp_path: Path) -> None:
    path = write_plot(tmp_path / "new" / "plot.png", look(smiling, asked, "0:neutral 0.5:happiness"))
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.height > 600


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "gen.score", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_one_bad_clip_does_not_stop_the_others(smiling: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(smiling.read_bytes()[:900])
    answer = command(torn, smiling, "--emotion", "happy", "--json")
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert "torn.mp4" in answer.stderr
    row = json.loads(answer.stdout)
    assert row["wanted"] == "happiness"
    assert [one["role"] for one in row["recognisers"]] == ["judge", "face"]
    assert len(row["recognisers"][0]["per_frame"]) == row["frames"] == 8


def test_a_clip_that_is_not_there_is_a_wrong_request(tmp_path: Path) -> None:
    answer = command(tmp_path / "none.mp4")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "does not exist" in answer.stderr
