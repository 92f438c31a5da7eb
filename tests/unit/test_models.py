"""Published models by name or by folder, and what weights.lock says of those that are published."""

from pathlib import Path

import pytest

from gen import models
from gen.lock import Model, ModelFile, WeightsError, read_lock


@pytest.fixture
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("MIEN_MODELS", str(tmp_path))
    return tmp_path


def test_a_model_that_was_not_fetched_says_how_large_it_is_under_which_terms_and_how_to_get_it(
    empty_cache: Path,
) -> None:
    with pytest.raises(WeightsError) as told:
        models.folder("wan2.1-t2v-1.3b")
    assert str(told.value) == (
        "'wan2.1-t2v-1.3b' cannot be used: it is not on this machine. `python -m gen.weights fetch "
        f"wan2.1-t2v-1.3b` fetches it to '{empty_cache / 'wan2.1-t2v-1.3b'}' (28.9 GB; licence: Apache-2.0)."
    )


def test_a_folder_may_be_given_in_place_of_a_name(empty_cache: Path) -> None:
    assert models.chosen(str(empty_cache), "text") == (empty_cache, None)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nope", r"'nope' is neither a folder nor a model \(known for text: roberta-go-emotions, "),
        ("wan2.1-t2v-1.3b", r"'wan2\.1-t2v-1\.3b' is a model for video \(known for text: roberta"),
        ("roberta-go-emotions", r"fetch roberta-go-emotions` fetches it to .* \(0\.502 GB; licence: MIT\)"),
    ],
)
def test_what_is_no_model_for_it_is_refused(empty_cache: Path, name: str, told: str) -> None:
    with pytest.raises(WeightsError, match=told):
        models.chosen(name, "text")


def test_labels_of_the_lock_come_with_the_folder(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = read_lock().model("enet-b0-va-mtl")
    (empty_cache / entry.name).mkdir()
    with (empty_cache / entry.name / entry.files[0].path).open("wb") as file:
        file.truncate(entry.files[0].size)
    assert models.chosen(entry.name, "face") == (empty_cache / entry.name, entry.labels or None)
    assert models.changed(entry) == [
        "'enet-b0-va-mtl': enet_b0_8_va_mtl.onnx is missing or not the file in weights.lock: "
        "run `python -m gen.weights fetch enet-b0-va-mtl`."
    ]


def test_the_lock_names_the_models_that_the_pipelines_and_encoders_ask_for() -> None:
    by_sense: dict[str, list[str]] = {}
    for model in read_lock().models:
        by_sense.setdefault(model.sense, []).append(model.name)
    assert by_sense["video"] == [
        "wan2.1-t2v-1.3b",
        "wan2.1-t2v-14b",
        "wan2.1-i2v-14b-480p",
        "wan2.1-vace-1.3b",
        "wan2.2-ti2v-5b",
        "wan2.2-animate-14b",
        "wan2.2-t2v-a14b",
    ]
    assert by_sense["text"] == ["roberta-go-emotions", "distilroberta-emotion"]
    assert by_sense["scene"] == ["clip-vit-large-patch14"]


def test_every_model_on_the_hub_is_pinned_to_a_commit() -> None:
    moving = [m.name for m in read_lock().models if m.is_on_hub and len(m.revision) != 40]
    assert moving == []


def test_every_model_says_its_terms_and_a_model_without_all_digests_says_what_is_missing() -> None:
    entries = read_lock().models
    assert [model.name for model in entries if not model.licence.strip()] == []
    assert [model.name for model in entries if not model.is_pinned and not model.missing] == []


def test_the_same_file_has_the_same_digest_wherever_it_is() -> None:
    """The Wan models share their text encoder and decoder; a slip in copying would show here."""
    sizes: dict[str, set[int]] = {}
    for model in read_lock().models:
        for file in model.files:
            if file.sha256 and file.size:
                sizes.setdefault(file.sha256, set()).add(file.size)
    assert [digest for digest, found in sizes.items() if len(found) > 1] == []


@pytest.mark.parametrize(
    ("size", "told"),
    [(0, "size not known"), (300, "under 0.001 GB"), (5_000_000, "0.005 GB"), (28_928_887_859, "28.9 GB")],
)
def test_sizes_are_told_in_gigabytes(size: int, told: str) -> None:
    assert models.gigabytes(size) == told


def test_the_size_of_a_model_is_what_its_publisher_says_where_files_were_not_seen() -> None:
    model = Model(
        name="m",
        repo="o/m",
        licence="MIT",
        research_only=False,
        sense="video",
        files=(ModelFile("a", 5), ModelFile("b")),
    )
    assert model.size == 0
    assert Model(**{**vars(model), "stated_size": 9}).size == 9
