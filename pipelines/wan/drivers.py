"""What a driving clip becomes for published Wan models: control latents for VACE, a face for Wan-Animate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.clip import Clip
from pipelines.guidance import Condition
from pipelines.shapes import ShapeError, VideoShape
from pipelines.wan.backbone import Backbone
from pipelines.wan.denoiser import Inputs
from pipelines.wan.errors import BackboneError
from pipelines.wan.generation import to_pixels
from pipelines.wan.image_to_video import seen

ANIMATE_FRAMES = 77  # what Wan-Animate makes at a time


@dataclass(frozen=True)
class VaceControl:
    """VACE (Jiang et al. 2025): a control clip with a mask, after the reference image."""

    control: Tensor  # (B, 2 C + pixels^2, 1 + F, h, w)
    lead = 1

    @classmethod
    def of(cls, backbone: Backbone, portraits: Sequence[np.ndarray], drivers: Sequence[Clip]) -> VaceControl:
        """The driver in grey, which VACE was trained to colour in, and the portrait as what it shows."""
        pixels = torch.stack([to_pixels(_grey(clip.frames)) for clip in drivers])
        # All is to be drawn, nothing kept: the kept half is of an empty clip.
        kept, drawn = backbone.encode(torch.zeros_like(pixels)), backbone.encode(pixels)
        reference = _references(backbone, portraits)
        latents = torch.cat(
            [torch.cat([reference, torch.zeros_like(reference)], 1), torch.cat([kept, drawn], 1)], 2
        )
        mask = torch.ones_like(latents[:, :1]).repeat(1, backbone.compression.pixels**2, 1, 1, 1)
        mask[:, :, 0] = 0
        return cls(torch.cat([latents, mask], dim=1))

    def inputs(self, latents: Tensor, time: Tensor, conditions: frozenset[Condition]) -> Inputs:
        shown = float("reference" in conditions)
        return {
            "hidden_states": latents,
            "timestep": time.expand(len(latents)),
            "control_hidden_states": shown * self.control,
        }

    def finish(self, latents: Tensor) -> Tensor:
        return latents[:, :, 1:]


@dataclass(frozen=True)
class AnimateDriver:
    """Wan-Animate: the driver's face by its pixels, the body by a pose clip, who it is by a reference."""

    reference: Tensor  # (B, 4 + C, 1 + F, h, w): the portrait before a clip of which nothing is known
    pose: Tensor  # (B, C, F, h, w)
    face: Tensor  # (B, 3, frames, S, S) in [-1, 1]
    image: Tensor  # (B, N, width): what CLIP sees of the portrait
    lead = 1

    @classmethod
    def of(
        cls,
        backbone: Backbone,
        portraits: Sequence[np.ndarray],
        drivers: Sequence[Clip],
        shape: VideoShape,
    ) -> AnimateDriver:
        """The driver's frames are its face; its body is at rest, so its pose clip is empty (black)."""
        if shape.frames > ANIMATE_FRAMES:
            raise ShapeError(
                f"{shape.frames} frames came; Wan-Animate makes up to {ANIMATE_FRAMES} at a time."
            )
        side = backbone.transformer.config["motion_encoder_size"]
        pixels = torch.stack([to_pixels(clip.frames) for clip in drivers])
        image = seen(backbone, portraits)
        if image is None:
            raise BackboneError("This Wan-Animate checkpoint does not look at the portrait; fetch it again.")
        before = backbone.encode(torch.zeros_like(pixels))
        return cls(
            reference=torch.cat(
                [_masked(_references(backbone, portraits), 1.0), _masked(before, 0.0)], dim=2
            ),
            pose=backbone.encode(torch.full_like(pixels, -1.0)),
            face=F.interpolate(pixels.to(backbone.device), (shape.frames, side, side)),
            image=image,
        )

    def inputs(self, latents: Tensor, time: Tensor, conditions: frozenset[Condition]) -> Inputs:
        face = self.face if "reference" in conditions else torch.full_like(self.face, -1.0)
        return {
            "hidden_states": torch.cat([latents, self.reference], dim=1),
            "timestep": time.expand(len(latents)),
            "encoder_hidden_states_image": self.image,
            "pose_hidden_states": self.pose,
            "face_pixel_values": face,
        }

    def finish(self, latents: Tensor) -> Tensor:
        return latents[:, :, 1:]


def check_drivers(portraits: Sequence[np.ndarray], drivers: Sequence[Clip], shape: VideoShape) -> None:
    """Raises ShapeError unless every clip has a driver and a portrait of its own size and length."""
    if len(portraits) != len(drivers):
        raise ShapeError(f"{len(drivers)} drivers came for {len(portraits)} portraits; give one for each.")
    wanted = (shape.frames, shape.height, shape.width, 3)
    for clip in drivers:
        if clip.frames.shape != wanted or clip.fps != shape.fps:
            raise ShapeError(
                f"A driver of {clip.frames.shape} at {clip.fps:g} fps came; "
                f"{wanted} at {shape.fps:g} fps is needed."
            )


def _references(backbone: Backbone, portraits: Sequence[np.ndarray]) -> Tensor:
    """(B, C, 1, h, w)."""
    return backbone.encode(torch.stack([to_pixels(portrait) for portrait in portraits])[:, :, None])


def _masked(latents: Tensor, known: float) -> Tensor:
    """With four mask channels before them: whether each of the frames in a latent is known."""
    return torch.cat([torch.full_like(latents[:, :1], known).repeat(1, 4, 1, 1, 1), latents], dim=1)


def _grey(frames: np.ndarray) -> np.ndarray:
    """Luma (ITU-R BT.601), three times."""
    luma = frames @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.repeat(luma.round().astype(np.uint8)[..., None], 3, axis=-1)
