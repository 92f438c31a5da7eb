"""What weights.lock does not know of a model is asked of a hub, here a server of this machine."""

import io
import zipfile
from pathlib import Path

import pytest

from gen import lock, models, weights
from gen.fetch import FetchError, fetch, from_hub
from gen.lock import Model, ModelFile, read_lock
from tests.hub import BIG, Hub, digest, entry_of, locked, quiet


def test_without_digests_nothing_is_fetched_unless_asked_to(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.small.add("config.json")
    locked(entry_of(hub, pinned=False))
    assert weights.main(["fetch", "big"]) == 1
    told = capsys.readouterr().err
    assert "'big' has no digests by which its download could be checked" in told
    assert hub.asked == []
    with pytest.raises(weights.WeightsError, match="fetch big --unlocked"):
        models.folder("big")
    assert weights.main(["fetch", "big", "--unlocked"]) == 0
    assert models.folder("big") == models.place(read_lock().model("big"))


def test_unlocked_still_refuses_what_the_hub_itself_contradicts(hub: Hub) -> None:
    entry = from_hub(entry_of(hub, pinned=False))
    hub.files["a/model.safetensors"] = BIG[::-1]
    with pytest.raises(FetchError, match="nothing of it was kept"):
        fetch(entry, models.place(entry), quiet)


def test_locking_a_model_takes_its_digests_from_the_hub(hub: Hub) -> None:
    hub.small.add("config.json")
    locked(entry_of(hub, pinned=False))
    assert weights.main(["lock", "big"]) == 0
    assert read_lock().model("big") == entry_of(hub)
    assert [path for path, _ in hub.asked[1:]] == ["config.json"]  # large files are not fetched for it


def test_a_list_of_files_that_was_not_whole_is_filled_up(hub: Hub) -> None:
    entry = entry_of(hub, missing="Most of it.")
    hub.files |= {"tokenizer/vocab.txt": b"a b", "README.md": b"# Big", "model.bin": b"pickle"}
    found = from_hub(entry)
    assert [file.path for file in found.files] == [
        "config.json",
        "a/model.safetensors",
        "tokenizer/vocab.txt",
    ]
    assert found.is_pinned
    assert not entry.is_pinned


def test_a_hub_that_contradicts_the_lock_is_not_believed(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    locked(entry_of(hub, missing="Some."))
    hub.files["a/model.safetensors"] = BIG[::-1]
    assert weights.main(["lock", "big"]) == 1
    assert "of a/model.safetensors, weights.lock" in capsys.readouterr().err
    assert read_lock().model("big").missing == "Some."


@pytest.mark.parametrize("path", ["../../escaped.json", "/escaped.json"])
def test_a_hub_that_names_files_elsewhere_is_not_followed(hub: Hub, path: str, tmp_path: Path) -> None:
    entry = entry_of(hub, missing="Most of it.")
    hub.files[path] = b"{}"
    with pytest.raises(lock.WeightsError, match="no path below the model's folder"):
        from_hub(entry)


@pytest.mark.parametrize("answer", [b"<html>Sign in to this network", b"[]", b'{"siblings": [{}]}'])
def test_an_answer_that_is_no_list_of_files_is_said(hub: Hub, answer: bytes) -> None:
    hub.list_of_files = answer
    with pytest.raises(FetchError, match="gave no list of files"):
        from_hub(entry_of(hub, missing="Most of it."))


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, body in files.items():
            archive.writestr(path, body)
    return packed.getvalue()


def packed_model(hub: Hub, body: bytes, *, inside: bytes = BIG) -> Model:
    hub.files = {"pack.zip": body}
    return Model(
        name="packed",
        repo=f"{hub.url}/files",
        licence="MIT",
        research_only=True,
        sense="identity",
        archive=ModelFile("pack.zip", len(body), digest(body)),
        files=(ModelFile("det.onnx", len(inside), digest(inside)),),
    )


def test_an_archive_is_unpacked_and_removed(hub: Hub) -> None:
    entry = packed_model(hub, zipped({"pack/det.onnx": BIG, "pack/other.onnx": b"x"}))
    fetch(entry, models.place(entry), quiet)
    assert [path.name for path in models.place(entry).iterdir()] == ["det.onnx"]
    assert models.problem(entry) is None
    hub.asked.clear()
    fetch(entry, models.place(entry), quiet)
    assert hub.asked == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (zipped({"other.onnx": BIG}), "det.onnx is not in its archive"),
        (zipped({"det.onnx": b"short"}), "det.onnx is not in its archive as"),
        (zipped({"det.onnx": BIG[::-1]}), "det.onnx in its archive is not the file"),
        (b"no archive", r"pack\.zip is no zip archive"),
    ],
)
def test_an_archive_with_something_else_in_it_is_refused(hub: Hub, body: bytes, told: str) -> None:
    entry = packed_model(hub, body)
    with pytest.raises(FetchError, match=told):
        fetch(entry, models.place(entry), quiet)
    assert not (models.place(entry) / "det.onnx").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["fetch"], "'fetch' needs the name of a model"),
        (["fetch", "bigg"], "'bigg' is not a model of weights.lock, which has big"),
        (["list", "big"], "'list' prints everything; leave out big"),
        (["verify", "--unlocked"], "--unlocked is for 'fetch'"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    hub: Hub, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    locked(entry_of(hub))
    assert weights.main(arguments) == 2
    assert told in capsys.readouterr().err


def test_models_lie_in_the_cache_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MIEN_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert models.cache() == tmp_path / "mien" / "models"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert models.cache() == Path.home() / ".cache" / "mien" / "models"
