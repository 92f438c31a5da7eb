"""How alike two sets of motions are: simple statistics of short windows, and the Fréchet distance of those.

A window of two seconds, every second, is told by each signal's standard deviation and speed, by how far its
mean lies from the motion's median, and, where levels count, by the mean itself. Each statistic is divided by
its standard deviation over the windows that were learned from. Between two sets of windows the distance is
that of Fréchet between Gaussians (Dowson & Landau 1982): |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.portrait.arkit import columns, index

Array = NDArray[np.float64]

WINDOW, HOP = 2.0, 1.0  # seconds
FACE = (
    "browDown",
    "browInnerUp",
    "browOuterUp",
    "cheekSquint",
    "noseSneer",
    "eyeSquint",
    "eyeWide",
    "eyeBlink",
)
SIGNALS = (*FACE, "gaze right", "gaze down")
RESAMPLES = 300


def signals_of(coefficients: NDArray[np.floating]) -> Array:
    """SIGNALS (T, 10) of ARKit coefficients (T, 52): brows, cheeks, nose, lids (of both sides) and gaze."""
    face = [coefficients[:, list(columns(name))].mean(axis=1) for name in FACE]

    def toward(ahead: Sequence[str], back: Sequence[str]) -> Array:
        return sum(
            (coefficients[:, index(f"eyeLook{name}")] for name in ahead), np.zeros(len(coefficients))
        ) / 2 - (
            sum((coefficients[:, index(f"eyeLook{name}")] for name in back), np.zeros(len(coefficients))) / 2
        )

    right = toward(("OutLeft", "InRight"), ("InLeft", "OutRight"))
    down = toward(("DownLeft", "DownRight"), ("UpLeft", "UpRight"))
    return np.stack([*face, right, down], axis=1).astype(np.float64)


def windows_of(signals: Array, fps: float, *, levels: bool, hop: float = HOP) -> Array:
    """The statistics of every window (N, 3 S), with levels (N, 4 S), of signals (T, S)."""
    length, step = round(WINDOW * fps), round(hop * fps)
    rest = np.median(signals, axis=0)
    rows = []
    for start in range(0, len(signals) - length + 1, step):
        window = signals[start : start + length]
        speed = np.sqrt((np.diff(window, axis=0) ** 2).mean(axis=0)) * fps
        parts = [window.std(axis=0), speed, window.mean(axis=0) - rest]
        rows.append(np.concatenate([*parts, window.mean(axis=0)] if levels else parts))
    return np.array(rows)


def frechet(one: Array, other: Array) -> float:
    """The distance between the Gaussians of two sets of windows (N, F) and (M, F)."""
    first, second = np.cov(one.T), np.cov(other.T)
    # The eigenvalues of C1 C2 are real and not negative; its trace of roots is the sum of their roots.
    roots = np.sqrt(np.clip(np.linalg.eigvals(first @ second).real, 0, None)).sum()
    gap = one.mean(axis=0) - other.mean(axis=0)
    return float(gap @ gap + np.trace(first) + np.trace(second) - 2 * roots)


@dataclass(frozen=True)
class Distance:
    """A Fréchet distance, its 95 % interval over blocks of windows, and how many windows were compared."""

    value: float
    low: float
    high: float
    windows: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.value:6.2f} [{self.low:.2f}, {self.high:.2f}]"


def distance(
    made: Sequence[Array], real: Sequence[Array], scale: Array, *, seed: int = 0, block: int = 8
) -> Distance:
    """Between windows of made and of real motions, each a list of (N, F) in time order.

    The interval draws blocks of `block` neighbouring windows again and again: windows of a take overlap and
    are alike. A bootstrap of a Fréchet distance leans upwards, because a drawn set has repeats and so a
    smaller covariance; the interval is moved to have the value as its median.
    """
    ours, theirs = ([rows / scale for rows in side] for side in (made, real))
    value = frechet(np.concatenate(ours), np.concatenate(theirs))
    rng = np.random.default_rng(seed)
    drawn = np.array(
        [frechet(_again(ours, block, rng), _again(theirs, block, rng)) for _ in range(RESAMPLES)]
    )
    low, high = np.percentile(drawn - np.median(drawn), [2.5, 97.5]) + value
    return Distance(value, max(0.0, float(low)), float(high), (sum(map(len, ours)), sum(map(len, theirs))))


def _again(parts: Sequence[Array], block: int, rng: np.random.Generator) -> Array:
    blocks = [rows[k : k + block] for rows in parts for k in range(0, len(rows), block)]
    return np.concatenate([blocks[k] for k in rng.integers(len(blocks), size=len(blocks))])
