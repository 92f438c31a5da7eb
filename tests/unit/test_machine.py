"""Where a backbone computes is chosen from what is free, with reasons, before anything is loaded."""

from pathlib import Path

import pytest

from gen.backbones import BackboneFacts
from gen.machine import Machine, RoomError, part_bytes, place, this_machine, working_bytes
from pipelines.shapes import Compression, VideoShape

GB = 1_000_000_000
SHAPE = VideoShape.lasting(5, fps=16, height=480, width=832)
SMALL = VideoShape.lasting(0.5, fps=16, height=64, width=64)


def wan_14b() -> BackboneFacts:
    return BackboneFacts(
        name="wan-14b",
        folder=Path(),
        kind="text",
        experts=1,
        expands_time=False,
        compression=Compression(),
        width=5120,
        ffn=13_824,
        parameters={"transformer": 14_300_000_000, "vae": 127_000_000, "text_encoder": 5_680_000_000},
        licence="Apache-2.0",
        research_only=False,
    )


@pytest.mark.parametrize(("gpu", "offload"), [(80 * GB, "none"), (48 * GB, "model"), (14 * GB, "group")])
def test_a_gpu_gets_what_fits(gpu: int, offload: str) -> None:
    placing = place(wan_14b(), SHAPE, Machine(ram=64 * GB, gpu=gpu, gpu_name="A card"), rows=1)
    assert (placing.device.value, placing.dtype.value, placing.offload.value) == ("cuda", "bfloat16", offload)
    assert placing.needed <= gpu
    told = "\n".join(placing.notes)
    assert "device: cuda, A card has" in told
    assert f"offload: {offload}, " in told
    assert "estimated before loading" in told


def test_a_gpu_without_bfloat16_computes_in_float32() -> None:
    machine = Machine(ram=200 * GB, gpu=200 * GB, gpu_name="An old card", has_bfloat16=False)
    assert place(wan_14b(), SMALL, machine, rows=1).dtype.value == "float32"


@pytest.mark.parametrize(("ram", "dtype"), [(128 * GB, "float32"), (64 * GB, "bfloat16")])
def test_a_cpu_computes_exactly_where_it_can(ram: int, dtype: str) -> None:
    placing = place(wan_14b(), SMALL, Machine(ram=ram), rows=1)
    assert (placing.device.value, placing.dtype.value, placing.offload.value) == ("cpu", dtype, "none")


@pytest.mark.parametrize(
    ("machine", "told"),
    [
        (
            Machine(ram=16 * GB),
            r"'wan-14b' needs about 4\d\.\d GB for 81 frames of 832x480; this machine has 16.0",
        ),
        (Machine(ram=16 * GB, gpu=24 * GB), "GPU has 24.0 GB free, and .* of main memory, of which 16.0 GB"),
        (Machine(ram=99 * GB, gpu=2 * GB), "GPU has 2.0 GB free.*ask for a smaller or shorter video"),
    ],
)
def test_too_little_memory_is_a_sentence_with_the_numbers(machine: Machine, told: str) -> None:
    with pytest.raises(RoomError, match=told):
        place(wan_14b(), SHAPE, machine, rows=1)


def test_the_estimate_grows_with_tokens_and_runs() -> None:
    backbone = wan_14b()
    assert working_bytes(backbone, SHAPE, 3, 2) == 3 * working_bytes(backbone, SHAPE, 1, 2)
    assert working_bytes(backbone, SHAPE, 1, 2) > working_bytes(backbone, SMALL, 1, 2)
    assert part_bytes(backbone, 2) == {
        "transformer": 28_600_000_000, "vae": 508_000_000, "text_encoder": 11_360_000_000
    }  # fmt: skip


def test_this_machine_has_memory() -> None:
    assert this_machine().ram > 100_000_000
