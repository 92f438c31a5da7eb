"""Fetching published models over https: whole, with the digests of weights.lock, or not at all."""

import http.client
import json
import os
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path, PurePosixPath

from gen.atomic import flush, replacing, unwritten
from gen.job import file_sha256
from gen.lock import Model, ModelFile, WeightsError, file_of
from gen.models import GB, gigabytes, is_right

CHUNK = 1 << 20
TIMEOUT_SECONDS = 30  # without a byte
TELL_SECONDS = 5.0
# What a model folder is loaded from; pictures, readme files and pickles in a repository are left there.
SUFFIXES = (".safetensors", ".json", ".txt", ".model")
Tell = Callable[[str], None]


class FetchError(WeightsError):
    """A download that did not come, or came wrong; the message is a sentence, and what is there is whole."""


def fetch(model: Model, folder: Path, tell: Tell) -> None:
    """Brings every file that is not there or not right; small ones first, each one whole or not at all.

    A download that was cut or killed leaves a .part file, from which the next call goes on. Whatever stands
    in the way is a FetchError.
    """
    wrong = sorted(
        (file for file in model.files if not is_right(folder / file.path, file)), key=lambda file: file.size
    )
    coming = [model.archive] if model.archive and wrong else wrong
    _check_room(model, folder, [*coming, *(wrong if model.archive else ())])
    for number, file in enumerate(coming, start=1):
        tell(f"{model.name} {number}/{len(coming)}: {file.path}, {gigabytes(file.size)}")
        _bring(model, file, folder / file.path, tell)
    if model.archive and wrong:
        _unpack(model, folder, wrong)


def from_hub(model: Model) -> Model:
    """The model with the sizes and digests that the hub states, and with all its files if some were missing.

    Small files that are not stored as LFS objects have no sha256 there. Raises FetchError if the hub cannot
    be reached, or contradicts what weights.lock says.
    """
    if not model.is_on_hub:
        raise FetchError(f"'{model.name}' is not on the hub, which alone states digests; add them by hand.")
    address = f"{_hub()}/api/models/{model.repo}/revision/{model.revision}?blobs=true"
    stated = _stated(model, address)
    known = {file.path: file for file in model.files}
    absent = sorted(known.keys() - stated.keys())
    if absent:
        raise FetchError(f"'{model.name}': the hub has no {', '.join(absent)} at {model.revision}.")
    new = [p for p in stated if p.endswith(SUFFIXES) and p not in known] if model.missing else []
    files = tuple(_agreed(model, known.get(path), stated[path]) for path in [*known, *new])
    return replace(model, files=files, missing="")


def digests(model: Model, folder: Path, tell: Tell) -> Model:
    """The model with a digest of each file that has none, by downloading it to `folder`."""
    for file in model.files:
        if not file.is_pinned:
            _bring(model, file, folder / file.path, tell)
    files = (_measured(folder / file.path, file) for file in model.files)
    return replace(model, files=tuple(files))


def _measured(path: Path, file: ModelFile) -> ModelFile:
    if not path.is_file():  # it had its digest already
        return file
    return replace(file, size=path.stat().st_size, sha256=file_sha256(path))


def _stated(model: Model, address: str) -> dict[str, ModelFile]:
    """What the hub's list of a repository says of each file."""
    with closing(_open(address)) as answer:
        try:
            rows = [
                {
                    "path": row["rfilename"],
                    "size": row["size"],
                    "sha256": (row.get("lfs") or {}).get("sha256", ""),
                }
                for row in json.load(answer)["siblings"]
            ]
        except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
            raise FetchError(f"{address} gave no list of files: try again, or check HF_ENDPOINT.") from None
    return {row["path"]: file_of(model.name, row) for row in rows}


def _agreed(model: Model, ours: ModelFile | None, theirs: ModelFile) -> ModelFile:
    if ours is None:
        return theirs
    for mine, other in ((ours.size, theirs.size), (ours.sha256, theirs.sha256)):
        if mine and other and mine != other:
            raise FetchError(
                f"'{model.name}': the hub says {other} of {ours.path}, weights.lock {mine}: do not use it."
            )
    return replace(ours, size=ours.size or theirs.size, sha256=ours.sha256 or theirs.sha256)


def _hub() -> str:
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def _address(model: Model, file: ModelFile) -> str:
    base = f"{_hub()}/{model.repo}/resolve/{model.revision}" if model.is_on_hub else model.repo
    return f"{base}/{urllib.parse.quote(file.path)}"


def _check_room(model: Model, folder: Path, coming: Sequence[ModelFile]) -> None:
    """Refuses to begin what the disk cannot hold."""
    nearest = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    begun = (_part(folder / file.path) for file in coming)
    need = sum(file.size for file in coming) - sum(part.stat().st_size for part in begun if part.is_file())
    free = shutil.disk_usage(nearest).free
    if need > free:
        raise FetchError(
            f"'{model.name}' needs {gigabytes(need)} more and '{nearest}' has {gigabytes(free)} free: "
            "make room, or set MIEN_MODELS to a folder on a larger disk."
        )


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _bring(model: Model, file: ModelFile, path: Path, tell: Tell) -> None:
    """One file to its place, checked, by way of its .part."""
    part = _part(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _download(_address(model, file), file, part, tell)
        if not is_right(part, file):
            found = f"{part.stat().st_size} bytes, sha256 {file_sha256(part)}"
            part.unlink()
            raise FetchError(
                f"'{model.name}': {file.path} came with {found}, which is not what weights.lock says; "
                "it was changed at its source or on the way, and nothing of it was kept."
            )
        flush(part)
        part.replace(path)
        flush(path.parent)
    except OSError as error:
        raise FetchError(unwritten(path, error)) from None


def _download(address: str, file: ModelFile, part: Path, tell: Tell) -> None:
    """The bytes to a .part file, from where an earlier try ended."""
    done = part.stat().st_size if part.is_file() else 0
    if not (file.is_pinned and done <= file.size):  # nothing would tell a wrong beginning from a right one
        done = 0
    if done and done == file.size:
        return
    with closing(_open(address, start=done)) as answer:
        if done and answer.status != http.HTTPStatus.PARTIAL_CONTENT:
            done = 0
        length = answer.headers.get("Content-Length")
        whole = done + int(length) if length else file.size
        told = time.monotonic()
        with part.open("ab" if done else "wb") as out:
            while block := _read(answer, address):
                done += out.write(block)
                if time.monotonic() - told > TELL_SECONDS:
                    told = time.monotonic()
                    tell(f"  {file.path}: {done / GB:.2f} of {gigabytes(whole)}")
    if done < whole:
        raise FetchError(
            f"The connection to {address} ended after {done} of {whole} bytes: "
            "run the same command again, it goes on from there."
        )


def _open(address: str, start: int = 0) -> http.client.HTTPResponse:
    request = urllib.request.Request(  # noqa: S310 - weights.lock has only https addresses
        address, headers={"User-Agent": "mien", **({"Range": f"bytes={start}-"} if start else {})}
    )
    try:
        return urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310 - as above
    except urllib.error.HTTPError as error:
        why = _REFUSALS.get(error.code, "try again later")
        raise FetchError(f"{address} cannot be fetched (HTTP {error.code}): {why}.") from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise FetchError(
            f"{address} cannot be reached ({reason}): check the network, then run it again."
        ) from None


_REFUSALS = {
    401: "its owner asks for an account or has closed it",
    403: "its owner asks for an account or has closed it",
    404: "it is not there any more, or its name in weights.lock is wrong",
    416: "it is shorter than it was: remove its .part file and run it again",
    429: "too much was asked for; wait some minutes and run it again",
}


def _read(answer: http.client.HTTPResponse, address: str) -> bytes:
    try:
        return answer.read1(CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise FetchError(
            f"The connection to {address} broke ({error}): run the same command again, it goes on from there."
        ) from None


def _unpack(model: Model, folder: Path, files: Iterable[ModelFile]) -> None:
    """The files out of the archive, wherever they lie in it; then the archive is removed."""
    if model.archive is None:
        return
    path = folder / model.archive.path
    try:
        with zipfile.ZipFile(path) as archive:
            for file in files:
                _extract(model, archive, file, folder / file.path)
    except zipfile.BadZipFile:
        raise FetchError(f"'{model.name}': {model.archive.path} is no zip archive.") from None
    except OSError as error:
        raise FetchError(unwritten(path, error)) from None
    path.unlink()


def _extract(model: Model, archive: zipfile.ZipFile, file: ModelFile, path: Path) -> None:
    name = PurePosixPath(file.path).name
    found = [info for info in archive.infolist() if PurePosixPath(info.filename).name == name]
    if len(found) != 1 or (file.size and found[0].file_size != file.size):
        raise FetchError(f"'{model.name}': {name} is not in its archive as weights.lock says.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        with archive.open(found[0]) as packed, part.open("wb") as out:
            shutil.copyfileobj(packed, out, CHUNK)
        if not is_right(part, file):
            raise FetchError(f"'{model.name}': {name} in its archive is not the file in weights.lock.")
