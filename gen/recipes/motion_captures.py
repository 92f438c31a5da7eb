"""Real faces in motion: iPhone recordings, read, resampled and split into learned and held out.

DIR holds `arkit_capture/arkit_livelink_f16.npz`: Live Link Face recordings at 60 frames a second of one
performer's anger or disgust, fear, sadness (three takes each) and rest, silent, with the head switched off,
so the head is learned from tracked clips instead (`talking_clips`). The two range-of-motion takes go through
shapes one by one, which no one does who feels something, and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks, peak_widths

from pipelines.portrait.arkit import ARKIT, columns

Array = NDArray[np.float64]

FILE = "arkit_capture/arkit_livelink_f16.npz"
RECORDED_FPS, FPS = 60, 30
# What a recording's label asks of the rules; the third take of each and the end of the rest are held out.
ASKED = {
    "angry_or_disgusted": ("anger", "anger*.5+disgust*.5"),
    "fearful": ("fear", "fear"),
    "sad": ("sadness", "sadness"),
    "default_neutral_happy": ("neutral", "neutral"),
}
HELD_OUT = ("MySlate_166", "MySlate_163", "MySlate_169")
REST_KEPT = 0.6  # of the only take at rest is learned from
LIDS = columns("eyeBlink")
BLINK_RISE, BLINK_LONGEST = 0.15, 0.6  # prominence of a blink's peak; seconds at half of its height


class CaptureError(ValueError):
    """Recordings that are not there or not as expected; its text is one sentence for the user."""


@dataclass(frozen=True)
class Take:
    """One recording: what was felt, ARKit coefficients (T, 52) and where the eyes look (T, 2).

    The gaze is yaw to the viewer's right and pitch down, in radians from where it rests in this take.
    """

    name: str
    feeling: str
    asked: str
    is_held_out: bool
    coefficients: Array
    gaze: Array
    fps: float = FPS

    @property
    def lids(self) -> Array:
        return self.coefficients[:, list(LIDS)].mean(axis=1)

    @property
    def seconds(self) -> float:
        return len(self.coefficients) / self.fps


def captures(data: Path) -> tuple[Take, ...]:
    """All takes with a feeling, in the file's order; CaptureError if the file is missing."""
    path = data / FILE
    if not path.is_file():
        raise CaptureError(f"'{path}' is not there; --data names the folder that holds {FILE}.")
    with np.load(path, allow_pickle=False) as file:
        names = [str(name) for name in file["columns"]]
        order = [names.index(name[0].upper() + name[1:]) for name in ARKIT]
        takes: list[Take] = []
        for row in file["labels"]:
            key, label = str(row).split("|")
            if label in ASKED:
                takes += _parts(key, label, file[key].astype(np.float64), order, names)
    return tuple(takes)


def _parts(key: str, label: str, rows: Array, order: list[int], names: list[str]) -> list[Take]:
    feeling, asked = ASKED[label]
    step = RECORDED_FPS // FPS
    face = np.clip(rows[::step, order], 0, 1)
    angles = [[names.index(f"{side}Eye{axis}") for side in ("Left", "Right")] for axis in ("Yaw", "Pitch")]
    turned = np.stack([rows[::step, both].mean(axis=1) for both in angles], axis=1)
    gaze = turned - np.median(turned, axis=0)
    name = Path(key).stem.removesuffix("_iPhone_cal")
    if feeling != "neutral":
        return [Take(name, feeling, asked, name in HELD_OUT, face, gaze)]
    cut = round(REST_KEPT * len(face))
    return [
        Take(f"{name}_start", feeling, asked, False, face[:cut], gaze[:cut]),
        Take(f"{name}_end", feeling, asked, True, face[cut:], gaze[cut:]),
    ]


@dataclass(frozen=True)
class Blinks:
    """Moments and lengths of blinks, in seconds, lengths at half of their height."""

    moments: Array
    lengths: Array
    minutes: float

    @property
    def rate(self) -> float:
        """Blinks a minute."""
        return len(self.moments) / self.minutes


def blinks_of(lids: Array, fps: float) -> Blinks:
    """Blinks in a curve of how far the lids are closed (T,): peaks that stand out, and are soon over."""
    # A plateau is judged first: lids that stay shut are no blink, and stand out from nothing.
    flat = (1, round(BLINK_LONGEST * fps))
    peaks, found = find_peaks(lids, plateau_size=flat, prominence=BLINK_RISE, wlen=round(1.5 * fps) | 1)
    bases = (found["prominences"], found["left_bases"], found["right_bases"])
    lengths = peak_widths(lids, peaks, rel_height=0.5, prominence_data=bases)[0] / fps
    short = lengths < BLINK_LONGEST
    return Blinks(peaks[short] / fps, lengths[short], len(lids) / fps / 60)


def longest_shut(lids: Array, fps: float, above: float = 0.6) -> float:
    """The longest time, in seconds, for which lids (T,) stay shut."""
    shut = np.diff(np.concatenate([[0], (lids > above).astype(int), [0]]))
    runs = np.flatnonzero(shut < 0) - np.flatnonzero(shut > 0)
    return float(runs.max(initial=0) / fps)
