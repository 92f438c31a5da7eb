"""The guided velocity of a batch of clips: which expert, which conditions, in how many runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from emotion_encoders.conditioner import Asked, EmotionTokens
from emotion_encoders.emotion import Emotion
from emotion_encoders.evidence import Evidence
from pipelines.guidance import Condition, ExpertGuidance, Guidance, Pass, combined, passes
from pipelines.shapes import VideoShape
from pipelines.wan.adapter import Adapter
from pipelines.wan.backbone import Backbone, Transformer
from pipelines.wan.branch import Conditions
from pipelines.wan.errors import AdapterError

Inputs = dict[str, Tensor]  # arguments of the transformer, each with B rows


class Scene(Protocol):
    """What a transformer is given beside text, emotion and speech: nothing, a first frame, a driver."""

    lead: int  # latent frames that stand before the clip

    def inputs(self, latents: Tensor, time: Tensor, conditions: frozenset[Condition]) -> Inputs:
        """The transformer's arguments for these noisy latents; without 'reference' the scene is hidden."""
        ...

    def finish(self, latents: Tensor) -> Tensor:
        """The clip's latents among the denoised ones."""
        ...


@dataclass(frozen=True)
class Felt:
    """What B clips are to show and say, and the same without it: where guidance starts from."""

    seconds: Tensor  # (F,)
    emotion: EmotionTokens | None = None  # (B, N, D)
    nothing: EmotionTokens | None = None  # the learned null token
    intensity: Tensor | None = None  # (B, F)
    audio: Tensor | None = None  # (B, F, W, A)

    @classmethod
    def of(
        cls, adapter: Adapter | None, asked: Sequence[Asked], shape: VideoShape, audio: Tensor | None = None
    ) -> Felt:
        """Tokens at the middle of every latent frame; nothing is felt where there is no adapter."""
        seconds = shape.latent_seconds
        if adapter is None:
            return cls(torch.tensor(seconds))
        if audio is not None and not adapter.config.audio:
            raise AdapterError("This adapter has no branch for speech; give one that was made with it.")
        device = adapter.conditioner.null.device
        tokens = adapter.conditioner(asked, seconds)
        return cls(
            tokens.seconds,
            tokens,
            adapter.conditioner([None] * len(asked), seconds),
            torch.tensor([[_felt(one, second) for second in seconds] for one in asked], device=device),
            None if audio is None else audio.to(device, adapter.dtype),
        )

    def under(self, runs: Sequence[Pass], lead: int) -> Conditions | None:
        """The branches' conditions for these runs, one after the other along the batch."""
        if self.emotion is None or self.nothing is None or self.intensity is None:
            return None
        chosen = [self.emotion if "emotion" in run.conditions else self.nothing for run in runs]
        tokens = EmotionTokens(
            torch.cat([one.values for one in chosen]), torch.cat([one.mask for one in chosen]), self.seconds
        )
        felt = [self.intensity * ("emotion" in run.conditions) for run in runs]
        heard = [] if self.audio is None else [self.audio * ("audio" in run.conditions) for run in runs]
        return Conditions(self.seconds, tokens, torch.cat(felt), torch.cat(heard) if heard else None, lead)


class Denoiser:
    """Callable as `sampling.denoise` wants it; holds what stays the same over all steps."""

    def __init__(
        self,
        backbone: Backbone,
        adapter: Adapter | None,
        scene: Scene,
        felt: Felt,
        texts: tuple[Tensor, Tensor],  # with the prompt, and without it
        *,
        guidance: Guidance | ExpertGuidance,
        given: frozenset[Condition],
        batched: bool,
    ) -> None:
        if isinstance(guidance, Guidance):
            guidance = ExpertGuidance(guidance, guidance)
        self._backbone, self._adapter, self._scene, self._felt = backbone, adapter, scene, felt
        self._texts, self._batched = texts, batched
        self._runs = {"high": passes(guidance.high_noise, given), "low": passes(guidance.low_noise, given)}
        self._stack, self._place = ExitStack(), ExitStack()
        self._working: Transformer | None = None

    def __enter__(self) -> Denoiser:
        if self._adapter is not None:
            self._stack.enter_context(self._adapter.attached(self._backbone.experts))
        self._stack.enter_context(self._place)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._working = None

    def __call__(self, latents: Tensor, time: Tensor) -> Tensor:
        expert = self._backbone.expert(float(time) / self._backbone.schedule.get("num_train_timesteps", 1000))
        if expert is not self._working:
            self._place.close()
            self._place.enter_context(self._backbone.working(expert))
            self._working = expert
        runs = self._runs["high" if expert is self._backbone.transformer else "low"]
        groups = [runs] if self._batched else [(run,) for run in runs]
        answers = [self._run(expert, latents, time, group) for group in groups]
        return combined([v for answer in answers for v in answer], runs)

    def _run(
        self, expert: Transformer, latents: Tensor, time: Tensor, runs: Sequence[Pass]
    ) -> tuple[Tensor, ...]:
        each = [self._scene.inputs(latents, time, run.conditions) for run in runs]
        inputs = {name: torch.cat([one[name] for one in each]) for name in each[0]}
        time_of_each = inputs.pop("timestep")  # stays exact
        inputs = {name: given.to(self._backbone.dtype) for name, given in inputs.items()}
        prompts, without = self._texts
        text = torch.cat([prompts if "text" in run.conditions else without for run in runs])
        with ExitStack() as stack:
            if self._adapter is not None:
                seen = self._felt.under(runs, self._scene.lead)
                stack.enter_context(self._adapter.conditioned(seen))
            (velocity,) = expert(
                **inputs, timestep=time_of_each, encoder_hidden_states=text, return_dict=False
            )
        return velocity.float().chunk(len(runs))


def _felt(one: Asked, second: float) -> float:
    """How far from neutral a moment is, in [0, 1]."""
    if one is None:
        return 0.0
    emotion: Emotion = (one.track if isinstance(one, Evidence) else one).at(second)
    labels = emotion.vocabulary.labels
    calm = emotion.weights[labels.index("neutral")] if "neutral" in labels else 0.0
    return emotion.intensity * (1 - calm)
