"""`python -m gen.weights COMMAND`: what weights.lock says of every weights file, and whether it is true."""

import importlib.util
import json
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import tyro

from gen.atomic import write_text
from gen.job import file_sha256

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "weights.lock"
HEADER = """\
# Every weights file that Mien loads. `python -m gen.weights lock` writes sha256 and size, hands the rest.
# purpose: "render" makes pixels (its digest is part of a clip's name), "look" sees emotion, "judge" scores.
# package: the installed package that carries the file; without it the file lies in this repository.
"""
Purpose = Literal["render", "look", "judge"]
Command = Literal["lock", "fetch", "verify", "licenses", "list"]


class WeightsError(ValueError):
    """Weights that are missing, changed or not in the lock; the message is a sentence."""


@dataclass(frozen=True)
class Weight:
    """One entry of weights.lock."""

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
class Lock:
    """All entries, in the order of the file."""

    weights: tuple[Weight, ...]

    def named(self, name: str) -> Weight:
        """The entry of that name."""
        for weight in self.weights:
            if weight.name == name:
                return weight
        known = ", ".join(weight.name for weight in self.weights) or "nothing"
        raise WeightsError(f"'{name}' is not in weights.lock, which has {known}.")

    def of(self, *purposes: Purpose) -> tuple[Weight, ...]:
        """The entries that serve one of these purposes."""
        return tuple(weight for weight in self.weights if weight.purpose in purposes)


def read_lock(path: Path = LOCK) -> Lock:
    """Reads and checks the lock."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise WeightsError(f"'{path.name}' cannot be read: {error}.") from None
    lock = Lock(tuple(_weight(row) for row in table.get("weights", ())))
    names = [weight.name for weight in lock.weights]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise WeightsError(f"'{path.name}' names {', '.join(twice)} more than once.")
    return lock


def local_path(name: str) -> Path:
    """The file of that name, after checking that it is the one in the lock."""
    weight = read_lock().named(name)
    problem = weight.problem()
    if problem is not None:
        raise WeightsError(problem)
    return weight.path


def problems(weights: Iterable[Weight]) -> list[str]:
    """Everything that is wrong with these files."""
    return [found for weight in weights if (found := weight.problem()) is not None]


def relocked(lock: Lock) -> Lock:
    """The same entries with the digests and sizes of the files that are there now."""
    missing = [weight.name for weight in lock.weights if not weight.path.is_file()]
    if missing:
        raise WeightsError(f"There is no file for {', '.join(missing)}: make it first, then lock.")
    return Lock(
        tuple(replace(w, sha256=file_sha256(w.path), size=w.path.stat().st_size) for w in lock.weights)
    )


def written(lock: Lock) -> str:
    """The lock as TOML."""
    entries = []
    for weight in lock.weights:
        # A JSON string, number, list or boolean is also a TOML one.
        lines = [
            f"{key} = {json.dumps(value, ensure_ascii=False)}"
            for key, value in asdict(weight).items()
            if value not in ("", ())
        ]
        entries.append("\n".join(["[[weights]]", *lines]) + "\n")
    return "\n".join([HEADER, *entries])


def _weight(row: dict[str, Any]) -> Weight:  # Any: TOML values
    known = {field.name: field for field in fields(Weight)}
    name = row.get("name", "an entry without a name")
    odd = sorted(row.keys() - known.keys())
    missing = sorted({"name", "file", "purpose", "licence", "research_only", "source"} - row.keys())
    if odd or missing:
        raise WeightsError(
            f"weights.lock, {name}: unknown {', '.join(odd) or '-'}; missing {', '.join(missing) or '-'}."
        )
    if row["purpose"] not in get_args(Purpose):
        raise WeightsError(
            f"weights.lock, {name}: '{row['purpose']}' is no purpose; use {', '.join(get_args(Purpose))}."
        )
    return Weight(**{**row, "labels": tuple(row.get("labels", ()))})


def unlisted(lock: Lock) -> list[str]:
    """Weights files in the repository that the lock does not know."""
    listed = {weight.path for weight in lock.weights if not weight.package}
    folders = (ROOT / "emotion_encoders", ROOT / "pipelines")
    found = sorted(path for folder in folders for path in folder.rglob("*.safetensors") if path not in listed)
    return [
        f"{path.relative_to(ROOT)} is not in weights.lock: add an entry with its licence and source."
        for path in found
    ]


def _table(lock: Lock, columns: tuple[str, ...]) -> str:
    rows = [columns, *(tuple(str(getattr(weight, column)) for column in columns) for weight in lock.weights)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


@dataclass(frozen=True)
class Request:
    """What weights.lock says of every weights file, and whether it is true."""

    command: Annotated[tyro.conf.Positional[Command], tyro.conf.arg(metavar="COMMAND")]
    """lock: write digests anew. fetch: not built yet. verify: compare. licenses, list: print."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; 0 all is well, 1 a file is wrong, 2 the request or the lock is wrong."""
    command = tyro.cli(Request, prog="python -m gen.weights", args=arguments).command
    try:
        lock = read_lock(LOCK)
        found = _run(command, lock)
    except WeightsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stderr.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


def _run(command: Command, lock: Lock) -> list[str]:
    match command:
        case "fetch":
            raise WeightsError(
                "'fetch' is not built yet: every file in weights.lock comes with the code or a package."
            )
        case "lock":
            write_text(LOCK, written(relocked(lock)))
            return unlisted(lock)
        case "verify":
            return problems(lock.weights) + unlisted(lock)
        case "licenses":
            sys.stdout.write(_table(lock, ("name", "licence", "research_only", "source")) + "\n")
        case "list":
            sys.stdout.write(_table(lock, ("name", "purpose", "size", "sha256", "file")) + "\n")
    return []


if __name__ == "__main__":
    sys.exit(main())
