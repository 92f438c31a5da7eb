"""Text to video with Wan: a prompt and an emotion over time become a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from pipelines.guidance import Condition
from pipelines.shapes import VideoShape
from pipelines.wan.adapter import Adapter
from pipelines.wan.backbone import Backbone, WanTransformer3DModel
from pipelines.wan.denoiser import Inputs
from pipelines.wan.errors import BackboneError
from pipelines.wan.generation import Rendering, Request, check, generate
from pipelines.wan.sampling import Sampling


@dataclass(frozen=True)
class Empty:
    """A scene of nothing but noise."""

    expands_time: bool
    lead = 0

    def inputs(self, latents: Tensor, time: Tensor, conditions: frozenset[Condition]) -> Inputs:  # noqa: ARG002 - nothing to hide
        return {
            "hidden_states": latents,
            "timestep": times(latents, time) if self.expands_time else time.expand(len(latents)),
        }

    def finish(self, latents: Tensor) -> Tensor:
        return latents


class TextToVideo:
    """A Wan text-to-video checkpoint, with or without an emotion adapter.

    pipeline = TextToVideo(Backbone.load(folder), Adapter.load(path))
    clips = pipeline([Request("rain on a window", EmotionTrack.parse("mikels8/sadness"))], shape, Sampling())
    """

    def __init__(self, backbone: Backbone, adapter: Adapter | None = None) -> None:
        self.backbone, self.adapter = backbone, adapter

    def __call__(self, requests: Sequence[Request], shape: VideoShape, sampling: Sampling) -> Rendering:
        """One clip for each request, in the making.

        Args:
            requests: What to make; all at once, and each as it would be alone.
            shape: Frames, size and rate; `VideoShape.lasting(..., compression=backbone.compression)`.
            sampling: Steps, scheduler and guidance.

        Raises:
            ShapeError, PromptError, AdapterError, BackboneError: before anything is computed.
        """
        check_kind(self.backbone)
        check(self.backbone, self.adapter, requests, shape, sampling)
        if self.backbone.takes != self.backbone.channels:
            raise BackboneError(
                "This checkpoint needs a first frame: it makes video from images, not from text alone."
            )
        scene = Empty(self.backbone.expands_time)
        return Rendering(generate(self.backbone, self.adapter, requests, shape, sampling, scene))


def check_kind(backbone: Backbone) -> None:
    """Raises BackboneError for a transformer that needs a driver."""
    if not isinstance(backbone.transformer, WanTransformer3DModel):
        kind = type(backbone.transformer).__name__
        raise BackboneError(f"A {kind} needs a driving clip; give a text- or image-to-video checkpoint.")


def times(latents: Tensor, time: Tensor, patch: int = 2) -> Tensor:
    """A time for every position, (B, positions), as Wan 2.2 TI2V wants it."""
    frames, height, width = latents.shape[2:]
    return time.expand(len(latents), frames * (height // patch) * (width // patch))
