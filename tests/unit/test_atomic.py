"""Whether a folder could take a file, and why a file was not written, in sentences."""

import errno
from pathlib import Path

import pytest

from gen.atomic import unwritable, unwritten, write_text


def test_a_folder_that_is_there_or_could_be_made_is_fine(tmp_path: Path) -> None:
    assert unwritable(tmp_path) is None
    assert unwritable(tmp_path / "new" / "deeper") is None


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    for folder in (tmp_path / "clip.mp4", tmp_path / "clip.mp4" / "out"):
        assert "clip.mp4' is a file, so it cannot hold others" in (unwritable(folder) or "")


def test_a_name_that_no_disk_takes_breaks_nothing(tmp_path: Path) -> None:
    assert unwritable(tmp_path / ("n" * 300)) is None  # making it will say so


@pytest.mark.parametrize(
    ("number", "told"),
    [(errno.ENOSPC, "the disk is full"), (errno.ENAMETOOLONG, "its name is too long"), (0, "gremlins")],
)
def test_what_kept_a_file_from_being_written_is_said(number: int, told: str) -> None:
    sentence = unwritten(Path("out/ada.mp4"), OSError(number, "gremlins"))
    assert sentence.startswith(f"'out/ada.mp4' could not be written: {told}")


def test_a_text_that_cannot_take_its_place_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_text(tmp_path / "taken", "a record")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
