"""From noise to latents: the steps of a flow scheduler over a batch of clips, each with noise of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, cast

import numpy as np
import torch
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler
from torch import Tensor

from pipelines.guidance import ExpertGuidance, Guidance

SchedulerName = Literal["unipc", "euler"]
SHIFT = 3.0  # Wan's for 480p, where a checkpoint does not say another one


class Scheduler(Protocol):
    """What diffusers' flow schedulers have in common, and a step needs."""

    timesteps: Tensor
    sigmas: Tensor  # noise levels in [0, 1], one more than steps

    def set_begin_index(self, begin_index: int) -> None: ...

    def step(
        self, model_output: Tensor, timestep: Tensor, sample: Tensor, *, return_dict: bool
    ) -> tuple[Tensor]: ...


@dataclass(frozen=True)
class Sampling:
    """How clips are drawn from noise."""

    steps: int = 50
    scheduler: SchedulerName = "unipc"
    shift: float | None = None  # of the noise schedule towards much noise; None for the checkpoint's own
    guidance: Guidance | ExpertGuidance = field(default_factory=Guidance)
    batched: bool = True  # all runs of a step in one forward: quicker, and more memory

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= 1000:
            raise ValueError(f"{self.steps} steps came; 1 to 1000 are allowed.")


@dataclass(frozen=True)
class Step:
    """One step that was taken."""

    number: int  # from 1
    steps: int
    latents: Tensor  # (B, C, F, h, w)
    preview: Callable[
        [], list[np.ndarray]
    ]  # a frame (H, W, 3) uint8 of each clip as it will be; costs a decode


@dataclass(frozen=True)
class Broken:
    """A clip whose numbers stopped being numbers; the others of its batch went on."""

    stage: str
    step: int | None

    def __str__(self) -> str:
        at = self.stage if self.step is None else f"{self.stage}, step {self.step}"
        return f"The clip holds numbers that are not finite since {at}: try float32, or less guidance."


def noise(seeds: Sequence[int], shape: Sequence[int], device: torch.device) -> Tensor:
    """Noise (B, *shape): one generator for each clip, on the CPU, so no batch or device changes a clip."""
    drawn = [torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return torch.stack(drawn).to(device)


def make_scheduler(
    sampling: Sampling,
    schedule: dict[str, Any],
    device: torch.device,  # Any: the checkpoint's JSON
) -> Scheduler:
    """A scheduler of its own for one batch: UniPC remembers the steps it took."""
    own = {key: value for key, value in schedule.items() if not key.startswith("_")}
    shift = sampling.shift or own.get("flow_shift") or own.get("shift") or SHIFT
    trained = own.get("num_train_timesteps", 1000)
    if sampling.scheduler == "unipc":
        scheduler = UniPCMultistepScheduler(
            num_train_timesteps=trained,
            prediction_type="flow_prediction",
            use_flow_sigmas=True,
            flow_shift=shift,
            solver_order=own.get("solver_order", 2),
        )
    else:
        scheduler = FlowMatchEulerDiscreteScheduler(num_train_timesteps=trained, shift=shift)
    scheduler.set_timesteps(sampling.steps, device=device)
    return cast(Scheduler, scheduler)


@dataclass(frozen=True)
class Denoised:
    """Where a batch stands after one step of the scheduler."""

    number: int  # of the step, from 1
    latents: Tensor  # (B, C, F, h, w); a broken clip's are zeros
    foreseen: Callable[[], Tensor]  # the clean latents, as the model takes them to be
    broken: dict[int, Broken]  # by the clip's place


def denoise(
    velocity: Callable[[Tensor, Tensor], Tensor], latents: Tensor, scheduler: Scheduler, *, begin: int = 0
) -> Iterator[Denoised]:
    """Takes the scheduler's steps from `begin` on, one each time it is asked for the next.

    Args:
        velocity: The guided model: latents and time -> velocity, as the latents.
        latents: (B, C, F, h, w) at the noise level of step `begin`.
        scheduler: With its timesteps set.
        begin: Steps that are left out, as in refining a video.
    """
    scheduler.set_begin_index(begin)
    broken: dict[int, Broken] = {}
    for index, time in enumerate(scheduler.timesteps[begin:], start=begin):
        before, sigma = latents, float(scheduler.sigmas[index])
        predicted = velocity(latents, time)
        (latents,) = scheduler.step(predicted, time, latents, return_dict=False)
        latents = _without_broken(latents, broken, index + 1)
        # x0 = x - sigma v on the straight path of flow matching.
        yield Denoised(index + 1, latents, lambda x=before, s=sigma, v=predicted: x - s * v, dict(broken))


def _without_broken(latents: Tensor, broken: dict[int, Broken], step: int) -> Tensor:
    """Clips are independent rows: one that breaks is put to rest with zeros, and the rest go on."""
    sound = torch.isfinite(latents).flatten(1).all(1)
    for place in (~sound).nonzero().flatten().tolist():
        broken.setdefault(place, Broken("denoising", step))
    stays = torch.tensor([place not in broken for place in range(len(latents))], device=latents.device)
    return torch.where(stays.view(-1, 1, 1, 1, 1), latents, 0.0)
