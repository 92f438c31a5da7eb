"""Makes `pipelines/portrait/life.safetensors`: how real faces waver, blink and look, and how heads sway.

    python -m gen.recipes.motion_residual --data DIR

Learned from the recordings that are not held out (`motion_captures`) and from the heads of half of the clips
in DIR/talking_clips (`motion_heads`). Nothing is drawn at random: the same data give the same bytes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import welch
from scipy.stats import norm, rankdata

from gen.recipes.fitting import write_tensors
from gen.recipes.motion_captures import Take, blinks_of, captures
from gen.recipes.motion_heads import learned_heads
from pipelines.portrait.life import GAZE, GRID_FPS, LIVELY, MANNERS, SCORES, Life

Array = NDArray[np.float64]

OUTPUT = Path("pipelines/portrait/life.safetensors")
PARTS = 8  # noises that a face is mixed of
SPAN = 512  # samples of a spectrum: 17 seconds
TAPS = 511  # of a filter
TRIAL = 9000  # samples: five minutes, in which the measured speed is met
SMOOTHEST = 12.0  # steps of the grid
HEAD_SPAN = 96  # the clips are short
STILL = 0.004  # a coefficient with a smaller deviation does not move
SACCADE = np.radians(20)  # a second: faster eyes are on their way
LONGEST_HELD = 6.0  # seconds: a stare counts as no more
NEARBY = np.radians(3)  # a fixation within this is one on the viewer
# Published rates (Bentivoglio et al. 1997: 17 at rest) weigh as much as this many minutes of our recordings.
BLINKS, BLINK_MINUTES = 18.0, 1.0
# Fixations as the rules have them, counted among those seen: the performer at rest stared at the phone.
USUAL_FIXATIONS = 20
USUAL = {"held": 1.55, "away": 0.3, "near": 0.008, "far_right": 0.06, "far_down": 0.03}
# The performer looked around a room in fear; one who talks to a viewer comes back.
GAZE_KEPT = 0.7


def is_open(take: Take) -> NDArray[np.bool_]:
    """The frames (T,) outside of blinks."""
    times = np.arange(len(take.coefficients)) / take.fps
    seen = np.ones(len(times), bool)
    for moment in blinks_of(take.lids, take.fps).moments:
        seen &= (times < moment - 0.12) | (times > moment + 0.25)
    return seen


def without_blinks(values: Array, take: Take) -> Array:
    """Curves (T, C) with what happens in a blink replaced by a straight line across it."""
    times, known = np.arange(len(values)), is_open(take)
    return np.stack([np.interp(times, times[known], curve[known]) for curve in values.T], axis=1)


def scores_of(values: Array) -> Array:
    """Normal scores (T, C) of each curve; those of a still one are 0."""
    ranks = np.stack([rankdata(curve) for curve in values.T], axis=1)
    scores = norm.ppf(ranks / (len(values) + 1))
    return np.where(values.std(axis=0) < STILL, 0.0, scores)


def filter_of(curves: Sequence[Array], span: int, taps: int) -> Array:
    """The symmetric filter (taps,) of unit energy that gives white noise the mean spectrum of curves (T,)."""
    spectra = [
        welch(curve, GRID_FPS, nperseg=min(span, len(curve)), nfft=span, detrend="constant")[1]
        for curve in curves
    ]
    response = np.fft.irfft(np.sqrt(np.mean(spectra, axis=0)), span)
    middle = np.roll(response, span // 2)[span // 2 - taps // 2 : span // 2 + taps // 2 + 1]
    shaped = middle * np.hanning(taps + 2)[1:-1]
    return shaped / max(float(np.sqrt((shaped**2).sum())), 1e-12)  # what never moves has no spectrum


def manner(takes: Sequence[Take], level: Array | None = None) -> tuple[Array, Array, Array]:
    """Mixing (C, K), filters (K, N), values (C, scores) of one manner, around a level (C,) or their own."""
    faces = [without_blinks(take.coefficients[:, LIVELY], take) for take in takes]
    scores = [scores_of(face) for face in faces]
    together = np.concatenate(scores)
    power, directions = np.linalg.eigh(together.T @ together / len(together))
    directions = directions[:, np.argsort(-power)[:PARTS]]
    parts = [score @ directions for score in scores]
    strength = np.sqrt(np.mean(np.concatenate(parts) ** 2, axis=0))
    mixing = directions * strength
    mixing /= np.maximum(np.sqrt((mixing**2).sum(axis=1, keepdims=True)), 1e-6)
    filters = np.stack([filter_of([part[:, k] for part in parts], SPAN, TAPS) for k in range(PARTS)])

    # Takes differ in their levels; each wavers around its own, and all around what they have in common.
    common = np.mean([face.mean(axis=0) for face in faces], axis=0) if level is None else level
    pooled = np.concatenate([face - face.mean(axis=0) + common for face in faces])
    values = np.quantile(np.clip(pooled, 0, 1), norm.cdf(SCORES), axis=0).T
    return mixing, filters, values


def smoothing(life: Life, number: int, takes: Sequence[Take]) -> Array:
    """How much each coefficient (C,) of a manner must be smoothed to move as fast as it did in the takes."""
    known = [np.minimum(is_open(take)[1:], is_open(take)[:-1]) for take in takes]
    steps = [
        np.diff(take.coefficients[:, LIVELY], axis=0)[seen] for take, seen in zip(takes, known, strict=True)
    ]
    wanted = np.sqrt(np.mean([(step**2).mean(axis=0) for step in steps], axis=0))
    noise = np.random.default_rng(0).standard_normal((TRIAL + TAPS - 1, PARTS))
    rough = life.course(number, noise)
    sigmas = np.zeros(len(LIVELY))
    for k, (curve, speed) in enumerate(zip(rough.T, wanted, strict=True)):
        low, high = 0.0, SMOOTHEST
        for _ in range(8):
            middle = (low + high) / 2
            is_fast = _speed(gaussian_filter1d(curve, middle)[:, None])[0] > speed
            low, high = (middle, high) if is_fast else (low, middle)
        sigmas[k] = high if _speed(curve[:, None])[0] > speed else 0.0
    return sigmas


def _speed(curves: Array) -> Array:
    return np.sqrt((np.diff(curves, axis=0) ** 2).mean(axis=0))


def gaze_of(takes: Sequence[Take]) -> Array:
    """How long the eyes hold, how often they look away, and how far near and away, as GAZE names them."""
    held, offsets = [], []
    for take in takes:
        gaze = without_blinks(take.gaze, take)
        speed = np.hypot(*np.diff(gaze, axis=0, append=gaze[-1:]).T) * take.fps
        moving = np.diff(np.concatenate([[1], (speed > SACCADE).astype(int), [1]]))
        for start, end in zip(np.flatnonzero(moving < 0), np.flatnonzero(moving > 0), strict=True):
            if end - start >= 3:  # a tenth of a second
                held.append((end - start) / take.fps)
                offsets.append(np.median(gaze[start:end], axis=0))
    where, weight = np.array(offsets), np.minimum(held, LONGEST_HELD)
    away = np.hypot(*where.T) > NEARBY

    def spread(chosen: NDArray[np.bool_], axis: int) -> float:
        return (
            float(np.sqrt(np.average(where[chosen, axis] ** 2, weights=weight[chosen])))
            if chosen.any()
            else 0.0
        )

    numbers = {
        "held": (weight.mean(), len(where)),
        "away": (away.mean(), len(where)),
        "near": (np.sqrt((spread(~away, 0) ** 2 + spread(~away, 1) ** 2) / 2), (~away).sum()),
        "far_right": (GAZE_KEPT * spread(away, 0), away.sum()),
        "far_down": (GAZE_KEPT * spread(away, 1), away.sum()),
    }
    return np.array(
        [
            (numbers[k][0] * numbers[k][1] + USUAL[k] * USUAL_FIXATIONS) / (numbers[k][1] + USUAL_FIXATIONS)
            for k in GAZE
        ]
    )


def blinks_a_minute(takes: Sequence[Take]) -> float:
    seen = [blinks_of(take.lids, take.fps) for take in takes]
    count, minutes = sum(len(one.moments) for one in seen), sum(one.minutes for one in seen)
    return (count + BLINKS * BLINK_MINUTES) / (minutes + BLINK_MINUTES)


def head_of(heads: Sequence[Array]) -> tuple[Array, Array]:
    """Filters (6, N) and spread (7,) of heads (T, 6), each around its own rest."""
    moved = [head - head.mean(axis=0) for head in heads]
    spreads = np.array([head.std(axis=0) for head in moved])
    scaled = [head / spread for head, spread in zip(moved, spreads, strict=True)]
    filters = [filter_of([head[:, k] for head in scaled], HEAD_SPAN, HEAD_SPAN - 1) for k in range(6)]
    lively = np.log(spreads).mean(axis=1).std()
    return np.stack(filters), np.concatenate([spreads.mean(axis=0), [lively]])


def learn(takes: Sequence[Take], heads: Sequence[Array]) -> dict[str, Array]:
    """The tensors of `pipelines.portrait.life.Life` from takes in every manner, and heads (T, 6)."""
    sets = [[take for take in takes if name in ("pooled", take.feeling)] for name in MANNERS]
    # What moved in every feeling moves in those that nobody recorded, but around a face at rest.
    rest = np.mean([take.coefficients[:, LIVELY].mean(axis=0) for take in sets[0]], axis=0)
    parts = [
        manner(chosen, rest if name == "pooled" else None) for name, chosen in zip(MANNERS, sets, strict=True)
    ]
    head_filters, head_spread = head_of(heads)
    tensors = {
        "mixing": np.stack([part[0] for part in parts]),
        "filters": np.stack([part[1] for part in parts]),
        "values": np.stack([part[2] for part in parts]),
        # In joy or contempt one looks at others as at rest; pooled, fear's wandering eyes would outweigh all.
        "gaze": np.stack(
            [gaze_of(sets[0] if name == "pooled" else sets[k]) for k, name in enumerate(MANNERS)]
        ),
        "blinks": np.array([blinks_a_minute(chosen) for chosen in sets]),
        "head_filters": head_filters,
        "head_spread": head_spread,
        "smooth": np.zeros((len(MANNERS), len(LIVELY))),
    }
    rough = Life(**tensors)
    steady = [smoothing(rough, number, chosen) for number, chosen in enumerate(sets)]
    return tensors | {"smooth": np.stack(steady)}


def main() -> None:
    """Reads --data, writes the measured numbers."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="holds arkit_capture/ and talking_clips/")
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT, help="where the numbers are written")
    asked = parser.parse_args()
    takes = [take for take in captures(asked.data) if not take.is_held_out]
    tensors = learn(takes, learned_heads(asked.data))
    for name, rate, gaze in zip(MANNERS, tensors["blinks"], tensors["gaze"], strict=True):
        told = ", ".join(f"{key} {value:.3f}" for key, value in zip(GAZE, gaze, strict=True))
        print(f"{name}: {rate:.1f} blinks a minute, {told}")
    print(
        "head:", np.round(np.degrees(tensors["head_spread"][:3]), 2), np.round(tensors["head_spread"][3:], 3)
    )
    written = {name: torch.from_numpy(tensor.astype(np.float32)) for name, tensor in tensors.items()}
    write_tensors(asked.output, written, {"takes": " ".join(take.name for take in takes)})


if __name__ == "__main__":
    main()
