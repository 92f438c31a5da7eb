"""weights.lock as values: bundled weights and published models, read strictly and written alike."""

import importlib.util
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeVar, get_args

from gen.job import file_sha256

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "weights.lock"
HEADER = """\
# Every weights file that Mien loads. `python -m gen.weights lock` writes sha256 and size, hands the rest.
# purpose: "render" makes pixels (its digest is part of a clip's name), "look" sees emotion, "judge" scores.
# package: the installed package that carries the file; without it the file lies in this repository.
# [[models]] are published models that are not bundled; `python -m gen.weights fetch NAME` brings them.
# A size or digest that is absent was not seen; `python -m gen.weights lock NAME` asks the hub for it.
"""
Purpose = Literal["render", "look", "judge"]
# What a model is for: an encoder of text, speech, face or scene; video: a backbone of the Wan engine;
# preview: a small decoder of its latents; identity: whose face it is; language: answers questions about
# pictures; features: hidden states without an emotion.
Sense = Literal["text", "speech", "face", "scene", "video", "preview", "identity", "language", "features"]


class WeightsError(ValueError):
    """Weights that are missing, changed or not in the lock; the message is a sentence."""


@dataclass(frozen=True)
class Weight:
    """A bundled file: an entry of [[weights]]."""

    name: str
    file: str  # path below the repository, or below the package
    purpose: Purpose
    licence: str
    research_only: bool  # whether the terms of the data or the file rule out commercial use
    source: str  # the recipe that made it, or where it is from
    card: str = ""  # its description
    package: str = ""
    labels: tuple[str, ...] = ()
    sha256: str = ""
    size: int = 0

    @property
    def path(self) -> Path:
        """Where the file is on this machine."""
        if not self.package:
            return ROOT / self.file
        found = importlib.util.find_spec(self.package)
        if found is None or found.origin is None:
            raise WeightsError(
                f"'{self.name}' comes with the package '{self.package}', which is not installed."
            )
        return Path(found.origin).parent / self.file

    def problem(self) -> str | None:
        """What is wrong with the file, as a sentence; None if it is the one in the lock."""
        try:
            path = self.path
        except WeightsError as error:
            return str(error)
        if not path.is_file():
            return f"'{self.name}': {self.file} is missing; restore it, or make it again with {self.source}."
        if path.stat().st_size != self.size or file_sha256(path) != self.sha256:
            what = f"'{self.name}': {self.file} is not the file in weights.lock"
            return f"{what}: restore it, or, if it is meant, run `python -m gen.weights lock`."
        return None


@dataclass(frozen=True)
class ModelFile:
    """One file of a published model."""

    path: str  # below the model's folder, with /
    size: int = 0  # bytes; 0: not seen
    sha256: str = ""  # "": not seen

    @property
    def is_pinned(self) -> bool:
        """Whether a download can be told from any other."""
        return bool(self.sha256)


@dataclass(frozen=True, kw_only=True)
class Model:
    """A published model: an entry of [[models]]."""

    name: str
    repo: str  # owner/name on the hub, or the https address below which the files lie
    revision: str = ""  # a commit; "" where the address itself is fixed
    licence: str
    research_only: bool
    sense: Sense
    labels: tuple[str, ...] = ()  # of its outputs, in their order, where its config does not name them
    stated_size: int = 0  # bytes in all, as its publisher says, where not every file's size was seen
    missing: str = ""  # what was not seen of it
    note: str = ""
    archive: ModelFile | None = None  # the zip that is fetched in place of the files, which lie in it
    files: tuple[ModelFile, ...]

    @property
    def is_on_hub(self) -> bool:
        return not self.repo.startswith("http")

    @property
    def size(self) -> int:
        """Bytes in all; 0 if that is not known."""
        sizes = [file.size for file in self.files]
        return self.stated_size or (sum(sizes) if all(sizes) else 0)

    @property
    def is_pinned(self) -> bool:
        """Whether all its files are listed, with digests."""
        needed = (self.archive,) if self.archive else self.files
        return not self.missing and all(file.is_pinned for file in needed)


@dataclass(frozen=True)
class Lock:
    """All entries, in the order of the file."""

    weights: tuple[Weight, ...]
    models: tuple[Model, ...] = ()

    def named(self, name: str) -> Weight:
        """The bundled file of that name."""
        return _named(name, self.weights, "is not in weights.lock, which has")

    def model(self, name: str) -> Model:
        """The published model of that name."""
        return _named(name, self.models, "is not a model of weights.lock, which has")

    def of(self, *purposes: Purpose) -> tuple[Weight, ...]:
        """The bundled files that serve one of these purposes."""
        return tuple(weight for weight in self.weights if weight.purpose in purposes)


_Entry = TypeVar("_Entry", Weight, Model)


def _named(name: str, entries: Sequence[_Entry], told: str) -> _Entry:
    for entry in entries:
        if entry.name == name:
            return entry
    raise WeightsError(f"'{name}' {told} {', '.join(entry.name for entry in entries) or 'nothing'}.")


def read_lock(path: Path | None = None) -> Lock:
    """Reads and checks the lock; WeightsError names the entry and the field that is wrong."""
    path = path or LOCK
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise WeightsError(f"'{path.name}' cannot be read: {error}.") from None
    lock = Lock(tuple(map(_weight, table.get("weights", ()))), tuple(map(_model, table.get("models", ()))))
    names = [entry.name for entry in (*lock.weights, *lock.models)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise WeightsError(f"'{path.name}' names {', '.join(twice)} more than once.")
    return lock


def written(lock: Lock) -> str:
    """The lock as TOML."""
    entries = [f"[[weights]]\n{_lines(asdict(weight))}" for weight in lock.weights]
    entries += [f"[[models]]\n{_lines(asdict(model))}" for model in lock.models]
    return "\n".join([HEADER, *entries])


def _lines(entry: Mapping[str, Any]) -> str:  # Any: TOML values
    return "".join(f"{key} = {_value(value)}\n" for key, value in entry.items() if _is_there(value))


def _is_there(value: Any) -> bool:  # noqa: ANN401 - TOML values
    return isinstance(value, bool) or bool(value)


def _value(value: Any) -> str:  # noqa: ANN401 - TOML values
    match value:
        case {**table}:
            return "{ " + ", ".join(f"{k} = {_value(v)}" for k, v in table.items() if _is_there(v)) + " }"
        case ({}, *_):
            return "[\n" + "".join(f"  {_value(row)},\n" for row in value) + "]"
        case _:  # a JSON string, number, boolean or list of them is also a TOML one
            return json.dumps(value, ensure_ascii=False)


def _weight(row: Mapping[str, Any]) -> Weight:
    _check(row, Weight, ("name", "file", "purpose", "licence", "research_only", "source"))
    if row["purpose"] not in get_args(Purpose):
        raise WeightsError(
            f"weights.lock, {row['name']}: '{row['purpose']}' is no purpose; "
            f"use {', '.join(get_args(Purpose))}."
        )
    return Weight(**{**row, "labels": tuple(row.get("labels", ()))})


def _model(row: Mapping[str, Any]) -> Model:
    _check(row, Model, ("name", "repo", "licence", "research_only", "sense", "files"))
    name = row["name"]
    if row["sense"] not in get_args(Sense):
        raise WeightsError(
            f"weights.lock, {name}: '{row['sense']}' is no sense; use {', '.join(get_args(Sense))}."
        )
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", name):
        raise WeightsError(f"weights.lock, '{name}': use small letters, digits, '.' and '-' for a name.")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+|https://\S+[^/]", row["repo"]):
        raise WeightsError(
            f"weights.lock, {name}: '{row['repo']}' is neither owner/name nor an https address."
        )
    archive = row.get("archive")
    files = tuple(file_of(name, file) for file in row["files"])
    if len({file.path for file in files}) < len(files) or not files:
        raise WeightsError(f"weights.lock, {name}: each of its files stands there once, and one at least.")
    return Model(
        **{
            **row,
            "files": files,
            "archive": file_of(name, archive) if archive else None,
            "labels": tuple(row.get("labels", ())),
        }
    )


def file_of(name: str, row: Mapping[str, Any]) -> ModelFile:
    """One file of the model of that name, from its row; WeightsError if the row is wrong or leads outside."""
    _check(row, ModelFile, ("path",), f"{name}, a file")
    file = ModelFile(**row)
    path = PurePosixPath(file.path)
    if path.is_absolute() or ".." in path.parts or "\\" in file.path or str(path) != file.path:
        raise WeightsError(f"weights.lock, {name}: '{file.path}' is no path below the model's folder.")
    if file.sha256 and not re.fullmatch(r"[0-9a-f]{64}", file.sha256):
        raise WeightsError(f"weights.lock, {name}: '{file.sha256}' is no sha256 of {file.path}.")
    return file


def _check(row: Mapping[str, Any], kind: type, needed: Sequence[str], name: str = "") -> None:
    """Refuses keys that the dataclass does not have, and rows without those it needs."""
    odd = sorted(row.keys() - {field.name for field in fields(kind)})
    missing = sorted(set(needed) - row.keys())
    if odd or missing:
        raise WeightsError(
            f"weights.lock, {name or row.get('name', 'an entry without a name')}: "
            f"unknown {', '.join(odd) or '-'}; missing {', '.join(missing) or '-'}."
        )
