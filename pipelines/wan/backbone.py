"""A Wan checkpoint in a local folder, as diffusers saves it: its parts, loaded and placed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
from diffusers.models.transformers.transformer_wan_animate import WanAnimateTransformer3DModel
from diffusers.models.transformers.transformer_wan_vace import WanVACETransformer3DModel
from torch import Tensor, nn

from pipelines.shapes import Compression
from pipelines.wan.errors import BackboneError
from pipelines.wan.folder import CheckpointFolder

Transformer = WanTransformer3DModel | WanVACETransformer3DModel | WanAnimateTransformer3DModel
Offload = Literal["none", "model", "group"]
CPU = torch.device("cpu")
TEXT_TOKENS = 512  # what Wan was trained with, and what its image attention counts on
TRANSFORMERS = {
    kind.__name__: kind
    for kind in (WanTransformer3DModel, WanVACETransformer3DModel, WanAnimateTransformer3DModel)
}


@dataclass(frozen=True)
class Backbone:
    """The parts of a checkpoint; they are shared, so nothing changes them but LoRA and an adapter's hooks."""

    transformer: Transformer  # with two experts, the one for high noise
    vae: AutoencoderKLWan
    text_encoder: nn.Module
    tokenizer: Any  # Any: transformers chooses the class by the folder
    schedule: dict[str, Any]  # Any: the JSON of the checkpoint's scheduler
    low_noise: Transformer | None = None
    boundary: float | None = None  # share of the noise schedule at which the low-noise expert takes over
    expands_time: bool = False  # every position has a time of its own: Wan 2.2 TI2V
    image_encoder: nn.Module | None = None
    image_processor: Any = None  # Any: as the tokenizer
    device: torch.device = CPU
    offload: Offload = "none"

    def __post_init__(self) -> None:
        for transformer in self.experts:
            guard_context(transformer)

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
        offload: Offload = "none",
    ) -> Backbone:
        """Reads a folder with model_index.json and one folder for each part; nothing is fetched.

        Args:
            folder: As diffusers' `save_pretrained` writes it, in safetensors, whole or sharded.
            dtype: Of transformers and encoders. The VAE stays in float32, where it decodes without banding.
            device: Where the parts compute.
            offload: "model" keeps a part on the CPU until its turn, "group" also streams the transformer's
                blocks one by one.

        Raises:
            BackboneError: a part is missing or broken, or the folder holds something else.
        """
        parts = CheckpointFolder.open(folder)
        transformer = TRANSFORMERS.get(parts.kind("transformer") or "")
        if transformer is None:
            told = ", ".join(TRANSFORMERS)
            raise BackboneError(f"'{folder}' holds a {parts.kind('transformer')}; one of {told} is needed.")
        backbone = cls(
            transformer=parts.model(transformer, "transformer", dtype),
            low_noise=parts.model(transformer, "transformer_2", dtype)
            if parts.kind("transformer_2")
            else None,
            vae=parts.model(AutoencoderKLWan, "vae", torch.float32),
            text_encoder=parts.text_encoder(dtype),
            tokenizer=parts.tokenizer(),
            schedule=parts.config("scheduler", "scheduler_config.json"),
            boundary=parts.index.get("boundary_ratio"),
            expands_time=bool(parts.index.get("expand_timesteps")),
            image_encoder=parts.image_encoder(dtype) if parts.kind("image_encoder") else None,
            image_processor=parts.image_processor() if parts.kind("image_processor") else None,
            device=torch.device(device),
            offload=offload,
        )
        backbone.place()
        return backbone

    @property
    def experts(self) -> tuple[Transformer, ...]:
        """The transformer, or the two, the one for high noise first."""
        return (self.transformer,) if self.low_noise is None else (self.transformer, self.low_noise)

    @property
    def dtype(self) -> torch.dtype:
        """What the transformer computes in."""
        return self.transformer.dtype

    @property
    def channels(self) -> int:
        """Of a latent."""
        return self.vae.config["z_dim"]

    @property
    def takes(self) -> int:
        """Channels that the transformer is given: more than `channels` where a first frame stands beside."""
        return self.transformer.config["in_channels"]

    @property
    def looks(self) -> bool:
        """Whether the transformer is told what CLIP makes of an image."""
        return self.transformer.config["image_dim"] is not None

    @property
    def compression(self) -> Compression:
        """What one latent, and one patch of latents, stands for."""
        return Compression(
            self.vae.config["scale_factor_temporal"],
            self.vae.config["scale_factor_spatial"],
            self.transformer.config["patch_size"][1],
        )

    @property
    def text_tokens(self) -> int:
        """How many tokens a prompt may have, and is filled up to."""
        return min(TEXT_TOKENS, self.tokenizer.model_max_length)

    def expert(self, share: float) -> Transformer:
        """Who denoises at this share of the noise schedule, 1 being pure noise."""
        if self.low_noise is None or self.boundary is None or share >= self.boundary:
            return self.transformer
        return self.low_noise

    def place(self) -> None:
        """Puts the parts where they wait for their turn."""
        if self.offload == "group":
            for transformer in self.experts:
                transformer.enable_group_offload(
                    onload_device=self.device, offload_type="block_level", num_blocks_per_group=1
                )
        others: tuple[nn.Module | None, ...] = (self.vae, self.text_encoder, self.image_encoder)
        streamed = self.offload == "group"
        for part in others if streamed else (*self.experts, *others):
            _move(part, self.device if self.offload == "none" else CPU)

    @contextmanager
    def working(self, part: nn.Module) -> Iterator[None]:
        """One part at its place of work, and back again where parts take turns."""
        moves = self.offload == "model" or (self.offload == "group" and part not in self.experts)
        if moves:
            _move(part, self.device)
        try:
            yield
        finally:
            if moves:
                _move(part, CPU)

    def encode(self, pixels: Tensor) -> Tensor:
        """Pixels (B, 3, frames, H, W) in [-1, 1] -> latents (B, C, F, h, w) of mean 0 and deviation 1."""
        with self.working(self.vae):
            found: Any = self.vae.encode(pixels.to(self.device, self.vae.dtype))  # Any: diffusers' output
        mean, std = self._statistics()
        return (found.latent_dist.mode().float() - mean) / std

    def decode(self, latents: Tensor) -> Tensor:
        """The inverse of `encode`, in [-1, 1]."""
        mean, std = self._statistics()
        with self.working(self.vae):
            found: Any = self.vae.decode(
                (latents * std + mean).to(self.device, self.vae.dtype)
            )  # Any: as above
        return found.sample.float().clamp(-1, 1)

    def _statistics(self) -> tuple[Tensor, Tensor]:
        config = self.vae.config
        values = torch.tensor([config["latents_mean"], config["latents_std"]], device=self.device)
        mean, std = values.view(2, 1, -1, 1, 1, 1)
        return mean, std


def _move(part: nn.Module | None, device: torch.device) -> None:
    if part is not None:
        part.to(device)


def guard_context(transformer: Transformer) -> None:
    """Refuses text of other than 512 tokens beside image tokens: diffusers splits the two by that number."""
    if transformer.config["added_kv_proj_dim"] is None:
        return

    def check(_: nn.Module, inputs: tuple[Any, ...]) -> None:  # Any: what the embedder is given
        text, image = inputs[1], inputs[2]
        if image is not None and text.shape[1] != TEXT_TOKENS:
            raise BackboneError(
                f"{text.shape[1]} text tokens came with an image; this checkpoint needs {TEXT_TOKENS}."
            )

    transformer.condition_embedder.register_forward_pre_hook(check)
