"""The training loop of both recognisers: soft labels, a fixed schedule, an averaged copy, exact resuming."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from gen.recipes.augment import augmented
from gen.recipes.ferplus import DataError, Faces


@dataclass(frozen=True)
class Schedule:
    """Everything that decides what is learned; with the seed, the whole of it."""

    steps: int
    seed: int
    horizon: int  # steps over which the rate's cosine would fall to zero
    cool_down: int  # the last steps, in which a straight line takes the rate to zero (Hägele et al. 2024)
    batch: int = 64
    rate: float = 0.05
    warm_up: int = 300
    decay: float = 5e-4
    average: float = 0.998  # of the exponential moving average that is kept
    mixup: float = 0.2  # Beta(mixup, mixup), Zhang et al. 2018
    mixup_share: float = 0.5  # of the batches
    rare: float = 0.3  # faces are drawn in proportion to (their class's frequency) ** -rare

    def rate_at(self, step: int) -> float:
        if step < self.warm_up:
            return self.rate * (step + 1) / self.warm_up
        progress = (step - self.warm_up) / max(1, self.horizon - self.warm_up)
        cosine = 0.5 * (1 + math.cos(math.pi * progress)) * 0.999 + 0.001
        return self.rate * cosine * min(1.0, (self.steps - step) / self.cool_down)


@dataclass
class State:
    """What must be saved to go on exactly where training stopped."""

    network: nn.Module
    averaged: nn.Module
    optimiser: torch.optim.SGD
    step: int = 0


@dataclass(frozen=True)
class Examples:
    """Pixels and the distribution of votes beside each other."""

    images: np.ndarray  # (N, S, S) uint8
    targets: np.ndarray  # (N, 8) float32
    mean: float
    std: float

    @classmethod
    def of(cls, faces: Faces, targets: np.ndarray) -> Examples:
        pixels = faces.images.astype(np.float32) / 255
        return cls(faces.images, targets, round(float(pixels.mean()), 4), round(float(pixels.std()), 4))


def begin(make: Callable[[], nn.Module], schedule: Schedule) -> State:
    """A fresh network with weights drawn from the seed, its average, and its optimiser."""
    network, averaged = make(), make()
    generator = torch.Generator().manual_seed(schedule.seed)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter, nonlinearity="relu", generator=generator)
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
    for parameter in (*network.parameters(), *averaged.parameters()):
        if parameter.ndim == 4:  # convolutions run faster with channels last
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    averaged.load_state_dict(network.state_dict())
    averaged.requires_grad_(False).eval()
    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": schedule.decay}, {"params": vectors, "weight_decay": 0.0}]
    return State(network, averaged, torch.optim.SGD(groups, lr=0.0, momentum=0.9, nesterov=True))


def fit(state: State, examples: Examples, schedule: Schedule, *, deadline: float) -> Iterator[float]:
    """Trains to the schedule's end or the deadline (time.monotonic), giving the loss after every step."""
    cv2.setNumThreads(1)
    weights = sampling_weights(examples.targets, schedule.rare)
    state.network.train()
    while state.step < schedule.steps and time.monotonic() < deadline:
        random = np.random.default_rng((schedule.seed, state.step))
        picked = picked_at(state.step, weights, schedule)
        images = torch.from_numpy(augmented(examples.images[picked], random))
        batch = (images[:, None].float() / 255 - examples.mean) / examples.std
        batch, targets = mixed(batch, torch.from_numpy(examples.targets[picked]), schedule, random)

        for parameters in state.optimiser.param_groups:
            parameters["lr"] = schedule.rate_at(state.step)
        with torch.autocast("cpu", torch.bfloat16):
            logits = state.network(batch.contiguous(memory_format=torch.channels_last))
        loss = F.cross_entropy(logits.float(), targets)
        state.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(state.network.parameters(), 5.0)
        state.optimiser.step()
        state.step += 1
        average(state, schedule)
        yield float(loss.detach())


def sampling_weights(targets: np.ndarray, rare: float) -> np.ndarray:
    classes = targets.argmax(axis=1)
    frequency = np.bincount(classes, minlength=targets.shape[1]) / len(classes)
    weights = frequency[classes] ** -rare
    return weights / weights.sum()


def picked_at(step: int, weights: np.ndarray, schedule: Schedule) -> np.ndarray:
    """The faces of one step: an epoch draws evenly along the cumulative weights, then shuffles."""
    per_epoch = len(weights) // schedule.batch
    epoch, place = divmod(step, per_epoch)
    random = np.random.default_rng((schedule.seed, 1, epoch))
    points = (np.arange(len(weights)) + random.random()) / len(weights)
    drawn = np.searchsorted(np.cumsum(weights), points).clip(max=len(weights) - 1)
    return random.permutation(drawn)[place * schedule.batch : (place + 1) * schedule.batch]


def mixed(
    batch: Tensor, targets: Tensor, schedule: Schedule, random: np.random.Generator
) -> tuple[Tensor, Tensor]:
    if random.random() >= schedule.mixup_share:
        return batch, targets
    share = float(random.beta(schedule.mixup, schedule.mixup))
    return torch.lerp(batch.flip(0), batch, share), torch.lerp(targets.flip(0), targets, share)


@torch.no_grad()
def average(state: State, schedule: Schedule) -> None:
    keep = min(schedule.average, (1 + state.step) / (10 + state.step))
    averaged, network = state.averaged.state_dict(), state.network.state_dict()
    for old, new in zip(averaged.values(), network.values(), strict=True):
        if old.dtype.is_floating_point:
            old.lerp_(new, 1 - keep)
        else:
            old.copy_(new)


def save_checkpoint(path: Path, state: State, schedule: Schedule) -> None:
    tensors = {f"network.{key}": value for key, value in state.network.state_dict().items()}
    tensors |= {f"averaged.{key}": value for key, value in state.averaged.state_dict().items()}
    for index, slot in state.optimiser.state_dict()["state"].items():
        tensors[f"momentum.{index}"] = slot["momentum_buffer"]
    metadata = {"step": str(state.step), "schedule": json.dumps(asdict(schedule))}
    write_tensors(path, tensors, metadata)


def load_checkpoint(path: Path, state: State, schedule: Schedule) -> None:
    """Puts a saved state back, refusing one that was made under another schedule."""
    if not path.is_file():
        raise DataError(f"There is no checkpoint at {path}; leave out --resume to begin anew.")
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        if json.loads(metadata.get("schedule", "{}")) != asdict(schedule):
            raise DataError(f"{path} was made with {metadata.get('schedule')}; resume with the same options.")
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    for part, module in (("network.", state.network), ("averaged.", state.averaged)):
        module.load_state_dict({k.removeprefix(part): v for k, v in tensors.items() if k.startswith(part)})
    saved = state.optimiser.state_dict()
    momenta = {int(k.removeprefix("momentum.")): v for k, v in tensors.items() if k.startswith("momentum.")}
    saved["state"] = {index: {"momentum_buffer": momentum} for index, momentum in momenta.items()}
    state.optimiser.load_state_dict(saved)
    state.step = int(metadata["step"])


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Writes beside the target and renames, so that a reader never meets half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(in_order(save({key: value.contiguous() for key, value in tensors.items()}, metadata)))
    part.replace(path)


def in_order(file: bytes) -> bytes:
    """A safetensors file with sorted metadata, which the library shuffles: equal weights, equal bytes."""
    length = int.from_bytes(file[:8], "little")
    header = json.loads(file[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the tensors begin at a multiple of eight
    return len(text).to_bytes(8, "little") + text + file[8 + length :]
