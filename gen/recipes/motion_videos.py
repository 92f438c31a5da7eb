"""A folder of talking videos as examples for the motion model: tracked once, kept, and split in two."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from emotion_encoders.emotion import EmotionError
from emotion_encoders.track import EmotionTrack
from gen.driving import drive
from gen.intake import MediaError
from gen.recipes.fitting import write_tensors
from gen.recipes.motion_captures import FPS
from gen.recipes.motion_examples import Example, framed, seen
from pipelines.portrait.flow import curves_of
from pipelines.portrait.life import LIVELY
from pipelines.portrait.motion import Motion
from pipelines.portrait.motion_model import CHANNELS
from pipelines.portrait.moves import Moves
from pipelines.portrait.reach import within_reach
from pipelines.portrait.voice import VoiceError, listen

ENDINGS = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"})
SHORTEST = 2.0  # seconds of a face that teach anything
HELD_OUT_EVERY = 5  # every fifth video by name is only measured on
TRACKED = "tracked-1"  # raised when tracking changes


class VideosError(ValueError):
    """A folder that nothing can be learned from; its text is one sentence for the user."""


@dataclass(frozen=True)
class Split:
    """What is learned from, and what the model is measured on: nothing, with fewer than five videos."""

    learned: tuple[Example, ...]
    held_out: tuple[Example, ...]
    skipped: tuple[str, ...]  # why videos were left out


def videos_in(folder: Path) -> list[Path]:
    """Videos of a folder and those below it, by name; VideosError if there are none."""
    if not folder.is_dir():
        raise VideosError(f"'{folder}' is no folder; --data names one with videos of people who talk.")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    if not found:
        raise VideosError(f"'{folder}' holds no videos ({', '.join(sorted(ENDINGS))}).")
    return found


def examples_of(folder: Path, kept: Path, tell: Callable[[str], None]) -> Split:
    """Tracks the videos of a folder, or reads what an earlier run kept; a video that teaches nothing is told.

    A text file beside a video, `NAME.txt`, says what is felt in it, in the track notation; without it the
    model learns to move without being told.
    """
    paths = videos_in(folder)
    learned: list[Example] = []
    held_out: list[Example] = []
    skipped: list[str] = []
    for number, path in enumerate(paths):
        try:
            example = _example(path, kept)
        except (MediaError, VoiceError, EmotionError, VideosError) as error:
            skipped.append(str(error))
            tell(f"[{number + 1}/{len(paths)}] left out: {error}")
            continue
        is_held_out = number % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
        (held_out if is_held_out else learned).append(example)
        tell(
            f"[{number + 1}/{len(paths)}] {path.name}: {len(example.moves) / FPS:.1f} s"
            f"{', held out' if is_held_out else ''}"
        )
    if not learned:
        raise VideosError(
            f"None of the {len(paths)} videos in '{folder}' can be learned from; the reasons are above."
        )
    return Split(tuple(learned), tuple(held_out), tuple(skipped))


def _example(path: Path, kept: Path) -> Example:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    cache = kept / f"{digest}-{TRACKED}.safetensors"
    if not cache.is_file():
        write_tensors(cache, dict(_tracked(path)), {"source": path.name})
    tensors = {name: tensor.numpy() for name, tensor in load_file(cache).items()}
    note = path.with_suffix(".txt")
    track = EmotionTrack.parse(note.read_text(encoding="utf-8").strip()) if note.is_file() else None
    return Example(tensors["moves"], tensors.get("voice"), track, len(tensors["moves"]))


def _tracked(path: Path) -> Iterator[tuple[str, torch.Tensor]]:
    driven = drive(path, FPS, None)
    motion, _ = within_reach(driven.motion)
    if motion.frames < SHORTEST * FPS:
        raise VideosError(f"'{path}' shows a face for less than {SHORTEST:g} seconds.")
    moves = framed(Moves(motion.coefficients[:, LIVELY].astype(np.float64), np.zeros(0), *seen(motion)))
    yield "moves", torch.from_numpy(moves)
    if driven.sound is not None and driven.rate is not None:
        voice = listen(driven.sound, driven.rate, frames=motion.frames, fps=FPS)
        if voice.speaking.any():
            yield "voice", torch.from_numpy(curves_of(voice))


def as_motion(frames: np.ndarray) -> Motion:
    """The model's frames (T, CHANNELS) as a motion that shows brows, lids and head, for comparing."""
    count = len(LIVELY)
    coefficients = np.zeros((len(frames), 52), np.float32)
    coefficients[:, LIVELY] = np.clip(frames[:, :count], 0, 1)
    coefficients[:, [0, 7]] = np.clip(frames[:, count : count + 1], 0, 1)
    return Motion(coefficients, frames[:, CHANNELS - 6 :].astype(np.float32), FPS)


def card(facts: dict[str, object], split: Split, results: Sequence[str]) -> str:
    """What is to be known about weights made from a folder, as Markdown."""
    seconds = sum(len(e.moves) for e in split.learned) / FPS
    rows = "\n".join(
        f"| {name} | {value if isinstance(value, str) else json.dumps(value)} |"
        for name, value in facts.items()
    )
    left_out = "\n".join(f"- {reason}" for reason in split.skipped) or "None."
    return (
        f"# A motion model of {len(split.learned)} videos\n\n"
        f"Learned from {seconds / 60:.1f} minutes; {len(split.held_out)} videos were held out. The people "
        "shown must have agreed to it; the licence of the weights is that of the videos.\n\n"
        f"| | |\n|---|---|\n{rows}\n\n## Results\n\n" + "\n".join(f"- {line}" for line in results) +
        f"\n\n## Left out\n\n{left_out}\n"
    )  # fmt: skip
