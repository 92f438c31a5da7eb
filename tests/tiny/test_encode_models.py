"""`gen.encode` with larger models by folder or by name, as small real models."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emotion_encoders.emotion import GOEMOTIONS28, MIKELS8
from gen import encode, lock
from gen.bundled import line
from gen.encode import Encoding, problems
from gen.encode_report import Report
from gen.job import file_sha256
from gen.lock import Lock, Model, ModelFile, read_lock, written
from gen.senses import Models, Senses
from tests.classifier import EKMAN, classifier
from tests.tiny.test_conditioner_scene_models import classifier as scene_classifier
from tests.tiny.test_speech_affect import made as affect_regressor_folder
from tests.tiny.test_speech_large import made as speech_classifier


@pytest.fixture
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small model under a name of a lock."""
    folder = classifier(tmp_path / "models" / "small", GOEMOTIONS28.labels, several=True)
    files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    entry = Model(
        name="small",
        repo="owner/small",
        licence="MIT",
        research_only=False,
        sense="text",
        files=tuple(ModelFile(path.name, path.stat().st_size, file_sha256(path)) for path in files),
    )
    held = replace(read_lock(), models=(entry,))
    monkeypatch.setattr(lock, "LOCK", tmp_path / "weights.lock")
    monkeypatch.setenv("MIEN_MODELS", str(tmp_path / "models"))
    lock.LOCK.write_text(written(Lock(held.weights, held.models)))
    return "small"


def test_a_text_model_by_name_answers_in_place_of_the_bundled_one(
    named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    request = Encoding(text="good dog", text_model=named, model_confidence=0.6, json=True)
    assert problems(request) == []
    assert encode.run(request) == 0
    found = json.loads(capsys.readouterr().out)
    (sense,) = found["senses"]
    assert (sense["modality"], sense["confidence"], sense["weights"]) == ("text", 0.6, "small")
    assert list(sense["goemotions28"]) == list(GOEMOTIONS28.labels)
    assert not sense["affect_learned"]
    assert "dominance" not in sense
    assert found["fused"]["weights"] == "small"


def test_a_text_model_by_folder_answers_line_by_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = classifier(tmp_path / "mine", EKMAN)
    (tmp_path / "lines.txt").write_text("good dog\n\nbad rain\n")
    request = Encoding(batch=str(tmp_path / "lines.txt"), kind="text", text_model=str(folder))
    assert problems(request) == []
    assert encode.run_batch(request) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["input"], row["weights"], row["confidence"]) for row in rows] == [
        ("good dog", "mine", 0),
        ("", "mine", 0),
        ("bad rain", "mine", 0),
    ]
    assert rows[1]["face8"]["neutral"] == 1


def test_the_bundled_weights_are_not_asked_for_where_a_model_takes_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "LOCK", tmp_path / "weights.lock")
    lock.LOCK.write_text(written(Lock(())))
    folder = classifier(tmp_path / "mine", EKMAN)
    assert problems(Encoding(text="good", text_model=str(folder))) == []
    (told,) = problems(Encoding(text="good"))
    assert "The text encoder has no weights here" in told


def test_a_folder_without_a_model_is_a_wrong_request(tmp_path: Path) -> None:
    with pytest.raises(lock.WeightsError, match=r"There is no config\.json"):
        Senses(Models(text=str(tmp_path))).load("text")


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (Encoding(text="hi", text_model="nope"), "--text-model: 'nope' is neither a folder nor a model"),
        (Encoding(text="hi", scene_model="small"), "--scene-model: 'small' is a model for text"),
        (Encoding(text="hi", text_model="small", model_confidence=1.5), "1.5 came; it is a share"),
        (Encoding(text="hi", model_confidence=0.5), "but none was named"),
    ],
)
def test_a_wrong_choice_of_models_is_said(named: str, request_: Encoding, told: str) -> None:
    found = problems(request_)
    assert len(found) == 1
    assert told in found[0]


def test_voices_and_scenes_are_taken_by_the_models_that_were_named(tmp_path: Path) -> None:
    voices, affects, scenes = (tmp_path / name for name in ("voices", "affects", "scenes"))
    speech_classifier(voices)
    affect_regressor_folder(affects)
    scene_classifier(scenes, list(MIKELS8.labels))
    for folder, learned in ((voices, False), (affects, True)):
        (evidence,) = Senses(Models(speech=str(folder), confidence=0.7)).sound(line()).evidence
        assert (evidence.weights, evidence.confidence, evidence.affect_learned) == (folder.name, 0.7, learned)
    picture = tmp_path / "grey.png"
    Image.fromarray(np.full((64, 64, 3), 128, np.uint8)).save(picture)
    with Senses(Models(scene=str(scenes), confidence=0.7)) as encoders:
        report = Report.of({"image": picture}, encoders, "blend", cropped=False)
    ((kind, seen),) = report.sources
    assert (kind, seen.modality, seen.weights) == ("image", "scene", "scenes")
    assert report.errors == ()  # no face was seen, but the picture says something all the same
    assert report.fused().fusion is not None
