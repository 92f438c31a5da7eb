"""How the speech networks did on speakers they had not heard: accuracy, intervals, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from emotion_encoders.curves import PACE, Curves, network_input
from emotion_encoders.spectrum import HOP_SECONDS
from emotion_encoders.speech import as_face8, clip_logits, window_logits
from emotion_encoders.speech_network import HEARD, SpeechNetwork
from gen.recipes.measuring import expected_calibration_error
from gen.recipes.speech_curves import Guise
from gen.recipes.speech_data import CORPORA, LABELS, Clip, allowed

RESAMPLES = 2000
_VOICED = -2  # the place of "voiced" among the curves; "active" is last


@dataclass(frozen=True)
class Predictions:
    """Logits of clips by a network that had not heard their speakers."""

    clips: np.ndarray  # (n,) index of each
    whole: Mapping[str, np.ndarray]  # guise -> (n, 8) logits; NaN where a clip was not heard in that guise
    windows: np.ndarray  # (m, 8) logits of the windows of clean clips in which a voice is heard
    owners: np.ndarray  # (m,) index of the clip of each window


@dataclass(frozen=True)
class Score:
    """Unweighted accuracy, the mean over labels of how many are found, and its interval over speakers."""

    value: float
    low: float
    high: float
    n: int
    speakers: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def predictions(network: SpeechNetwork, guises: Mapping[str, Guise], clips: np.ndarray) -> Predictions:
    """The clips in every guise, and the windows of the clean ones."""
    network.eval()
    whole = {name: np.full((len(clips), len(HEARD)), np.nan, np.float32) for name in guises}
    windows, owners = [], []
    for name, guise in guises.items():
        for row, index in enumerate(clips):
            raw = guise.clip(int(index))
            if not len(raw):
                continue
            clip = _curves(raw)
            whole[name][row] = clip_logits(network, clip).numpy()
            if name == "clean":
                centres = torch.arange(0, len(raw) / PACE, HOP_SECONDS)
                logits, is_heard = window_logits(network, clip, centres)
                windows.append(logits[is_heard].numpy())
                owners.append(np.full(int(is_heard.sum()), index))
    return Predictions(clips, whole, np.concatenate(windows), np.concatenate(owners))


def _curves(raw: torch.Tensor) -> Curves:
    active, voiced = raw[:, -1] > 0.5, raw[:, _VOICED] > 0.5
    return Curves(network_input(raw[None], active[None])[0], active, voiced)


def joined(parts: Sequence[Predictions]) -> Predictions:
    """The folds one after another."""
    return Predictions(
        np.concatenate([part.clips for part in parts]),
        {name: np.concatenate([part.whole[name] for part in parts]) for name in parts[0].whole},
        np.concatenate([part.windows for part in parts]),
        np.concatenate([part.owners for part in parts]),
    )


def among(logits: np.ndarray, corpus: str) -> np.ndarray:
    """Logits of the labels that a corpus tells apart; the others cannot win."""
    return np.where(allowed()[CORPORA.index(corpus)].numpy(), logits, -1e4)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def faces(logits: np.ndarray, temperature: float) -> np.ndarray:
    """(n, 8) probabilities of FACE8, as the encoder gives them."""
    return np.array([as_face8(row).weights for row in softmax(logits / temperature).tolist()])


def unweighted(seen: Sequence[str], clips: Sequence[Clip], *, seed: int = 0) -> Score:
    """The mean recall over labels, and the middle 95 % of it over resampled speakers."""
    labels = sorted({clip.label for clip in clips})
    speakers = sorted({clip.speaker for clip in clips})
    counts = np.zeros((len(speakers), len(labels), 2))  # right, all
    for label, clip in zip(seen, clips, strict=True):
        cell = counts[speakers.index(clip.speaker), labels.index(clip.label)]
        cell += (label == clip.label, 1)

    def recall(chosen: np.ndarray) -> float:
        right, whole = chosen.sum(0).T
        return float(np.mean(right[whole > 0] / whole[whole > 0]))

    random = np.random.default_rng(seed)
    drawn = [recall(counts[random.integers(len(speakers), size=len(speakers))]) for _ in range(RESAMPLES)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Score(recall(counts), float(low), float(high), len(clips), len(speakers))


def temperature_of(groups: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """The temperature with the least loss (log-likelihood); groups of (logits, labels) count alike."""
    temperatures = np.exp(np.linspace(np.log(0.3), np.log(4.0), 400))
    losses = [
        np.mean(
            [
                -np.mean(np.log(softmax(logits / t)[np.arange(len(truth)), truth] + 1e-12))
                for logits, truth in groups
            ]
        )
        for t in temperatures
    ]
    return round(float(temperatures[int(np.argmin(losses))]), 3)


def calibration(logits: np.ndarray, clips: Sequence[Clip], corpus: str, folds: int) -> float:
    """Expected calibration error, each fold's temperature being fitted on the clips of the other folds."""
    logits = among(logits, corpus)
    truth = np.array([HEARD.index(clip.label) for clip in clips])
    fold = np.array([clip.fold for clip in clips])
    confidence, right = np.zeros(len(clips)), np.zeros(len(clips), bool)
    for number in range(folds):
        mine = fold == number
        if not mine.any():
            continue
        t = temperature_of([(logits[~mine], truth[~mine])])
        probabilities = softmax(logits[mine] / t)
        confidence[mine], right[mine] = probabilities.max(1), probabilities.argmax(1) == truth[mine]
    return expected_calibration_error(confidence, right)


def confusions(logits: np.ndarray, clips: Sequence[Clip], corpus: str) -> str:
    """What was acted and what was heard, as Markdown."""
    labels = LABELS[corpus]
    seen = [HEARD[i] for i in among(logits, corpus).argmax(1)]
    lines = ["| acted \\ heard | " + " | ".join([*labels, "recall"]) + " |", "|---" * (len(labels) + 2) + "|"]
    for acted in labels:
        mine = [heard for heard, clip in zip(seen, clips, strict=True) if clip.label == acted]
        counts = [mine.count(label) for label in labels]
        recall = mine.count(acted) / max(1, len(mine))
        lines.append(f"| {acted} | " + " | ".join(map(str, counts)) + f" | {recall:.2f} |")
    return "\n".join(lines)
