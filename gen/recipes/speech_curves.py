"""The curves of every clip in every guise, computed once and kept in a working folder."""

from __future__ import annotations

import json
import sys
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from emotion_encoders.curves import WIDTH, raw_curves
from emotion_encoders.spectrum import measured
from emotion_encoders.waveform import prepared
from gen.recipes.fitting import write_tensors
from gen.recipes.speech_data import Clip
from gen.recipes.speech_sounds import MEASURED, TAUGHT

RATE = 16_000
VERSION = 1  # raised by hand when what is stored changes
SPARSE = 4  # of the corpus that is not RAVDESS, every so many-th clip is measured in a changed guise


@dataclass(frozen=True)
class Guise:
    """All clips in one guise: raw curves one after another."""

    values: Tensor  # (sum of T, WIDTH) float16
    starts: Tensor  # (clips + 1,) where each begins; a clip that was left out has no steps

    def clip(self, index: int) -> Tensor:
        """(T, WIDTH) float32"""
        return self.values[int(self.starts[index]) : int(self.starts[index + 1])].float()

    @property
    def active(self) -> Tensor:
        return self.values[:, -1] > 0.5


def guise(name: str, clips: Sequence[Clip], folder: Path) -> Guise:
    """The curves of all clips in a guise, from the folder if they are there."""
    path = folder / f"{name.replace(' ', '-').replace('/', '-').replace(',', '')}.safetensors"
    key = json.dumps([VERSION, name, len(clips), clips[0].path.name, clips[-1].path.name])
    if path.is_file():
        with safe_open(path, framework="pt") as file:
            if (file.metadata() or {}).get("key") == key:
                return Guise(file.get_tensor("values"), file.get_tensor("starts"))
    made = _made(name, clips)
    write_tensors(path, {"values": made.values, "starts": made.starts}, {"key": key})
    return made


def is_measured(index: int, clip: Clip) -> bool:
    """Whether a clip is heard in the changed guises too."""
    return clip.corpus == "ravdess" or (clip.corpus == "nemo" and index % SPARSE == 0)


def _made(name: str, clips: Sequence[Clip]) -> Guise:
    change = {**TAUGHT, **MEASURED}[name]
    every = name in TAUGHT
    number = zlib.crc32(name.encode())
    others = [clip.sound() for clip in clips[:: max(1, len(clips) // 60)]]  # who babbles
    values, began = [], time.monotonic()
    for index, clip in enumerate(clips):
        if not (every or is_measured(index, clip)):
            values.append(torch.zeros(0, WIDTH, dtype=torch.float16))
            continue
        random = np.random.default_rng((7, number, index))
        sound = change(clip.sound(), random, others)
        values.append(raw_curves(measured(prepared(sound, RATE))).half())
        if index % 1000 == 999:
            pace = (index + 1) / (time.monotonic() - began)
            print(f"{name}: {index + 1}/{len(clips)} clips, {pace:.0f} a second", file=sys.stderr, flush=True)
    starts = np.concatenate([[0], np.cumsum([len(value) for value in values])])
    return Guise(torch.cat(values), torch.from_numpy(starts))
