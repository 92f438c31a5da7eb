"""A video's request is checked at the door: all its problems at once, in sentences, nothing loaded."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from gen.backbones import find_backbone
from gen.job import JobError
from gen.lock import WeightsError
from gen.video_job import VideoJob, explained, plan


def safetensors(path: Path, shape: list[int]) -> None:
    """A file with one tensor of bfloat16 zeros."""
    size = 2
    for side in shape:
        size *= side
    header = json.dumps({"x": {"dtype": "BF16", "shape": shape, "data_offsets": [0, size]}}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(size))


def checkpoint(
    folder: Path, *, kind: str = "WanTransformer3DModel", takes: int = 16, **index: object
) -> Path:
    """The small files of a checkpoint, and weights of a few numbers."""
    transformer = {
        "num_attention_heads": 2, "attention_head_dim": 12, "ffn_dim": 32, "in_channels": takes,
        "patch_size": [1, 2, 2],
    }  # fmt: skip
    vae = {"z_dim": 16, **({"scale_factor_spatial": 16} if index.get("expand_timesteps") else {})}
    parts = {"transformer": transformer, "vae": vae, "text_encoder": {}}
    for place, (part, config) in enumerate(parts.items()):
        safetensors(folder / part / "model.safetensors", [3, 5 + place])
        (folder / part / "config.json").write_text(json.dumps(config))
    (folder / "model_index.json").write_text(json.dumps({"transformer": ["diffusers", kind], **index}))
    return folder


@pytest.fixture
def job(tmp_path: Path) -> VideoJob:
    (tmp_path / "adapter.safetensors").write_bytes(b"weights")
    return VideoJob(
        prompt="A round cat, in the rain!",
        emotion="0:sadness 1:awe@0.5",
        backbone=str(checkpoint(tmp_path / "wan")),
        adapter=tmp_path / "adapter.safetensors",
    )


def problems(job: VideoJob) -> list[str]:
    with pytest.raises(JobError) as refused:
        plan(job)
    return list(refused.value.problems)


def test_a_plan_names_its_clip_after_the_prompt_and_everything_that_shapes_it(job: VideoJob) -> None:
    found = plan(job)
    assert found.name == f"a-round-cat-in-the-rain-{found.digest[:8]}"
    assert found.shape.frames == 33
    assert found.request["emotion"] == "0:mikels8/sadness 1:mikels8/awe@0.5"
    assert found.request["steps"] == 30
    assert (
        plan(replace(job, emotion="0:sadness  1.0:awe@.5", prompt=" A round cat, in the rain! ")).digest
        == found.digest
    )


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "a dog"}, {"negative": "blurred"}, {"emotion": "fear"}, {"seed": 1}, {"seconds": 1.0},
        {"fps": 8},
        {"width": 64}, {"height": 64}, {"steps": 7}, {"scheduler": "euler"}, {"preset": "draft"},
        {"text_guidance": 2.0}, {"emotion_guidance": 1.0},
    ],
)  # fmt: skip
def test_everything_that_shapes_a_clip_changes_its_name(job: VideoJob, change: dict[str, object]) -> None:
    changed = replace(job, **change)  # pyright: ignore[reportArgumentType] - several types
    assert plan(changed).digest != plan(job).digest


def test_bytes_of_adapter_and_backbone_change_the_name_and_folders_do_not(
    job: VideoJob, tmp_path: Path
) -> None:
    first = plan(job)
    moved = checkpoint(tmp_path / "elsewhere")
    assert plan(replace(job, backbone=str(moved))).digest == first.digest
    safetensors(moved / "vae" / "model.safetensors", [3, 7])
    assert plan(replace(job, backbone=str(moved))).digest != first.digest
    assert job.adapter is not None
    job.adapter.write_bytes(b"other weights")
    assert plan(job).digest != first.digest


def test_all_problems_come_at_once(job: VideoJob, tmp_path: Path) -> None:
    told = problems(
        VideoJob(
            prompt=" ", emotion="sadnes", backbone="nano", seconds=2.1, steps=0, text_guidance=-1, seed=-1,
            adapter=tmp_path / "absent", lora=(tmp_path,), lora_scale=9,
        )
    )  # fmt: skip
    assert [line.split(":")[0] for line in told] == [
        "--backbone", "--emotion", "--prompt", "--steps", "--text-guidance", "--lora-scale", "--seed",
        "--seconds, --fps, --width, --height", "--adapter", "--lora",
    ]  # fmt: skip
    assert "is not trained yet" in told[0]
    assert "Did you mean 'sadness'?" in told[1]
    assert "use 2 or 2.25" in told[7]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"width": 100}, "A width of 100 came; multiples of 16 are needed: use 96 or 112"),
        ({"prompt": "x" * 4001}, "--prompt: it has 4,001 characters; 4,000 are read"),
        ({"emotion": "auto"}, "'auto' needs a voice to infer it from"),
        ({"emotion": "happiness"}, "is not an emotion of 'mikels8'"),
        ({"adapter": None}, "give its emotion adapter, or --emotion-guidance 0 for a video without"),
        ({"high_noise_text_guidance": 3.0}, "has one expert: use --text-guidance"),
        ({"image": Path(__file__)}, "takes none: leave it out"),
    ],
)
def test_what_does_not_go_together_is_said(job: VideoJob, change: dict[str, object], told: str) -> None:
    (found,) = problems(replace(job, **change))  # pyright: ignore[reportArgumentType] - several types
    assert told in found


def test_a_video_without_emotion_needs_no_adapter(job: VideoJob) -> None:
    assert plan(replace(job, adapter=None, emotion_guidance=0)).request["emotion_guidance"] == "0"


def test_kinds_of_checkpoints_are_told_apart_by_their_small_files(job: VideoJob, tmp_path: Path) -> None:
    image, packed, vace = (
        checkpoint(tmp_path / "image", takes=36),
        checkpoint(tmp_path / "packed", expand_timesteps=True),
        checkpoint(tmp_path / "vace", kind="WanVACETransformer3DModel"),
    )
    assert problems(replace(job, backbone=str(image))) == [
        "--image: 'image' needs the first frame: give a picture."
    ]
    assert "makes no video of a prompt" in problems(replace(job, backbone=str(vace)))[0]
    found = find_backbone(str(packed))
    assert (found.takes_image, found.compression.side) == (True, 32)
    assert found.parameters == {"transformer": 15, "vae": 18, "text_encoder": 21}
    assert plan(replace(job, backbone=str(packed), image=Path(__file__))).inputs.keys() == {
        "image",
        "adapter",
    }


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("model_index.json", r"model_index\.json' is missing or no JSON"),
        ("vae/config.json", r"config\.json' is missing or no JSON"),
        ("vae/model.safetensors", "has no safetensors; pickled weights are not loaded"),
    ],
)
def test_a_folder_that_lacks_something_is_refused(tmp_path: Path, spoil: str, told: str) -> None:
    folder = checkpoint(tmp_path / "wan")
    (folder / spoil).unlink()
    with pytest.raises(WeightsError, match=told):
        find_backbone(str(folder))


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="has FluxTransformer2DModel, so it is no Wan checkpoint"):
        find_backbone(str(checkpoint(tmp_path / "flux", kind="FluxTransformer2DModel")))
    folder = checkpoint(tmp_path / "cut")
    (folder / "vae" / "model.safetensors").write_bytes(b"x")
    with pytest.raises(WeightsError, match="is no whole safetensors file"):
        find_backbone(str(folder))


def test_what_is_not_on_this_machine_is_said_with_its_size_and_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MIEN_MODELS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"`python -m gen\.weights fetch wan2\.1-t2v-1\.3b` .*28\.9 GB"):
        find_backbone("wan2.1-t2v-1.3b")
    with pytest.raises(WeightsError, match=r"'wan9' is neither a backbone \(nano, wan2\.1-t2v-1\.3b"):
        find_backbone("wan9")


def test_every_value_tells_where_it_came_from(job: VideoJob) -> None:
    rows = {name: (value, source) for name, value, source in explained(job, frozenset({"prompt"}))}
    assert rows["prompt"] == (job.prompt, "asked")
    assert rows["steps"] == ("30", "preset standard")
    assert rows["lora"] == ("-", "default")
    assert rows["x264"] == ("veryfast", "preset standard")
