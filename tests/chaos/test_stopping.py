"""Whatever stops a render, finished clips stay and nothing half-written is left under a clip's name."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from skimage.data import astronaut

ROOT = Path(__file__).parents[2]
RATE = 16_000
PATIENCE = 120  # seconds


def command(folder: Path, sound: str, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "gen.render", "face", "--size", "128", "--emotion", "happiness",
        "--portrait", str(folder / "ada.png"), "--audio", str(folder / sound),
        "-o", str(folder / "out"), *more,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with inputs, short and long, and one clip that was finished."""
    folder = tmp_path_factory.mktemp("renders")
    Image.fromarray(astronaut()).save(folder / "ada.png")
    for name, seconds in (("short.wav", 0.4), ("long.wav", 120)):
        sound = np.random.default_rng(0).normal(0, 0.05, round(seconds * RATE))
        soundfile.write(folder / name, sound, RATE)
    subprocess.run(command(folder, "short.wav"), cwd=ROOT, capture_output=True, timeout=PATIENCE, check=True)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "out").iterdir()}


def render_until_drawing(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        command(folder, "long.wav"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    began = time.monotonic()
    while not any(path.stat().st_size for path in (folder / "out").glob(".*.draft")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.02)
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_render_keeps_finished_clips_and_removes_its_own(
    finished: Path, number: signal.Signals, code: int
) -> None:
    before = files(finished)
    process = render_until_drawing(finished)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, err
    assert out == ""
    assert "finished clips stay" in err
    assert "Traceback" not in err
    assert files(finished) == before


def test_a_killed_render_publishes_nothing_and_can_be_run_again(finished: Path) -> None:
    before = files(finished)
    process = render_until_drawing(finished)
    process.kill()
    process.communicate(timeout=PATIENCE)
    left = files(finished).keys() - before.keys()
    assert all(name.startswith(".") for name in left)
    for name in left:
        (finished / "out" / name).unlink()
    again = subprocess.run(
        command(finished, "short.wav"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert again.returncode == 0
    assert "skipped" in again.stderr


def limit_files_to(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.mark.parametrize("size", [1_000, 8_000])
def test_a_full_disk_fails_in_a_sentence_and_leaves_nothing(finished: Path, size: int) -> None:
    before = files(finished)
    answer = subprocess.run(
        command(finished, "short.wav", "--seed", str(size)),
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False,
        preexec_fn=limit_files_to(size),
    )  # fmt: skip
    assert answer.returncode == 1, answer.stderr
    assert "could not be written: files may not grow that large here" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert files(finished) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_permission_is_a_wrong_request(finished: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    answer = subprocess.run(
        [*command(finished, "short.wav"), "-o", str(tmp_path / "out")],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert answer.returncode == 2
    assert "may not be written to" in answer.stderr


def test_a_reader_that_goes_away_is_no_fault(finished: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    answer = subprocess.run(
        command(finished, "short.wav"),
        cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    os.close(write)
    assert answer.returncode == 0
    assert "Traceback" not in answer.stderr
    assert "BrokenPipe" not in answer.stderr
