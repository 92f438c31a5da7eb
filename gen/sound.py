"""Reads wav, flac, ogg, mp3 and the like as mono, and holds the limits that any sound must keep."""

from pathlib import Path

import numpy as np
import soundfile
import soxr

from gen.intake import MediaError

MAX_SECONDS, MIN_SECONDS = 600, 0.1
MAX_SAMPLES = 250_000_000  # of all channels together: ten minutes of stereo at 192 kHz
RATES = range(4_000, 384_001)
SILENCE = 1e-4  # a loudest sample of -80 dB: nothing that a person would hear
CUT_SECONDS = 0.25  # what may be missing of the promised length: mp3 and AAC count their padding differently
_UNKNOWN_LENGTH = 0x7FFFF000  # programs that write wav into a pipe put a number from here up, or 0


def read_with_soundfile(path: Path) -> tuple[np.ndarray, int] | None:
    """Mono float32 (N,) and its rate; None if libsndfile does not know this kind of file."""
    try:
        with soundfile.SoundFile(str(path.resolve())) as file:
            rate, promised = file.samplerate, file.frames / file.samplerate
            refuse_long(path, promised)
            if rate not in RATES:
                raise MediaError(
                    f"'{path}' has {rate:,} samples a second; {RATES[0]:,} to {RATES[-1]:,} are read: "
                    "save it at another rate."
                )
            if file.frames * file.channels > MAX_SAMPLES:
                raise MediaError(f"'{path}' has {file.channels} channels, too many to read: make it mono.")
            blocks = [block.mean(axis=1) for block in file.blocks(1 << 16, dtype="float32", always_2d=True)]
    except (soundfile.LibsndfileError, TypeError):  # TypeError: headerless '.raw'
        return None
    sound = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    refuse_cut(path, len(sound) / rate, promised)
    _refuse_cut_wav(path)
    return sound, rate


def resample(sound: np.ndarray, rate: int, to: int) -> np.ndarray:
    """Mono float32 sound at another rate."""
    return sound if rate == to else np.asarray(soxr.resample(sound, rate, to), np.float32)


def refuse_long(path: Path, seconds: float) -> None:
    """Clips and sounds have a limit, known before they are read."""
    if seconds > MAX_SECONDS:
        raise MediaError(
            f"'{path}' lasts {seconds / 60:.0f} minutes; up to {MAX_SECONDS // 60} are read: cut it up."
        )


def refuse_cut(path: Path, seconds: float, promised: float) -> None:
    """A file that ends before the length in its header was cut off on its way here."""
    if seconds < promised - CUT_SECONDS:
        raise MediaError(
            f"'{path}' is cut off: {seconds:.1f} s of {promised:.1f} s are there. Copy it again."
        )


def refuse_unheard(path: Path, sound: np.ndarray, rate: int) -> None:
    """There must be something to say."""
    if len(sound) < MIN_SECONDS * rate:
        raise MediaError(
            f"'{path}' lasts {len(sound) / rate:.2f} s; at least {MIN_SECONDS} s of sound are needed."
        )
    if not np.isfinite(sound).all():
        raise MediaError(f"'{path}' holds samples that are not numbers: export it again.")
    if np.abs(sound).max() < SILENCE:
        raise MediaError(f"'{path}' is silent from start to end: give a recording with a voice in it.")


def _refuse_cut_wav(path: Path) -> None:
    """Libsndfile believes the file's size over its header, so a short wav must be found by hand."""
    with path.open("rb") as file:
        head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return
    promised, there = int.from_bytes(head[4:8], "little") + 8, path.stat().st_size
    if there + 1 < promised < _UNKNOWN_LENGTH:
        raise MediaError(f"'{path}' is cut off: {there:,} of {promised:,} bytes are there. Copy it again.")
