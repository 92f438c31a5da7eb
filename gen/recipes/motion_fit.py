"""Trains the motion model: flow matching over windows of examples, an averaged copy, exact resuming."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gen.recipes.ferplus import DataError
from gen.recipes.fitting import write_tensors
from gen.recipes.motion_examples import Example
from pipelines.portrait.arkit import ARKIT
from pipelines.portrait.life import LIVELY
from pipelines.portrait.motion_model import CHANNELS, COEFFICIENTS, FPS, VOICE, WINDOW, MotionModel, Size

OTHER_SIDE = {"Left": "Right", "Right": "Left"}
# Where each of a frame's numbers goes in a mirror, and its sign: gaze to the side, yaw, roll, x turn round.
_NAMES = [ARKIT[column] for column in LIVELY]
_MIRRORED = [next((n.removesuffix(a) + b for a, b in OTHER_SIDE.items() if n.endswith(a)), n) for n in _NAMES]
MIRROR = [*map(_NAMES.index, _MIRRORED), *range(len(LIVELY), CHANNELS)]
SIDE = np.ones(CHANNELS, np.float32)
SIDE[[COEFFICIENTS, COEFFICIENTS + 3, COEFFICIENTS + 4, COEFFICIENTS + 5]] = -1


@dataclass(frozen=True)
class Schedule:
    """Everything that decides what is learned; with the seed, the whole of it."""

    steps: int
    seed: int = 0
    batch: int = 8
    rate: float = 3e-3
    warm_up: int = 100
    decay: float = 0.01
    average: float = 0.998
    silent: float = 0.2  # of the draws hear nothing, and so many feel nothing: each apart from the other
    unfelt: float = 0.15
    change: float = 0.5  # weight of the error in what changes from frame to frame

    def rate_at(self, step: int) -> float:
        if step < self.warm_up:
            return self.rate * (step + 1) / self.warm_up
        progress = (step - self.warm_up) / max(1, self.steps - self.warm_up)
        return self.rate * (0.5 * (1 + math.cos(math.pi * progress)) * 0.99 + 0.01)


@dataclass
class State:
    """What must be saved to go on exactly where training stopped."""

    model: MotionModel
    averaged: MotionModel
    optimiser: torch.optim.AdamW
    step: int = 0


def begin(
    size: Size, schedule: Schedule, examples: Sequence[Example], start: MotionModel | None = None
) -> State:
    """A model drawn from the seed, or one to go on from, that knows the examples' means and spreads."""
    model, averaged = (MotionModel(start.size if start else size, seed=schedule.seed) for _ in range(2))
    if start is None:
        weights = np.array([example.weight for example in examples])
        frames = [model.pack(torch.from_numpy(example.moves)) for example in examples]
        share = torch.from_numpy(weights / weights.sum()).float()
        mean = sum((w * f.mean(dim=0) for w, f in zip(share, frames, strict=True)), torch.zeros(CHANNELS))
        power = sum(
            (w * (f - mean).square().mean(dim=0) for w, f in zip(share, frames, strict=True)),
            torch.zeros(CHANNELS),
        )
        model.mean.copy_(mean)
        model.spread.copy_(power.sqrt().clamp(min=1e-3))
    else:
        model.load_state_dict(start.state_dict())
    averaged.load_state_dict(model.state_dict())
    averaged.requires_grad_(False).eval()
    learned = [p for p in model.parameters() if p.requires_grad]
    return State(
        model, averaged, torch.optim.AdamW(learned, lr=0.0, weight_decay=schedule.decay, betas=(0.9, 0.99))
    )


def fit(state: State, examples: Sequence[Example], schedule: Schedule, *, deadline: float) -> Iterator[float]:
    """Trains to the schedule's end or the deadline (time.monotonic), giving the loss after every step."""
    weights = np.array([example.weight for example in examples])
    state.model.train()
    while state.step < schedule.steps and time.monotonic() < deadline:
        loss = batch_loss(state.model, examples, weights / weights.sum(), schedule, state.step)
        for group in state.optimiser.param_groups:
            group["lr"] = schedule.rate_at(state.step)
        state.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(state.model.parameters(), 1.0)
        state.optimiser.step()
        state.step += 1
        _average(state, schedule)
        yield float(loss.detach())


def batch_loss(
    model: MotionModel, examples: Sequence[Example], chance: np.ndarray, schedule: Schedule, step: int
) -> Tensor:
    """How far the model's velocity is from the straight way, on windows drawn by seed and step alone."""
    rng = np.random.default_rng((schedule.seed, step % 2**32))
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    moves, voice, heard, tokens = [], [], [], []
    for number in rng.choice(len(examples), schedule.batch, p=chance):
        example = examples[number]
        window, curves, start = cut(example, rng)
        moves.append(window)
        voice.append(curves)
        heard.append(example.voice is not None and rng.random() >= schedule.silent)
        track = None if rng.random() < schedule.unfelt else example.track
        tokens.append(model.tokens([track], start / FPS, WINDOW)[0])
    target = model.pack(torch.from_numpy(np.stack(moves)))
    noise = torch.randn(target.shape, generator=generator)
    at = torch.rand(schedule.batch, generator=generator)
    way = target - noise
    said = model(torch.lerp(noise, target, at[:, None, None]), at, torch.from_numpy(np.stack(voice)),
                 torch.tensor(heard), torch.stack(tokens))  # fmt: skip
    wrong = said - way
    return wrong.square().mean() + schedule.change * wrong.diff(dim=1).square().mean()


def cut(example: Example, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, int]:
    """A window (WINDOW, CHANNELS) of an example, half of them mirrored, its voice, and where it begins.

    A stretch that is too short goes on as its own reflection in time.
    """
    length = len(example.moves)
    start = int(rng.integers(max(1, length - WINDOW + 1)))
    places = np.abs((start + np.arange(WINDOW) + length - 1) % max(1, 2 * length - 2) - (length - 1))
    places = places if length < WINDOW else start + np.arange(WINDOW)
    window = example.moves[places]
    curves = np.zeros((WINDOW, VOICE), np.float32) if example.voice is None else example.voice[places]
    if rng.random() < 0.5:
        window = window[:, MIRROR] * SIDE
    return window, curves, start


@torch.no_grad()
def _average(state: State, schedule: Schedule) -> None:
    keep = min(schedule.average, (1 + state.step) / (10 + state.step))
    for old, new in zip(state.averaged.parameters(), state.model.parameters(), strict=True):
        old.lerp_(new, 1 - keep)


def save_checkpoint(path: Path, state: State, schedule: Schedule) -> None:
    """Writes the state whole or not at all."""
    tensors = {f"model.{key}": value for key, value in state.model.state_dict().items()}
    tensors |= {f"averaged.{key}": value for key, value in state.averaged.state_dict().items()}
    for index, slot in state.optimiser.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{name}": torch.as_tensor(value) for name, value in slot.items()}
    write_tensors(path, tensors, {"step": str(state.step), "schedule": json.dumps(asdict(schedule))})


def load_checkpoint(path: Path, state: State, schedule: Schedule) -> None:
    """Puts a saved state back; DataError for one that was made under another schedule or is broken."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    except (OSError, SafetensorError) as error:
        raise DataError(f"'{path}' is no whole checkpoint ({error}); remove it to begin anew.") from error
    if json.loads(metadata.get("schedule", "{}")) != asdict(schedule):
        raise DataError(f"'{path}' was made with {metadata.get('schedule')}; go on with the same options.")
    for part, module in (("model.", state.model), ("averaged.", state.averaged)):
        module.load_state_dict({k.removeprefix(part): v for k, v in tensors.items() if k.startswith(part)})
    saved = state.optimiser.state_dict()
    slots: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("adam."):
            _, index, name = key.split(".")
            slots.setdefault(int(index), {})[name] = value
    saved["state"] = slots
    state.optimiser.load_state_dict(saved)
    state.step = int(metadata["step"])
