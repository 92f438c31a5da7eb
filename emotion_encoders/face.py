"""The face recogniser that steering may look at: grey crops in, a calibrated FACE8 distribution out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
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

ARCHITECTURE = "face-se-resnet"
# Seconds to either side that a frame's verdict draws on: a face changes in about this time (Ekman 2003 gives
# expressions half a second to four), the accidents of single frames in less.
CONTEXT = 0.3


class SqueezeExcite(nn.Module):
    """Channels weighted by what the whole image holds (Hu et al. 2018)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(width, width // 8)
        self.excite = nn.Linear(width // 8, width)

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.sigmoid(self.excite(F.silu(self.squeeze(x.mean((2, 3))))))
        return x * gate[:, :, None, None]


class PreActivationBlock(nn.Module):
    """Norm and ReLU before each convolution, an identity path beside them (He et al. 2016)."""

    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(width_in)
        self.conv1 = nn.Conv2d(width_in, width, 3, stride, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.gate = SqueezeExcite(width)
        self.stride = stride
        self.shortcut = nn.Conv2d(width_in, width, 1, bias=False) if stride > 1 or width != width_in else None

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.norm1(x))
        if self.shortcut is not None:
            x = self.shortcut(F.avg_pool2d(h, self.stride) if self.stride > 1 else h)
        return x + self.gate(self.conv2(F.relu(self.norm2(self.conv1(h)))))


class FaceNetwork(nn.Module):
    """A pre-activation residual network with squeeze and excitation, 48 -> 24 -> 12 -> 6 pixels."""

    def __init__(self, *, stem: int = 24, widths: Sequence[int] = (48, 96, 192), blocks: int = 2) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, stem, 3, 1, 1, bias=False)
        stages: list[nn.Module] = []
        width_in = stem
        for width in widths:
            for block in range(blocks):
                stages.append(PreActivationBlock(width_in, width, 2 if block == 0 else 1))
                width_in = width
        self.stages = nn.Sequential(*stages)
        self.norm = nn.BatchNorm2d(width_in)
        self.head = nn.Linear(width_in, len(FACE8.labels))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.norm(self.stages(self.stem(x)))).mean((2, 3)))


class FaceRecogniser:
    """Emotions of faces, for steering and tuning."""

    labels = FACE8.labels

    def __init__(self, network: FaceNetwork, facts: Facts, device: torch.device) -> None:
        self.network = network.to(device).eval().requires_grad_(False)
        self.facts = facts
        self.device = device

    @classmethod
    def load(cls, path: Path, *, device: torch.device | str = "cpu") -> FaceRecogniser:
        """Reads a safetensors file made by gen/recipes/face.py; anything else is a WeightsError."""
        network = FaceNetwork()
        facts = load_weights(network, path, architecture=ARCHITECTURE, labels=cls.labels)
        return cls(network, facts, torch.device(device))

    @property
    def name(self) -> str:
        return self.facts.name

    @property
    def accuracy(self) -> float:
        """On `n` validation faces, by the rule named in docs/cards/face.md."""
        return self.facts.accuracy

    @property
    def n(self) -> int:
        return self.facts.n

    def probabilities(self, crops: Tensor | np.ndarray) -> Tensor:
        """Grey crops (N, 48, 48) uint8 from alignment.face_crop -> (N, 8) on this recogniser's device."""
        return calibrated_probabilities(self.network, crops, self.facts, self.device)

    def encode(self, crops: Tensor | np.ndarray, seconds: Sequence[float]) -> Evidence:
        """What the crops of one face show over time, each seen in the context of those beside it.

        Their affect is derived from the distribution.
        """
        check_seconds(crops, seconds)
        seen = in_context(self.probabilities(crops), seconds)
        return as_evidence(seen.tolist(), seconds, self.facts)


def in_context(probabilities: Tensor, seconds: Sequence[float]) -> Tensor:
    """Distributions (N, 8) pooled over time, in the logarithm, by a triangle of CONTEXT to either side.

    A product of experts (Hinton 2002): a frame that is unsure leaves the word to its neighbours, and one
    that alone contradicts them is outvoted. A lone frame, or frames further apart, stay as they are.
    """
    log = probabilities.clamp_min(1e-6).log()
    moments = torch.tensor(seconds, dtype=torch.float64, device=log.device)
    total, weight = log.clone(), torch.ones(len(log), 1, device=log.device, dtype=log.dtype)
    for apart in range(1, len(log)):
        near = (1 - (moments[apart:] - moments[:-apart]).abs() / CONTEXT).clamp_min(0).to(log.dtype)[:, None]
        if not bool(near.any()):
            break
        total[apart:] += near * log[:-apart]
        weight[apart:] += near
        total[:-apart] += near * log[apart:]
        weight[:-apart] += near
    return (total / weight).softmax(dim=1)
