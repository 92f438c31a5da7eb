"""The judge: a second face recogniser, of another build and on other faces; it scores, never conditions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from emotion_encoders.emotion import FACE8
from emotion_encoders.evidence import Evidence
from emotion_encoders.recogniser import (
    Facts,
    as_evidence,
    calibrated_probabilities,
    check_seconds,
    load_weights,
)

ARCHITECTURE = "judge-vgg"


class JudgeNetwork(nn.Module):
    """Plain 3x3 convolutions and max pooling after Barsoum et al. 2016, narrower: 48 to 3 pixels."""

    def __init__(
        self, *, widths: Sequence[int] = (32, 64, 128, 224), depths: Sequence[int] = (1, 2, 2, 2)
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width_in = 1
        for width, depth in zip(widths, depths, strict=True):
            for _ in range(depth):
                layers += [nn.Conv2d(width_in, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
                width_in = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(width_in, len(FACE8.labels))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x).mean((2, 3)))


class Judge:
    """Emotions of faces, for scoring only."""

    labels = FACE8.labels

    def __init__(self, network: JudgeNetwork, facts: Facts, device: torch.device) -> None:
        self.network = network.to(device).eval().requires_grad_(False)
        self.facts = facts
        self.device = device

    @classmethod
    def load(cls, path: Path, *, device: torch.device | str = "cpu") -> Judge:
        """Reads a safetensors file made by gen/recipes/judge.py; anything else is a WeightsError."""
        network = JudgeNetwork()
        facts = load_weights(network, path, architecture=ARCHITECTURE, labels=cls.labels)
        return cls(network, facts, torch.device(device))

    @property
    def name(self) -> str:
        return self.facts.name

    @property
    def accuracy(self) -> float:
        """On `n` validation faces, by the rule named in docs/cards/judge.md."""
        return self.facts.accuracy

    @property
    def n(self) -> int:
        return self.facts.n

    def probabilities(self, crops: Tensor | np.ndarray) -> Tensor:
        """Grey crops (N, 48, 48) uint8 from alignment.face_crop -> (N, 8) on this recogniser's device."""
        return calibrated_probabilities(self.network, crops, self.facts, self.device)

    def encode(self, crops: Tensor | np.ndarray, seconds: Sequence[float]) -> Evidence:
        """What the crops of one face show over time; their affect is derived from the distribution."""
        check_seconds(crops, seconds)
        return as_evidence(self.probabilities(crops).tolist(), seconds, self.facts)
