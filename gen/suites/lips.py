"""What an emotion costs the lips: how well the opening seen in the pixels follows what the sound asks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import numpy as np

from gen.measure import clustered
from gen.suites.cast import Cast, Finding, told
from pipelines.portrait.articulation import lip_gap
from pipelines.portrait.performer import INNER_LIPS
from pipelines.portrait.tracker import FaceTracker, eye_distance

READ = 0.5  # a mouth that the tracker follows less well without any emotion cannot tell what one costs


def run(cast: Cast) -> Finding:
    """Every portrait, neutral and with every emotion; the floor is the sound's opening half a clip away."""
    wanted = lip_gap(cast.motion("neutral").coefficients)
    motions = {emotion: cast.motion(emotion) for emotion in ("neutral", *cast.emotions)}
    follows: dict[str, dict[str, list[float]]] = {emotion: {} for emotion in motions}
    lost: dict[str, dict[str, list[float]]] = {emotion: {} for emotion in cast.emotions}
    alike: dict[str, dict[str, list[float]]] = {emotion: {} for emotion in cast.emotions}
    floor: dict[str, list[float]] = {}
    missed: dict[str, str] = {}
    for name, actor in cast.actors():
        if isinstance(actor, str):
            missed[name] = actor
            continue
        seen = {emotion: openings(cast.drawn(actor, motion)) for emotion, motion in motions.items()}
        plain = correlation(seen["neutral"], wanted)
        floor[name] = [correlation(seen["neutral"], np.roll(wanted, len(wanted) // 2))]
        for emotion, opening in seen.items():
            follows[emotion][name] = [correlation(opening, wanted)]
            if emotion != "neutral":
                lost[emotion][name] = [1 - follows[emotion][name][0] / plain] if plain >= READ else []
                alike[emotion][name] = [correlation(opening, seen["neutral"])]
    lines = ["correlation of the opening in the pixels with the one that the sound asks for"]
    lines += [told(emotion, clustered(groups)) for emotion, groups in follows.items()]
    lines.append(told("floor: half a clip away", clustered(floor)))
    every_loss = {n: [v for e in cast.emotions for v in lost[e].get(n, [])] for n in floor}
    lines.append(told(f"share lost from emotion 0 to 1, where {READ:g} is met", clustered(every_loss)))
    lines += [told(f"  {emotion}", clustered(groups)) for emotion, groups in lost.items()]
    every_match = {n: [v for e in cast.emotions for v in alike[e].get(n, [])] for n in floor}
    lines.append(told("correlation of emotional and neutral clip", clustered(every_match)))
    report = {
        "follows": {e: asdict(v) if (v := clustered(g)) else None for e, g in follows.items()},
        "floor": asdict(v) if (v := clustered(floor)) else None,
        "lost": asdict(v) if (v := clustered(every_loss)) else None,
        "lost_by_emotion": {e: asdict(v) if (v := clustered(g)) else None for e, g in lost.items()},
        "alike": asdict(v) if (v := clustered(every_match)) else None,
        "missed": missed,
    }
    return Finding(report, tuple(lines))


def openings(frames: Iterable[np.ndarray]) -> np.ndarray:
    """Distance of the inner lips (T,) in distances between the outer eye corners; NaN without a face."""
    seen = []
    with FaceTracker(max_faces=1) as tracker:
        for frame in frames:
            at = tracker.follow(frame)
            upper, lower = INNER_LIPS
            gap = np.nan if at is None else np.hypot(*(at[lower, :2] - at[upper, :2])) / eye_distance(at)
            seen.append(float(gap))
    return np.array(seen)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's, over the frames where both are known; 0 if one of them does not move."""
    known = np.isfinite(one) & np.isfinite(other)
    if known.sum() < 3 or min(one[known].std(), other[known].std()) < 1e-9:
        return 0.0
    return float(np.corrcoef(one[known], other[known])[0, 1])
