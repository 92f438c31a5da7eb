"""Wan checkpoints of a few thousand random weights: diffusers' and transformers' real classes, all kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
from diffusers.models.transformers.transformer_wan_animate import WanAnimateTransformer3DModel
from diffusers.models.transformers.transformer_wan_vace import WanVACETransformer3DModel
from diffusers.pipelines.wan.pipeline_wan import WanPipeline
from diffusers.pipelines.wan.pipeline_wan_i2v import WanImageToVideoPipeline
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler
from torch import nn
from transformers import (
    ByT5Tokenizer,
    CLIPImageProcessor,
    CLIPVisionConfig,
    CLIPVisionModel,
    UMT5Config,
    UMT5EncoderModel,
)

from pipelines.wan.adapter import Adapter, AdapterConfig
from pipelines.wan.backbone import Backbone, Transformer

SIZES: dict[str, Any] = {
    "patch_size": (1, 2, 2),
    "num_attention_heads": 2,
    "attention_head_dim": 12,
    "in_channels": 16,
    "out_channels": 16,
    "text_dim": 32,
    "freq_dim": 256,
    "ffn_dim": 32,
    "num_layers": 2,
    "cross_attn_norm": True,
    "qk_norm": "rms_norm_across_heads",
    "rope_max_seq_len": 32,
}
SCHEDULE = {"_class_name": "UniPCMultistepScheduler", "num_train_timesteps": 1000, "flow_shift": 3.0}
IMAGE_WIDTH = 16
TEXT_TOKENS = 96


def vae(**sizes: object) -> AutoencoderKLWan:
    torch.manual_seed(0)
    base: dict[str, Any] = {"base_dim": 3, "z_dim": 16, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1}
    return AutoencoderKLWan(**{**base, "temperal_downsample": [False, True, True], **sizes}).eval()


def text_encoder() -> UMT5EncoderModel:
    torch.manual_seed(1)
    config = UMT5Config(
        vocab_size=384,
        d_model=32,
        d_kv=8,
        d_ff=37,
        num_layers=2,
        num_heads=4,
        relative_attention_num_buckets=8,
    )
    return UMT5EncoderModel(config).eval()


def image_encoder() -> CLIPVisionModel:
    torch.manual_seed(2)
    config = CLIPVisionConfig(
        hidden_size=IMAGE_WIDTH, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
        image_size=32, patch_size=16,
    )  # fmt: skip
    return CLIPVisionModel(config).eval()


def transformer(
    kind: type[Transformer] = WanTransformer3DModel, *, seed: int = 3, **sizes: object
) -> Transformer:
    torch.manual_seed(seed)
    made = kind(**{**SIZES, **sizes})
    return made.eval()


def backbone(made: Transformer | None = None, **parts: object) -> Backbone:
    """A text-to-video checkpoint, or one around another transformer."""
    own: dict[str, Any] = {  # Any: the many types of a backbone's parts
        "transformer": made or transformer(),
        "vae": vae(),
        "text_encoder": text_encoder(),
        "tokenizer": ByT5Tokenizer(model_max_length=512 if "image_encoder" in parts else TEXT_TOKENS),
        "schedule": SCHEDULE,
    }
    return Backbone(**{**own, **parts})


def image_backbone() -> Backbone:
    """Image to video as in Wan 2.1: a first frame as channels, and CLIP."""
    made = transformer(in_channels=36, image_dim=IMAGE_WIDTH, added_kv_proj_dim=24)
    return backbone(made, image_encoder=image_encoder(), image_processor=_processor())


def small_steps_backbone() -> Backbone:
    """Wan 2.2 TI2V: every position has a time of its own, and the VAE packs pixels."""
    packed = vae(in_channels=12, out_channels=12, patch_size=2, scale_factor_spatial=16)
    return backbone(vae=packed, expands_time=True)


def two_experts() -> Backbone:
    """Wan 2.2 A14B: one transformer for high noise, one for low."""
    return backbone(transformer(), low_noise=transformer(seed=4), boundary=0.875)


def vace_backbone() -> Backbone:
    """VACE: control latents and a mask beside the noise."""
    return backbone(transformer(WanVACETransformer3DModel, vace_layers=[0], vace_in_channels=96))


def animate_backbone() -> Backbone:
    """Wan-Animate: a pose, a face and a reference beside the noise."""
    made = transformer(
        WanAnimateTransformer3DModel,
        in_channels=36,
        latent_channels=16,
        image_dim=IMAGE_WIDTH,
        added_kv_proj_dim=24,
        num_layers=2,
        motion_encoder_channel_sizes={"4": 16, "8": 16, "16": 16},
        motion_encoder_size=16,
        motion_style_dim=8,
        motion_dim=4,
        motion_encoder_dim=16,
        face_encoder_hidden_dim=16,
        face_encoder_num_heads=2,
        inject_face_latents_blocks=2,
    )
    return backbone(made, image_encoder=image_encoder(), image_processor=_processor())


def adapter(beside: Backbone, *, trained: bool = False, audio: int = 0) -> Adapter:
    """A fresh adapter, or one whose gates and offsets are no longer zero."""
    config = AdapterConfig.of(beside.experts, tokens=16, width=16, heads=2, audio=audio)
    made = Adapter(config).eval()
    if trained:
        generator = torch.Generator().manual_seed(5)
        for name, weights in made.named_parameters():
            if name.endswith(("gate", "offset.read.weight")):
                nn.init.normal_(weights, generator=generator)
    return made


def _processor() -> CLIPImageProcessor:
    return CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})


def parts(made: Backbone) -> dict[str, Any]:  # Any: a tokenizer, models, a scheduler
    """What diffusers' own pipeline of the same checkpoint is made of."""
    names = ["tokenizer", "text_encoder", "vae", "transformer"]
    if made.looks:
        names += ["image_encoder", "image_processor"]
    scheduler = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
    )
    return {**{name: getattr(made, name) for name in names}, "scheduler": scheduler}


def saved(made: Backbone, folder: Path) -> Path:
    """A folder as diffusers' own pipeline of these parts writes it."""
    own = parts(made)
    if made.looks:
        pipeline = WanImageToVideoPipeline(**own)
    else:
        own |= {"transformer_2": made.low_noise, "boundary_ratio": made.boundary}
        pipeline = WanPipeline(**own, expand_timesteps=made.expands_time)
    pipeline.save_pretrained(folder)
    return folder
