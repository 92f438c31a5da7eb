"""Talking faces with Wan: the portrait engine's clip as a driver, or speech through a branch of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from pipelines.clip import Clip
from pipelines.guidance import Condition
from pipelines.shapes import ShapeError, VideoShape
from pipelines.wan.adapter import Adapter
from pipelines.wan.backbone import (
    Backbone,
    WanAnimateTransformer3DModel,
    WanVACETransformer3DModel,
)
from pipelines.wan.denoiser import Scene
from pipelines.wan.drivers import AnimateDriver, VaceControl, check_drivers
from pipelines.wan.errors import AdapterError, BackboneError
from pipelines.wan.generation import Rendering, Request, Sound, Start, check, generate, to_pixels
from pipelines.wan.image_to_video import check_images, first_frame
from pipelines.wan.sampling import Sampling
from pipelines.wan.speech import SpeechFeatures
from pipelines.wan.text_to_video import Empty, check_kind

STRENGTH = 0.6  # of refinement: enough noise to redraw skin and light, too little to lose lips and gaze


class DrivenFace:
    """The portrait engine moves the face, a published Wan model draws it; nothing needs training.

    Which way it goes is the checkpoint's: Wan-Animate takes the driver's face, VACE the driver in grey, a
    text-to-video checkpoint refines the driver from the noise level of `strength`. No published checkpoint
    has been run with it yet.
    """

    def __init__(self, backbone: Backbone, adapter: Adapter | None = None) -> None:
        self.backbone, self.adapter = backbone, adapter

    @torch.inference_mode()
    def __call__(
        self,
        requests: Sequence[Request],
        portraits: Sequence[np.ndarray],
        drivers: Sequence[Clip],
        shape: VideoShape,
        sampling: Sampling,
        *,
        strength: float | None = None,
    ) -> Rendering:
        """A clip for each request, with its driver's sound, in the making.

        Args:
            requests: What else is seen, felt, and the seed.
            portraits: Who it is, (H, W, 3) uint8 of the clip's size.
            drivers: Clips of exactly `shape`, such as `PortraitPipeline` makes.
            shape: Frames, size and rate; `VideoShape.covering` holds a sound.
            sampling: Steps, scheduler and guidance; the scale `reference` is that of portrait and driver.
            strength: How far a text-to-video checkpoint goes back into noise, 0 to 1; STRENGTH if None.

        Raises:
            ShapeError, PromptError, AdapterError, BackboneError: before anything is computed.
        """
        check(self.backbone, self.adapter, requests, shape, sampling)
        check_images(requests, portraits, shape)
        check_drivers(portraits, drivers, shape)
        way = self._way(portraits, drivers, shape, strength)
        steps = generate(
            self.backbone,
            self.adapter,
            requests,
            shape,
            sampling,
            way.scene,
            given=way.given,
            start=way.start,
            sounds=[_sound(driver) for driver in drivers],
        )
        return Rendering(steps)

    def _way(
        self,
        portraits: Sequence[np.ndarray],
        drivers: Sequence[Clip],
        shape: VideoShape,
        strength: float | None,
    ) -> _Way:
        backbone = self.backbone
        kind = type(backbone.transformer)
        if kind in (WanVACETransformer3DModel, WanAnimateTransformer3DModel):
            if strength is not None:
                raise BackboneError(
                    f"A strength came for a {kind.__name__}, which begins from noise: leave it out."
                )
            if kind is WanVACETransformer3DModel:
                return _Way(VaceControl.of(backbone, portraits, drivers), frozenset({"reference"}))
            return _Way(AnimateDriver.of(backbone, portraits, drivers, shape), frozenset({"reference"}))
        if backbone.takes != backbone.channels:
            raise BackboneError("Refining a driver needs a text-to-video, VACE or Wan-Animate checkpoint.")
        strength = STRENGTH if strength is None else strength
        if not 0 < strength <= 1:
            raise BackboneError(f"A strength of {strength:g} came; more than 0 and up to 1 are allowed.")
        pixels = torch.stack([to_pixels(clip.frames) for clip in drivers])
        start = Start(backbone.encode(pixels), strength)
        return _Way(Empty(backbone.expands_time), frozenset(), start)


class SpokenFace:
    """Image to video with a branch for speech beside the emotion's: what an adapter has learned to say.

    A fresh adapter hears, but its gates are closed: it must be trained before lips follow.
    """

    def __init__(self, backbone: Backbone, adapter: Adapter, features: SpeechFeatures) -> None:
        if adapter.config.audio != features.width:
            raise AdapterError(
                f"The adapter hears features of width {adapter.config.audio}, the speech model gives "
                f"{features.width}: use the one that it was trained with."
            )
        self.backbone, self.adapter, self.features = backbone, adapter, features

    @torch.inference_mode()
    def __call__(
        self,
        requests: Sequence[Request],
        portraits: Sequence[np.ndarray],
        sounds: Sequence[tuple[np.ndarray, int]],
        shape: VideoShape,
        sampling: Sampling,
    ) -> Rendering:
        """A clip for each request, with its sound, in the making.

        Args:
            requests: What else is seen, felt, and the seed.
            portraits: The first frame of each clip, (H, W, 3) uint8 of the clip's size.
            sounds: What each says: mono float32 (N,) and its rate.
            shape: Frames, size and rate; `VideoShape.covering` holds a sound.
            sampling: Steps, scheduler and guidance; the scale `audio` is that of the speech.

        Raises:
            ShapeError, PromptError, AdapterError, BackboneError: before anything is computed.
        """
        check_kind(self.backbone)
        check(self.backbone, self.adapter, requests, shape, sampling)
        check_images(requests, portraits, shape)
        if len(sounds) != len(requests):
            raise ShapeError(f"{len(sounds)} sounds came for {len(requests)} clips; give one for each.")
        audio = torch.stack([self.features.windows(sound, rate, shape) for sound, rate in sounds])
        steps = generate(
            self.backbone,
            self.adapter,
            requests,
            shape,
            sampling,
            first_frame(self.backbone, portraits, shape),
            given=frozenset({"reference"}),
            audio=audio,
            sounds=sounds,
        )
        return Rendering(steps)


@dataclass(frozen=True)
class _Way:
    """How a checkpoint is driven."""

    scene: Scene
    given: frozenset[Condition]
    start: Start | None = None


def _sound(clip: Clip) -> Sound:
    return (None, None) if clip.sound is None or clip.rate is None else (clip.sound, clip.rate)
