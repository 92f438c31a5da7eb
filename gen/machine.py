"""What this machine offers a large model, and what is chosen for it: place, number type, offload, and why."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gen.backbones import BackboneFacts
from gen.record import Choice
from pipelines.shapes import VideoShape

GB = 1e9
BYTES = {"float32": 4, "bfloat16": 2}
WORKSPACE = 400_000_000  # bytes; 330 MB were measured
SPARE = 0.9  # of the free memory may be planned with
Dtype = Literal["float32", "bfloat16"]


class RoomError(ValueError):
    """A backbone that this machine cannot hold; the message is a sentence with the numbers."""


@dataclass(frozen=True)
class Machine:
    """Free memory in bytes, and what computes."""

    ram: int
    gpu: int | None = None  # None: there is no CUDA device
    gpu_name: str = ""
    has_bfloat16: bool = True  # on the GPU


@dataclass(frozen=True)
class Placing:
    """Where and how a backbone computes."""

    device: Choice
    dtype: Choice
    offload: Choice
    attention: Choice
    needed: int  # bytes on the device, estimated

    @property
    def notes(self) -> tuple[str, ...]:
        """The choices as lines for a reader."""
        chosen = {
            "device": self.device,
            "type": self.dtype,
            "offload": self.offload,
            "attention": self.attention,
        }
        lines = [f"{name}: {choice.value}, {choice.reason}" for name, choice in chosen.items()]
        return (*lines, f"memory: about {gigabytes(self.needed)}, estimated before loading")


def this_machine() -> Machine:
    """What is free now."""
    import torch

    if not torch.cuda.is_available():
        return Machine(_free_ram())
    free, _ = torch.cuda.mem_get_info()
    return Machine(_free_ram(), free, torch.cuda.get_device_name(), torch.cuda.is_bf16_supported())


def place(backbone: BackboneFacts, shape: VideoShape, machine: Machine, *, rows: int) -> Placing:
    """Chooses the first way that fits; RoomError if none does.

    Args:
        backbone: What is to be loaded.
        shape: The clip, whose tokens take memory too.
        machine: What is free.
        rows: Runs of the model in one forward.
    """
    if machine.gpu is None:
        return _on_cpu(backbone, shape, machine, rows)
    dtype = (
        Choice("bfloat16", f"{machine.gpu_name} computes in it, and Wan was trained in it")
        if machine.has_bfloat16
        else Choice("float32", f"{machine.gpu_name} has no bfloat16")
    )
    size, work = BYTES[dtype.value], working_bytes(backbone, shape, rows, BYTES[dtype.value])
    parts = part_bytes(backbone, size)
    whole, largest, free = sum(parts.values()), max(parts.values()), machine.gpu * SPARE
    ways = (
        ("none", whole + work, 0, "all parts fit"),
        ("model", largest + work, whole, "the parts fit one after the other, not all at once"),
        ("group", largest // 20 + work, whole, "the transformer fits only block by block"),
    )
    device = Choice("cuda", f"{machine.gpu_name} has {gigabytes(machine.gpu)} free")
    attention = Choice("native", "torch picks its flash kernels on CUDA")
    for offload, needed, ram, reason in ways:
        if needed <= free and ram <= machine.ram * SPARE:
            told = f"{reason}: {gigabytes(needed)} of {gigabytes(machine.gpu)}"
            return Placing(device, dtype, Choice(offload, told), attention, int(needed))
    raise RoomError(_too_little(backbone, shape, ways[-1][1], machine.gpu, "GPU", whole, machine.ram))


def _on_cpu(backbone: BackboneFacts, shape: VideoShape, machine: Machine, rows: int) -> Placing:
    device = Choice("cpu", "there is no CUDA device")
    attention = Choice("native", "torch's own is the only one that runs on a CPU")
    needed = 0
    for dtype, reason in (
        ("float32", "exact, and it fits"),
        ("bfloat16", "float32 does not fit; bfloat16 rounds more"),
    ):
        parts = part_bytes(backbone, BYTES[dtype])
        needed = sum(parts.values()) + working_bytes(backbone, shape, rows, BYTES[dtype])
        if needed <= machine.ram * SPARE:
            offload = Choice("none", "there is nowhere to put parts")
            return Placing(device, Choice(dtype, reason), offload, attention, needed)
    raise RoomError(_too_little(backbone, shape, needed, machine.ram, "this machine", 0, machine.ram))


def part_bytes(backbone: BackboneFacts, size: int) -> dict[str, int]:
    """Of each part once it is loaded; the VAE stays in float32."""
    return {
        part: count * (BYTES["float32"] if part == "vae" else size)
        for part, count in backbone.parameters.items()
    }


def working_bytes(backbone: BackboneFacts, shape: VideoShape, rows: int, size: int) -> int:
    """An estimate of what denoising or decoding takes beside the weights, whichever is more.

    Denoising: a block keeps about ten vectors and two hidden layers for each token, in float32 where it
    normalises; measured on random models it was within 2 %. Decoding: four frames at a time at full size
    through about six layers of 96 channels, and the workspace of the convolutions.
    """
    tokens = rows * shape.tokens
    denoising = tokens * (10 * backbone.width * 4 + 2 * backbone.ffn * size)
    decoding = WORKSPACE + 4 * shape.height * shape.width * 96 * 6 * 4
    return max(denoising, decoding)


def gigabytes(count: float) -> str:
    """Bytes for a reader."""
    return f"{count / GB:.1f} GB" if count >= GB / 10 else f"{count / 1e6:.0f} MB"


def _too_little(
    backbone: BackboneFacts, shape: VideoShape, needed: float, free: int, where: str, whole: int, ram: int
) -> str:
    memory = f", and {gigabytes(whole)} of main memory, of which {gigabytes(ram)} are free" if whole else ""
    return (
        f"'{backbone.name}' needs about {gigabytes(needed)} for {shape.frames} frames of {shape.width}x"
        f"{shape.height}; {where} has {gigabytes(free)} free{memory}: ask for a smaller or shorter video, "
        "or give a smaller backbone."
    )


def _free_ram() -> int:
    """Bytes that can be had without swapping: what Linux says, or else half of what is built in."""
    try:
        lines = Path("/proc/meminfo").read_text("utf-8").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
