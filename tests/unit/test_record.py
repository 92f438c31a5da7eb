"""A record says what made a clip, reads back as it was, and vouches for the clip beside it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from emotion_encoders.agreement import Agreement
from gen.job import file_sha256
from gen.record import (
    Choice,
    RecordError,
    RenderRecord,
    UsedFile,
    UsedWeights,
    sidecar,
    sound_record,
    versions,
    write_sidecar,
)

DIGEST = "12" * 32


@pytest.fixture
def record() -> RenderRecord:
    seen = Agreement("face-ferplus", 0.82, 40, 39, 0.9, 0.7, 0.1, None, 0.4, 0.08)
    return RenderRecord(
        digest=DIGEST,
        request={"task": "face", "emotion": "0:neutral 1:happiness", "size": 512, "face": None},
        portrait=UsedFile("ada.jpg", "ab" * 32),
        audio=UsedFile("hallo é.wav", "cd" * 32),
        frames=40,
        fps=25,
        render_seconds=1.5,
        finished="2026-01-01T00:00:00+00:00",
        device=Choice("cpu", "no GPU is needed"),
        threads=Choice("1", "always the same clip"),
        weights=(UsedWeights("rig", "ef" * 32, "MIT", False, "render"),),
        versions=versions(),
        notes=("2 faces were found.",),
        agreement=seen,
        no_agreement=None,
    )


@pytest.fixture
def clip(tmp_path: Path, record: RenderRecord) -> Path:
    path = tmp_path / "ada-12121212.mp4"
    path.write_bytes(b"frames")
    write_sidecar(path, replace(record, clip_sha256=file_sha256(path)))
    return path


def test_a_record_reads_back_as_it_was(record: RenderRecord) -> None:
    assert RenderRecord.from_json(record.to_json()) == record
    alone = replace(record, agreement=None, no_agreement="no face was found")
    assert RenderRecord.from_json(alone.to_json()) == alone


def test_a_record_fits_into_a_comment(record: RenderRecord) -> None:
    assert len(record.to_json().encode()) < 20_000


def test_a_record_says_that_the_clip_is_synthetic(record: RenderRecord) -> None:
    assert json.loads(record.to_json())["synthetic"] is True


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"digest": "x"}', "null", "12"])
def test_other_texts_are_no_records(text: str) -> None:
    with pytest.raises(RecordError):
        RenderRecord.from_json(text)


def test_a_record_with_other_parts_is_refused(record: RenderRecord) -> None:
    row = json.loads(record.to_json())
    row["portrait"] = {"name": "ada.jpg"}
    with pytest.raises(RecordError, match="sha256"):
        RenderRecord.from_json(json.dumps(row))
    row["portrait"], row["device"] = None, None
    with pytest.raises(RecordError):
        RenderRecord.from_json(json.dumps(row))


@pytest.mark.parametrize("field", ["request", "versions"])
@pytest.mark.parametrize("value", [3, "anger", None, []])
def test_a_record_whose_parts_are_no_objects_is_refused(
    record: RenderRecord, field: str, value: object
) -> None:
    row = json.loads(record.to_json()) | {field: value}
    with pytest.raises(RecordError, match=field):
        RenderRecord.from_json(json.dumps(row))


def test_brackets_without_end_are_no_record() -> None:
    with pytest.raises(RecordError):
        RenderRecord.from_json("[" * 100_000)


def test_a_whole_clip_of_the_same_job_is_sound(clip: Path) -> None:
    found = sound_record(clip, DIGEST)
    assert found is not None
    assert found.portrait is not None
    assert found.portrait.name == "ada.jpg"


def test_a_clip_of_another_job_is_not_sound(clip: Path) -> None:
    assert sound_record(clip, "34" * 32) is None


@pytest.mark.parametrize("what", ["clip", "sidecar"])
@pytest.mark.parametrize("damage", ["gone", "cut", "changed"])
def test_a_damaged_half_is_not_sound(clip: Path, what: str, damage: str) -> None:
    path = clip if what == "clip" else sidecar(clip)
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(data[: len(data) // 2] if damage == "cut" else b"\xff" + data[1:])
    assert sound_record(clip, DIGEST) is None


def test_the_software_at_work_is_named() -> None:
    assert {"python", "torch", "mediapipe", "av"} <= versions().keys()


def test_a_record_from_before_motions_could_be_given_still_counts(record: RenderRecord) -> None:
    row = json.loads(record.to_json())
    del row["motion"]
    assert RenderRecord.from_json(json.dumps(row)) == record


def test_a_record_of_a_silent_clip_reads_back(record: RenderRecord) -> None:
    driven = replace(record, audio=None, motion=UsedFile("take.csv", "01" * 32))
    assert RenderRecord.from_json(driven.to_json()) == driven
