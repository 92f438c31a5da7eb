"""weights.lock is read strictly, checked against the files, and written back by one command."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gen import lock, weights
from gen.lock import Lock, Model, ModelFile, Weight, WeightsError, read_lock, written
from gen.weights import local_path, problems, relocked

ROOT = Path(__file__).parents[2]
ENTRY = """
[[weights]]
name = "rig"
file = "rig.safetensors"
purpose = "render"
licence = "MIT"
research_only = false
source = "gen/recipes/rig.py"
"""
MODEL = """
[[models]]
name = "big"
repo = "owner/big"
licence = "MIT"
research_only = false
sense = "text"
files = [
  { path = "model.safetensors", size = 3 },
]
"""


@pytest.fixture
def lock_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    monkeypatch.setattr(lock, "LOCK", tmp_path / "weights.lock")
    (tmp_path / "rig.safetensors").write_bytes(b"weights")
    path = tmp_path / "weights.lock"
    path.write_text(ENTRY)
    return path


def test_locking_writes_digest_and_size(lock_file: Path) -> None:
    assert weights.main(["lock"]) == 0
    (entry,) = read_lock(lock_file).weights
    assert entry.sha256 == hashlib.sha256(b"weights").hexdigest()
    assert entry.size == 7
    assert weights.main(["verify"]) == 0


def test_a_lock_reads_back_as_it_was_written(lock_file: Path) -> None:
    entry = Weight("é", "a b.bin", "judge", 'said "free"', True, "x", labels=("neutral", "joy"), size=3)
    model = Model(
        name="big-1.3b",
        repo="owner/big",
        licence="MIT",
        research_only=False,
        sense="video",
        labels=("é",),
        files=(ModelFile("a/b.json", 3, "0" * 64), ModelFile("c.bin")),
    )
    zipped = replace(model, name="zipped", repo="https://x.invalid/y", archive=ModelFile("z.zip", 9))
    whole = Lock((entry, replace(entry, name="other")), (model, zipped))
    lock_file.write_text(written(whole), encoding="utf-8")
    assert read_lock(lock_file) == whole


def test_locking_bundled_files_leaves_the_models_as_they_are(lock_file: Path) -> None:
    lock_file.write_text(ENTRY + MODEL)
    before = read_lock(lock_file).models
    assert weights.main(["lock"]) == 0
    assert read_lock(lock_file).models == before


def test_a_changed_file_is_found(lock_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights.main(["lock"])
    (tmp_path / "rig.safetensors").write_bytes(b"weight5")
    assert weights.main(["verify"]) == 1
    assert "'rig': rig.safetensors is not the file in weights.lock" in capsys.readouterr().err
    assert len(problems(read_lock(lock_file).weights)) == 1


def test_a_missing_file_is_found(lock_file: Path, tmp_path: Path) -> None:
    weights.main(["lock"])
    (tmp_path / "rig.safetensors").unlink()
    assert "is missing; restore it" in problems(read_lock(lock_file).weights)[0]
    with pytest.raises(WeightsError, match="There is no file for rig"):
        relocked(read_lock(lock_file))
    assert weights.main(["lock"]) == 2


def test_a_file_that_the_lock_does_not_know_is_found(
    lock_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights.main(["lock"])
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "stray.safetensors").touch()
    assert weights.main(["verify"]) == 1
    assert "pipelines/stray.safetensors is not in weights.lock" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('source = "gen/recipes/rig.py"\n', ""), "missing source"),
        (('licence = "MIT"', 'license = "MIT"'), "unknown license"),
        (('"render"', '"fun"'), "'fun' is no purpose"),
        (("[[weights]]", "[[weights"), "cannot be read"),
        (('name = "big"', 'name = "../big"'), "use small letters"),
        (('name = "big"', 'name = "rig"'), "names rig more than once"),
        (('"owner/big"', '"http://x.invalid/big"'), "neither owner/name nor an https address"),
        (('sense = "text"', 'sense = "smell"'), "'smell' is no sense"),
        (('"model.safetensors"', '"../model.safetensors"'), "no path below the model's folder"),
        (('"model.safetensors"', '"/model.safetensors"'), "no path below the model's folder"),
        (("size = 3", 'sha256 = "123"'), "'123' is no sha256 of model.safetensors"),
        (("size = 3", "bytes = 3"), "big, a file: unknown bytes"),
        (('  { path = "model.safetensors", size = 3 },\n', ""), "each of its files stands there once"),
    ],
)
def test_a_wrong_lock_is_refused(lock_file: Path, change: tuple[str, str], told: str) -> None:
    lock_file.write_text((ENTRY + MODEL).replace(*change))
    with pytest.raises(WeightsError, match=told):
        read_lock(lock_file)


def test_a_name_stands_once(lock_file: Path) -> None:
    lock_file.write_text(ENTRY * 2)
    with pytest.raises(WeightsError, match="names rig more than once"):
        read_lock(lock_file)


def test_an_unknown_name_tells_the_known_ones() -> None:
    with pytest.raises(WeightsError, match=r"'rigg' is not in weights\.lock, which has .*rig"):
        local_path("rigg")


def test_a_package_that_is_not_installed_is_named() -> None:
    entry = Weight("mesh", "m.tflite", "render", "Apache-2.0", False, "x", package="no_such_package")
    assert "which is not installed" in (entry.problem() or "")


def test_weights_of_an_installed_package_are_found() -> None:
    assert local_path("face-mesh").name == "face_landmark_with_attention.tflite"


@pytest.mark.parametrize("command", ["licenses", "list"])
def test_every_entry_has_a_line(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert weights.main([command]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [
        e.name for e in (*read_lock().weights, *read_lock().models)
    ]


def test_looking_up_weights_does_not_import_torch() -> None:
    probe = "import sys; from gen.weights import read_lock; read_lock(); print('torch' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"
