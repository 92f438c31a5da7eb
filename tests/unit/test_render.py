"""The command line answers wrong requests in sentences, with the right code, before it loads anything."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from gen import render
from gen.runner import Failed, Started, Step
from gen.terminal import Terminal

ROOT = Path(__file__).parents[2]


def asked(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gen.render", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture
def inputs(tmp_path: Path) -> list[str]:
    (tmp_path / "p.jpg").write_bytes(b"not really a picture")
    (tmp_path / "a.wav").write_bytes(b"not really a sound")
    return [
        "--portrait",
        str(tmp_path / "p.jpg"),
        "--audio",
        str(tmp_path / "a.wav"),
        "-o",
        str(tmp_path / "out"),
    ]


@pytest.mark.parametrize("arguments", [["batch", "jobs.jsonl"], ["batch"]])
def test_what_is_not_built_says_so(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert render.main(arguments) == 2
    assert "is not built yet; 'face' and 'video' are." in capsys.readouterr().err


def test_no_command_is_a_wrong_request() -> None:
    answer = asked()
    assert answer.returncode == 2
    assert "face" in answer.stderr
    assert answer.stdout == ""


def test_a_mistyped_option_gets_a_suggestion(inputs: list[str]) -> None:
    answer = asked("face", *inputs, "--emotion", "happiness", "--sed", "3")
    assert answer.returncode == 2
    assert "--seed" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_missing_options_are_named_together() -> None:
    answer = asked("face", "-o", "out")
    assert answer.returncode == 2
    for option in ("--portrait", "--audio", "--emotion"):
        assert option in answer.stderr


def test_voice_and_emotion_are_missing_only_without_a_motion(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    portrait_and_out = [*inputs[:2], *inputs[4:]]
    assert render.main(["face", *portrait_and_out]) == 2
    told = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in told] == ["--emotion", "--audio"]

    with pytest.raises(SystemExit):
        render.main(["face", "--motion", "take.csv", "-o", "out"])
    told = capsys.readouterr().err
    assert "--portrait" in told
    assert "--emotion" not in told


def test_all_problems_come_at_once_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    playlist = tmp_path / "a.wav"
    playlist.write_text("#EXTM3U\nhttp://127.0.0.1/a.ts\n")
    code = render.main(
        ["face", "--portrait", "https://example.org/p.jpg", "--audio", str(playlist), "--emotion", "suprise",
         "--size", "333", "-o", str(tmp_path / "out")]
    )  # fmt: skip
    told = capsys.readouterr().err.splitlines()
    assert code == 2
    assert [line.split(":")[0] for line in told] == ["--emotion", "--portrait", "--audio", "--size"]
    assert not (tmp_path / "out").exists()


def test_problems_are_json_if_asked_for(inputs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert render.main(["face", *inputs, "--emotion", "suprise", "--json"]) == 2
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem.startswith("--emotion: 'suprise' is not an emotion")


def test_a_folder_that_is_a_file_is_a_wrong_request(
    inputs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = [*inputs[:-1], str(Path(inputs[1]) / "out")]
    assert render.main(["face", *wrong, "--emotion", "happiness"]) == 2
    assert "is a file, so it cannot hold others: give a folder" in capsys.readouterr().err


def test_explain_names_the_source_of_every_value(
    inputs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    render.main(["face", *inputs, "--emotion", "auto", "--preset=draft", "--fps", "30", "--explain"])
    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in capsys.readouterr().err.splitlines()}
    assert rows["size"] == ["256", "preset draft"]
    assert rows["fps"] == ["30", "asked"]
    assert rows["preset"] == ["draft", "asked"]
    assert rows["seed"] == ["0", "default"]


def test_the_version_is_told() -> None:
    answer = asked("--version")
    assert answer.returncode == 0
    assert answer.stdout.startswith("mien ")
    assert "torch" in answer.stdout


def test_a_wrong_request_does_not_import_torch(inputs: list[str]) -> None:
    probe = (
        "import sys; from gen.render import main; code = main(sys.argv[1:]);"
        "print(code, [m for m in ('torch', 'mediapipe', 'av') if m in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", probe, "batch", "x.jsonl"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "2 []"


def step(done: int) -> Step:
    return Step(1, 1, "ada-12345678", done, 100, 50.0, (100 - done) / 50)


def test_a_log_gets_few_whole_lines() -> None:
    log = io.StringIO()
    terminal = Terminal(stderr=log)
    terminal.show(Started(1, 1, "ada-12345678"))
    for done in range(1, 101):
        terminal.show(step(done))
    assert log.getvalue() == "[1/1] ada-12345678  started\n"


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_one_moving_line_with_speed_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gen.terminal.MOVES_EVERY", 0.0)
    screen = Tty()
    terminal = Terminal(stderr=screen)
    terminal.show(Started(1, 1, "ada-12345678"))
    terminal.show(step(25))
    assert screen.getvalue() == "\r\x1b[K[1/1] ada-12345678  25/100 frames  50 fps  2 s left"


def test_quiet_still_tells_failures() -> None:
    log = io.StringIO()
    terminal = Terminal(quiet=True, stderr=log)
    terminal.show(Started(1, 1, "ada-12345678"))
    terminal.show(Failed(1, 1, "ada-12345678", "No face was found."))
    assert log.getvalue() == "[1/1] ada-12345678  failed: No face was found.\n"
    assert terminal.exit_code == 1


def test_several_clips_are_summed_up() -> None:
    log = io.StringIO()
    terminal = Terminal(stderr=log)
    for index in (1, 2):
        terminal.show(Failed(index, 2, "ada-12345678", "No face was found."))
    terminal.close()
    assert "0 finished, 0 skipped, 2 failed in 0 s" in log.getvalue()
