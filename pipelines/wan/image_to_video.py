"""Image to video with Wan: a first frame, a prompt and an emotion over time become a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.guidance import Condition
from pipelines.shapes import ShapeError, VideoShape
from pipelines.wan.adapter import Adapter
from pipelines.wan.backbone import Backbone
from pipelines.wan.denoiser import Inputs, Scene
from pipelines.wan.errors import BackboneError
from pipelines.wan.generation import Rendering, Request, check, generate, to_pixels
from pipelines.wan.sampling import Sampling
from pipelines.wan.text_to_video import check_kind, times


@dataclass(frozen=True)
class FirstFrame:
    """Wan 2.1 and 2.2 A14B: the first frame stands beside the noise as further channels, with a mask."""

    channels: Tensor  # (B, 4 + C, F, h, w)
    image: Tensor | None  # (B, N, width): what CLIP sees, where the checkpoint looks at it
    lead = 0

    def inputs(self, latents: Tensor, time: Tensor, conditions: frozenset[Condition]) -> Inputs:
        shown = float("reference" in conditions)
        found = {
            "hidden_states": torch.cat([latents, shown * self.channels], dim=1),
            "timestep": time.expand(len(latents)),
        }
        return found if self.image is None else {**found, "encoder_hidden_states_image": shown * self.image}

    def finish(self, latents: Tensor) -> Tensor:
        return latents


@dataclass(frozen=True)
class FirstLatent:
    """Wan 2.2 TI2V: the first latent frame is the image's, clean from the beginning; its time is 0."""

    image: Tensor  # (B, C, 1, h, w)
    lead = 0

    def inputs(self, latents: Tensor, time: Tensor, conditions: frozenset[Condition]) -> Inputs:
        moments = times(latents, time)
        if "reference" not in conditions:
            return {"hidden_states": latents, "timestep": moments}
        moments = moments.unflatten(1, (latents.shape[2], -1)).clone()
        moments[:, 0] = 0
        return {"hidden_states": self.finish(latents), "timestep": moments.flatten(1)}

    def finish(self, latents: Tensor) -> Tensor:
        return torch.cat([self.image, latents[:, :, 1:]], dim=2)


class ImageToVideo:
    """A Wan image-to-video checkpoint, with or without an emotion adapter."""

    def __init__(self, backbone: Backbone, adapter: Adapter | None = None) -> None:
        self.backbone, self.adapter = backbone, adapter

    @torch.inference_mode()
    def __call__(
        self,
        requests: Sequence[Request],
        images: Sequence[np.ndarray],
        shape: VideoShape,
        sampling: Sampling,
    ) -> Rendering:
        """One clip for each request, in the making.

        Args:
            requests: What to make.
            images: The first frame of each clip, (H, W, 3) uint8 of the clip's size.
            shape: Frames, size and rate.
            sampling: Steps, scheduler and guidance; the scale `reference` is that of the image.

        Raises:
            ShapeError, PromptError, AdapterError, BackboneError: before anything is computed.
        """
        check_kind(self.backbone)
        check(self.backbone, self.adapter, requests, shape, sampling)
        check_images(requests, images, shape)
        scene = first_frame(self.backbone, images, shape)
        steps = generate(
            self.backbone, self.adapter, requests, shape, sampling, scene, given=frozenset({"reference"})
        )
        return Rendering(steps)


def first_frame(backbone: Backbone, images: Sequence[np.ndarray], shape: VideoShape) -> Scene:
    """The scene that begins with these images, in the way this checkpoint was trained."""
    pixels = torch.stack([to_pixels(image) for image in images])[:, :, None]  # (B, 3, 1, H, W)
    if backbone.expands_time:
        return FirstLatent(backbone.encode(pixels))
    step = shape.compression.frames
    if backbone.takes != 2 * backbone.channels + step:
        raise BackboneError(
            "This checkpoint takes no image: give one for image-to-video, or leave the image out."
        )
    latents = backbone.encode(F.pad(pixels, (0, 0, 0, 0, 0, shape.frames - 1)))
    # Each latent frame has a mask channel for each of its frames; only the first frame is known.
    mask = torch.zeros_like(latents[:, :1]).repeat(1, step, 1, 1, 1)
    mask[:, :, 0] = 1
    return FirstFrame(torch.cat([mask, latents], dim=1), seen(backbone, images))


def seen(backbone: Backbone, images: Sequence[np.ndarray]) -> Tensor | None:
    """What CLIP makes of the images, (B, N, width); None for checkpoints that do not look."""
    if not backbone.looks:
        return None
    if backbone.image_encoder is None or backbone.image_processor is None:
        raise BackboneError("This checkpoint looks at the image, but has no image_encoder; fetch it again.")
    read: Any = backbone.image_processor(images=list(images), return_tensors="pt")  # Any: untyped batch
    with backbone.working(backbone.image_encoder):
        weights = next(backbone.image_encoder.parameters())
        pixels = read.pixel_values.to(weights.device, weights.dtype)
        found = backbone.image_encoder(pixels, output_hidden_states=True)
    return found.hidden_states[-2].to(backbone.device, backbone.dtype)


def check_images(requests: Sequence[Request], images: Sequence[np.ndarray], shape: VideoShape) -> None:
    """Raises ShapeError unless there is an image of the clip's size for each request."""
    if len(images) != len(requests):
        raise ShapeError(f"{len(images)} images came for {len(requests)} clips; give one for each.")
    wanted = (shape.height, shape.width, 3)
    for image in images:
        if image.shape != wanted or image.dtype != np.uint8:
            raise ShapeError(f"An image of {image.shape} {image.dtype} came; {wanted} uint8 is needed.")
