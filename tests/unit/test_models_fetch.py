"""Models are fetched whole from a server of this machine that cuts, changes and withholds files."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gen import lock, models, weights
from gen.fetch import FetchError, fetch
from tests.hub import BIG, REVISION, Hub, entry_of, locked, quiet

ROOT = Path(__file__).parents[2]


def test_a_model_is_fetched_by_name_and_used_from_its_folder(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    locked(entry_of(hub))
    with pytest.raises(
        weights.WeightsError, match=r"`python -m gen\.weights fetch big` fetches it .*0\.001 GB; licence: MIT"
    ):
        models.folder("big")
    assert weights.main(["fetch", "big"]) == 0
    folder = models.folder("big")
    assert capsys.readouterr().out == f"{folder}\n"
    assert (folder / "a" / "model.safetensors").read_bytes() == BIG
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == [
        "config.json",
        "model.safetensors",
    ]
    assert weights.main(["verify", "big"]) == 0


def test_what_is_right_is_not_fetched_again(hub: Hub) -> None:
    entry = entry_of(hub)
    fetch(entry, models.place(entry), quiet)
    hub.asked.clear()
    fetch(entry, models.place(entry), quiet)
    assert hub.asked == []
    (models.place(entry) / "config.json").write_text("[]")
    fetch(entry, models.place(entry), quiet)
    assert hub.asked == [("config.json", None)]


def test_a_changed_file_is_found_and_repaired(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    entry = locked(entry_of(hub))
    weights.main(["fetch", "big"])
    (models.place(entry) / "config.json").write_text("[]")
    assert models.folder("big")  # of the same size, and digests are not read at every use
    assert weights.main(["verify"]) == 1
    assert "'big': config.json is missing or not the file in weights.lock" in capsys.readouterr().err
    assert weights.main(["fetch", "big"]) == 0
    assert weights.main(["verify", "big"]) == 0


def test_a_file_of_another_size_is_not_used(hub: Hub) -> None:
    entry = locked(entry_of(hub))
    weights.main(["fetch", "big"])
    (models.place(entry) / "config.json").write_text("{ }")
    with pytest.raises(weights.WeightsError, match=r"1 of 2 files are missing or not whole.*config\.json"):
        models.folder("big")


def test_a_file_with_another_digest_is_refused_and_not_kept(hub: Hub) -> None:
    entry = entry_of(hub)
    hub.files["a/model.safetensors"] = BIG[::-1]
    with pytest.raises(FetchError, match=r"'big': a/model\.safetensors came with .* nothing of it was kept"):
        fetch(entry, models.place(entry), quiet)
    assert [path.name for path in models.place(entry).rglob("*.*")] == ["config.json"]


@pytest.mark.parametrize("hides_length", [False, True])
def test_a_cut_download_goes_on_from_where_it_ended(hub: Hub, hides_length: bool) -> None:
    entry = entry_of(hub)
    hub.cut_after, hub.hides_length = 500_000, hides_length
    with pytest.raises(FetchError, match="ended after 500000 of 1024000 bytes: run the same command again"):
        fetch(entry, models.place(entry), quiet)
    hub.cut_after = None
    fetch(entry, models.place(entry), quiet)
    assert hub.asked[-1] == ("a/model.safetensors", "bytes=500000-")
    assert (models.place(entry) / "a" / "model.safetensors").read_bytes() == BIG


def test_a_wrong_beginning_is_not_kept_either(hub: Hub) -> None:
    entry = entry_of(hub)
    part = models.place(entry) / "a" / "model.safetensors.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    with pytest.raises(FetchError, match="nothing of it was kept"):
        fetch(entry, models.place(entry), quiet)
    fetch(entry, models.place(entry), quiet)
    assert hub.asked[-1] == ("a/model.safetensors", None)


def test_a_killed_fetch_goes_on_from_where_it_ended(hub: Hub) -> None:
    entry = locked(entry_of(hub))
    hub.slow_after = 700_000
    program = (
        "import sys; from pathlib import Path; from gen import lock, weights; "
        "lock.LOCK = Path(sys.argv[1]); weights.main(['fetch', 'big'])"
    )
    running = subprocess.Popen([sys.executable, "-c", program, str(lock.LOCK)], cwd=ROOT)
    part = models.place(entry) / "a" / "model.safetensors.part"
    until = time.monotonic() + 30
    while not (part.is_file() and part.stat().st_size) and time.monotonic() < until:
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    done = part.stat().st_size
    assert 0 < done < len(BIG)
    with pytest.raises(weights.WeightsError, match=r"first is a/model\.safetensors"):
        models.folder("big")
    hub.slow_after = None
    assert weights.main(["fetch", "big"]) == 0
    assert hub.asked[-1] == ("a/model.safetensors", f"bytes={done}-")
    assert models.folder("big") == models.place(entry)


def test_what_is_not_there_is_said_with_its_address(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    locked(entry_of(hub))
    del hub.files["config.json"]
    assert weights.main(["fetch", "big"]) == 1
    assert (
        f"{REVISION}/config.json cannot be fetched (HTTP 404): it is not there any more"
        in capsys.readouterr().err
    )


def test_a_server_out_of_reach_is_said(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    locked(entry_of(hub))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    assert weights.main(["fetch", "big"]) == 1
    assert "Connection refused): check the network" in capsys.readouterr().err


def test_a_disk_without_room_is_said_before_anything_is_fetched(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(ROOT)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", {models.cache().parent: usage}.__getitem__)
    entry = entry_of(hub)
    with pytest.raises(FetchError, match=r"'big' needs 0\.001 GB more and .* set MIEN_MODELS"):
        fetch(entry, models.place(entry), quiet)
    assert hub.asked == []
    assert not models.place(entry).exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_disk_that_fills_up_is_said(hub: Hub) -> None:
    entry = entry_of(hub)
    part = models.place(entry) / "a" / "model.safetensors.part"
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")
    with pytest.raises(FetchError, match=r"model\.safetensors' could not be written: the disk is full"):
        fetch(entry, models.place(entry), quiet)
    assert not (models.place(entry) / "a" / "model.safetensors").exists()
