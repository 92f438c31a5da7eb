"""The whole suite on two pictures: one face and one without; the second run renders nothing."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import soundfile

from gen.bundled import astronaut

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces")
    iio.imwrite(folder / "astronaut.png", astronaut())
    iio.imwrite(folder / "wall.png", np.full((200, 200, 3), 140, np.uint8))
    seconds = np.arange(8000) / 16000
    soundfile.write(
        folder / "hum.wav", 0.3 * np.sin(2 * np.pi * 150 * seconds) * np.sin(12 * seconds) ** 2, 16000
    )
    return folder


def evaluate(faces: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "gen.evaluate",
            "portraits",
            faces,
            "-o",
            out,
            "--speech",
            faces / "hum.wav",
            *more,
        ],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_two_pictures_become_a_table_and_a_sheet_and_are_kept(faces: Path, tmp_path: Path) -> None:
    options = ("--emotions", "happiness", "anger", "--intensities", "0", "0.5", "1", "--json")
    answer = evaluate(faces, tmp_path, *options)
    assert answer.returncode == 0, answer.stderr
    report = json.loads(answer.stdout)
    assert list(report["missed"]) == ["wall"]
    assert report["clips"] == 5
    assert list(report["recognisers"]) == ["face"]
    face = report["recognisers"]["face"]
    assert face["rise"]["clusters"] == 2
    assert face["by_portrait"]["wall"] == {"happiness": 0.0, "anger": 0.0}
    assert (face["what"]["n"] > 1000, face["what"]["accuracy"] > 0.5) == (True, True)
    assert (tmp_path / "sheet.png").stat().st_size > 10_000
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").iterdir()}
    assert len(kept) == 5

    started = time.perf_counter()
    again = evaluate(faces, tmp_path, *options, "--open")
    assert json.loads(again.stdout)["recognisers"]["face"] == face
    assert list(json.loads(again.stdout)["recognisers"]) == ["judge", "face"]
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").iterdir()} == kept
    assert time.perf_counter() - started < 60


def test_a_wrong_request_renders_nothing(faces: Path, tmp_path: Path) -> None:
    answer = evaluate(faces, tmp_path / "out", "--emotions", "hapiness")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "Did you mean 'happiness'?" in answer.stderr
    assert not (tmp_path / "out").exists()
