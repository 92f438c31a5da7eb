"""The lip network as something that learns: its layers, what it is told of a line, and its training."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor, nn

from gen.recipes.fitting import write_tensors
from gen.recipes.lips_corpus import SILENCE, Sound, Spoken
from gen.recipes.lips_rooms import Rooms
from gen.recipes.lips_targets import curves, effort
from pipelines.portrait.lips import AHEAD, CURVES, DILATIONS, MELS, RATE, TAPS, mel_power

CHANNELS = 96
# How much each curve counts; those that are met or not are learned as chances.
WEIGHTS = dict(zip(CURVES, (3.0, 1.5, 1.0, 1.0, 0.25, 0.12, 0.2), strict=True))
CHANCES = ("seal", "tuck", "speaking")


@dataclass(frozen=True)
class Schedule:
    """Everything that decides what is learned from the lines; with the seed, the whole of it."""

    steps: int = 1000
    seed: int = 1
    batch: int = 24
    stretch: int = 300  # steps of sound in an example
    rate: float = 2.5e-3
    warm_up: int = 50
    cool_down: int = (
        200  # the last steps, in which a straight line takes the rate to zero (Hägele et al. 2024)
    )
    decay: float = 1e-3

    def rate_at(self, step: int) -> float:
        """Even between a short start and a short end."""
        return self.rate * min(1.0, (step + 1) / self.warm_up, (self.steps - step) / self.cool_down)


class Listener(nn.Module):
    """`pipelines.portrait.lips.LipNetwork` in torch: heard (B, S, MELS) to logits (B, S, len(CURVES))."""

    def __init__(self, channels: int = CHANNELS) -> None:
        super().__init__()
        self.enter = nn.Linear(MELS, channels)
        self.look = nn.ModuleList(nn.Conv1d(channels, channels, TAPS, dilation=d) for d in DILATIONS)
        self.mix = nn.ModuleList(nn.Linear(channels, channels) for _ in DILATIONS)
        self.leave = nn.Linear(channels, len(CURVES))

    def forward(self, heard: Tensor) -> Tensor:
        x = F.relu(self.enter(heard))
        for look, mix, dilation in zip(self.look, self.mix, DILATIONS, strict=True):
            past = F.pad(x.transpose(1, 2), ((TAPS - 1) * dilation, 0))
            x = x + mix(F.relu(look(past)).transpose(1, 2))
        return self.leave(F.relu(x))

    def packed(self) -> dict[str, Tensor]:
        """The tensors of a LipNetwork, as fp16."""
        tensors = {
            name: value.permute(2, 1, 0) if value.ndim == 3 else value.T if value.ndim == 2 else value
            for name, value in self.state_dict().items()
        }
        return {name: value.half().contiguous() for name, value in tensors.items()}


@dataclass(frozen=True)
class Lines:
    """Speech end to end: mel power (S, MELS) and the mouths (S, len(CURVES)) that made it."""

    power: Tensor
    mouth: Tensor

    def drawn(self, batch: int, steps: int, dice: torch.Generator) -> tuple[Tensor, Tensor]:
        """Random stretches."""
        starts = torch.randint(len(self.power) - steps, (batch,), generator=dice).tolist()
        pieces = [slice(start, start + steps) for start in starts]
        return torch.stack([self.power[p] for p in pieces]), torch.stack([self.mouth[p] for p in pieces])


def taught(lines: Sequence[Spoken], random: np.random.Generator) -> Lines:
    """Lines with pauses of up to 1.2 s around them."""
    powers, mouths = [], []
    for spoken in lines:
        before, after = random.uniform(0.1, 1.2, 2)
        power = mel_power(np.pad(spoken.waveform, [round(pause * RATE) for pause in (before, after)]))
        sounds = paused(spoken, float(before), float(after))
        powers.append(power)
        mouths.append(curves(sounds, effort(power)).astype(np.float32))
    return Lines(torch.from_numpy(np.concatenate(powers)), torch.from_numpy(np.concatenate(mouths)))


def paused(spoken: Spoken, before: float, after: float) -> list[Sound]:
    """The sounds of a line with so many seconds of silence around it; neighbouring silences become one."""
    end = before + len(spoken.waveform) / RATE
    sounds = [Sound(SILENCE, 0, before)]
    for sound in (*spoken.sounds, Sound(SILENCE, end - before, end - before + after)):
        start = before + sound.start
        if sound.sign == sounds[-1].sign == SILENCE:
            start = sounds.pop().start
        sounds.append(Sound(sound.sign, start, before + sound.end))
    return sounds


def error(logits: Tensor, mouth: Tensor) -> Tensor:
    """How wrong logits are about the mouths (B, S, C) of AHEAD steps before them."""
    logits, mouth = logits[:, AHEAD:], mouth[:, : mouth.shape[1] - AHEAD]
    wrong = (torch.sigmoid(logits) - mouth) ** 2
    surprise = F.binary_cross_entropy_with_logits(logits, mouth, reduction="none")
    is_chance = torch.tensor([name in CHANCES for name in CURVES])
    weights = torch.tensor([WEIGHTS[name] for name in CURVES])
    return (torch.where(is_chance, surprise, wrong) * weights).mean()


@dataclass
class State:
    """What must be saved to go on exactly where training stopped."""

    network: Listener
    optimiser: torch.optim.AdamW
    step: int = 0


def begin(schedule: Schedule) -> State:
    """A network that knows nothing."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(schedule.seed)
        network = Listener()
    return State(
        network, torch.optim.AdamW(network.parameters(), weight_decay=schedule.decay, betas=(0.9, 0.98))
    )


def fit(state: State, lines: Lines, rooms: Rooms, schedule: Schedule) -> Iterator[float]:
    """Trains to the schedule's end; yields the loss after every step."""
    while state.step < schedule.steps:
        # Its own dice for every step: resuming needs no state of a generator.
        dice = torch.Generator().manual_seed(schedule.seed * 1_000_003 + state.step)
        heard, mouth = rooms(*lines.drawn(schedule.batch, schedule.stretch, dice), dice)
        for group in state.optimiser.param_groups:
            group["lr"] = schedule.rate_at(state.step)
        with torch.autocast("cpu", torch.bfloat16):  # a quarter less time where the processor knows it
            logits = state.network(heard)
        loss = error(logits.float(), mouth)
        state.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(state.network.parameters(), 1.0)
        state.optimiser.step()
        state.step += 1
        yield float(loss.detach())


def save_checkpoint(path: Path, state: State, schedule: Schedule) -> None:
    """Writes all of a state as safetensors."""
    tensors = {f"network.{name}": value for name, value in state.network.state_dict().items()}
    for index, slots in state.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in slots.items()}
    write_tensors(path, tensors, {"step": str(state.step), "schedule": json.dumps(asdict(schedule))})


def load_checkpoint(path: Path, schedule: Schedule) -> State:
    """A saved state.

    Raises:
        ValueError: it was made under another schedule.
    """
    state = begin(schedule)
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        if json.loads(metadata["schedule"]) != asdict(schedule):
            raise ValueError(f"{path} was made with {metadata['schedule']}; resume with the same options.")
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    state.network.load_state_dict(
        {k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")}
    )
    slots: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimiser."):
            _, index, name = key.split(".")
            slots.setdefault(int(index), {})[name] = value
    saved = state.optimiser.state_dict()
    saved["state"] = slots
    state.optimiser.load_state_dict(saved)
    state.step = int(metadata["step"])
    return state
