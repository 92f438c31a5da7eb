"""What all Wan pipelines do after their own preparation: encode, denoise, decode, clip by clip."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from emotion_encoders.conditioner import Asked
from pipelines.clip import Clip
from pipelines.guidance import Condition, ExpertGuidance
from pipelines.shapes import ShapeError, VideoShape
from pipelines.wan.adapter import Adapter
from pipelines.wan.backbone import Backbone
from pipelines.wan.denoiser import Denoiser, Felt, Scene
from pipelines.wan.errors import AdapterError, BackboneError, PromptError
from pipelines.wan.sampling import Broken, Sampling, Scheduler, Step, denoise, make_scheduler, noise
from pipelines.wan.text import check_prompts, encode_prompts

Sound = tuple[np.ndarray, int] | tuple[None, None]  # mono float32 (N,) and its rate, or silence


class Rendering:
    """A batch of clips in the making: an iterator over its steps, and then the clips.

        for step in (rendering := pipeline(requests, shape, sampling)):
            show(step.number, step.preview())
        clips = rendering.clips()

    Nothing is computed but what is asked for, so to stop is not to go on.
    """

    def __init__(self, steps: Generator[Step, None, list[Clip | Broken]]) -> None:
        self._steps = steps
        self._clips: list[Clip | Broken] | None = None

    def __iter__(self) -> Iterator[Step]:
        made = yield from self._steps
        if made is not None:  # all steps were taken just now, not before
            self._clips = made

    def clips(self, on_step: Callable[[Step], None] | None = None) -> list[Clip | Broken]:
        """Takes the steps that are left; one clip for each request, or why it broke."""
        for step in self:
            if on_step is not None:
                on_step(step)
        if self._clips is None:
            raise RuntimeError("The rendering was stopped before its end, so it has no clips.")
        return self._clips


@dataclass(frozen=True)
class Request:
    """One clip: what is seen, what is felt, and the seed of its noise."""

    prompt: str
    emotion: Asked = None
    seed: int = 0
    negative: str = ""  # what guidance leads away from


@dataclass(frozen=True)
class Start:
    """Latents (B, C, F, h, w) to begin from, and the share of the way back into noise they are sent."""

    latents: Tensor
    strength: float


def check(
    backbone: Backbone,
    adapter: Adapter | None,
    requests: Sequence[Request],
    shape: VideoShape,
    sampling: Sampling,
) -> None:
    """What every pipeline asks at its door.

    Raises:
        ShapeError: the clip was planned for a model that compresses otherwise.
        PromptError: there is no request, or a prompt is longer than the model reads.
        AdapterError: an emotion is asked for and there is no adapter, or that of another backbone.
        BackboneError: guidance for two experts came for a checkpoint of one.
    """
    if shape.compression != backbone.compression:
        raise ShapeError(
            f"The clip was planned for {shape.compression}, this checkpoint has {backbone.compression}."
        )
    if not requests:
        raise PromptError("No request came; give one for each clip.")
    check_prompts(backbone, [text for request in requests for text in (request.prompt, request.negative)])
    if adapter is not None:
        adapter.check(backbone.experts)
    elif any(request.emotion is not None for request in requests):
        raise AdapterError("An emotion needs an adapter beside Wan, and none was given.")
    if isinstance(sampling.guidance, ExpertGuidance) and backbone.low_noise is None:
        raise BackboneError("High- and low-noise guidance came for a checkpoint of one expert: give one.")


@torch.inference_mode()
def generate(
    backbone: Backbone,
    adapter: Adapter | None,
    requests: Sequence[Request],
    shape: VideoShape,
    sampling: Sampling,
    scene: Scene,
    *,
    given: frozenset[Condition] = frozenset(),
    audio: Tensor | None = None,
    start: Start | None = None,
    sounds: Sequence[Sound] | None = None,
) -> Generator[Step, None, list[Clip | Broken]]:
    """Denoises a batch of clips in a prepared scene; each is the same alone and among others.

    Args:
        given: Conditions of the scene's own; text, emotion and audio are found from the requests.
        audio: Speech features (B, F, W, A).
        start: Where to begin instead of noise.
        sounds: What is heard in each clip.
    """
    felt = Felt.of(adapter, [request.emotion for request in requests], shape, audio)
    texts, broken = _texts(backbone, requests)
    scheduler = make_scheduler(sampling, backbone.schedule, backbone.device)
    latents, begin = _first(backbone, scheduler, requests, shape, scene, start)
    given |= _found(requests, audio)

    with Denoiser(
        backbone,
        adapter,
        scene,
        felt,
        texts,
        guidance=sampling.guidance,
        given=given,
        batched=sampling.batched,
    ) as velocity:
        for done in denoise(velocity, latents, scheduler, begin=begin):
            latents, broken = done.latents, done.broken | broken
            yield Step(
                done.number, sampling.steps, latents, lambda f=done.foreseen: _preview(backbone, scene, f())
            )
    rows = scene.finish(latents).split(1)
    heard = sounds or [(None, None)] * len(rows)
    return [
        broken.get(place) or _decoded(backbone, row, shape.fps, sound)
        for place, (row, sound) in enumerate(zip(rows, heard, strict=True))
    ]


def _texts(
    backbone: Backbone, requests: Sequence[Request]
) -> tuple[tuple[Tensor, Tensor], dict[int, Broken]]:
    prompts = encode_prompts(backbone, [request.prompt for request in requests])
    without = encode_prompts(backbone, [request.negative for request in requests])
    sound = torch.isfinite(prompts + without).flatten(1).all(1).tolist()
    broken = {place: Broken("text encoding", None) for place, is_sound in enumerate(sound) if not is_sound}
    return (prompts, without), broken


def _first(
    backbone: Backbone,
    scheduler: Scheduler,
    requests: Sequence[Request],
    shape: VideoShape,
    scene: Scene,
    start: Start | None,
) -> tuple[Tensor, int]:
    """The latents of the first step, and how many steps are left out before it."""
    frames, height, width = shape.latents
    size = (backbone.channels, frames + scene.lead, height, width)
    drawn = noise([request.seed for request in requests], size, backbone.device)
    if start is None:
        return drawn, 0
    steps = len(scheduler.timesteps)
    begin = steps - max(1, round(steps * start.strength))
    sigma = float(scheduler.sigmas[begin])
    return (1 - sigma) * start.latents + sigma * drawn, begin  # the straight path of flow matching


def _found(requests: Sequence[Request], audio: Tensor | None) -> frozenset[Condition]:
    found: set[Condition] = {"text"}
    if any(request.emotion is not None for request in requests):
        found.add("emotion")
    if audio is not None:
        found.add("audio")
    return frozenset(found)


def _decoded(backbone: Backbone, latents: Tensor, fps: float, sound: Sound) -> Clip | Broken:
    pixels = backbone.decode(latents)
    if not bool(torch.isfinite(pixels).all()):
        return Broken("decoding", None)
    return Clip(to_frames(pixels)[0], fps, *sound)


def _preview(backbone: Backbone, scene: Scene, foreseen: Tensor) -> list[np.ndarray]:
    latents = scene.finish(foreseen)
    middle = latents.shape[2] // 2
    return [to_frames(backbone.decode(one))[0, 0] for one in latents[:, :, middle : middle + 1].split(1)]


def to_frames(pixels: Tensor) -> np.ndarray:
    """Pixels (B, 3, frames, H, W) in [-1, 1] -> (B, frames, H, W, 3) uint8."""
    frames = ((pixels + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 4, 1)
    return frames.contiguous().cpu().numpy()


def to_pixels(frames: np.ndarray) -> Tensor:
    """The inverse: (..., H, W, 3) uint8 -> (3, ..., H, W) in [-1, 1]."""
    return torch.from_numpy(frames.astype(np.float32)).movedim(-1, 0) / 127.5 - 1
