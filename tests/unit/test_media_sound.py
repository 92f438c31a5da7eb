"""Sounds of every kind become mono float32; what cannot is refused in a sentence."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from gen.intake import MediaError
from gen.media import read_sound, resample, write_video

RATE = 16_000


def hum(seconds: float, rate: int = RATE) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.fixture
def m4a(tmp_path: Path) -> Path:
    path = tmp_path / "voice.m4a"
    frames = [np.zeros((16, 16, 3), np.uint8)] * 50
    write_video(path, frames, 25, hum(2), RATE, "", (16, 16))
    return path


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_common_formats_are_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"voice.{kind}"
    soundfile.write(path, hum(1), RATE)
    sound, rate = read_sound(path)
    assert (sound.dtype, sound.ndim, rate) == (np.float32, 1, RATE)
    assert len(sound) == pytest.approx(RATE, abs=0.1 * RATE)  # mp3 pads
    assert np.abs(sound).max() == pytest.approx(0.3, abs=0.03)


def test_the_sound_of_an_mp4_is_read(m4a: Path) -> None:
    sound, rate = read_sound(m4a)
    assert len(sound) / rate == pytest.approx(2, abs=0.001)
    assert np.abs(sound[rate // 2 : rate]).max() == pytest.approx(0.3, abs=0.02)


def test_channels_are_averaged(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.stack([hum(1), np.zeros(RATE, np.float32)], axis=1), RATE, subtype="FLOAT")
    assert read_sound(path)[0] == pytest.approx(hum(1) / 2, abs=1e-6)


def test_silence_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(RATE, np.float32), RATE)
    with pytest.raises(MediaError, match="is silent from start to end"):
        read_sound(path)


def test_no_samples_at_all_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "nothing.wav"
    soundfile.write(path, np.zeros(0, np.float32), RATE)
    with pytest.raises(MediaError, match=r"at least 0\.1 s of sound are needed"):
        read_sound(path)


def test_a_rate_that_no_voice_has_is_named(tmp_path: Path) -> None:
    path = tmp_path / "low.wav"
    soundfile.write(path, hum(1, 2000), 2000)
    with pytest.raises(MediaError, match=r"has 2,000 samples a second; 4,000 to 384,000 are read"):
        read_sound(path)


def test_samples_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    path, sound = tmp_path / "nan.wav", hum(1)
    sound[100] = np.nan
    soundfile.write(path, sound, RATE, subtype="FLOAT")
    with pytest.raises(MediaError, match="not numbers"):
        read_sound(path)


def test_an_hour_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "hour.flac"
    with soundfile.SoundFile(path, "w", 4_000, 1) as file:
        for _ in range(60):
            file.write(np.zeros(60 * 4_000, np.float32))
    with pytest.raises(MediaError, match="lasts 60 minutes; up to 10 are read"):
        read_sound(path)


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_a_cut_off_sound_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"voice.{kind}"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 5 * RATE), RATE)
    path.write_bytes(path.read_bytes()[:60_000])
    with pytest.raises(MediaError, match="cut off"):
        read_sound(path)


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_cut_off_mp4_is_refused(m4a: Path, share: float) -> None:
    whole = m4a.read_bytes()
    m4a.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(MediaError, match="cut off"):
        read_sound(m4a)


def test_a_wav_from_a_pipe_has_no_length_and_is_read(tmp_path: Path) -> None:
    path = tmp_path / "piped.wav"
    soundfile.write(path, hum(1), RATE)
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert len(read_sound(path)[0]) == RATE


@pytest.mark.parametrize("name", ["voice.wav", "voice.mp3", "voice.mp4", "voice.raw"])
def test_text_is_not_sound(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("hello " * 1000)
    with pytest.raises(MediaError, match="of a kind that is not read"):
        read_sound(path)


def test_a_video_without_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mute.mp4"
    write_video(path, [np.zeros((16, 16, 3), np.uint8)] * 3, 25, None, None, "", (16, 16))
    with pytest.raises(MediaError, match="has no sound"):
        read_sound(path)


def test_a_list_that_slipped_in_opens_nothing_else(tmp_path: Path) -> None:
    other = tmp_path / "other.wav"
    soundfile.write(other, hum(1), RATE)
    path = tmp_path / "voice.wav"
    path.write_text(f"\n\n#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{other}\n#EXT-X-ENDLIST\n")
    with pytest.raises(MediaError):
        read_sound(path)


def test_another_rate_keeps_the_length_and_the_tone() -> None:
    there = resample(hum(1), RATE, 48_000)
    assert there.dtype == np.float32
    assert len(there) == 48_000
    assert there[1000:-1000] == pytest.approx(hum(1, 48_000)[1000:-1000], abs=1e-3)
