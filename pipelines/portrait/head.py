"""The head of a speaker: it sways, breathes, nods on stressed syllables and shows the emotion's posture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipelines.portrait.expression import Expression
from pipelines.portrait.voice import Voice

Array = NDArray[np.float64]

SWAY = np.radians([0.9, 1.4, 0.9])  # standard deviation of pitch, yaw, roll while speaking
DRIFT = np.array([0.012, 0.008, 0.012])  # of x, y, z, in distances between the outer eye corners
NOD = np.radians(1.5)  # a fully stressed syllable
BREATH_SECONDS = 3.8  # about 16 breaths a minute
LIMIT = np.radians([7.0, 6.0, 6.0])  # people who talk to a camera stay within, and a warped photo bears it


def nods(sway: Array, voice: Voice, expression: Expression, *, fps: float, phase: float) -> Array:
    """A head (T, 6) that sways as it did, more while it speaks, breathes, and nods on stressed syllables."""
    talk = gaussian_filter1d(voice.speaking, 0.4 * fps, mode="nearest")
    head = sway * ((0.5 + 0.5 * talk) * expression.emphasis)[:, None]
    head[:, 0] += NOD * gaussian_filter1d(voice.stress, 0.09 * fps, mode="nearest") * expression.emphasis
    breath = np.sin(2 * np.pi * np.arange(len(head)) / fps / BREATH_SECONDS + phase)
    head[:, 0] += np.radians(0.25) * breath
    head[:, 4] += 0.006 * breath
    return head


def postured(sway: Array, expression: Expression, fps: float) -> Array:
    """Head pose (T, 6) as Motion has it: what sways, in the posture of what is felt."""
    head = sway.copy()
    posture = gaussian_filter1d(expression.mean("head"), 0.15 * fps, axis=0, mode="nearest")
    head[:, :3] += np.radians(posture)
    head[:, 5] -= gaussian_filter1d(expression.mean("approach"), 0.15 * fps, mode="nearest")
    head[:, :3] = LIMIT * np.tanh(head[:, :3] / LIMIT)
    return head


def noisy_sway(rng: np.random.Generator, frames: int, fps: float) -> Array:
    """A head (T, 6) that sways by noise of round numbers."""
    noise = np.stack([_sway(part, frames, fps) for part in rng.spawn(6)], axis=1)
    return noise * np.concatenate([SWAY, DRIFT])


def _sway(rng: np.random.Generator, frames: int, fps: float) -> Array:
    """Slow shifts of posture with quicker ones on top (T,), standard deviation 1."""
    slow, quick = rng.spawn(2)
    return 0.8 * slow_noise(slow, frames, fps, 0.8) + 0.6 * slow_noise(quick, frames, fps, 0.3)


def slow_noise(rng: np.random.Generator, frames: int, fps: float, seconds: float) -> Array:
    """Smooth noise (T,) of mean 0 and standard deviation 1 that changes within about `seconds`.

    It is drawn on a grid of its own, so that the frame rate does not change the motion.
    """
    step = seconds / 4
    count = int(np.ceil(frames / fps / step)) + 41
    grid = gaussian_filter1d(rng.standard_normal(count), 4.0) * np.sqrt(8 * np.sqrt(np.pi))
    return _cubic(grid, np.arange(frames) / fps / step + 20)


def _cubic(grid: Array, places: Array) -> Array:
    """Catmull-Rom interpolation of a curve at fractional places."""
    k = places.astype(int)
    t = places - k
    a, b, c, d = (grid[k + i] for i in (-1, 0, 1, 2))
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
