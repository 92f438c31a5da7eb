"""Commands answer --help at once, and every option says what it does."""

import dataclasses
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from gen.job import FaceJob
from gen.video_job import VideoJob

ROOT = Path(__file__).parents[2]
COMMANDS = ("gen.render", "gen.score", "gen.encode", "gen.evaluate", "gen.train", "gen.bench", "gen.weights")
HELP_SECONDS = 0.6


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("command", COMMANDS)
def test_help_answers_in_time(command: str) -> None:
    taken = []
    for _ in range(3):
        before = children_seconds()  # of the processor: waiting for its turn is not the command's fault
        answer = run("-m", command, "--help")
        taken.append(children_seconds() - before)
        assert answer.returncode == 0, answer.stderr
    assert min(taken) <= HELP_SECONDS


@pytest.mark.parametrize("command", COMMANDS)
def test_help_does_not_import_torch(command: str) -> None:
    probe = (
        "import sys, runpy; sys.argv = ['x', '--help']\n"
        f"try: runpy.run_module({command!r}, run_name='__main__', alter_sys=True)\n"
        "except SystemExit: pass\n"
        "sys.stderr.write(' '.join(m for m in ('torch', 'cv2', 'mediapipe', 'gradio') if m in sys.modules))"
    )
    assert run("-c", probe).stderr == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_option_is_a_wrong_request(command: str) -> None:
    answer = run("-m", command, "--no-such-option")
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("kind", [FaceJob, VideoJob])
def test_every_field_of_a_job_has_help(kind: type[FaceJob] | type[VideoJob]) -> None:
    from tyro._docstrings import get_field_docstring

    mute = [f.name for f in dataclasses.fields(kind) if not get_field_docstring(kind, f.name, ())]
    assert mute == []


def test_the_demo_says_that_it_is_not_built() -> None:
    answer = run("-m", "demo")
    assert answer.returncode == 2
    assert "not built yet" in answer.stderr
