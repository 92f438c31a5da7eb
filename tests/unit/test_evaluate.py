"""The suite's request, its trials and its table."""

from pathlib import Path

import av
import numpy as np
import pytest

from gen.evaluate import EMOTIONS, Evaluation, Suite, evaluate, portraits_in, problems
from gen.lock import WeightsError
from gen.measure import Cell, Table, summarise
from gen.score import Witness
from gen.suites.portraits import table
from gen.trials import Stage, Trial, rendering_version, trials_for

WITNESS = Witness("judge", None, "judge-ferplus", 0.79, 3200)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.png", "a.JPG", "animal_cat.jpg", "notes.txt", ".hidden"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def test_portraits_come_in_order_and_without_those_to_skip(folder: Path) -> None:
    assert [path.name for path in portraits_in(folder, ("animal_*",))] == ["a.JPG", "b.png"]
    assert [path.name for path in portraits_in(folder, ("b", "*.JPG"))] == ["animal_cat.jpg"]


def test_a_good_request_has_no_problems(folder: Path) -> None:
    assert problems(Evaluation("portraits", folder)) == []


def test_all_problems_come_at_once(folder: Path) -> None:
    request = Evaluation(
        "portraits",
        folder / "none",
        emotions=("neutral", "hapiness"),
        intensities=(0.5, 1.5),
        speech=folder / "none.wav",
    )
    assert len(problems(request)) == 5


def test_a_folder_without_pictures_is_said(tmp_path: Path) -> None:
    assert "holds no pictures" in problems(Evaluation("portraits", tmp_path))[0]


def test_portraits_that_cannot_be_told_apart_are_refused(folder: Path) -> None:
    (folder / "a.png").write_bytes(b"x")
    (told,) = problems(Evaluation("portraits", folder))
    assert told == "Several pictures are called a; rename them or leave some out with --skip."
    assert problems(Evaluation("portraits", folder, skip=("a.png",))) == []


def test_a_folder_named_like_a_picture_is_no_portrait(folder: Path) -> None:
    (folder / "album.png").mkdir()
    assert [path.name for path in portraits_in(folder, ("animal_*",))] == ["a.JPG", "b.png"]


def test_an_emotion_is_named_once(folder: Path) -> None:
    (told,) = problems(Evaluation("portraits", folder, emotions=("happy", "anger", "happiness")))
    assert told == "--emotions names happiness more than once; name each emotion once."


def test_where_nothing_can_be_written_nothing_is_rendered(folder: Path) -> None:
    (told,) = problems(Evaluation("portraits", folder, out=folder / "notes.txt" / "out"))
    assert told.startswith("--out: ")


@pytest.mark.parametrize("minutes", [0.0, -1.0, 61.0, float("nan")])
def test_a_long_clip_has_a_length(folder: Path, minutes: float) -> None:
    (told,) = problems(Evaluation("long", folder, minutes=minutes))
    assert told.endswith("up to 60 are allowed.")


@pytest.mark.parametrize("suite", ["identity", "long"])
def test_an_embedding_that_is_not_here_is_said_with_what_fetches_it(
    folder: Path, tmp_path: Path, suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIEN_MODELS", str(tmp_path / "models"))
    with pytest.raises(WeightsError, match=r"gen\.weights fetch mobileface` fetches it to"):
        evaluate(Evaluation(suite, folder, out=folder / "out"))
    with pytest.raises(WeightsError, match="is neither a folder nor a model"):
        evaluate(Evaluation(suite, folder, out=folder / "out", identity="nobody"))
    assert not (folder / "out").exists()


def test_a_list_of_other_files_is_no_speech(folder: Path) -> None:
    (told,) = problems(Evaluation("portraits", folder, speech=folder))
    assert told.startswith("--speech: ")


def test_a_sound_that_no_face_can_speak_is_refused_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    speech = folder / "low.avi"
    with av.open(str(speech), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=2000, layout="mono")
        tone = (9000 * np.sin(np.arange(4000)[None] / 2)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        frame.sample_rate = 2000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert evaluate(Evaluation("portraits", folder, out=folder / "out", speech=speech)) == 1
    assert capsys.readouterr().err == ("The sound has 2000 samples a second; 4,000 to 768,000 are allowed.\n")
    assert not (folder / "out").exists()


def test_a_picture_that_cannot_be_opened_is_a_miss(tmp_path: Path) -> None:
    empty = tmp_path / "empty.png"
    empty.touch()
    silence = np.zeros(16, np.float32)
    stage = Stage(None, (silence, 16), tmp_path / "kept", "1")  # pyright: ignore[reportArgumentType]
    assert "is empty" in str(stage.show(empty, trials_for("empty", ("anger",), (1.0,))))


def test_intensity_0_is_the_neutral_clip_and_full_intensity_is_always_shown() -> None:
    trials = trials_for("ada", ("happiness",), (0.0, 0.5))
    assert [trial.track for trial in trials] == ["neutral@1", "happiness@0.5", "happiness@1"]


def test_the_rendering_version_is_the_same_while_nothing_changes() -> None:
    assert rendering_version() == rendering_version()


def test_a_trial_is_its_own_key() -> None:
    assert len({Trial("a", "anger", 1.0), Trial("a", "anger", 1.0), Trial("a", "anger", 0.5)}) == 2


def test_the_table_names_recogniser_baseline_floor_and_worst() -> None:
    labels = ("neutral", *EMOTIONS, "contempt")
    cells = {}
    for index, emotion in enumerate(("neutral", *EMOTIONS)):
        seen = tuple(0.65 if i == index else 0.05 for i in range(8))
        cells["ada", emotion, 1.0] = Cell("ada", emotion, 1.0, seen)
    result = summarise(Table(labels, cells), ["ada", "robot"], EMOTIONS, (1.0,), EMOTIONS[:4])
    text = table(WITNESS, result)
    for part in ("judge-ferplus", "in the neutral clip", "floor", "worst of the first four", "no face"):
        assert part in text
    assert "+0.30 [+0.00, +0.60]" in text
