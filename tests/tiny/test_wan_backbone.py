"""A checkpoint is read from a folder as diffusers writes it, whole or sharded, or refused in words."""

import shutil
from pathlib import Path

import pytest
import torch
from diffusers.pipelines.wan.pipeline_wan import WanPipeline
from torch import Tensor

from pipelines.guidance import Guidance
from pipelines.shapes import Compression, VideoShape
from pipelines.wan.backbone import Backbone
from pipelines.wan.errors import BackboneError
from pipelines.wan.generation import Request, Step
from pipelines.wan.sampling import Sampling
from pipelines.wan.text import cleaned, encode_prompts
from pipelines.wan.text_to_video import TextToVideo
from tests.tiny import wan_models

SHAPE = VideoShape(9, 16, 16, 8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wan_models.saved(wan_models.two_experts(), tmp_path_factory.mktemp("wan") / "two-experts")


def latents(backbone: Backbone) -> Tensor:
    steps: list[Step] = []
    TextToVideo(backbone)([Request("a cat")], SHAPE, Sampling(3, guidance=Guidance(4))).clips(steps.append)
    return steps[-1].latents


def test_a_folder_reads_back_as_it_was_saved(folder: Path) -> None:
    made, read = wan_models.two_experts(), Backbone.load(folder)
    assert (read.boundary, len(read.experts), read.text_tokens) == (0.875, 2, wan_models.TEXT_TOKENS)
    assert read.compression == Compression()
    assert torch.allclose(latents(made), latents(read), atol=1e-5)
    assert torch.equal(latents(read), latents(Backbone.load(folder)))


def test_shards_read_as_one_file_does(folder: Path, tmp_path: Path) -> None:
    sharded = tmp_path / "sharded"
    shutil.copytree(folder, sharded)
    shutil.rmtree(sharded / "transformer")
    wan_models.two_experts().transformer.save_pretrained(sharded / "transformer", max_shard_size="40KB")
    assert len(list((sharded / "transformer").glob("*.safetensors"))) > 1
    assert torch.equal(latents(Backbone.load(sharded)), latents(Backbone.load(folder)))


def test_the_number_type_is_the_transformers_and_the_vae_stays_exact(folder: Path) -> None:
    backbone = Backbone.load(folder, dtype=torch.bfloat16)
    assert backbone.dtype == torch.bfloat16
    assert backbone.transformer.blocks[0].get_parameter("scale_shift_table").dtype == torch.float32
    assert backbone.vae.dtype == torch.float32
    assert torch.isfinite(latents(backbone)).all()


@pytest.mark.parametrize("offload", ["model", "group"])
def test_offloading_changes_no_bit(folder: Path, offload: str) -> None:
    plain = Backbone.load(folder)
    moved = Backbone.load(folder, offload=offload)  # pyright: ignore[reportArgumentType] - one of the words
    assert torch.equal(latents(plain), latents(moved))


def test_a_prompt_is_read_as_diffusers_reads_it() -> None:
    backbone = wan_models.backbone()
    pipeline = WanPipeline(**wan_models.parts(backbone))
    prompts = ["  a cat\n in the &amp; rain ", "", "é" * 20]
    with torch.no_grad():
        theirs, _ = pipeline.encode_prompt(
            prompts, do_classifier_free_guidance=False, max_sequence_length=wan_models.TEXT_TOKENS
        )
        ours = encode_prompts(backbone, prompts)
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert cleaned(prompts[0]) == "a cat in the & rain"


def test_latents_have_the_statistics_of_the_vae_and_come_back() -> None:
    backbone = wan_models.backbone()
    pixels = torch.rand(2, 3, 9, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        found = backbone.encode(pixels)
        raw = backbone.vae.encode(pixels).latent_dist.mode()  # pyright: ignore[reportAttributeAccessIssue]
        config = backbone.vae.config
        mean, std = (torch.tensor(config[f"latents_{name}"]).view(1, -1, 1, 1, 1) for name in ("mean", "std"))
        assert torch.allclose(found, (raw - mean) / std, atol=1e-6)
        decoded = backbone.vae.decode(raw).sample  # pyright: ignore[reportAttributeAccessIssue]
        assert torch.allclose(backbone.decode(found), decoded.clamp(-1, 1), atol=1e-5)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("model_index.json", "has no model_index.json: give a folder as diffusers' save_pretrained"),
        ("transformer/config.json", "/transformer' cannot be read"),
        ("transformer/diffusion_pytorch_model.safetensors", "/transformer' cannot be read"),
        ("vae/diffusion_pytorch_model.safetensors", "/vae' cannot be read"),
        ("text_encoder/model.safetensors", "/text_encoder' cannot be read"),
        ("tokenizer", "has no folder 'tokenizer'"),
        ("scheduler/scheduler_config.json", "/scheduler' cannot be read"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused(folder: Path, tmp_path: Path, spoil: str, told: str) -> None:
    shutil.copytree(folder, tmp_path / "wan")
    path = tmp_path / "wan" / spoil
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    with pytest.raises(BackboneError, match=told):
        Backbone.load(tmp_path / "wan")


@pytest.mark.parametrize(
    ("index", "told"),
    [
        ("{", "is not JSON"),
        ("{}", "has no transformer, vae, text_encoder, scheduler, so it is no Wan checkpoint"),
        (
            '{"transformer": [1, "FluxTransformer2DModel"], "vae": [], "text_encoder": [], "scheduler": []}',
            "holds a FluxTransformer2DModel; one of WanTransformer3DModel",
        ),
    ],
)
def test_a_folder_of_something_else_is_refused(tmp_path: Path, index: str, told: str) -> None:
    (tmp_path / "model_index.json").write_text(index)
    with pytest.raises(BackboneError, match=told):
        Backbone.load(tmp_path)
