"""Files that appear whole or not at all: written beside their place under another name, then renamed."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_WHY = {
    errno.ENOSPC: "the disk is full; free some space and run it again",
    errno.EDQUOT: "your share of the disk is used up; free some space and run it again",
    errno.EFBIG: "files may not grow that large here; raise the limit or choose another folder",
    errno.EACCES: "this folder may not be written to; choose another one",
    errno.EPERM: "this folder may not be written to; choose another one",
    errno.EROFS: "this disk may only be read; choose another folder",
    errno.ENOENT: "its folder is gone or cannot be made",
    errno.EISDIR: "a folder has that name",
    errno.EEXIST: "a file stands where its folder should be",
    errno.ENOTDIR: "a file stands where its folder should be",
    errno.ENAMETOOLONG: "its name is too long",
}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name to write to; on leaving it takes `path`'s place, and on any error it is removed."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        flush(part)
        part.replace(path)
        flush(path.parent)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text so that no reader ever sees half of it."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def unwritten(path: Path, error: OSError) -> str:
    """Why a file could not be written, as a sentence."""
    return f"'{path}' could not be written: {_WHY.get(error.errno or 0, error.strerror or str(error))}."


def unwritable(folder: Path) -> str | None:
    """Why no file could be written into this folder, which need not exist yet; None if one could."""
    # Path.exists raises where a folder may not be entered or a name is too long; os.path.exists says no.
    whole = folder.absolute()
    nearest = next(f for f in (whole, *whole.parents) if os.path.exists(f))  # noqa: PTH110 - see above
    if not nearest.is_dir():
        return f"'{nearest}' is a file, so it cannot hold others: give a folder."
    if not os.access(nearest, os.W_OK | os.X_OK):
        return f"'{nearest}' may not be written to: choose another folder."
    return None


def flush(path: Path) -> None:
    """Waits until the disk has the file's bytes, or the folder's names; reports a write that failed late."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
