"""The network behind speech.py: convolutions over the curves of a voice, and attention over what to heed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emotion_encoders.curves import WIDTH
from emotion_encoders.weights_file import (
    check_architecture,
    check_fit,
    check_labels,
    read_weights,
    stated,
)

ARCHITECTURE = "speech-curves-1d"

# What the network tells apart. Calm and neutral are two ways to act in one of its corpora (RAVDESS); FACE8
# has one word for both.
HEARD: tuple[str, ...] = ("neutral", "calm", "happiness", "sadness", "anger", "fear", "disgust", "surprise")
POOL = 2  # steps of the curves for one step of the deep layers
_LEAST = 1e-4  # variance: keeps the root smooth


class Block(nn.Module):
    """A dilated convolution and a mix of channels beside an identity path."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.reach = nn.Conv1d(width, width, 5, padding=2 * dilation, dilation=dilation, bias=False)
        self.norm1 = nn.BatchNorm1d(width)
        self.drop = nn.Dropout(0.1)
        self.mix = nn.Conv1d(width, width, 1, bias=False)
        self.norm2 = nn.BatchNorm1d(width)

    def forward(self, x: Tensor) -> Tensor:
        h = self.drop(F.relu(self.norm1(self.reach(x))))
        return F.relu(x + self.norm2(self.mix(h)))


class SpeechNetwork(nn.Module):
    """Curves (B, WIDTH, T) to features over time, and those of a stretch to logits of HEARD."""

    def __init__(self, *, width: int = 160, heads: int = 4, dropout: float = 0.5) -> None:
        super().__init__()
        self.stem = nn.Conv1d(WIDTH, width, 5, padding=2, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.fine = Block(width, 1)
        self.coarse = nn.Sequential(*(Block(width, dilation) for dilation in (1, 2, 3, 4)))
        self.attention = nn.Conv1d(width, heads, 1)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(2 * width, len(HEARD))

    def features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, width, T / POOL) and how much each head heeds each step, (B, heads, T / POOL)."""
        h = self.fine(F.relu(self.norm(self.stem(x))))
        h = self.coarse(F.avg_pool1d(h, POOL))
        return h, self.attention(h)

    def logits(self, h: Tensor, heed: Tensor, active: Tensor) -> Tensor:
        """(B, 8) of stretches whose active steps (B, T / POOL) alone count.

        Attentive statistics pooling (Okabe et al. 2018), with heads that each weigh their own channels.
        """
        share = (heed.float() + torch.where(active[:, None], 0.0, -1e4)).softmax(2)[:, :, None]
        parts = h.float().unflatten(1, (heed.shape[1], -1))
        mean = (parts * share).sum(3)
        spread = ((parts - mean[..., None]).square() * share).sum(3)
        pooled = torch.cat([mean.flatten(1), (spread + _LEAST).sqrt().flatten(1)], dim=1)
        return self.head(self.drop(pooled))

    def forward(self, x: Tensor, active: Tensor) -> Tensor:
        """Logits of whole clips; active is (B, T)."""
        h, heed = self.features(x)
        return self.logits(h, heed, pooled_activity(active))


def pooled_activity(active: Tensor) -> Tensor:
    """(B, T) bool at the pace of the deep layers, a step being active if any of its parts is."""
    return F.max_pool1d(active[:, None].float(), POOL)[:, 0] > 0


@dataclass(frozen=True)
class Facts:
    """What a weights file says about itself: its temperatures, and how far to trust it."""

    name: str
    architecture: str
    labels: tuple[str, ...]
    temperature: float  # of a whole clip
    window_temperature: float  # of one window of a track
    results: Mapping[str, float]  # cross-validated, by the names of the card
    seed: int
    steps: int
    licence: str

    def as_metadata(self) -> dict[str, str]:
        return {field.name: json.dumps(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], path: Path) -> Facts:
        return cls(**stated(cls, metadata, path))


def load_network(path: Path) -> tuple[SpeechNetwork, Facts]:
    """Reads a safetensors file, refusing anything that is not exactly this network's weights."""
    facts, tensors = read_weights(path, Facts.from_metadata)
    check_architecture(path, facts.architecture, ARCHITECTURE)
    check_labels(path, facts.labels, HEARD)
    network = SpeechNetwork().eval().requires_grad_(False)
    check_fit(path, ARCHITECTURE, network.state_dict(), tensors)
    network.load_state_dict(tensors)
    return network, facts
