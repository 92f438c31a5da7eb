"""A video plan becomes a loaded Wan pipeline: backbone, adapter and LoRA files, placed where they fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gen.backbones import BackboneFacts
from gen.machine import Machine, Placing, place, this_machine
from gen.video_job import VideoJob, VideoPlan

if TYPE_CHECKING:
    from pipelines.guidance import ExpertGuidance, Guidance
    from pipelines.wan.adapter import Adapter
    from pipelines.wan.backbone import Backbone

MOST_ROWS = 3  # runs of a step: without the prompt, with it, and with the emotion too


@dataclass(frozen=True)
class VideoStudio:
    """All that a plan needs, loaded; `key` tells whether it serves another plan as well."""

    key: tuple[object, ...]
    backbone: Backbone
    adapter: Adapter | None
    placing: Placing
    batched: bool


def key_of(plan: VideoPlan) -> tuple[object, ...]:
    """What must be the same for one studio to serve two plans."""
    loaded = {name: digest for name, digest in plan.inputs.items() if name != "image"}
    return plan.weights_sha256, tuple(sorted(loaded.items())), plan.job.lora_scale, plan.shape


def video_studio(plan: VideoPlan, machine: Machine | None = None) -> VideoStudio:
    """Loads what a plan needs; RoomError comes before anything is loaded."""
    placing, batched = _placed(plan, machine or this_machine())

    import torch

    _quiet()
    from pipelines.wan.adapter import Adapter
    from pipelines.wan.backbone import Backbone

    backbone = Backbone.load(
        plan.backbone.folder,
        dtype=getattr(torch, placing.dtype.value),
        device=placing.device.value,
        offload=placing.offload.value,  # pyright: ignore[reportArgumentType] - one of the three words
    )
    if plan.job.lora:
        _add_lora(backbone, plan.job.lora, plan.job.lora_scale)
    adapter = None
    if plan.job.adapter is not None:
        adapter = Adapter.load(plan.job.adapter).to(backbone.device)  # small: it stays in float32
    return VideoStudio(key_of(plan), backbone, adapter, placing, batched)


def guidance_of(job: VideoJob, backbone: BackboneFacts) -> Guidance | ExpertGuidance:
    """The scales of a job, by name; a two-expert backbone gets one set for each expert."""
    from pipelines.guidance import ExpertGuidance, Guidance

    scales = {"emotion": job.emotion_guidance, "reference": job.image_guidance}
    low = Guidance(text=job.text_guidance, **scales)
    if backbone.experts == 1:
        return low
    high = job.text_guidance if job.high_noise_text_guidance is None else job.high_noise_text_guidance
    return ExpertGuidance(high_noise=Guidance(text=high, **scales), low_noise=low)


def _placed(plan: VideoPlan, machine: Machine) -> tuple[Placing, bool]:
    """All runs of a step in one forward if that fits, else one after the other."""
    from gen.machine import RoomError

    try:
        placing = place(plan.backbone, plan.shape, machine, rows=MOST_ROWS)
    except RoomError:
        return place(plan.backbone, plan.shape, machine, rows=1), False
    alone = place(plan.backbone, plan.shape, machine, rows=1)
    if alone.offload.value != placing.offload.value or alone.dtype.value != placing.dtype.value:
        return alone, False  # a batch is not worth moving parts or rounding more
    return placing, True


def _quiet() -> None:
    """What libraries say while they load is not for the reader of a render's progress."""
    import diffusers.utils.logging
    import transformers.utils.logging

    for library in (diffusers.utils.logging, transformers.utils.logging):
        library.set_verbosity_error()
        library.disable_progress_bar()


def _add_lora(backbone: Backbone, files: Sequence[Path], scale: float) -> None:
    """LoRA as diffusers reads it, its other formats included, on every expert."""
    from diffusers.pipelines.wan.pipeline_wan import WanPipeline

    from pipelines.wan.errors import BackboneError

    names = [f"lora-{place}" for place in range(len(files))]
    for transformer in backbone.experts:
        for name, path in zip(names, files, strict=True):
            try:
                state = WanPipeline.lora_state_dict(str(path.parent), weight_name=path.name)
                if not state or not all("lora" in key for key in state):
                    raise ValueError("it holds other weights")  # which diffusers would leave out unsaid
                WanPipeline.load_lora_into_transformer(state, transformer, adapter_name=name)
            except (OSError, ValueError, RuntimeError, KeyError) as error:
                first = (str(error).strip().splitlines() or ["it is broken"])[0]
                raise BackboneError(f"'{path}' is no LoRA of this backbone: {first}") from error
        transformer.set_adapters(names, [scale] * len(names))
