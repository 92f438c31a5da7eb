"""What made a clip: the same JSON beside it and inside it, enough to make it again and to check it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any, cast

from emotion_encoders.agreement import Agreement
from gen.atomic import write_text
from gen.job import RENDER_VERSION, file_sha256

FORMAT = 1
LATER = frozenset({"motion", "driving", "image", "emotion"})  # fields that older records do not have
PACKAGES = ("mien", "av", "diffusers", "mediapipe", "numpy", "opencv-python", "soxr", "torch", "transformers")


class RecordError(ValueError):
    """A text that is not the record of a render."""


@dataclass(frozen=True)
class UsedFile:
    """A file that went in: its name without its folder, and its digest."""

    name: str
    sha256: str


@dataclass(frozen=True)
class UsedWeights:
    """A weights file that was used, under which terms, and for what."""

    name: str
    sha256: str
    licence: str
    research_only: bool
    purpose: str


@dataclass(frozen=True)
class Choice:
    """A value that was chosen for the user, and why."""

    value: str
    reason: str


@dataclass(frozen=True)
class RenderRecord:
    """What happened; without folders: a clip that is passed on need not say where its maker keeps things."""

    digest: str
    request: Mapping[str, str | int | None]
    portrait: UsedFile | None  # of a talking face
    audio: UsedFile | None
    frames: int
    fps: float
    render_seconds: float
    finished: str  # moment in UTC, ISO 8601
    device: Choice
    threads: Choice
    weights: tuple[UsedWeights, ...]
    versions: Mapping[str, str]
    notes: tuple[str, ...]
    agreement: Agreement | None
    no_agreement: str | None  # why there is none
    motion: UsedFile | None = None  # a recorded one, in place of voice and emotion
    driving: UsedFile | None = None  # a video of who was repeated
    image: UsedFile | None = None  # the first frame of a video
    emotion: str | None = None  # the track that was followed; None with a motion
    clip_sha256: str | None = None  # of the finished file; a clip cannot say it of itself
    synthetic: bool = True
    render_version: int = RENDER_VERSION
    format: int = FORMAT

    def to_json(self) -> str:
        """The record as indented JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "RenderRecord":
        """Reads what `to_json` wrote; anything else is a RecordError."""
        try:
            row = json.loads(text)
        except (ValueError, RecursionError):  # RecursionError: brackets nested thousands deep
            raise RecordError("The text is not JSON, so it is no record of a render.") from None
        return _record(row)


def versions() -> dict[str, str]:
    """The software that was at work."""
    found = {"python": python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed as a package"
    return found


def sidecar(clip: Path) -> Path:
    """Where a clip's record lies."""
    return clip.with_suffix(".json")


def write_sidecar(clip: Path, record: RenderRecord) -> None:
    """Writes the record beside its clip, whole or not at all."""
    write_text(sidecar(clip), record.to_json() + "\n")


def sound_record(clip: Path, digest: str) -> RenderRecord | None:
    """The record of a clip that is complete and was made for this digest; None if it must be made again."""
    try:
        record = RenderRecord.from_json(sidecar(clip).read_text(encoding="utf-8"))
        is_sound = record.digest == digest and record.clip_sha256 == file_sha256(clip)
    except (OSError, UnicodeDecodeError, RecordError):
        return None
    return record if is_sound else None


def _record(row: object) -> RenderRecord:
    if not isinstance(row, dict):
        raise RecordError("The JSON is not an object, so it is no record of a render.")
    values = cast(dict[str, Any], row)  # Any: JSON of unknown origin
    names = {field.name for field in fields(RenderRecord)}
    if values.keys() | LATER != names:
        odd = ", ".join(sorted(names ^ (values.keys() | LATER)))
        raise RecordError(f"The record does not have this version's fields; they differ in: {odd}.")
    for name in ("request", "versions"):
        if not isinstance(values[name], dict):
            raise RecordError(f"The record's {name!r} is no object, so it is no record of a render.")
    agreement = values["agreement"]
    try:
        parts: dict[str, Any] = {
            **{name: _used(values.get(name)) for name in ("portrait", "audio", "motion", "driving", "image")},
            "device": Choice(**values["device"]),
            "threads": Choice(**values["threads"]),
            "weights": tuple(UsedWeights(**one) for one in values["weights"]),
            "notes": tuple(values["notes"]),
            "agreement": None if agreement is None else Agreement(**agreement),
        }
    except TypeError as error:
        raise RecordError(f"A part of the record does not have this version's fields: {error}.") from None
    return RenderRecord(**{**values, **parts})


def _used(row: Any) -> UsedFile | None:  # noqa: ANN401 - JSON of unknown origin
    return None if row is None else UsedFile(**row)
