"""The arithmetic of evaluation: rises over neutral, intervals clustered by portrait, ranks, confusion."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval; n counts the values, clusters what was resampled."""

    mean: float
    low: float
    high: float
    n: int
    clusters: int

    def __str__(self) -> str:
        return f"{self.mean:+.2f} [{self.low:+.2f}, {self.high:+.2f}]"


def clustered(values: Mapping[str, Sequence[float]], seed: int = 0) -> Estimate | None:
    """The mean of all values and its percentile bootstrap interval, whole clusters drawn with replacement."""
    groups = [np.asarray(group, np.float64) for group in values.values() if len(group)]
    if not groups:
        return None
    sums, counts = np.array([group.sum() for group in groups]), np.array([len(group) for group in groups])
    drawn = np.random.default_rng(seed).integers(0, len(groups), (RESAMPLES, len(groups)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Estimate(float(sums.sum() / counts.sum()), float(low), float(high), int(counts.sum()), len(groups))


def ranks(values: Sequence[float]) -> np.ndarray:
    """Ranks from 0; equal values share the mean of their ranks."""
    array = np.asarray(values, np.float64)
    below = (array[None, :] < array[:, None]).sum(axis=1)
    ties = (array[None, :] == array[:, None]).sum(axis=1)
    return below + (ties - 1) / 2


def rank_correlation(asked: Sequence[float], seen: Sequence[float]) -> float:
    """Spearman's rank correlation; 0 where one side does not vary, for then nothing was followed."""
    a, b = ranks(asked), ranks(seen)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / scale) if scale else 0.0


@dataclass(frozen=True)
class Cell:
    """What one recogniser saw in one clip: the mean distribution, or None where no face was found."""

    portrait: str
    emotion: str
    intensity: float
    seen: tuple[float, ...] | None


@dataclass(frozen=True)
class Table:
    """Cells by what was asked, with the questions evaluation puts to them."""

    labels: tuple[str, ...]
    cells: Mapping[tuple[str, str, float], Cell]

    def probability(self, portrait: str, emotion: str, intensity: float, label: str) -> float | None:
        """How strongly the label was seen in that clip; intensity 0 is the portrait's neutral clip."""
        key = (portrait, emotion, intensity) if intensity > 0 else (portrait, "neutral", 1.0)
        cell = self.cells.get(key)
        if cell is None or cell.seen is None:
            return None
        return cell.seen[self.labels.index(label)]

    def rise(self, portrait: str, emotion: str, label: str | None = None) -> float:
        """The label's probability in the emotion's clip over the neutral clip; a miss rises by 0."""
        wanted = self.probability(portrait, emotion, 1.0, label or emotion)
        neutral = self.probability(portrait, emotion, 0.0, label or emotion)
        return 0.0 if wanted is None or neutral is None else wanted - neutral

    def follows(self, portrait: str, emotion: str, intensities: Sequence[float]) -> float:
        """Rank correlation of asked and seen intensity; a miss follows nothing: 0."""
        seen = [self.probability(portrait, emotion, value, emotion) for value in intensities]
        known = [value for value in seen if value is not None]
        return rank_correlation(intensities, known) if len(known) == len(seen) else 0.0

    def top(self, portrait: str, emotion: str) -> str | None:
        """The label seen most in that clip."""
        cell = self.cells.get((portrait, emotion, 1.0))
        if cell is None or cell.seen is None:
            return None
        return self.labels[int(np.argmax(cell.seen))]


@dataclass(frozen=True)
class Result:
    """What one recogniser makes of the whole suite."""

    rise: Estimate | None
    floor: Estimate | None
    by_emotion: Mapping[str, Estimate | None]
    by_portrait: Mapping[str, Mapping[str, float]]
    neutral: Mapping[str, Estimate | None]
    worst: tuple[str, float] | None
    intensity: Estimate | None
    top1: Estimate | None
    confusion: Mapping[str, Mapping[str, int]]


def summarise(
    table: Table,
    portraits: Sequence[str],
    emotions: Sequence[str],
    intensities: Sequence[float],
    leading: Sequence[str],
) -> Result:
    """All numbers of one recogniser; `leading` names the emotions among which the worst is sought."""

    def over(emotions: Sequence[str], value: Callable[[str, str], float]) -> Estimate | None:
        return clustered({p: [value(p, e) for e in emotions] for p in portraits})

    def wrong(portrait: str, emotion: str) -> float:
        others = [label for label in emotions if label != emotion]
        return float(np.mean([table.rise(portrait, emotion, label) for label in others])) if others else 0.0

    def known(value: float | None) -> list[float]:
        return [] if value is None else [value]

    by_emotion = {emotion: over([emotion], table.rise) for emotion in emotions}
    first = [(found.mean, e) for e in leading if (found := by_emotion.get(e)) is not None]
    return Result(
        rise=over(emotions, table.rise),
        floor=over(emotions, wrong),
        by_emotion=by_emotion,
        by_portrait={p: {e: table.rise(p, e) for e in emotions} for p in portraits},
        neutral={
            e: clustered({p: known(table.probability(p, e, 0.0, e)) for p in portraits}) for e in emotions
        },
        worst=(min(first)[1], min(first)[0]) if first else None,
        intensity=over(emotions, lambda p, e: table.follows(p, e, intensities))
        if len(intensities) > 2
        else None,
        top1=over(emotions, lambda p, e: float(table.top(p, e) == e)),
        confusion={
            asked: _counts([table.top(p, asked) for p in portraits]) for asked in ("neutral", *emotions)
        },
    )


def _counts(seen: Sequence[str | None]) -> dict[str, int]:
    """How often each label was on top; clips without a face count as 'no face'."""
    names = ["no face" if label is None else label for label in seen]
    return {name: names.count(name) for name in sorted(set(names))}
