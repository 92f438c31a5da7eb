"""How a recogniser did on unseen faces: temperature, accuracy and its interval, calibration, confusions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emotion_encoders.recogniser import mirrored_logits
from gen.recipes.ferplus import Faces

BINS = 15


@dataclass(frozen=True)
class Result:
    """A measurement by the paper's rule: how often right, and how far the confidence can be trusted."""

    accuracy: float
    interval: tuple[float, float]
    n: int
    ece: float
    recalls: dict[str, tuple[float, int]]
    confusions: np.ndarray  # (8, 8) counts, rows: the raters' majority, columns: seen

    def table(self) -> str:
        """Every class's recall and the whole confusion matrix as Markdown."""
        labels = list(self.recalls)
        header = ["majority \\ seen", *labels, "recall", "n"]
        lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
        for row, (label, (recall, n)) in zip(self.confusions, self.recalls.items(), strict=True):
            counts = " | ".join(str(int(count)) for count in row)
            lines.append(f"| {label} | {counts} | {'none seen' if n == 0 else f'{recall:.3f}'} | {n} |")
        return "\n".join(lines)

    def sentence(self) -> str:
        low, high = self.interval
        return f"accuracy {self.accuracy:.4f} [{low:.4f}, {high:.4f}] on {self.n:,} faces, ECE {self.ece:.4f}"


@torch.inference_mode()
def logits_of(network: nn.Module, faces: Faces, mean: float, std: float, *, batch: int = 256) -> Tensor:
    network.eval()
    images = torch.from_numpy(faces.images)[:, None]
    parts = ((part.float() / 255 - mean) / std for part in images.split(batch))
    return torch.cat([mirrored_logits(network, part) for part in parts])


def fit_temperature(logits: Tensor, truth: np.ndarray) -> float:
    """The temperature with the least negative log-likelihood (Guo et al. 2017), to a thousandth."""
    temperatures = np.exp(np.linspace(np.log(0.2), np.log(5.0), 2000))
    target = torch.from_numpy(truth).long()
    losses = [float(F.cross_entropy(logits / t, target)) for t in temperatures]
    return round(float(temperatures[int(np.argmin(losses))]), 3)


def measure(probabilities: np.ndarray, truth: np.ndarray, labels: tuple[str, ...]) -> Result:
    seen = probabilities.argmax(axis=1)
    right = seen == truth
    confusions = np.zeros((len(labels), len(labels)), dtype=int)
    np.add.at(confusions, (truth, seen), 1)
    counts = confusions.sum(axis=1)
    recalls = {
        label: (float(confusions[i, i] / max(1, counts[i])), int(counts[i])) for i, label in enumerate(labels)
    }
    return Result(
        accuracy=float(right.mean()),
        interval=bootstrap_interval(right),
        n=len(truth),
        ece=expected_calibration_error(probabilities.max(axis=1), right),
        recalls=recalls,
        confusions=confusions,
    )


def bootstrap_interval(right: np.ndarray, *, resamples: int = 2000, seed: int = 0) -> tuple[float, float]:
    """The middle 95 % of the accuracies of resampled face lists."""
    random = np.random.default_rng(seed)
    # Resampling zeros and ones with replacement is a binomial draw.
    means = random.binomial(len(right), right.mean(), resamples) / len(right)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def expected_calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """The mean gap between confidence and accuracy over equal-width bins (Guo et al. 2017, eq. 3)."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(float((confidence - right)[bins == b].sum())) for b in range(BINS)]
    return sum(gaps) / len(right)
