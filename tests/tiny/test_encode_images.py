"""Pictures and silent videos through the real encoders and the real command."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gen.bundled import astronaut
from gen.encode_batch import rows
from gen.encode_report import Report
from gen.media import write_video
from gen.senses import Senses

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def encoders() -> Iterator[Senses]:
    with Senses() as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    Image.fromarray(astronaut()).save(folder / "smile.png")
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(folder / "grey.png")
    Image.fromarray(astronaut()[60:190, 160:290]).save(folder / "crop.png")
    (folder / "text.png").write_text("no picture")
    return folder


def test_a_smile_is_seen_and_its_colours_are_measured(folder: Path, encoders: Senses) -> None:
    found = Report.of({"image": folder / "smile.png"}, encoders, "blend", cropped=False).fused()
    assert found.fusion is not None
    assert found.fusion.evidence.track.at(0).top == "happiness"
    assert 0 < found.scenes["image"].colourfulness < 1
    assert found.errors == ()


def test_every_line_gets_its_answer_in_order(folder: Path, encoders: Senses) -> None:
    lines = [str(folder / name) for name in ("smile.png", "grey.png", "text.png", "nowhere.png", "crop.png")]
    found = list(rows([*lines, ""], "image", encoders, cropped=False, policy="blend"))
    assert [row["input"] for row in found] == [*lines, ""]
    assert found[0]["face8"]["happiness"] > 0.5
    for row, reason in zip(
        (found[1], found[2], found[3], found[5]),
        ("shows no face", "is not a picture", "does not exist", "The line is empty"),
        strict=True,
    ):
        assert reason in row["error"]


def test_a_crop_needs_no_face_to_be_found(folder: Path, encoders: Senses) -> None:
    lines = [str(folder / name) for name in ("crop.png", "grey.png")]
    found = list(rows(lines, "image", encoders, cropped=True, policy="blend"))
    assert found[0]["face8"]["happiness"] > 0.5
    assert ["error" in row for row in found] == [False, False]


def test_a_silent_video_is_its_face_over_time(folder: Path, encoders: Senses, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    frames = [np.roll(astronaut(), shift, axis=1) for shift in range(8)]
    write_video(path, frames, 8, None, None, "", (512, 512))
    found = Report.of({"video": path}, encoders, "blend", cropped=False).fused()
    assert [evidence.modality for _, evidence in found.sources] == ["face"]
    assert len(found.sources[0][1].track.keyframes) == 8
    assert (found.scenes["video"].motion or 0) > 0


def test_the_command_answers_line_by_line_and_says_how_many_failed(folder: Path) -> None:
    lines = f"{folder / 'smile.png'}\n{folder / 'grey.png'}\n"
    answer = subprocess.run(
        [sys.executable, "-m", "gen.encode", "--batch", "-", "--as", "image"],
        cwd=ROOT,
        input=lines,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 1
    found = [json.loads(line) for line in answer.stdout.splitlines()]
    assert ["error" in row for row in found] == [False, True]
    assert "1 of 2 lines could not be answered" in answer.stderr


def test_a_picture_without_a_face_is_refused_in_a_sentence_with_its_measures(folder: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "gen.encode", "--image", str(folder / "grey.png"), "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 1
    assert "shows no face that can be seen" in answer.stderr
    assert json.loads(answer.stdout)["scene"]["image"]["brightness"] == pytest.approx(90 / 255, abs=1e-3)
