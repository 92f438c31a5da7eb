"""What makes the text encoder's numbers mean what they say; all of it is fitted on the held-back slices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from emotion_encoders.emotion import FACE8, GOEMOTIONS28, Emotion
from emotion_encoders.mapping import translate
from emotion_encoders.text_model import TextNetwork, spoken
from emotion_encoders.vocabulary import AFFECT
from emotion_encoders.wordpieces import WordPieces
from gen.recipes.text_data import Corpus, DataError, Material
from gen.recipes.text_fit import framed, padded

FINE = 64  # pieces that the encoder reads together, start and end included
GATE_ROWS = 4000  # of each corpus, from which dialogue and comments are told apart
GATE_RIDGE = 1e-3
PRIOR = 4.0  # how strongly a label's slope and bias are held to 1 and 0, in sentences


@dataclass(frozen=True)
class Calibration:
    """See emotion_encoders.text_model.Facts, whose fields these are."""

    slopes: tuple[float, ...]
    biases: tuple[float, ...]
    thresholds: tuple[float, ...]
    line_temperature: float
    spoken: tuple[float, float]
    sharpness: float
    trust: tuple[float, float, float, float]
    polarity: tuple[float, float]
    gains: tuple[float, ...]
    offsets: tuple[float, ...]


@torch.no_grad()
def features_of(network: TextNetwork, pieces: WordPieces, corpus: Corpus, tokens: int = 4000) -> Tensor:
    """What the encoder makes of every text, in their order."""
    network.eval()
    rows = framed(pieces, corpus.texts, FINE)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    found: list[Tensor] = []
    place = 0
    while place < len(order):
        size = max(1, tokens // len(rows[order[min(place + 64, len(order) - 1)]]))
        found.append(network.features(*padded([rows[i] for i in order[place : place + size]])))
        place += size
    return torch.cat(found)[torch.tensor(order).argsort()]


@torch.no_grad()
def heads_of(network: TextNetwork, pieces: WordPieces, corpus: Corpus) -> dict[str, Tensor]:
    """What every head gives for every text."""
    features = features_of(network, pieces, corpus)
    return {name: head(features) for name, head in network.heads.items()}


def fit_spoken(
    network: TextNetwork, pieces: WordPieces, material: Mapping[str, Material]
) -> tuple[Tensor, Tensor]:
    """Weight and bias of the head that tells dialogue from comments: a logistic regression on features."""
    features, truth = [], []
    for name in ("goemotions", "dialogue"):
        learning = material[name].learning
        some = learning.rows(i < GATE_ROWS for i in range(len(learning)))
        features.append(features_of(network, pieces, some))
        truth.append(torch.full((len(some), 1), float(name == "dialogue")))
    x, y = torch.cat(features), torch.cat(truth)
    mean, spread = x.mean(0), x.std(0) + 1e-6
    x = (x - mean) / spread
    weight = torch.zeros(1, x.shape[1], requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        total = (
            F.binary_cross_entropy_with_logits(x @ weight.T + bias, y) + GATE_RIDGE * weight.square().sum()
        )
        total.backward()
        return total

    optimiser.step(loss)  # pyright: ignore[reportArgumentType] - LBFGS takes what the closure gives
    scaled = weight.detach() / spread
    return scaled, bias.detach() - scaled @ mean


def calibrate(network: TextNetwork, pieces: WordPieces, material: Mapping[str, Material]) -> Calibration:
    held = {name: material[name].held for name in ("goemotions", "dialogue", "polarity")}
    seen = {name: heads_of(network, pieces, corpus) for name, corpus in held.items()}
    truth = {name: torch.from_numpy(corpus.targets) for name, corpus in held.items()}

    slopes, biases = platt(seen["goemotions"]["goemotions"], truth["goemotions"])
    chances = {name: (heads["goemotions"] * slopes + biases).sigmoid() for name, heads in seen.items()}
    temperature = _temperature(seen["dialogue"]["dialogue"], truth["dialogue"])
    lines = {name: (heads["dialogue"] / temperature).softmax(1).numpy() for name, heads in seen.items()}
    asked = {
        "goemotions": ekman_of(held["goemotions"].targets),
        "dialogue": on_faces(held["dialogue"].targets),
    }
    of_spoken = _spoken({name: seen[name]["spoken"] for name in asked})
    domains = {
        name: (
            (seen[name]["spoken"] * of_spoken[0] + of_spoken[1]).sigmoid().numpy(),
            mapped(chances[name].numpy()),
            on_faces(lines[name]),
            right,
        )
        for name, right in asked.items()
    }
    sharpness = _sharpness(domains)
    slope, bias = platt(seen["polarity"]["polarity"], truth["polarity"])
    gains, offsets = _scales(seen["goemotions"]["affect"].numpy(), held["goemotions"].targets)
    return Calibration(
        slopes=_rounded(slopes),
        biases=_rounded(biases),
        thresholds=_rounded(thresholds(chances["goemotions"].numpy(), held["goemotions"].targets)),
        line_temperature=temperature,
        spoken=of_spoken,
        sharpness=sharpness,
        trust=_trust(domains, sharpness),
        polarity=(round(float(slope), 4), round(float(bias), 4)),
        gains=_rounded(gains),
        offsets=_rounded(offsets),
    )


def _rounded(values: Tensor | np.ndarray) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in values)


def platt(logits: Tensor, truth: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Slope and bias of each column (Platt 1999), held a little to 1 and 0 where examples are few."""
    slope = torch.ones(logits.shape[1], requires_grad=True)
    bias = torch.zeros(logits.shape[1], requires_grad=True)
    optimiser = torch.optim.LBFGS([slope, bias], max_iter=200, line_search_fn="strong_wolfe")
    logits, truth = logits.clone(), truth.float()  # out of inference mode

    def loss() -> Tensor:
        optimiser.zero_grad()
        fit = F.binary_cross_entropy_with_logits(logits * slope + bias, truth, weights, reduction="sum")
        total = fit + PRIOR * ((slope - 1).square().sum() + 0.25 * bias.square().sum())
        total.backward()
        return total

    optimiser.step(loss)  # pyright: ignore[reportArgumentType] - LBFGS takes what the closure gives
    return slope.detach(), bias.detach()


def thresholds(chances: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The threshold of each label with the best F1, where half the evidence is the calibrated chance itself.

    F1 counted on few examples jumps with each of them; F1 expected from the chances is smooth.
    """
    grid = np.linspace(0.04, 0.7, 133)
    best = np.zeros(chances.shape[1])
    for label in range(chances.shape[1]):
        column = chances[:, label]
        certain = (truth[:, label] + column) / 2
        held = column[:, None] >= grid
        f1 = 2 * (certain[:, None] * held).sum(0) / (held.sum(0) + certain.sum())
        best[label] = grid[f1 >= f1.max() - 1e-4].mean()
    return best


def _temperature(logits: Tensor, truth: Tensor) -> float:
    grid = np.exp(np.linspace(np.log(0.3), np.log(4.0), 400))
    losses = [float(F.cross_entropy(logits / t, truth)) for t in grid]
    return round(float(grid[int(np.argmin(losses))]), 3)


def on_faces(lines: np.ndarray) -> np.ndarray:
    """Distributions over DIALOGUE as ones over FACE8."""
    return np.asarray([spoken(line) for line in lines.tolist()])


def ekman_of(targets: np.ndarray) -> np.ndarray:
    """Which of FACE8 the 28 labels of a text stand for, by mapping.py; several may hold."""
    groups = np.stack(
        [mapped(np.eye(len(GOEMOTIONS28.labels))[i : i + 1])[0] for i in range(targets.shape[1])]
    )
    return ((targets > 0).astype(float) @ groups > 0).astype(float)


def mapped(chances: np.ndarray) -> np.ndarray:
    """The 28 as distributions over FACE8, by mapping.py."""
    return np.asarray(
        [translate(Emotion.seen(GOEMOTIONS28, row), FACE8).emotion.weights for row in chances.tolist()]
    )


# The share of dialogue, the 28 and the dialogue head as distributions over FACE8, and what is right.
Domain = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _spoken(logits: Mapping[str, Tensor]) -> tuple[float, float]:
    """Slope and bias of the chance that a text is a line of dialogue, if comments are as many."""
    truth = [torch.full_like(rows, float(name == "dialogue")) for name, rows in logits.items()]
    weights = [torch.full_like(rows, 500 / len(rows)) for rows in logits.values()]
    slope, bias = platt(torch.cat(list(logits.values())), torch.cat(truth), torch.cat(weights))
    return round(float(slope), 4), round(float(bias), 4)


def _sharpness(domains: Mapping[str, Domain]) -> float:
    """The sharpness with the least mean surprise, comments and dialogue alike."""
    best, found = np.inf, 1.0
    for sharpness in np.linspace(0.7, 2.5, 37):
        total = 0.0
        for share, comments, lines, asked in domains.values():
            pool = pooled(comments, lines, share, sharpness)
            wanted = asked / asked.sum(1, keepdims=True)
            total -= float((wanted * np.log(pool + 1e-6)).sum(1).mean())
        if total < best:
            best, found = total, round(float(sharpness), 3)
    return found


def pooled(comments: np.ndarray, lines: np.ndarray, share: np.ndarray, sharpness: float) -> np.ndarray:
    """As TextEncoder pools them."""
    pool = ((1 - share) * comments + share * lines) ** sharpness
    return pool / pool.sum(1, keepdims=True)


def _trust(domains: Mapping[str, Domain], sharpness: float) -> tuple[float, float, float, float]:
    """How often the first of FACE8 is right, from its share and whether both sources name it."""
    features, rights, weights = [], [], []
    for share, comments, lines, asked in domains.values():
        pool = pooled(comments, lines, share, sharpness)
        first = pool.max(1).clip(max=1 - 1e-6)
        agreed = comments.argmax(1) == lines.argmax(1)
        features.append(np.stack([np.log(first / (1 - first)), agreed, share[:, 0], np.ones(len(pool))], 1))
        rights.append(asked[np.arange(len(pool)), pool.argmax(1)])
        weights.append(np.full(len(pool), 1 / len(pool)))  # comments and dialogue count alike
    x, y, w = (np.concatenate(parts) for parts in (features, rights, weights))
    usual = np.array([1.0, 0.0, 0.0, 0.0])  # the share itself; what is found is held to it a little
    found = usual.copy()
    for _ in range(30):  # Newton's method
        chance = 1 / (1 + np.exp(-x @ found))
        slope = x.T @ (w * (y - chance)) - 1e-3 * (found - usual)
        found += np.linalg.solve(x.T @ (x * (w * chance * (1 - chance))[:, None]) + 1e-3 * np.eye(4), slope)
    by_share, by_agreement, by_spoken, bias = (round(float(value), 4) for value in found)
    return by_share, by_agreement, by_spoken, bias


def _scales(affect: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From standard deviations to the table of affects: neutral comments at the origin, and the gain with
    which a reading lies nearest to the point of the label that people gave. The table has no dominance; it
    takes the mean of the two gains.
    """
    single = truth.sum(1) == 1
    resting = single & (truth[:, GOEMOTIONS28.labels.index("neutral")] > 0)
    if not resting.any():
        raise DataError("None of the comments held back is labelled neutral alone; give the whole corpus.")
    origin = affect[resting].mean(0)
    seen = (affect - origin)[single & ~resting, :2]
    table = np.asarray([(AFFECT[label].valence, AFFECT[label].arousal) for label in GOEMOTIONS28.labels])
    points = table[truth[single & ~resting].argmax(1)]
    gains = (seen * points).sum(0) / np.square(seen).sum(0)
    gains = np.append(gains, gains.mean())
    return gains, -gains * origin
