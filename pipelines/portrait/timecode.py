"""Timecodes HH:MM:SS:FF.mmm, as Live Link Face writes them, to seconds and back."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BASE = 60  # frames a second that FF counts in the app's files, also of those recorded at 30
BASES = (24, 25, 30, 48, 50, 60, 100, 120, 240)  # what FF counts in other programs' files
RESOLUTION = 1 / (1000 * BASE)  # seconds; .mmm are thousandths of a frame
DAY = 86_400

_FRAMES = re.compile(r"(\d{1,2}):([0-5]?\d):([0-5]?\d)[:;](\d{1,3}(?:\.\d{0,9})?)", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):([0-5]?\d):([0-5]?\d(?:\.\d{0,9})?)", re.ASCII)


class TimecodeError(ValueError):
    """Timecodes that do not say when; the message is a sentence, `row` counts from 0."""

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


def written(seconds: float) -> str:
    """The timecode of a moment, to the nearest thousandth of a sixtieth of a second."""
    whole, thousandths = divmod(round(seconds / RESOLUTION), 1000 * BASE)
    hours, rest = divmod(whole, 3600)
    minutes, second = divmod(rest, 60)
    return f"{hours:02d}:{minutes:02d}:{second:02d}:{thousandths // 1000:02d}.{thousandths % 1000:03d}"


def read(timecodes: Sequence[str]) -> Array:
    """Seconds since the first timecode (N,); later rows may not be earlier, but midnight may pass."""
    wholes, frames = np.zeros(len(timecodes)), np.zeros(len(timecodes))
    counts_frames = bool(timecodes) and _FRAMES.fullmatch(timecodes[0]) is not None
    for row, timecode in enumerate(timecodes):
        found = (_FRAMES if counts_frames else _CLOCK).fullmatch(timecode)
        if found is None:
            form = "HH:MM:SS:FF.mmm" if counts_frames or row == 0 else "HH:MM:SS.mmm, as in the rows before"
            raise TimecodeError(row, f"{timecode[:40]!r} is no timecode: {form} is needed.")
        hours, minutes, seconds = found.groups()[:3]
        wholes[row] = 3600 * int(hours) + 60 * int(minutes) + float(seconds)
        frames[row] = float(found[4]) if counts_frames else 0
    passed_midnight = np.cumsum(np.diff(wholes, prepend=wholes[:1]) < -DAY / 2)
    wholes += DAY * passed_midnight
    if counts_frames and frames.max() >= BASES[-1]:
        row = int(frames.argmax())
        raise TimecodeError(row, f"{timecodes[row]!r} counts more frames a second than {BASES[-1]}.")
    times = wholes + frames / _base(wholes, frames)
    backwards = np.flatnonzero(np.diff(times) < 0)
    if len(backwards):
        row = int(backwards[0]) + 1
        told = f"{timecodes[row]!r} is earlier than the row before, {timecodes[row - 1]!r}: sort the rows."
        raise TimecodeError(row, told)
    return times - times[0]


def _base(wholes: Array, frames: Array) -> int:
    """How many frames FF counts to, seen where a second ends; the app's 60 where none does."""
    steps, gaps = np.diff(frames), np.diff(wholes)
    within, across = steps[(gaps == 0) & (steps > 0)], steps[gaps == 1]
    possible = [base for base in BASES if base > frames.max()]
    if not len(within) or not len(across):
        return next(base for base in possible if base >= BASE)
    counted = float(np.median(within) - np.median(across))
    return min(possible, key=lambda base: abs(base - counted))
