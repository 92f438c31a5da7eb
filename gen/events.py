"""What happens in a run, in the order it happens: one stream for terminal, log and browser."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gen.record import RenderRecord


@dataclass(frozen=True)
class Started:
    """A clip is begun."""

    index: int  # from 1
    total: int
    name: str


@dataclass(frozen=True)
class Step:
    """One more frame is drawn and encoded, or one more step of denoising taken."""

    index: int
    total: int
    name: str
    done: int
    frames: int
    frames_per_second: float
    seconds_left: float
    unit: str = "frames"  # or "steps": what is counted


@dataclass(frozen=True)
class Preview:
    """A frame to look at while the clip grows, (H, W, 3) uint8 RGB."""

    name: str
    frame: np.ndarray


@dataclass(frozen=True)
class Finished:
    """A clip and its record lie in the folder."""

    index: int
    total: int
    name: str
    path: Path
    record: RenderRecord
    motion: Path | None = None  # its motion, if that was to be exported


@dataclass(frozen=True)
class Skipped:
    """The same job was done before; its clip is whole and stays."""

    index: int
    total: int
    name: str
    path: Path
    record: RenderRecord
    motion: Path | None = None


@dataclass(frozen=True)
class Failed:
    """Nothing was written; the message is a sentence."""

    index: int
    total: int
    name: str
    message: str


RenderEvent = Started | Step | Preview | Finished | Skipped | Failed
