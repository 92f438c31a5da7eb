"""Which files are opened at all."""

import os
from pathlib import Path

import pytest

from gen import intake
from gen.intake import MediaError, checked, problem


def test_an_ordinary_file_has_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "voice.wav"
    path.write_bytes(b"RIFF....")
    assert problem(path) is None
    assert checked(path) == path


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/p.jpg",
        "https://example.org/a.wav",
        "concat:a.wav|b.wav",
        "subfile,,start,0,end,9,,:a.wav",
        "rtsp://camera/1",
        "file:///etc/hostname",
    ],
)
def test_an_address_is_refused_as_an_address(address: str) -> None:
    found = problem(Path(address))
    assert found is not None
    assert "is an address" in found


def test_a_local_file_may_be_named_like_an_address(tmp_path: Path) -> None:
    path = tmp_path / "concat:a.wav"
    path.write_bytes(b"RIFF")
    assert problem(path) is None


@pytest.mark.parametrize(
    "start",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\nhttp://127.0.0.1/a.ts\n",
        b"\xef\xbb\xbf  #extm3u\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"[playlist]\nFile1=a.mp3\n",
        b'<?xml version="1.0"?><MPD></MPD>',
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\n",
    ],
)
def test_a_list_of_files_is_refused_by_what_it_holds(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "voice.wav"
    path.write_bytes(start)
    assert "is a list of other files" in (problem(path) or "")


def test_a_list_of_files_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "live.M3U8"
    path.write_bytes(b"anything")
    assert "is a list of other files" in (problem(path) or "")


def test_what_is_no_file_is_named_for_what_it_is(tmp_path: Path) -> None:
    empty, pipe = tmp_path / "empty.jpg", tmp_path / "pipe"
    empty.touch()
    os.mkfifo(pipe)
    assert "does not exist" in (problem(tmp_path / "none.jpg") or "")
    assert "is a folder" in (problem(tmp_path) or "")
    assert "is empty" in (problem(empty) or "")
    assert "not a regular file" in (problem(pipe) or "")
    assert "not a regular file" in (problem(Path("/dev/zero")) or "")


def test_a_path_through_a_file_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    assert "does not exist" in (problem(tmp_path / "a.jpg" / "b.jpg") or "")


def test_a_name_too_long_to_exist_gets_a_sentence(tmp_path: Path) -> None:
    assert "does not exist" in (problem(tmp_path / ("a" * 300)) or "")


def test_a_file_larger_than_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.wav"
    with path.open("wb") as file:
        file.truncate(intake.MAX_BYTES + 1)
    with pytest.raises(MediaError, match=r"files up to 1\.1 GB are read"):
        checked(path)
