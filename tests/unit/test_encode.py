"""The encode command's door, its answers as data and as text, all without loading an encoder."""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from tyro._docstrings import get_field_docstring

from emotion_encoders.emotion import FACE8, MIKELS8, Emotion
from emotion_encoders.evidence import EmotionConflict, Evidence, decisiveness
from emotion_encoders.scene import SceneMeasures, nothing_felt
from emotion_encoders.track import EmotionTrack
from gen import encode, senses
from gen.encode import Encoding, problems
from gen.encode_batch import answer
from gen.encode_plot import write_plot
from gen.encode_report import Report, as_json, as_text
from gen.felt import average, moments, shares, summary
from gen.intake import MediaError
from gen.senses import Kind, Models, Sensed, as_crop, chunks

ROOT = Path(__file__).parents[2]
MEASURES = SceneMeasures(hue=12.0, colourfulness=0.4, brightness=0.5, motion=0.07, frames=40)


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gen.encode", *arguments]
    return subprocess.run(
        command, cwd=ROOT, input=stdin, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def all_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_lacks(kind: Kind, larger: Models) -> None:
        """What `senses.problem` says where every file is in its place."""

    monkeypatch.setattr(senses, "problem", nothing_lacks)


def heard(text: str = "0:neutral 1:anger", confidence: float = 0.7) -> Evidence:
    return Evidence(EmotionTrack.parse(text), "voice", confidence, "voice-v1")


def seen(text: str = "happiness") -> Evidence:
    return Evidence(EmotionTrack.parse(text), "face", 0.8, "face-v1")


def report(*found: tuple[Kind, Sensed], errors: tuple[str, ...] = ()) -> Report:
    sensed = dict(found)
    evidence = [one for part in sensed.values() for one in part.evidence]
    return Report({kind: f"{kind}.file" for kind in sensed}, sensed, "blend", errors, decisiveness(evidence))


@pytest.mark.usefixtures("all_weights")
@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (Encoding(), "Nothing came; give --text"),
        (Encoding(text=" \n"), "--text: it is empty"),
        (Encoding(audio=Path("nowhere.wav")), "--audio: 'nowhere.wav' does not exist"),
        (Encoding(video=Path("http://x.invalid/a.mp4")), "--video: 'http:/x.invalid/a.mp4' is an address"),
        (Encoding(text="hello", kind="text"), "--as says what the lines of --batch are"),
        (Encoding(text="hello", cropped=True), "--cropped says how images are to be taken"),
        (Encoding(batch="-", kind="audio", cropped=True), "--cropped says how images are to be taken"),
        (Encoding(batch="-"), "--batch needs --as text, audio, image or video"),
        (Encoding(batch="-", kind="text", text="hello"), "leave out --text"),
        (Encoding(batch="nowhere.txt", kind="text"), "--batch: 'nowhere.txt' does not exist"),
        (Encoding(batch=str(ROOT), kind="text"), "is a folder; give a file with one path a line"),
        (Encoding(text="hello", plot=ROOT), "is a folder; name a png"),
        (Encoding(text="hello", plot=ROOT / "README.md" / "x.png"), "may not be written to"),
    ],
)
def test_a_wrong_request_is_refused_in_a_sentence(request_: Encoding, sentence: str) -> None:
    found = problems(request_)
    assert len(found) == 1
    assert sentence in found[0]


@pytest.mark.usefixtures("all_weights")
def test_all_problems_are_told_at_once() -> None:
    assert len(problems(Encoding(text="", audio=Path("a.wav"), image=Path("b.png"), kind="text"))) == 4


@pytest.mark.usefixtures("all_weights")
@pytest.mark.parametrize(
    "good",
    [
        Encoding(text="hello"),
        Encoding(batch="-", kind="image", cropped=True),
        Encoding(batch="-", kind="text"),
    ],
)
def test_a_right_request_has_no_problems(good: Encoding) -> None:
    assert problems(good) == []


def test_an_encoder_without_weights_is_told_before_anything_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(senses.NEEDED, "text", "no-such-weights")
    [sentence] = problems(Encoding(text="hello"))
    assert sentence.startswith("The no-such-weights encoder has no weights here: ")


def test_every_option_has_help() -> None:
    assert [f.name for f in fields(Encoding) if not get_field_docstring(Encoding, f.name, ())] == []


def test_a_wrong_request_exits_with_2_and_no_traceback() -> None:
    answer_ = run("--audio", "nowhere.wav")
    assert (answer_.returncode, answer_.stdout) == (2, "")
    assert "'nowhere.wav' does not exist" in answer_.stderr
    assert "Traceback" not in answer_.stderr
    assert run("--no-such-option").returncode == 2


def test_help_imports_no_torch() -> None:
    probe = (
        "import sys, runpy; sys.argv = ['x', '--help']\n"
        "try: runpy.run_module('gen.encode', run_name='__main__', alter_sys=True)\n"
        "except SystemExit: pass\n"
        "sys.stderr.write(' '.join(m for m in ('torch', 'cv2', 'mediapipe') if m in sys.modules))"
    )
    command = [sys.executable, "-c", probe]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def test_lines_end_with_a_newline_and_nothing_else(tmp_path: Path) -> None:
    from contextlib import ExitStack

    path = tmp_path / "lines.txt"
    path.write_bytes("one\u2028still one\r\n\n\xff two\n".encode("utf-8").replace("ÿ".encode(), b"\xff"))
    with ExitStack() as opened:
        assert list(encode._lines(str(path), opened)) == ["one\u2028still one", "", "\ufffd two"]


def test_the_average_of_a_track_counts_time() -> None:
    assert average(EmotionTrack.parse("0:neutral 1:anger")).probability("anger") == pytest.approx(0.5)
    late = average(EmotionTrack.parse("0:neutral 3:neutral 4:anger"))
    assert late.probability("anger") == pytest.approx(0.125)
    assert average(EmotionTrack.parse("2:anger@.3")) == Emotion.of("anger", intensity=0.3)


def test_a_summary_has_every_vocabulary_that_the_encoder_speaks() -> None:
    found = summary(seen("happiness@.5"))
    assert found["face8"] == {
        label: {"neutral": 0.5, "happiness": 0.5}.get(label, 0) for label in FACE8.labels
    }
    assert sum(found["mikels8"].values()) == pytest.approx(1, abs=1e-3)
    assert (found["valence"], found["confidence"], found["weights"]) == (0.405, 0.8, "face-v1")
    assert "goemotions28" not in found
    assert "face8" not in summary(nothing_felt("scene-v1"))


def test_moments_tell_what_is_shown() -> None:
    first, second = moments(EmotionTrack.parse("0:anger@.5 1.5:fear"))
    assert (first["seconds"], first["face8"]["neutral"], first["intensity"]) == (0.0, 0.5, 0.5)
    assert (second["seconds"], second["face8"]["fear"]) == (1.5, 1.0)


def test_the_answer_for_several_senses_is_their_fusion() -> None:
    found = answer(Sensed((heard("anger"), seen("anger"))), "blend")
    assert (found["face8"]["anger"], found["weights"]) == (1.0, "voice-v1 + face-v1")
    assert "conflict" not in found
    against = answer(Sensed((heard("anger"), seen("happiness"))), "voice")
    assert against["conflict"] == ["voice", "face"]
    assert against["face8"]["anger"] == 1.0
    with pytest.raises(EmotionConflict):
        answer(Sensed((heard("anger"), seen("happiness"))), "ask")


def test_a_voice_in_which_nothing_is_heard_is_an_answer_and_a_picture_without_a_face_is_not() -> None:
    assert answer(Sensed((heard("neutral", 0.0),)), "blend")["confidence"] == 0
    with pytest.raises(ValueError, match="shows no face"):
        answer(Sensed((nothing_felt("s"),), scene=MEASURES, missing=("'x' shows no face.",)), "blend")


def test_the_report_as_data_holds_everything_over_time() -> None:
    found = as_json(
        report(
            ("audio", Sensed((heard(),))), ("image", Sensed((seen(), nothing_felt("s")), scene=MEASURES))
        ).fused()
    )
    assert [one["modality"] for one in found["senses"]] == ["voice", "face"]
    assert [moment["seconds"] for moment in found["senses"][0]["track"]] == [0.0, 1.0]
    assert found["scene"]["image"]["hue"] == 12.0
    assert found["fused"]["weights"] == "voice-v1 + face-v1"
    assert set(found["decides"]) == {"voice", "face"}
    assert found["errors"] == []
    assert json.loads(json.dumps(found)) == found


def test_a_conflict_is_reported_and_a_question_is_passed_on() -> None:
    contrary = report(("audio", Sensed((heard("anger"),))), ("image", Sensed((seen("happiness"),))))
    assert as_json(contrary.fused())["conflict"]["between"] == ("voice", "face")
    assert "conflict: voice and face differ by 1.00 bit" in as_text(contrary.fused())
    assert as_json(contrary, "Which?")["reason"] == "Which?"
    assert as_json(contrary, "Which?")["fused"] is None


def test_the_report_for_reading_names_what_was_felt_and_who_decided() -> None:
    text = as_text(
        report(("audio", Sensed((heard(),))), ("video", Sensed((seen(),), scene=MEASURES))).fused()
    )
    for part in (
        "voice  ",
        "face   happiness 1.00",
        "affect from the labels",
        "hue 12°",
        "over time:",
        "decides: ",
    ):
        assert part in text


def test_what_one_sense_missed_is_noted() -> None:
    half = report(("video", Sensed((seen(),), missing=("'x' is silent.",)))).fused()
    assert "note   'x' is silent." in as_text(half)
    assert as_json(half)["notes"] == ["'x' is silent."]


def test_where_nothing_was_felt_the_report_says_so() -> None:
    empty = report(("image", Sensed((nothing_felt("s"),), scene=MEASURES)), errors=("'x' shows no face.",))
    assert "nobody felt anything" in as_text(empty)
    assert as_json(empty)["reason"] == "nobody felt anything"


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    found = report(("audio", Sensed((heard(),))), ("image", Sensed((seen(),)))).fused()
    path = write_plot(tmp_path / "new" / "plot.png", found)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [file.name for file in path.parent.iterdir()] == ["plot.png"]


def test_crops_of_any_size_become_grey_squares() -> None:
    grey = np.random.default_rng(0).integers(0, 255, (48, 48), np.uint8)
    as_it_is = as_crop(Path("x.png"), np.repeat(grey[:, :, None], 3, axis=2))
    assert (as_it_is == grey).all()
    assert as_crop(Path("x.png"), np.zeros((200, 160, 3), np.uint8)).shape == (48, 48)
    with pytest.raises(MediaError, match="about square"):
        as_crop(Path("x.png"), np.zeros((40, 200, 3), np.uint8))


def test_chunks_keep_order_and_all_items() -> None:
    assert list(chunks(iter("abcde"), 2)) == [["a", "b"], ["c", "d"], ["e"]]
    assert list(chunks(iter(""), 2)) == []


def test_shares_are_of_what_is_shown() -> None:
    assert shares(Emotion.of("anger", MIKELS8, 0.0)) == dict.fromkeys(MIKELS8.labels, 0.125)
