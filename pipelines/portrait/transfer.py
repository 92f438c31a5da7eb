"""Performance transfer: a face tracked through a video becomes a motion, with its own emotion or another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d, median_filter

from emotion_encoders.track import EmotionTrack
from pipelines.portrait.arkit import ARKIT, columns, index
from pipelines.portrait.expression import express
from pipelines.portrait.motion import Motion
from pipelines.portrait.performer import INNER_LIPS, observe
from pipelines.portrait.rig import Rig

Array = NDArray[np.float64]

FEWEST = 5  # frames with a face under which nothing can be said of a performer
LONGEST_BRIDGE = 1.0  # seconds without a face that are bridged from what was seen before to what comes after
REST_SECONDS = 0.5  # in a longer gap the face goes to rest, and comes back, within this
NOTED = 0.3  # seconds without a face that are told
MOST_NAMED = 6  # gaps in one note
SPEAKS = 0.02  # how much lips that speak move within half a second (standard deviation, see `Take.opening`)
MOOD_SECONDS = 1.5  # what a mouth corner or a brow holds for longer is mood; what is quicker is speech
MOOD = ("mouthSmile", "mouthFrown", "mouthDimple", "mouthStretch", "mouthPress", "mouthShrug", "mouthUpperUp")
UPPER = ("brow", "cheek", "noseSneer", "eyeSquint", "eyeWide")
QUICK_BROWS = 0.5  # how much of the performer's quick brow movements another emotion keeps


class TransferError(ValueError):
    """A video that shows no performance; the message is a sentence for the person who gave it."""


def transfer(
    landmarks: Sequence[NDArray[np.floating] | None],
    tracked_fps: float,
    rig: Rig,
    *,
    fps: float,
    track: EmotionTrack | None = None,
) -> tuple[Motion, tuple[str, ...]]:
    """The motion of a tracked performer, and what should be said about it.

    Args:
        landmarks: One (478, 3) in pixels for every frame of the video, None where it shows no face.
        tracked_fps: Frames a second of the video.
        rig: What the landmarks are measured against.
        fps: Frames a second of the motion.
        track: What the face shows in place of the performer's own mood; blinks, gaze, head and the distance
            of the lips stay the performer's.

    Raises:
        TransferError: fewer than five frames show a face.
    """
    known = np.array([k for k, frame in enumerate(landmarks) if frame is not None])
    if len(known) < FEWEST:
        shown = "No face" if not len(known) else f"A face in only {len(known)} frames"
        raise TransferError(f"{shown} was found in the video: give one in which a face looks at the camera.")
    take = observe(np.stack([frame for frame in landmarks if frame is not None]), tracked_fps, rig)
    seconds, total = known / tracked_fps, len(landmarks) / tracked_fps
    moments = np.arange(max(1, round(total * fps))) / fps
    face = np.clip(_at(moments, seconds, take.coefficients, total, rests=True), 0, 1)
    opening = np.clip(_at(moments, seconds, take.opening[:, None], total, rests=True)[:, 0], 0, None)
    head = _at(moments, seconds, take.head, total, rests=False)
    if track is not None:
        face = _felt(face, opening, track, fps)
    face = _parted(face, opening, rig)
    return Motion(face.astype(np.float32), head.astype(np.float32), fps), _gaps(seconds, total, tracked_fps)


def _at(moments: Array, seconds: Array, values: Array, total: float, *, rests: bool) -> Array:
    """Values (N, k) known at some seconds, read at others; what is not seen is eased, or rests at 0."""
    times, rows = [seconds[0]], [values[0]]
    rest = np.zeros_like(values[0])
    for k in range(1, len(seconds)):
        if rests and seconds[k] - seconds[k - 1] > LONGEST_BRIDGE:
            times += [seconds[k - 1] + REST_SECONDS, seconds[k] - REST_SECONDS + 1e-6]
            rows += [rest, rest]
        times.append(seconds[k])
        rows.append(values[k])
    if rests and seconds[0] > LONGEST_BRIDGE:
        times.insert(0, seconds[0] - REST_SECONDS)
        rows.insert(0, rest)
    if rests and total - seconds[-1] > LONGEST_BRIDGE:
        times.append(seconds[-1] + REST_SECONDS)
        rows.append(rest)
    # Before the first and after the last that is known, the same.
    times, rows = [times[0] - 1, *times, times[-1] + 1], [rows[0], *rows, rows[-1]]
    curve = PchipInterpolator(np.array(times), np.stack(rows), axis=0)
    return curve(np.clip(moments, times[0], times[-1]))


def _felt(face: Array, opening: Array, track: EmotionTrack, fps: float) -> Array:
    """The performer's face (T, 52) with the emotions of a track in place of their own."""
    frames = len(face)
    expression = express(track, frames=frames, fps=fps).coefficients(_speaking(opening, fps))
    upper, mood = ([k for k, name in enumerate(ARKIT) if name.startswith(names)] for names in (UPPER, MOOD))
    brows = [k for k, name in enumerate(ARKIT) if name.startswith("brow")]
    size = (min(round(MOOD_SECONDS * fps), frames) | 1, 1)
    quick = np.clip(face - median_filter(face, size, mode="nearest"), 0, 1)
    own = face.copy()
    own[:, upper] = 0
    own[:, brows] = QUICK_BROWS * quick[:, brows]
    own[:, mood] = quick[:, mood]
    both = 1 - (1 - np.clip(expression, 0, 1)) * (1 - own)
    lids = list(columns("eyeBlink"))
    both[:, lids] = np.maximum(expression[:, lids], face[:, lids])
    both[:, list(columns("eyeWide"))] *= 1 - face[:, lids]
    both[:, list(columns("eyeSquint"))] *= 1 - 0.6 * face[:, lids]
    return both


def _speaking(opening: Array, fps: float) -> Array:
    """How far the lips are busy speaking (T,) in [0, 1]."""
    half = 0.25 * fps
    mean = gaussian_filter1d(opening, half, mode="nearest")
    moving = np.sqrt(np.clip(gaussian_filter1d(opening**2, half, mode="nearest") - mean**2, 0, None))
    return gaussian_filter1d(np.clip(moving / SPEAKS, 0, 1), half, mode="nearest")


def _parted(face: Array, opening: Array, rig: Rig) -> Array:
    """The same face (T, 52) with its inner lips exactly as far apart as the performer's."""
    lower, upper = (rig.deltas[:, point, 1] for point in reversed(INNER_LIPS))
    gaps = (lower - upper).astype(np.float64)
    jaw, close = index("jawOpen"), index("mouthClose")
    raisers = [k for k in np.flatnonzero(gaps > 0) if k != jaw]
    face = face.copy()
    face[:, close] = 0
    # Raised lips come down first; then mouthClose shuts them before an open jaw, or the jaw opens further.
    raised = face[:, raisers] @ gaps[raisers]
    face[:, raisers] *= np.clip(opening / np.maximum(raised, 1e-6), 0, 1)[:, None]
    missing = opening - face @ gaps
    face[:, close] = np.clip(missing / gaps[close], 0, 1)
    face[:, jaw] += np.clip(missing, 0, None) / gaps[jaw]
    return np.clip(face, 0, 1)


def _gaps(seconds: Array, total: float, tracked_fps: float) -> tuple[str, ...]:
    """From when to when the video shows no face, if it is worth a word."""
    edges = np.concatenate([[-1 / tracked_fps], seconds, [total]])
    gaps = [
        f"{start + 1 / tracked_fps:.1f} to {end:.1f} s"
        for start, end in pairwise(edges)
        if end - start > NOTED + 1 / tracked_fps
    ]
    if not gaps:
        return ()
    more = f" and {len(gaps) - MOST_NAMED} times more" if len(gaps) > MOST_NAMED else ""
    when = ", ".join(gaps[:MOST_NAMED])
    return (f"The video shows no face from {when}{more}: the portrait holds still or rests meanwhile.",)
