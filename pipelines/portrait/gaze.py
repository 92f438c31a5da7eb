"""Living eyes: blinks at a human pace, saccades, and a gaze that stays with the viewer as the head turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.portrait.arkit import ARKIT, columns, index

Array = NDArray[np.float64]

# Bentivoglio et al. 1997, "Analysis of blink rate patterns in normal subjects", Movement Disorders 12:1028:
# 17 a minute at rest, 26 in conversation. Lids close about twice as fast as they open (Evinger et al. 1991).
BLINKS_A_MINUTE = 18.0
SHORTEST_PAUSE = 0.9  # seconds between two blinks
# Recorded lids are half shut for .10 seconds (71 blinks); ours a little longer, so that one frame at 25 a
# second shows them shut.
CLOSING = (0.05, 0.08)  # seconds
SHUT = 0.035
OPENING = (0.11, 0.17)
PARTLY = 0.15  # of all blinks do not close the lids wholly (Cardona et al. 2014 count 10 to 20 %)
SHORTEST_LOOK = 0.2  # seconds that the eyes stay where they went
BLINK = 0.24  # seconds that one lasts, about
STEADY = 0.85  # how much of the head's turn the eyes make up for
PHRASE_END = 0.5  # a blink this near to the end of a phrase moves there (Nakano & Kitazawa 2010)
FULL_LOOK = np.radians(35)  # what eyeLook... = 1 means
DIP = 0.6  # how far eyeLookDown goes along with a blink; .8 in recordings, whose gaze then rests lower


@dataclass(frozen=True)
class Looks:
    """How eyes live at each frame, each (T,) or one number for all: what a feeling changes."""

    blinks: Array | float = BLINKS_A_MINUTE
    held: Array | float = 1.55  # seconds between saccades, on average
    away: Array | float = 0.3  # share of saccades away: speakers look at the other person most of the time
    near: Array | float = 0.008  # radians around the viewer
    far_right: Array | float = 0.06  # radians away
    far_down: Array | float = 0.03

    def at(self, name: str, moment: float, fps: float) -> float:
        """One of them at a moment in seconds."""
        values = np.atleast_1d(getattr(self, name))
        return float(values[min(int(moment * fps), len(values) - 1)])


def blinks(
    rng: np.random.Generator,
    *,
    frames: int,
    fps: float,
    phrase_ends: tuple[float, ...],
    looks: Looks = Looks(),
) -> Array:
    """How far the lids are closed (T,): 0 open, 1 shut; every blink begins and ends within the clip."""
    moments = []
    moment, last = rng.uniform(0.6, 2.5), -SHORTEST_PAUSE
    while moment < frames / fps:
        start = _at_phrase_end(moment, last + SHORTEST_PAUSE, phrase_ends)
        moments.append(start)
        last = start + BLINK
        # A gamma with shape 2 has few very short and few very long pauses, as people do.
        mean = 60 / looks.at("blinks", last, fps) - SHORTEST_PAUSE - BLINK
        moment = max(moment, last) + SHORTEST_PAUSE + rng.gamma(2.0, mean / 2)
    return blinked(rng, moments, frames=frames, fps=fps)


def blinked(rng: np.random.Generator, moments: Sequence[float], *, frames: int, fps: float) -> Array:
    """How far the lids are closed (T,) by blinks that begin at these seconds; one cut off is left out."""
    seconds = np.arange(frames) / fps
    lids = np.zeros(frames)
    for start in moments:
        closing, opening = rng.uniform(*CLOSING), rng.uniform(*OPENING)
        height = rng.uniform(0.55, 0.9) if rng.random() < PARTLY else 1.0
        end = start + closing + SHUT + opening
        if end < (frames - 1) / fps:
            down = np.clip((seconds - start) / closing, 0, 1)
            up = np.clip((seconds - end + opening) / opening, 0, 1)
            lids = np.maximum(lids, height * _ease(down) * (1 - _ease(up)))
    return lids


def aims(
    rng: np.random.Generator,
    *,
    frames: int,
    fps: float,
    looks: Looks = Looks(),
) -> Array:
    """Where the eyes turn in the world (T, 2): yaw to the viewer's right and pitch down, in radians."""
    seconds = np.arange(frames) / fps
    aim = np.zeros((frames, 2))
    moment, here = rng.uniform(0.4, 1.5), rng.normal(0, 0.006, 2)
    aim = aim + here
    while moment < frames / fps:
        held = SHORTEST_LOOK + rng.gamma(2.0, max(looks.at("held", moment, fps) - SHORTEST_LOOK, 0.1) / 2)
        is_away = rng.random() < looks.at("away", moment, fps)
        far = [looks.at("far_right", moment, fps), looks.at("far_down", moment, fps)]
        there = rng.normal(0, far if is_away else looks.at("near", moment, fps), 2)
        turned = _ease(np.clip((seconds - moment) / 0.05, 0, 1))[:, None]
        aim = np.where(seconds[:, None] >= moment, here + turned * (there - here), aim)
        moment, here = moment + held, there
    return aim


def look(aim: Array, *, head: Array, down: Array) -> Array:
    """Where the eyes turn within the head (T, 2) to keep an `aim` (T, 2) in the world when the head turns.

    `head` (T, 2) is the head's own yaw and pitch, `down` (T,) how far an emotion lowers the gaze, in radians.
    """
    return aim + np.stack([np.zeros(len(down)), down], axis=1) - STEADY * head


def eyes(lids: Array, gaze: Array) -> Array:
    """Coefficients (T, 52) of blinks (T,) and gaze (T, 2), no more; closing eyes turn down a little."""
    face = np.zeros((len(lids), len(ARKIT)))
    right, down = np.clip(gaze / FULL_LOOK, -1, 1).T  # to the viewer's right is to the person's left
    face[:, list(columns("eyeBlink"))] = lids[:, None]
    face[:, list(columns("eyeLookDown"))] = np.clip(down + DIP * lids, 0, 1)[:, None]
    face[:, list(columns("eyeLookUp"))] = np.clip(-down - DIP * lids, 0, 1)[:, None]
    face[:, index("eyeLookOutLeft")] = face[:, index("eyeLookInRight")] = np.clip(right, 0, 1)
    face[:, index("eyeLookInLeft")] = face[:, index("eyeLookOutRight")] = np.clip(-right, 0, 1)
    return face


def _at_phrase_end(moment: float, earliest: float, phrase_ends: tuple[float, ...]) -> float:
    near = [end for end in phrase_ends if abs(end - moment) <= PHRASE_END and end >= earliest]
    return min(near, key=lambda end: abs(end - moment)) if near else max(moment, earliest)


def _ease(t: Array) -> Array:
    return t * t * (3 - 2 * t)
