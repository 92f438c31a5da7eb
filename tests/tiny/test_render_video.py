"""`python -m gen.render video` from end to end on checkpoints of random weights: files, words and codes."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers.pipelines.wan.pipeline_wan import WanPipeline
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from PIL import Image
from torch import nn

from gen.assemble_wan import video_studio
from gen.events import Failed, Finished, Preview, RenderEvent, Step
from gen.machine import Machine
from gen.media import read_video
from gen.record import RenderRecord
from gen.render import main
from gen.video_job import VideoJob, plan
from gen.video_runner import run_videos
from tests.tiny import wan_models

ROOT = Path(__file__).parents[2]
SMALL = ("--seconds", "1", "--fps", "8", "--width", "32", "--height", "32", "--steps", "3")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text-to-video checkpoint with adapter and LoRA beside it, and an image-to-video one."""
    made = tmp_path_factory.mktemp("wan")
    backbone = wan_models.backbone()
    wan_models.saved(backbone, made / "text")
    wan_models.saved(wan_models.image_backbone(), made / "image")
    wan_models.adapter(backbone, trained=True).save(made / "adapter.safetensors")
    backbone.transformer.add_adapter(
        LoraConfig(r=2, init_lora_weights=False, target_modules=["to_q", "to_k"])
    )
    layers: dict[str, nn.Module | torch.Tensor] = {**get_peft_model_state_dict(backbone.transformer)}
    WanPipeline.save_lora_weights(made / "lora", transformer_lora_layers=layers)
    return made


def asked(folder: Path, out: Path, *arguments: str) -> list[str]:
    return [
        "video", "--prompt", "a round cat", "--emotion", "0:sadness 0.5:amusement",
        "--backbone", str(folder / "text"), "--adapter", str(folder / "adapter.safetensors"),
        *SMALL, "-o", str(out), *arguments,
    ]  # fmt: skip


def test_a_video_is_made_then_skipped(folder: Path, tmp_path: Path) -> None:
    def render() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gen.render", *asked(folder, tmp_path / "out")],
            cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    first = render()
    assert first.returncode == 0, first.stderr
    clip = Path(first.stdout.strip())
    assert clip.name.startswith("a-round-cat-")
    for told in ("device: cpu, there is no CUDA device", "type: float32", "offload: none", "9 frames 32x32"):
        assert told in first.stderr
    assert "Traceback" not in first.stderr
    assert "Loading" not in first.stderr

    video = read_video(clip)
    assert [frame.shape for frame in video.frames] == [(32, 32, 3)] * 9
    record = RenderRecord.from_json(video.comment or "")
    assert record.emotion == "0:mikels8/sadness 0.5:mikels8/amusement"
    assert [used.name for used in record.weights] == ["text", "adapter"]
    assert record.portrait is None
    assert RenderRecord.from_json(clip.with_suffix(".json").read_text()).clip_sha256 is not None

    again = render()
    assert (again.returncode, again.stdout) == (0, first.stdout)
    assert "skipped" in again.stderr


def test_lora_image_and_guidance_go_all_the_way(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(np.full((90, 120, 3), 200, np.uint8)).save(tmp_path / "first.png")
    lora = ("--lora", str(folder / "lora" / "pytorch_lora_weights.safetensors"), "--lora-scale", "0.5")
    assert main(asked(folder, tmp_path, *lora, "--emotion-guidance", "1", "--json", "-q")) == 0
    (made,) = json.loads(capsys.readouterr().out)["finished"]
    assert [used["name"] for used in made["record"]["weights"]] == ["text", "adapter", "lora-1"]

    image = asked(
        folder, tmp_path, "--image", str(tmp_path / "first.png"), "--emotion-guidance", "0", "--json", "-q"
    )
    image[image.index("--adapter") : image.index("--adapter") + 2] = []
    image[image.index(str(folder / "text"))] = str(folder / "image")
    assert main(image) == 0
    (made,) = json.loads(capsys.readouterr().out)["finished"]
    assert made["record"]["image"]["name"] == "first.png"
    assert made["record"]["emotion"] is None


def test_a_wrong_request_writes_and_loads_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(asked(folder, out, "--width", "33", "--emotion", "joy*2")) == 2
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == [
        "--emotion", "--seconds, --fps, --width, --height",
    ]  # fmt: skip
    assert not out.exists()
    probe = (
        "import sys; from gen.render import main; code = main(sys.argv[1:]);"
        "print(code, [m for m in ('torch', 'diffusers') if m in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", probe, "video", "--prompt", "x", "--emotion", "awe", "-o", str(out)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert answer.stdout.strip() == "2 []"
    assert "'nano', a small Wan of this project's own, is not trained yet" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--prompt", "x" * 200), "has 201 tokens; 96 are read: shorten it"),
        (
            ("--adapter", "text/vae/diffusion_pytorch_model.safetensors"),
            "an emotion adapter names wan-emotion",
        ),
        (("--lora", "adapter.safetensors"), "is no LoRA of this backbone"),
    ],
)
def test_a_video_that_cannot_be_made_is_refused_in_words(
    folder: Path, tmp_path: Path, arguments: tuple[str, str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    option, value = arguments
    path = folder / value
    request = asked(folder, tmp_path, option, str(path) if path.exists() else value)
    assert main(request) == 1
    error = capsys.readouterr().err
    assert told in error
    assert "something broke" not in error
    assert list(tmp_path.iterdir()) == []


def job(folder: Path, **changes: object) -> VideoJob:
    base: dict[str, object] = {
        "prompt": "a round cat", "emotion": "sadness", "backbone": str(folder / "text"),
        "adapter": folder / "adapter.safetensors", "seconds": 1.0, "fps": 8, "width": 32, "height": 32,
        "steps": 3,
    }  # fmt: skip
    return VideoJob(**{**base, **changes})  # pyright: ignore[reportArgumentType] - several types


def kinds(events: list[RenderEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_events_come_step_by_step_and_jobs_share_what_is_loaded(folder: Path, tmp_path: Path) -> None:
    loaded = []

    def assembled(one: object) -> object:
        loaded.append(one)
        return video_studio(one)  # pyright: ignore[reportArgumentType] - a plan

    events = list(
        run_videos(
            [job(folder), job(folder, seed=1)], tmp_path, preview_every=2,
            assembled=assembled,  # pyright: ignore[reportArgumentType] - as video_studio
        )
    )  # fmt: skip
    assert kinds(events) == ["Started", "Step", "Step", "Preview", "Step", "Finished"] * 2
    assert len(loaded) == 1
    steps = [event for event in events if isinstance(event, Step)]
    assert [(step.done, step.frames, step.unit) for step in steps[:3]] == [(n, 3, "steps") for n in (1, 2, 3)]
    assert [event.frame.shape for event in events if isinstance(event, Preview)] == [(32, 32, 3)] * 2
    first, second = (event for event in events if isinstance(event, Finished))
    assert first.record.clip_sha256 != second.record.clip_sha256


def test_the_same_job_gives_the_same_clip_whatever_ran_before_it(folder: Path, tmp_path: Path) -> None:
    def last(out: str, *jobs: VideoJob) -> tuple[str, np.ndarray]:
        """Digest and last preview of the last job: x264 is not asked, which may round otherwise."""
        events = list(run_videos(jobs, tmp_path / out, preview_every=3))
        (*_, finished), (*_, preview) = (
            [event for event in events if isinstance(event, kind)] for kind in (Finished, Preview)
        )
        assert isinstance(finished, Finished)
        assert isinstance(preview, Preview)
        return finished.record.digest, preview.frame

    first, again = last("a", job(folder)), last("b", job(folder, seed=5), job(folder))
    assert first[0] == again[0]
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[1], last("c", job(folder, seed=5))[1])


def test_a_clip_that_breaks_fails_alone_with_stage_and_step(folder: Path, tmp_path: Path) -> None:
    def assembled(one: object) -> object:
        studio = video_studio(one)  # pyright: ignore[reportArgumentType] - a plan
        nn.init.constant_(studio.backbone.transformer.proj_out.weight, float("nan"))
        return studio

    events = list(run_videos([job(folder)], tmp_path, assembled=assembled))  # pyright: ignore[reportArgumentType]
    failed = events[-1]
    assert isinstance(failed, Failed)
    assert "not finite since denoising, step 1" in failed.message
    assert list(tmp_path.iterdir()) == []


def test_too_little_memory_is_found_before_loading(folder: Path) -> None:
    with pytest.raises(
        ValueError, match=r"'text' needs about 0.4 GB for 9 frames of 32x32; this machine has 0 MB"
    ):
        video_studio(plan(job(folder)), Machine(ram=1000))


def test_runs_go_one_after_the_other_where_a_batch_does_not_fit(folder: Path) -> None:
    one = plan(job(folder, width=320, height=320, seconds=2.0))
    one = replace(one, backbone=replace(one.backbone, width=5120, ffn=13_824))  # as if it were a large one
    studio = video_studio(one)
    assert studio.batched
    tight = int((studio.placing.needed - 1) / 0.9)
    assert not video_studio(one, Machine(ram=tight)).batched
