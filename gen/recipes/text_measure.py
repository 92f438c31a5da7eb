"""How the text encoder does on the development splits, read through its own interface, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emotion_encoders.emotion import FACE8, GOEMOTIONS28
from emotion_encoders.text import Reading, TextEncoder
from emotion_encoders.text_model import DIALOGUE
from gen.recipes.text_calibrate import ekman_of
from gen.recipes.text_data import Corpus, Material

RESAMPLES = 1000
BINS = 15
LINES = tuple(FACE8.resolve(label) for label in DIALOGUE)
EKMAN = tuple(label for label in FACE8.labels if label != "contempt")


@dataclass(frozen=True)
class Score:
    """One number with its 95 % interval over n sentences."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def measure(encoder: TextEncoder, material: Mapping[str, Material]) -> dict[str, Score]:
    """Every number of the card, by name."""
    dev = {name: material[name].dev for name in ("goemotions", "dialogue", "affect", "polarity")}
    read = {name: encoder.read(corpus.texts) for name, corpus in dev.items()}
    return {
        **_labels(read["goemotions"], dev["goemotions"]),
        **_lines(read["dialogue"], dev["dialogue"]),
        **_affect(read["affect"], dev["affect"]),
        **_polarity(read["polarity"], dev["polarity"]),
    }


def score(metric: Callable[[np.ndarray], np.ndarray], n: int, seed: int = 0) -> Score:
    """A metric of row counts (resamples, n), with the middle 95 % over rows drawn with replacement."""
    random = np.random.default_rng(seed)
    counts = random.multinomial(n, np.full(n, 1 / n), RESAMPLES).astype(np.float32)
    low, high = np.quantile(metric(counts), [0.025, 0.975])
    return Score(float(metric(np.ones((1, n), np.float32))[0]), float(low), float(high), n)


def f1(counts: np.ndarray, held: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """F1 of each label, (resamples, labels)."""
    right = counts @ (held * truth)
    return 2 * right / np.maximum(counts @ held + counts @ truth, 1e-9)


def _labels(readings: Sequence[Reading], corpus: Corpus) -> dict[str, Score]:
    truth = corpus.targets
    held = np.asarray(
        [[float(label in r.labels) for label in GOEMOTIONS28.labels] for r in readings], np.float32
    )
    groups, group_truth = ekman_of(held), ekman_of(truth)
    keep = [FACE8.labels.index(label) for label in EKMAN]
    groups, group_truth = groups[:, keep].astype(np.float32), group_truth[:, keep].astype(np.float32)
    tops = np.asarray([FACE8.labels.index(r.face8.top) for r in readings])
    right = ekman_of(truth)[np.arange(len(tops)), tops]
    likely = np.asarray([list(r.goemotions28.values()) for r in readings])
    first = truth[np.arange(len(likely)), likely.argmax(1)]
    n = len(truth)
    scores = {
        "goemotions macro-F1, 28 labels": score(lambda c: f1(c, held, truth).mean(1), n),
        "goemotions macro-F1, Ekman": score(lambda c: f1(c, groups, group_truth).mean(1), n),
        "goemotions, first of face8 right": score(lambda c: c @ right / n, n),
        "goemotions ECE of face8": score(ece(confidences(readings), right), n),
        "goemotions ECE of the 28": score(ece(likely.max(1), first), n),
    }
    every = f1(np.ones((1, n), np.float32), held, truth)[0]
    return scores | {
        f"goemotions F1, {label}": Score(float(value), np.nan, np.nan, int(truth[:, i].sum()))
        for i, (label, value) in enumerate(zip(GOEMOTIONS28.labels, every, strict=True))
    }


def confidences(readings: Sequence[Reading]) -> np.ndarray:
    return np.asarray([reading.confidence for reading in readings])


def _lines(readings: Sequence[Reading], corpus: Corpus) -> dict[str, Score]:
    truth = corpus.targets
    tops = [LINES.index(reading.face8.top) for reading in readings]
    held = np.eye(len(LINES), dtype=np.float32)[tops]
    right = (held * truth).sum(1)

    def weighted(counts: np.ndarray) -> np.ndarray:
        return (f1(counts, held, truth) * (counts @ truth)).sum(1) / len(truth)

    n = len(truth)
    scores = {
        "meld weighted F1": score(weighted, n),
        "meld accuracy": score(lambda c: c @ right / n, n),
        "meld ECE": score(ece(confidences(readings), right), n),
    }
    every = f1(np.ones((1, n), np.float32), held, truth)[0]
    return scores | {
        f"meld F1, {label}": Score(float(value), np.nan, np.nan, int(truth[:, i].sum()))
        for i, (label, value) in enumerate(zip(LINES, every, strict=True))
    }


def _affect(readings: Sequence[Reading], corpus: Corpus) -> dict[str, Score]:
    scores = {}
    for column, name in enumerate(("valence", "arousal", "dominance")):
        seen = np.asarray([getattr(reading, name) for reading in readings])
        scores[f"emobank r, {name}"] = score(pearson(seen, corpus.targets[:, column]), len(seen))
    return scores


def _polarity(readings: Sequence[Reading], corpus: Corpus) -> dict[str, Score]:
    chances = np.asarray([reading.polarity for reading in readings])
    right = ((chances > 0.5) == (corpus.targets[:, 0] > 0.5)).astype(np.float32)
    n = len(right)
    return {
        "sst2 accuracy": score(lambda c: c @ right / n, n),
        "sst2 ECE": score(ece(np.maximum(chances, 1 - chances), right), n),
    }


def pearson(a: np.ndarray, b: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    def metric(counts: np.ndarray) -> np.ndarray:
        counts = counts / counts.sum(1, keepdims=True)
        mean_a, mean_b = counts @ a, counts @ b
        together = counts @ (a * b) - mean_a * mean_b
        return together / np.sqrt((counts @ a**2 - mean_a**2) * (counts @ b**2 - mean_b**2))

    return metric


def ece(confidence: np.ndarray, right: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Expected calibration error over bins of equal width (Guo et al. 2017, eq. 3)."""
    bins = np.eye(BINS)[np.minimum((confidence * BINS).astype(int), BINS - 1)]
    gaps = bins * (confidence - right)[:, None]
    return lambda counts: np.abs(counts @ gaps).sum(1) / len(right)
