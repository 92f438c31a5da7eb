"""`python -m gen.weights COMMAND`: fetches and checks what weights.lock names, and says what it is."""

import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro

from gen import lock as lock_file
from gen import models
from gen.atomic import write_text
from gen.job import file_sha256
from gen.lock import Lock, Model, Weight, WeightsError, read_lock, written

Command = Literal["lock", "fetch", "verify", "licenses", "list"]


def local_path(name: str) -> Path:
    """The bundled file of that name, after checking that it is the one in the lock."""
    weight = read_lock().named(name)
    problem = weight.problem()
    if problem is not None:
        raise WeightsError(problem)
    return weight.path


def problems(weights: Iterable[Weight]) -> list[str]:
    """Everything that is wrong with these files."""
    return [found for weight in weights if (found := weight.problem()) is not None]


def relocked(lock: Lock) -> Lock:
    """The same entries with the digests and sizes of the bundled files that are there now."""
    missing = [weight.name for weight in lock.weights if not weight.path.is_file()]
    if missing:
        raise WeightsError(f"There is no file for {', '.join(missing)}: make it first, then lock.")
    weights = (replace(w, sha256=file_sha256(w.path), size=w.path.stat().st_size) for w in lock.weights)
    return replace(lock, weights=tuple(weights))


def unlisted(lock: Lock) -> list[str]:
    """Weights files in the repository that the lock does not know."""
    listed = {weight.path for weight in lock.weights if not weight.package}
    root = lock_file.ROOT
    folders = (root / "emotion_encoders", root / "pipelines")
    found = sorted(path for folder in folders for path in folder.rglob("*.safetensors") if path not in listed)
    return [
        f"{path.relative_to(root)} is not in weights.lock: add an entry with its licence and source."
        for path in found
    ]


@dataclass(frozen=True)
class Request:
    """What weights.lock says of every weights file and model, and whether it is true."""

    command: Annotated[tyro.conf.Positional[Command], tyro.conf.arg(metavar="COMMAND")]
    """lock: write digests anew, of bundled files or, from the hub, of models. fetch: bring models.

    verify: compare files with weights.lock. licenses, list: print.
    """
    names: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[NAME ...]")] = ()
    """Models, for fetch, lock and verify; verify without names compares all that is here."""
    unlocked: bool = False
    """Fetch models without digests in weights.lock too, by what the hub says of them today."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; 0 all is well, 1 a file is wrong or did not come, 2 the request or lock is wrong."""
    request = tyro.cli(
        Request, prog="python -m gen.weights", args=arguments, config=(tyro.conf.FlagCreatePairsOff,)
    )
    try:
        lock = read_lock()
        _check(request)
        found = _run(request, lock, [lock.model(name) for name in dict.fromkeys(request.names)])
    except WeightsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    sys.stderr.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


def _check(request: Request) -> None:
    if request.command == "fetch" and not request.names:
        raise WeightsError("'fetch' needs the name of a model; `python -m gen.weights list` tells them.")
    if request.command in ("licenses", "list") and request.names:
        raise WeightsError(f"'{request.command}' prints everything; leave out {', '.join(request.names)}.")
    if request.command != "fetch" and request.unlocked:
        raise WeightsError("--unlocked is for 'fetch'.")


def _run(request: Request, lock: Lock, named: Sequence[Model]) -> list[str]:
    match request.command:
        case "fetch":
            return [told for model in named if (told := _fetch(model, request.unlocked)) is not None]
        case "lock" if named:
            return [told for model in named if (told := _lock(model)) is not None]
        case "lock":
            write_text(lock_file.LOCK, written(relocked(lock)))
            return unlisted(lock)
        case "verify" if named:
            return [told for model in named for told in _verified(model)]
        case "verify":
            changed = [told for model in lock.models for told in models.changed(model)]
            return problems(lock.weights) + unlisted(lock) + changed
        case "licenses":
            _print(("name", "licence", "research_only", "source"), _licences(lock))
        case "list":
            _print(("name", "for", "size", "sha256", "file"), _files(lock))
    return []


def _fetch(model: Model, unlocked: bool) -> str | None:
    """Why a model did not come, as a sentence; None if it is here and whole."""
    from gen.fetch import fetch, from_hub

    if not (model.is_pinned or unlocked):
        return (
            f"'{model.name}' has no digests by which its download could be checked. "
            f"Not seen: {model.missing or 'some digests.'} `python -m gen.weights lock {model.name}` asks "
            "the hub for them; with --unlocked it is fetched by what the hub says today."
        )
    try:
        fetch(model if model.is_pinned else from_hub(model), models.place(model), _tell)
    except WeightsError as error:
        return str(error)
    sys.stdout.write(f"{models.place(model)}\n")
    return None


def _lock(model: Model) -> str | None:
    """Why a model's digests could not be written to weights.lock, as a sentence; None if they were."""
    from gen.fetch import digests, from_hub

    if model.is_pinned:
        return None
    try:
        with tempfile.TemporaryDirectory() as folder:
            whole = digests(from_hub(model), Path(folder), _tell)
    except WeightsError as error:
        return str(error)
    lock = read_lock()
    entries = tuple(whole if entry.name == whole.name else entry for entry in lock.models)
    write_text(lock_file.LOCK, written(replace(lock, models=entries)))
    return None


def _verified(model: Model) -> list[str]:
    missing = models.problem(model)
    return [missing] if missing else models.changed(model)


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _licences(lock: Lock) -> list[tuple[str, ...]]:
    rows = [(w.name, w.licence, str(w.research_only), w.source) for w in lock.weights]
    return rows + [(m.name, m.licence, str(m.research_only), m.repo) for m in lock.models]


def _files(lock: Lock) -> list[tuple[str, ...]]:
    rows = [(w.name, w.purpose, str(w.size), w.sha256, w.file) for w in lock.weights]
    for m in lock.models:
        here = "not fetched" if models.problem(m) else str(models.place(m))
        pins = f"of {sum(file.is_pinned for file in m.files)} of {len(m.files)} files"
        rows.append((m.name, m.sense, str(m.size or "not known"), pins, here))
    return rows


def _print(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    table = [columns, *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(columns))]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")


if __name__ == "__main__":
    sys.exit(main())
