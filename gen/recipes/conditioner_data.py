"""What the encoders see in data that they did not learn from, as places in the shared space need it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from emotion_encoders.emotion import FACE8, GOEMOTIONS28, Emotion
from emotion_encoders.mapping import translate
from emotion_encoders.shared_space import FEATURES, features
from emotion_encoders.text_model import DIALOGUE
from gen.felt import average
from gen.media import read_sound
from gen.recipes import ferplus, speech_data, text_data

if TYPE_CHECKING:
    from emotion_encoders.face import FaceRecogniser
    from emotion_encoders.speech import SpeechEncoder
    from emotion_encoders.text import TextEncoder

ISEAR = {name: name for name in ("fear", "anger", "sadness", "disgust")} | {"joy": "happiness"}


@dataclass(frozen=True)
class Sightings:
    """What one sense made of many inputs, and what was really felt in them."""

    features: Tensor  # (N, FEATURES)
    labels: Tensor  # (N,) index in FACE8
    groups: Tensor  # (N,) who spoke; where that is unknown each input is its own group

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, kept: Tensor) -> Sightings:
        return Sightings(self.features[kept], self.labels[kept], self.groups[kept])

    @property
    def said(self) -> Tensor:
        """The label of FACE8 that the encoder itself puts first, (N,)."""
        return self.features[:, : len(FACE8.labels)].argmax(1)  # FACE8 opens the list of labels


def gathered(parts: Iterable[tuple[Emotion, str, int]]) -> Sightings:
    """Sightings from what was seen, what was felt, and who it was."""
    found = list(parts)
    if not found:
        empty = torch.zeros(0, dtype=torch.long)
        return Sightings(torch.zeros(0, FEATURES), empty, empty)
    labels = torch.tensor([FACE8.labels.index(label) for _, label, _ in found])
    groups = torch.tensor([group for _, _, group in found])
    return Sightings(features([emotion for emotion, _, _ in found]), labels, groups)


def joined(parts: Sequence[Sightings]) -> Sightings:
    """Several as one; groups stay apart."""
    shifted, start = [], 0
    for part in parts:
        shifted.append(part.groups + start)
        start = int(shifted[-1].max()) + 1 if len(part) else start
    return Sightings(
        torch.cat([part.features for part in parts]), torch.cat([p.labels for p in parts]), torch.cat(shifted)
    )


def texts(data: Path, encoder: TextEncoder) -> tuple[Sightings, Sightings]:
    """(to learn from: what training held back, to measure on: dev), of GoEmotions, MELD and ISEAR."""
    material = text_data.read(data)
    readers: dict[str, Callable[[np.ndarray], str | None]] = {
        "goemotions": _goemotions,
        "dialogue": lambda row: FACE8.resolve(DIALOGUE[int(row.argmax())]),
        "isear": lambda row: ISEAR.get(text_data.ISEAR[int(row.argmax())]),
    }
    held = [_read(encoder, material[name].held, felt) for name, felt in readers.items()]
    dev = [_read(encoder, material[name].dev, felt) for name, felt in readers.items()]
    return joined(held), joined(dev)


def _read(
    encoder: TextEncoder, corpus: text_data.Corpus, felt: Callable[[np.ndarray], str | None]
) -> Sightings:
    known = [(t, label) for t, row in zip(corpus.texts, corpus.targets, strict=True) if (label := felt(row))]
    readings = encoder.read([text for text, _ in known]) if known else []
    return gathered(
        (reading.face8, label, i) for i, (reading, (_, label)) in enumerate(zip(readings, known, strict=True))
    )


def _goemotions(row: np.ndarray) -> str | None:
    """The one label of FACE8 that a comment's labels mean, if they mean one."""
    named = [label for label, holds in zip(GOEMOTIONS28.labels, row, strict=True) if holds]
    meant = {translate(Emotion.of(label, GOEMOTIONS28), FACE8).emotion.top for label in named}
    return meant.pop() if len(meant) == 1 else None


def voices(data: Path, encoders: Sequence[SpeechEncoder]) -> Sightings:
    """RAVDESS and nEMO, by speaker; each is heard by the encoder of his fold, which had not heard him."""
    clips = [clip for clip in speech_data.read(data) if clip.corpus in ("ravdess", "nemo")]
    speakers = sorted({clip.speaker for clip in clips})
    return gathered(
        (
            heard(encoders[clip.fold], clip.path),
            "neutral" if clip.label == "calm" else clip.label,
            speakers.index(clip.speaker),
        )
        for clip in clips
    )


def heard(encoder: SpeechEncoder, path: Path) -> Emotion:
    """What the encoder hears in a whole recording."""
    return average(encoder.encode(*read_sound(path)).track)


def faces(data: Path, recogniser: FaceRecogniser) -> tuple[Sightings, Sightings]:
    """(what the recogniser's recipe held back, FERPlus validation), by the paper's rule."""
    split = ferplus.read(data)
    _, held = ferplus.hold_back(ferplus.share(split.training, "face"))
    return _looked(recogniser, held), _looked(recogniser, split.validation)


def _looked(recogniser: FaceRecogniser, part: ferplus.Faces) -> Sightings:
    kept, truth = ferplus.majority(part)
    rows = recogniser.probabilities(kept.images).tolist()
    seen = (Emotion.seen(FACE8, row) for row in rows)
    return gathered(
        (emotion, FACE8.labels[int(label)], i)
        for i, (emotion, label) in enumerate(zip(seen, truth, strict=True))
    )


def tensors(named: Mapping[str, Sightings]) -> dict[str, Tensor]:
    """Sightings as a file holds them."""
    return {
        f"{name}.{field}": getattr(found, field).contiguous()
        for name, found in named.items()
        for field in ("features", "labels", "groups")
    }


def from_tensors(held: Mapping[str, Tensor]) -> dict[str, Sightings]:
    """The inverse of tensors()."""
    names = dict.fromkeys(key.rsplit(".", 1)[0] for key in held)
    return {
        name: Sightings(held[f"{name}.features"], held[f"{name}.labels"], held[f"{name}.groups"])
        for name in names
    }
