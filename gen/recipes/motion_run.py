"""One training of the motion model from examples to weights: progress, checkpoints, resuming, a record."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from gen.recipes.fitting import write_tensors
from gen.recipes.motion_examples import Example
from gen.recipes.motion_fit import Schedule, State, begin, fit, load_checkpoint, save_checkpoint
from pipelines.portrait.motion_model import FPS, MotionModel, Size

CHECKPOINT = "checkpoint.safetensors"
SAVE_SECONDS = 60.0
TELL_STEPS = 25


@dataclass(frozen=True)
class Outcome:
    """How a training ended: the model, its step, its last mean loss, and whether it is complete."""

    model: MotionModel
    step: int
    loss: float
    is_complete: bool


def train(
    examples: Sequence[Example],
    schedule: Schedule,
    folder: Path,
    *,
    size: Size = Size(),  # noqa: B008 - frozen
    start: MotionModel | None = None,
    minutes: float,
    tell: Callable[[str], None],
) -> Outcome:
    """Trains in a folder, going on from its checkpoint if there is one; told line by line how far it is.

    Raises:
        DataError: the checkpoint there was made with other options or is broken.
    """
    state = begin(size, schedule, examples, start)
    checkpoint = folder / CHECKPOINT
    if checkpoint.is_file():
        load_checkpoint(checkpoint, state, schedule)
        tell(f"Going on from step {state.step} of {schedule.steps}.")
    learned = sum(p.numel() for p in state.model.parameters() if p.requires_grad)
    frozen = sum(p.numel() for p in state.model.parameters()) - learned
    seconds = sum(len(example.moves) for example in examples) / FPS
    tell(
        f"{learned:,} numbers learn, {frozen:,} are frozen; "
        f"{len(examples)} stretches, {seconds / 60:.1f} minutes."
    )
    loss = _steps(state, examples, schedule, checkpoint, minutes, tell)
    save_checkpoint(checkpoint, state, schedule)
    return Outcome(state.averaged.eval(), state.step, loss, state.step >= schedule.steps)


def _steps(
    state: State,
    examples: Sequence[Example],
    schedule: Schedule,
    checkpoint: Path,
    minutes: float,
    tell: Callable[[str], None],
) -> float:
    """Trains until the end or until time is up; the mean loss of the last steps."""
    begun = saved = time.monotonic()
    first, losses = state.step, list[float]()
    for loss in fit(state, examples, schedule, deadline=begun + 60 * minutes):
        losses = [*losses[-200:], loss]
        now = time.monotonic()
        if now - saved > SAVE_SECONDS:
            save_checkpoint(checkpoint, state, schedule)
            saved = now
        if state.step % TELL_STEPS == 0 or state.step == schedule.steps:
            pace = (now - begun) / (state.step - first)
            left = pace * (schedule.steps - state.step)
            tell(
                f"step {state.step}/{schedule.steps}  loss {np.mean(losses):.4f}  "
                f"{pace:.2f} s a step, {left / 60:.0f} min left"
            )
    return float(np.mean(losses)) if losses else float("nan")


def write_model(path: Path, model: MotionModel, **facts: str) -> None:
    """Writes weights that `MotionModel.load` reads, at half precision, with what is to be known."""
    tensors = {k: v.half() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    write_tensors(path, tensors, model.facts() | facts)


def fingerprint(examples: Sequence[Example]) -> str:
    """Sixteen digits that change with the data."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(example.moves.tobytes())
        digest.update(str(example.track).encode())
        digest.update(b"" if example.voice is None else example.voice.tobytes())
    return digest.hexdigest()[:16]


def told(schedule: Schedule, outcome: Outcome) -> dict[str, str]:
    """Facts of a training for the weights' metadata."""
    return {
        "schedule": json.dumps(asdict(schedule)),
        "step": str(outcome.step),
        "loss": f"{outcome.loss:.4f}",
        "torch": torch.__version__,
    }
