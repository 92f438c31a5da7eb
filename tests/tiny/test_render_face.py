"""`python -m gen.render face` from end to end: files in, clip and record out, the right words and codes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from skimage.data import astronaut, coffee

from emotion_encoders.emotion import FACE8
from emotion_encoders.track import EmotionTrack
from gen.bundled import line
from gen.media import read_video
from gen.record import RenderRecord
from gen.render import main

ROOT = Path(__file__).parents[2]
RATE = 16_000
SMALL = ("--size", "128", "--fps", "10")


def render(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gen.render", "face", *SMALL, *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def portrait(path: Path, picture: np.ndarray) -> Path:
    Image.fromarray(picture).save(path)
    return path


def voice(path: Path, seconds: float = 0.6) -> Path:
    time = np.arange(round(seconds * RATE)) / RATE
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * 150 * time) * (1 + np.sin(20 * time)) / 2, RATE)
    return path


@pytest.fixture
def request_for(tmp_path: Path) -> list[str]:
    ada = portrait(tmp_path / "ada.png", astronaut())
    return [
        "--portrait",
        str(ada),
        "--audio",
        str(voice(tmp_path / "hello.wav")),
        "-o",
        str(tmp_path / "out"),
    ]


def test_a_clip_is_made_then_skipped_then_forced(request_for: list[str], tmp_path: Path) -> None:
    asked = [*request_for, "--emotion", "0:neutral 0.2:happiness@0.8"]
    first = render(*asked)
    assert first.returncode == 0, first.stderr
    clip = Path(first.stdout.strip())
    assert clip.parent == tmp_path / "out"
    assert clip.name.startswith("ada-")
    assert "agreement" in first.stderr
    assert "Traceback" not in first.stderr

    video = read_video(clip)
    assert len(list(video.frames)) == 6
    assert RenderRecord.from_json(video.comment or "").request["emotion"] == "0:neutral 0.2:happiness@0.8"

    again = render(*asked)
    assert (again.returncode, again.stdout) == (0, first.stdout)
    assert "skipped" in again.stderr

    forced = render(*asked, "--force", "--json", "-q")
    assert (forced.returncode, forced.stderr) == (0, "")
    (finished,) = json.loads(forced.stdout)["finished"]
    assert finished["clip"] == str(clip)
    assert sorted(path.name for path in clip.parent.iterdir()) == [clip.with_suffix(".json").name, clip.name]


def test_an_inferred_emotion_is_told_followed_and_written_down(
    request_for: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoken, words = [*request_for], "I have been crying all day, I miss her so much."
    spoken[3] = str(line())
    assert main(["face", *SMALL, *spoken, "--emotion", "auto", "--text", words]) == 0
    told = capsys.readouterr()
    assert "The emotion was inferred from voice" in told.err or "blended by confidence" in told.err
    record = RenderRecord.from_json(Path(told.out.strip()).with_suffix(".json").read_text())
    assert (record.request["emotion"], record.request["text"]) == ("auto", words)
    assert EmotionTrack.parse(record.emotion or "").vocabulary == FACE8
    assert {"speech", "text", "face", "rig"} <= {one.name for one in record.weights}
    assert record.agreement is not None


def test_a_sound_without_a_voice_asks_for_an_emotion(
    request_for: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    hiss = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    soundfile.write(request_for[3], hiss, RATE)
    assert main(["face", *SMALL, *request_for, "--emotion", "auto"]) == 1
    assert "give an emotion instead of 'auto'" in capsys.readouterr().err


def test_several_faces_are_told_and_one_can_be_chosen(
    request_for: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    face = Image.fromarray(astronaut()).crop((90, 0, 350, 260))
    pair = Image.new("RGB", (480, 260), "white")
    pair.paste(face.resize((220, 220)), (0, 20))
    pair.paste(face, (220, 0))
    two = ["--portrait", str(portrait(tmp_path / "two.png", np.asarray(pair))), *request_for[2:]]

    assert main(["face", *SMALL, *two, "--emotion", "anger"]) == 0
    largest = capsys.readouterr()
    assert "2 faces were found; the largest was taken, number 2 from the left" in largest.err
    assert main(["face", *SMALL, *two, "--emotion", "anger", "--face", "1"]) == 0
    assert capsys.readouterr().out != largest.out
    assert main(["face", *SMALL, *two, "--emotion", "anger", "--face", "3"]) == 1
    assert "Face 3 was asked for; the picture has 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("no face", "No face was found"),
        ("small face", "too small"),
        ("not a picture", "is not a picture"),
        ("cut picture", "broken or cut off"),
        ("huge picture", "than the 100 million that are read"),
        ("silent sound", "is silent"),
        ("cut sound", "cut off"),
        ("not a sound", "of a kind that is not read"),
    ],
)
def test_media_that_turn_out_unusable_fail_in_a_sentence(
    request_for: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: str, told: str
) -> None:
    picture, sound = tmp_path / "ada.png", tmp_path / "hello.wav"
    match spoil:
        case "no face":
            portrait(picture, coffee())
        case "small face":
            portrait(picture, np.asarray(Image.fromarray(astronaut()).resize((90, 90))))
        case "not a picture":
            picture.write_text("hello")
        case "cut picture":
            picture.write_bytes(picture.read_bytes()[:9000])
        case "huge picture":
            Image.new("1", (20_000, 6_000)).save(picture)
        case "silent sound":
            soundfile.write(sound, np.zeros(RATE), RATE)
        case "cut sound":
            sound.write_bytes(sound.read_bytes()[:9000])
        case _:
            sound.write_text("hello")
    code = main(["face", *SMALL, *request_for, "--emotion", "happiness"])
    answer = capsys.readouterr()
    assert code == 1
    assert told in answer.err
    assert answer.out == ""
    assert list((tmp_path / "out").iterdir()) == []


def test_a_motion_goes_out_and_comes_back_in(
    request_for: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["face", *SMALL, *request_for, "--emotion", "anger", "--export-motion"]) == 0
    spoken = capsys.readouterr()
    (take,) = (tmp_path / "out").glob("*.csv")
    assert f"motion: {take}" in spoken.err

    portrait_and_out = [*request_for[:2], *request_for[4:]]
    assert main(["face", *SMALL, *portrait_and_out, "--motion", str(take), "--json"]) == 0
    driven = capsys.readouterr()
    (finished,) = json.loads(driven.out)["finished"]
    assert (finished["record"]["audio"], finished["record"]["frames"]) == (None, 6)
    assert "a given motion  6 frames 128x128" in driven.err
    assert "Traceback" not in spoken.err + driven.err
