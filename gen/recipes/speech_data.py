"""The corpora that the speech encoder learns from: clips with speakers, labels and the folds they are in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch

from emotion_encoders.speech_network import HEARD
from emotion_encoders.waveform import prepared

# Folds: RAVDESS in five of four actors, nEMO in one for each of its speakers, Urdu by speakers.
FOLDS = 9
RAVDESS_FOLDS = 5

# The emotion of a RAVDESS file is the third number of its name (Livingstone & Russo 2018).
_RAVDESS = ("neutral", "calm", "happiness", "sadness", "anger", "fear", "disgust", "surprise")
_NEMO = {
    **{name: name for name in ("neutral", "happiness", "sadness", "anger", "fear")},
    "surprised": "surprise",
}
_URDU = {"Neutral": "neutral", "Happy": "happiness", "Sad": "sadness", "Angry": "anger"}

# What each corpus tells apart: its clips are learned and measured among these labels only.
LABELS: Mapping[str, tuple[str, ...]] = {
    "ravdess": _RAVDESS,
    "nemo": tuple(label for label in HEARD if label in _NEMO.values()),
    "urdu": tuple(label for label in HEARD if label in _URDU.values()),
}
CORPORA = tuple(LABELS)


class DataError(ValueError):
    """Training data that are missing or not what they should be, said in one sentence."""


@dataclass(frozen=True)
class Clip:
    """One recording of one speaker with one emotion."""

    path: Path
    corpus: str
    speaker: str
    label: str
    fold: int

    def sound(self) -> np.ndarray:
        """Mono float32 at RATE."""
        waveform, rate = soundfile.read(self.path, dtype="float32", always_2d=True)
        return prepared(waveform.mean(axis=1), rate).numpy()


def read(data: Path) -> list[Clip]:
    """Every clip under `data`, in a fixed order."""
    clips = [
        *_ravdess(data / "ravdess_speech_16k"),
        *_nemo(data / "nemo_pl_16k"),
        *_urdu(data / "urdu_ser_16k"),
    ]
    for corpus, labels in LABELS.items():
        missing = set(labels) - {clip.label for clip in clips if clip.corpus == corpus}
        if missing:
            raise DataError(f"{corpus} has no clip of {', '.join(sorted(missing))}; give the whole corpus.")
    return clips


def allowed() -> torch.Tensor:
    """(corpora, labels) bool: what each corpus tells apart."""
    return torch.tensor([[label in LABELS[corpus] for label in HEARD] for corpus in CORPORA])


def _files(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.opus"))
    if not found:
        raise DataError(f"There are no clips in {folder}; --data is the folder that holds {folder.name}.")
    return found


def _ravdess(folder: Path) -> list[Clip]:
    clips = []
    for path in _files(folder):
        parts = path.stem.split("-")
        actor = int(parts[6])
        label = _RAVDESS[int(parts[2]) - 1]
        clips.append(Clip(path, "ravdess", f"actor {actor}", label, (actor - 1) // 4 % RAVDESS_FOLDS))
    return clips


def _nemo(folder: Path) -> list[Clip]:
    files = _files(folder)
    speakers = sorted({path.stem.split("_")[0] for path in files})
    return [
        Clip(path, "nemo", speaker, _NEMO[emotion], speakers.index(speaker) % FOLDS)
        for path in files
        for speaker, emotion in [path.stem.split("_")[:2]]
    ]


def _urdu(folder: Path) -> list[Clip]:
    files = _files(folder)
    speakers = sorted({path.stem.split("_")[0] for path in files})
    return [
        Clip(path, "urdu", speaker, _URDU[path.parent.name], speakers.index(speaker) % FOLDS)
        for path in files
        for speaker in [path.stem.split("_")[0]]
    ]
