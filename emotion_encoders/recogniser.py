"""What a face recogniser needs around its network: checked weights, crops as tensors, Evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from emotion_encoders.emotion import FACE8, Emotion
from emotion_encoders.evidence import Evidence
from emotion_encoders.track import EmotionTrack, Keyframe
from emotion_encoders.weights_file import (
    check_architecture,
    check_fit,
    check_labels,
    read_weights,
    stated,
)

BATCH = 256  # crops through the network at once: bounds memory for hour-long videos


@dataclass(frozen=True)
class Facts:
    """What a weights file says about itself: how to feed the network and how far to trust it."""

    name: str
    architecture: str
    labels: tuple[str, ...]
    input_size: int
    mean: float  # of pixels in [0, 1]
    std: float
    temperature: float
    accuracy: float  # on `n` validation images by the rule named in the card
    n: int
    ece: float
    seed: int
    steps: int
    licence: str

    def as_metadata(self) -> dict[str, str]:
        return {field.name: json.dumps(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], path: Path) -> Facts:
        return cls(**stated(cls, metadata, path))


def load_weights(network: nn.Module, path: Path, *, architecture: str, labels: Sequence[str]) -> Facts:
    """Fills `network` from a safetensors file, refusing anything that is not exactly its own weights."""
    facts, tensors = read_weights(path, Facts.from_metadata)
    check_architecture(path, facts.architecture, architecture)
    check_labels(path, facts.labels, tuple(labels))
    check_fit(path, architecture, network.state_dict(), tensors)
    network.load_state_dict(tensors)
    return facts


def as_batch(crops: Tensor | np.ndarray, facts: Facts, device: torch.device) -> Tensor:
    """Grey crops (N, S, S) uint8 as network input (N, 1, S, S) on `device`."""
    pixels = torch.from_numpy(np.ascontiguousarray(crops)) if isinstance(crops, np.ndarray) else crops
    size = facts.input_size
    if pixels.dtype != torch.uint8 or pixels.ndim != 3 or tuple(pixels.shape[1:]) != (size, size):
        raise ValueError(
            f"Crops came as {pixels.dtype} {tuple(pixels.shape)}; {facts.name} takes grey uint8 "
            f"(N, {size}, {size}): use emotion_encoders.alignment.face_crop."
        )
    return (pixels.to(device)[:, None].float() / 255 - facts.mean) / facts.std


def mirrored_logits(network: nn.Module, batch: Tensor) -> Tensor:
    """Logits averaged over a crop and its mirror image: an emotion has no handedness."""
    return (network(batch) + network(batch.flip(-1))) / 2


@torch.inference_mode()
def calibrated_probabilities(
    network: nn.Module, crops: Tensor | np.ndarray, facts: Facts, device: torch.device
) -> Tensor:
    """The calibrated distribution of every crop, (N, len(labels)) on `device`."""
    batch = as_batch(crops, facts, device)
    if not len(batch):
        return torch.zeros(0, len(facts.labels), device=device)
    logits = torch.cat([mirrored_logits(network, part) for part in batch.split(BATCH)])
    return (logits / facts.temperature).softmax(dim=1)


def check_seconds(crops: Tensor | np.ndarray, seconds: Sequence[float]) -> None:
    """Refuses times that cannot label these crops; that they rise is the track's own check."""
    if len(crops) == 0:
        raise ValueError(
            "There are no face crops, so no emotion was seen; check that a face was found first."
        )
    if len(seconds) != len(crops):
        raise ValueError(f"{len(crops)} crops came with {len(seconds)} times; give each crop its own second.")


def as_evidence(probabilities: Sequence[Sequence[float]], seconds: Sequence[float], facts: Facts) -> Evidence:
    """A keyframe for every crop; the confidence is the mean probability of what each crop shows most."""
    keyframes = tuple(
        Keyframe(float(second), Emotion.seen(FACE8, row))
        for second, row in zip(seconds, probabilities, strict=True)
    )
    confidence = min(1.0, sum(max(row) for row in probabilities) / len(probabilities))
    return Evidence(
        track=EmotionTrack(keyframes),
        modality="face",
        confidence=confidence,
        weights=facts.name,
        affect_learned=False,
    )
