"""Living eyes: blinks at a human pace, saccades, and a gaze that stays with the viewer as the head turns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.portrait.arkit import ARKIT, columns, index

Array = NDArray[np.float64]

# Bentivoglio et al. 1997, "Analysis of blink rate patterns in normal subjects", Movement Disorders 12:1028:
# 17 a minute at rest, 26 in conversation. Lids close about twice as fast as they open (Evinger et al. 1991).
BLINKS_A_MINUTE = 18.0
SHORTEST_PAUSE = 0.9  # seconds between two blinks
CLOSING = (0.08, 0.12)  # seconds
SHUT = 0.04
OPENING = (0.15, 0.22)
PHRASE_END = 0.5  # a blink this near to the end of a phrase moves there (Nakano & Kitazawa 2010)
FULL_LOOK = np.radians(35)  # what eyeLook... = 1 means


def blinks(rng: np.random.Generator, *, frames: int, fps: float, phrase_ends: tuple[float, ...]) -> Array:
    """How far the lids are closed (T,): 0 open, 1 shut; every blink begins and ends within the clip."""
    seconds = np.arange(frames) / fps
    lids = np.zeros(frames)
    moment = rng.uniform(0.6, 2.5)
    last = -SHORTEST_PAUSE
    while moment < frames / fps:
        start = _at_phrase_end(moment, last + SHORTEST_PAUSE, phrase_ends)
        closing, opening = rng.uniform(*CLOSING), rng.uniform(*OPENING)
        end = start + closing + SHUT + opening
        if end < (frames - 1) / fps:
            down = np.clip((seconds - start) / closing, 0, 1)
            up = np.clip((seconds - end + opening) / opening, 0, 1)
            lids = np.maximum(lids, _ease(down) * (1 - _ease(up)))
        last = end
        # A gamma with shape 2 has few very short and few very long pauses, as people do.
        mean = 60 / BLINKS_A_MINUTE - SHORTEST_PAUSE
        moment = max(moment, end) + SHORTEST_PAUSE + rng.gamma(2.0, mean / 2)
    return lids


def look(rng: np.random.Generator, *, frames: int, fps: float, head: Array, down: Array) -> Array:
    """Where the eyes turn within the head (T, 2): yaw to the viewer's right and pitch down, in radians.

    `head` (T, 2) is the head's own yaw and pitch, `down` (T,) how far an emotion lowers the gaze, in radians.
    """
    seconds = np.arange(frames) / fps
    aim = np.zeros((frames, 2))
    moment, here = rng.uniform(0.4, 1.5), rng.normal(0, 0.006, 2)
    aim = aim + here
    while moment < frames / fps:
        held = 0.35 + rng.gamma(2.0, 0.6)
        is_away = rng.random() < 0.3  # speakers look at the other person most of the time
        there = rng.normal(0, [0.06, 0.03] if is_away else [0.008, 0.006])
        turned = _ease(np.clip((seconds - moment) / 0.05, 0, 1))[:, None]
        aim = np.where(seconds[:, None] >= moment, here + turned * (there - here), aim)
        moment, here = moment + held, there
    aim[:, 1] += down
    return aim - 0.85 * head


def eyes(lids: Array, gaze: Array) -> Array:
    """Coefficients (T, 52) of blinks (T,) and gaze (T, 2), nothing else set."""
    face = np.zeros((len(lids), len(ARKIT)))
    right, down = np.clip(gaze / FULL_LOOK, -1, 1).T  # to the viewer's right is to the person's left
    face[:, list(columns("eyeBlink"))] = lids[:, None]
    face[:, list(columns("eyeLookDown"))] = np.clip(down, 0, 1)[:, None]
    face[:, list(columns("eyeLookUp"))] = np.clip(-down, 0, 1)[:, None]
    face[:, index("eyeLookOutLeft")] = face[:, index("eyeLookInRight")] = np.clip(right, 0, 1)
    face[:, index("eyeLookInLeft")] = face[:, index("eyeLookOutRight")] = np.clip(-right, 0, 1)
    return face


def _at_phrase_end(moment: float, earliest: float, phrase_ends: tuple[float, ...]) -> float:
    near = [end for end in phrase_ends if abs(end - moment) <= PHRASE_END and end >= earliest]
    return min(near, key=lambda end: abs(end - moment)) if near else max(moment, earliest)


def _ease(t: Array) -> Array:
    return t * t * (3 - 2 * t)
