"""Life: how a face, a gaze and a head waver around what they mean to show, drawn as real ones were measured.

Each manner (at rest, angry, afraid, sad, and all of them pooled) is a random process: white noise through
filters with the measured spectra, mixed as the coefficients go together, each then bent to its measured
distribution (Gaussian copula; Cario & Nelson 1997, "Modeling and generating random vectors with arbitrary
marginal distributions"). The noise lies on a grid of its own, so that neither frame rate nor length changes
what is drawn. The numbers are measured by `gen/recipes/motion_residual.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy.ndimage import gaussian_filter1d
from scipy.signal import fftconvolve

from pipelines.portrait.arkit import columns
from pipelines.portrait.gaze import Looks

Array = NDArray[np.float64]

GRID_FPS = 30.0  # of the filters
EDGE = 15  # steps before and after a clip, so that smoothing meets no end
LIVELY = [
    column
    for name in ("browDown", "browInnerUp", "browOuterUp", "cheekSquint", "noseSneer", "eyeSquint", "eyeWide")
    for column in columns(name)
]  # columns that waver; the mouth is the speech's
MANNERS = ("neutral", "anger", "fear", "sadness", "pooled")
# In which manner an emotion is felt; no recording of the others was at hand.
MANNER_OF: Mapping[str, str] = {
    "happiness": "pooled",
    "sadness": "sadness",
    "anger": "anger",
    "surprise": "pooled",
    "fear": "fear",
    "disgust": "anger",
    "contempt": "pooled",
}
SCORES = np.linspace(-2.6, 2.6, 33)  # normal scores at which the distributions are known
FULL_FROM = 0.5  # the intensity at which the rules come near to the recordings' levels
LIVELIER = 0.4  # how much of people's difference in liveliness another seed has
GAZE = ("held", "away", "near", "far_right", "far_down")  # seconds, share, then radians


@dataclass(frozen=True)
class Life:
    """M manners of C = len(LIVELY) coefficients, made of K noises through N taps; a head of six axes."""

    mixing: Array  # (M, C, K)
    filters: Array  # (M, K, N) of unit energy, N odd
    values: Array  # (M, C, len(SCORES)) coefficients at those scores, rising
    smooth: Array  # (M, C) sigma in grid steps: bending makes noise rougher than what was measured
    gaze: Array  # (M, len(GAZE))
    blinks: Array  # (M,) a minute
    head_filters: Array  # (6, N) of unit energy
    head_spread: Array  # (7,) standard deviation of each axis, and of the logarithm of how lively someone is

    @staticmethod
    def load(path: Path) -> Life:
        """Reads measured numbers; a file of another kind raises KeyError or ValueError."""
        tensors = {name: tensor.astype(np.float64) for name, tensor in load_file(path).items()}
        life = Life(**{name: tensors[name] for name in Life.__dataclass_fields__})
        manners, coefficients = len(MANNERS), len(LIVELY)
        if life.values.shape != (manners, coefficients, len(SCORES)) or len(life.mixing) != manners:
            raise ValueError(
                f"'{path}' tells of {life.values.shape} values; "
                f"({manners}, {coefficients}, {len(SCORES)}) are needed: make it anew with its recipe."
            )
        return life

    @staticmethod
    @cache
    def bundled() -> Life:
        """What comes along, read once."""
        return Life.load(Path(__file__).with_name("life.safetensors"))

    @cached_property
    def rest(self) -> Array:
        """The mean (M, C) of each coefficient in each manner."""
        weight = np.exp(-(SCORES**2) / 2)
        return self.values @ (weight / weight.sum())

    def face(self, rng: np.random.Generator, manners: Array, fps: float) -> Array:
        """What LIVELY coefficients (T, C) do by themselves, felt in `manners` (T, M), rows summing to 1."""
        noise = _noise(rng, len(manners), fps, self.filters.shape[1], self.filters.shape[2])
        course = np.zeros((len(manners), len(LIVELY)))
        for manner, share in enumerate(manners.T):
            if share.any():
                course += share[:, None] * _at_frames(self.course(manner, noise), len(manners), fps)
        return course

    def head(self, rng: np.random.Generator, frames: int, fps: float) -> Array:
        """A head that sways (T, 6) around rest, in radians and distances between the outer eye corners."""
        taps = self.head_filters.shape[1]
        lively = np.exp(LIVELIER * self.head_spread[6] * rng.standard_normal())
        noise = _noise(rng, frames, fps, 6, taps)
        sway = np.stack(
            [fftconvolve(noise[:, k], self.head_filters[k], mode="valid") for k in range(6)], axis=1
        )
        return lively * self.head_spread[:6] * _at_frames(sway, frames, fps)

    def looks(self, manners: Array) -> Looks:
        """How the eyes live at each frame of `manners` (T, M)."""
        told = {name: manners @ self.gaze[:, k] for k, name in enumerate(GAZE)}
        return Looks(blinks=manners @ self.blinks, **told)

    def course(self, manner: int, noise: Array) -> Array:
        """Coefficients (S, C) of one manner on the grid, from white noise (S + N - 1, K)."""
        parts = [fftconvolve(noise[:, k], taps, mode="valid") for k, taps in enumerate(self.filters[manner])]
        scores = np.stack(parts, axis=1) @ self.mixing[manner].T
        curves = [
            np.interp(score, SCORES, values)
            for score, values in zip(scores.T, self.values[manner], strict=True)
        ]
        smoothed = [
            gaussian_filter1d(curve, sigma, mode="nearest") if sigma > 0 else curve
            for curve, sigma in zip(curves, self.smooth[manner], strict=True)
        ]
        return np.stack(smoothed, axis=1)


def manners_of(shares: Array, labels: tuple[str, ...]) -> Array:
    """How much of each manner (T, M) there is where emotions show by `shares` (T, L); rows sum to 1."""
    total = shares.sum(axis=1, keepdims=True)
    shares = shares * (np.minimum(total / FULL_FROM, 1) / np.maximum(total, 1e-9))
    manners = np.zeros((len(shares), len(MANNERS)))
    for share, label in zip(shares.T, labels, strict=True):
        manners[:, MANNERS.index(MANNER_OF[label])] += share
    manners[:, 0] += np.clip(1 - shares.sum(axis=1), 0, None)
    return manners


def _noise(rng: np.random.Generator, frames: int, fps: float, count: int, taps: int) -> Array:
    """White noise on the grid, in time order: a longer clip begins as a shorter one does."""
    return rng.standard_normal((_steps(frames, fps) + taps - 1, count))


def _steps(frames: int, fps: float) -> int:
    return int(np.ceil(frames * GRID_FPS / fps)) + 2 * EDGE


def _at_frames(grid: Array, frames: int, fps: float) -> Array:
    """Catmull-Rom interpolation of curves (S, K) on the grid at the video's frames (T, K)."""
    if fps < GRID_FPS:  # what lies between two frames must not be taken for something slower
        grid = gaussian_filter1d(grid, 0.35 * np.sqrt((GRID_FPS / fps) ** 2 - 1), axis=0, mode="nearest")
    places = np.arange(frames) * GRID_FPS / fps + EDGE
    k = places.astype(int)
    t = (places - k)[:, None]
    a, b, c, d = (grid[k + i] for i in (-1, 0, 1, 2))
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
