"""Videos are written whole or not at all, picture and sound of one length, and read back as written."""

import errno
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from gen.media import MediaError, VideoWriter, is_whole, read_sound, read_video, write_video

RATE = 16_000
SIZE = (64, 48)
COLOURS = [(200, 60, 30), (20, 160, 230), (128, 128, 128)]


def pictures(count: int) -> Iterator[np.ndarray]:
    for index in range(count):
        yield np.full((SIZE[1], SIZE[0], 3), COLOURS[index % 3], np.uint8)


def voice(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


@pytest.mark.parametrize(
    ("fps", "count", "seconds"),
    [(25, 50, 2), (25, 50, 1.2), (25, 10, 3), (10, 7, 0.7), (60, 61, 1), (11, 13, 1.1)],
)
def test_picture_and_sound_are_of_one_length(tmp_path: Path, fps: int, count: int, seconds: float) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, pictures(count), fps, voice(seconds), RATE, "", SIZE)
    video = read_video(path)
    assert video.sound is not None
    assert video.rate is not None
    assert (video.fps, video.size, video.count, len(list(video.frames))) == (fps, SIZE, count, count)
    assert len(video.sound) / video.rate == pytest.approx(count / fps, abs=1 / fps)


def test_the_sound_stays_where_it_was(tmp_path: Path) -> None:
    path, said = tmp_path / "clip.mp4", voice(2)
    said = np.convolve(said, np.ones(16) / 16, "same").astype(np.float32)
    write_video(path, pictures(50), 25, said, RATE, "", SIZE)
    heard, rate = read_sound(path)
    heard = heard[:: rate // RATE]
    lags = range(-300, 301)
    alike = [float(np.dot(said[1000:20_000], heard[1000 + lag : 20_000 + lag])) for lag in lags]
    assert abs(lags[int(np.argmax(alike))]) <= 1


def test_colours_survive(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, pictures(3), 25, None, None, "", SIZE)
    for written, read in zip(COLOURS, read_video(path).frames, strict=True):
        assert read[20, 20] == pytest.approx(written, abs=4)


def test_the_file_is_what_browsers_play(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, pictures(30), 25, voice(1.2), RATE, "", SIZE)
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (audio.codec_context.name, audio.rate) == ("aac", 48_000)
    data = path.read_bytes()
    assert data.find(b"moov") < data.find(b"mdat")  # a browser can start before it has everything


def test_a_comment_of_twenty_kilobytes_survives(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    comment = json.dumps({"é": "ü" * 10_000, "line": "one\ntwo"}, ensure_ascii=False)
    write_video(path, pictures(3), 25, None, None, comment, SIZE)
    assert read_video(path).comment == comment


def test_the_same_frames_make_the_same_file(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        write_video(tmp_path / name, pictures(30), 25, voice(1), RATE, "made", SIZE)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_leaving_early_leaves_nothing(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "clip.mp4", fps=25, size=SIZE) as writer:
        writer.write(next(pictures(1)))
    assert list(tmp_path.iterdir()) == []


def test_a_fault_in_the_frames_leaves_the_earlier_clip(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, pictures(3), 25, None, None, "first", SIZE)

    def broken() -> Iterator[np.ndarray]:
        yield from pictures(2)
        raise RuntimeError("the renderer broke")

    with pytest.raises(RuntimeError, match="the renderer broke"):
        write_video(path, broken(), 25, None, None, "second", SIZE)
    assert read_video(path).comment == "first"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "frame",
    [np.zeros((48, 64, 3), np.float32), np.zeros((48, 64), np.uint8), np.zeros((64, 48, 3), np.uint8)],
)
def test_a_frame_of_another_shape_is_refused(tmp_path: Path, frame: np.ndarray) -> None:
    with pytest.raises(MediaError, match=r"this clip has frames of \(48, 64, 3\) uint8"):
        write_video(tmp_path / "clip.mp4", [frame], 25, None, None, "", SIZE)
    assert list(tmp_path.iterdir()) == []


def test_odd_sides_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="both sides must be even"):
        write_video(tmp_path / "clip.mp4", pictures(1), 25, None, None, "", (65, 48))


def test_no_frames_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="would have no frames"):
        write_video(tmp_path / "clip.mp4", [], 25, None, None, "", SIZE)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="could not be written: its folder is gone"):
        write_video(tmp_path / "gone" / "clip.mp4", pictures(1), 25, None, None, "", SIZE)


def test_a_clip_is_whole_only_with_all_its_packets(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, pictures(50), 25, voice(2), RATE, "", SIZE)
    assert is_whole(path)
    path.write_bytes(path.read_bytes()[:-2000])
    assert not is_whole(path)
    assert not is_whole(tmp_path / "none.mp4")


def test_a_sound_file_has_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "voice.flac"
    import soundfile

    soundfile.write(path, voice(1), RATE)
    with pytest.raises(MediaError, match="has no picture"):
        read_video(path)


def test_text_is_not_a_video(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_text("hello " * 100)
    with pytest.raises(MediaError, match="of a kind that is not read"):
        read_video(path)


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from gen.media import MediaError, write_video
limit, path = int(sys.argv[1]), Path(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
noise = np.random.default_rng(0)
frames = (noise.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(60))
sound = noise.normal(0, 0.1, 16_000 * 2).astype(np.float32)
try:
    write_video(path, frames, 25, sound, 16_000, "made", (64, 48))
except MediaError as error:
    print(error)
"""


def test_a_disk_that_fills_up_leaves_nothing_wherever_it_fills(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    write_video(tmp_path / "whole.mp4", _noise(), 25, voice(2), RATE, "made", SIZE)
    whole = (tmp_path / "whole.mp4").stat().st_size
    for limit in (1_000, whole // 2, whole - 4_000, whole - 100):
        folder = tmp_path / str(limit)
        folder.mkdir()
        answer = subprocess.run(
            [sys.executable, "-c", FULL_DISK, str(limit), str(folder / "clip.mp4")],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
        )
        assert "could not be written: files may not grow that large here" in answer.stdout, answer
        assert list(folder.iterdir()) == []


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)  # some disks tell it only here
    with pytest.raises(MediaError, match="the disk is full; free some space"):
        write_video(tmp_path / "clip.mp4", pictures(2), 25, None, None, "", SIZE)
    assert list(tmp_path.iterdir()) == []


def _noise() -> Iterator[np.ndarray]:
    noise = np.random.default_rng(0)
    return (noise.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(60))
