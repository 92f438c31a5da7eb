"""Published models by name: where one lies on this machine, and why it cannot be used if it cannot."""

import os
from dataclasses import replace
from pathlib import Path

from gen.job import file_sha256
from gen.lock import Model, ModelFile, Sense, WeightsError, read_lock

GB = 1_000_000_000


def cache() -> Path:
    """The folder of fetched models: $MIEN_MODELS, or mien/models in the user's cache folder."""
    chosen = os.environ.get("MIEN_MODELS")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mien" / "models"


def place(model: Model) -> Path:
    """Where a model is, or will be once it is fetched."""
    return cache() / model.name


def folder(name: str) -> Path:
    """The folder of a fetched model; WeightsError if it is unknown, not there, or a file's size is wrong."""
    model = read_lock().model(name)
    if (told := problem(model)) is not None:
        raise WeightsError(told)
    return place(model)


def chosen(name: str, sense: Sense) -> tuple[Path, tuple[str, ...] | None]:
    """The folder that a name of weights.lock or a path stands for, and the labels of its outputs if listed.

    Raises WeightsError if it is neither, or a model for something else.
    """
    lock = read_lock()
    fitting = ", ".join(model.name for model in lock.models if model.sense == sense) or "none in weights.lock"
    offered = f"known for {sense}: {fitting}; or give the folder of a download"
    if any(model.name == name for model in lock.models):
        model = lock.model(name)
        if model.sense != sense:
            raise WeightsError(f"'{name}' is a model for {model.sense} ({offered}).")
        return folder(name), model.labels or None
    if not Path(name).is_dir():
        raise WeightsError(f"'{name}' is neither a folder nor a model ({offered}).")
    return Path(name), None


def problem(model: Model) -> str | None:
    """Why a model cannot be used here, as a sentence; None if every file is there with its size."""
    wrong = [file.path for file in model.files if not has_size(place(model) / file.path, file)]
    if not wrong:
        return None
    lacks = "it is not on this machine"
    if len(wrong) < len(model.files):
        lacks = f"{len(wrong)} of {len(model.files)} files are missing or not whole, the first is {wrong[0]}"
    return (
        f"'{model.name}' cannot be used: {lacks}. `{command(model)}` fetches it to '{place(model)}' "
        f"({gigabytes(model.size)}; licence: {model.licence})."
    )


def command(model: Model) -> str:
    """What fetches it."""
    return f"python -m gen.weights fetch {model.name}{'' if model.is_pinned else ' --unlocked'}"


def gigabytes(size: int) -> str:
    """Bytes for a reader; 0 is a size that nobody saw."""
    if 0 < size < GB / 1000:
        return "under 0.001 GB"
    return f"{size / GB:.{1 if size >= GB else 3}f} GB" if size else "size not known"


def has_size(path: Path, file: ModelFile) -> bool:
    """Whether the file is there, with its size if that is known."""
    try:
        return path.is_file() and file.size in (0, path.stat().st_size)
    except OSError:  # a folder that may not be entered
        return False


def is_right(path: Path, file: ModelFile) -> bool:
    """Whether the file is there, with its size and digest as far as they are known; reads all of it."""
    return has_size(path, file) and file.sha256 in ("", file_sha256(path))


def changed(model: Model) -> list[str]:
    """What is wrong with a model that was fetched, as sentences; nothing is said of one that was not."""
    if not any(has_size(place(model) / file.path, replace(file, size=0)) for file in model.files):
        return []
    return [
        f"'{model.name}': {file.path} is missing or not the file in weights.lock: run `{command(model)}`."
        for file in model.files
        if not is_right(place(model) / file.path, file)
    ]
