"""The emotion adapter of a Wan checkpoint: conditioner and branches in one small file; no weight of Wan."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self, cast

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torch.utils.hooks import RemovableHandle

from emotion_encoders.conditioner import EmotionConditioner
from emotion_encoders.shared_space import SharedSpace
from pipelines.wan.backbone import Transformer
from pipelines.wan.branch import AudioBranch, Conditions, EmotionBranch
from pipelines.wan.errors import AdapterError

ARCHITECTURE = "wan-emotion-adapter-1"


@dataclass(frozen=True)
class AdapterConfig:
    """Sizes: the backbone's, which must fit, and the branches' own."""

    dim: int  # of the backbone
    layers: int  # of the backbone
    experts: int = 1  # 2 for checkpoints with one transformer for high noise and one for low
    tokens: int = 256  # width of the emotion tokens
    width: int = 256  # of the branches' attention
    heads: int = 4
    audio: int = 0  # width of the speech features; 0 for an adapter that hears nothing
    space: int = 64  # of the shared space

    @classmethod
    def of(cls, transformers: Sequence[Transformer], **sizes: int) -> AdapterConfig:
        """The config that fits these transformers, the high-noise expert first."""
        first = transformers[0]
        table = cast(Tensor, first.blocks[0].scale_shift_table)  # (1, 6, dim)
        return cls(dim=table.shape[-1], layers=len(first.blocks), experts=len(transformers), **sizes)


class Adapter(nn.Module):
    """Emotion, and speech if `config.audio`, beside a frozen Wan.

        adapter = Adapter(AdapterConfig.of([transformer]))
        with adapter.attached([transformer]), adapter.conditioned(conditions):
            velocity = transformer(...)

    It reaches the blocks by forward hooks on modules that diffusers calls by name: `attn2`, whose answer the
    branches add to, and `condition_embedder`, whose AdaLN numbers the intensity shifts. So attention
    processors, LoRA, caches and offloading stay what they are, and no weight of Wan is in the file.
    """

    def __init__(self, config: AdapterConfig, *, space: SharedSpace | None = None, seed: int = 0) -> None:
        super().__init__()
        space = space or SharedSpace(config.space, seed=seed)
        self.config = config = replace(config, space=space.dim)
        generator = torch.Generator().manual_seed(seed)
        self.conditioner = EmotionConditioner(config.tokens, space=space, seed=seed)
        sizes = (config.width, config.heads, generator)
        self.emotion = nn.ModuleList(
            EmotionBranch(config.dim, config.layers, config.tokens, *sizes) for _ in range(config.experts)
        )
        self.audio = nn.ModuleList(
            AudioBranch(config.dim, config.layers, config.audio, *sizes)
            for _ in range(config.experts if config.audio else 0)
        )
        self._conditions: Conditions | None = None

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a file that `save` wrote; anything else is an AdapterError."""
        if not path.is_file():
            raise AdapterError(f"There is no adapter at '{path}': give the file that training wrote.")
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
        except SafetensorError as error:
            raise AdapterError(f"'{path}' is not a whole safetensors file ({error}).") from None
        if metadata.get("architecture") != ARCHITECTURE:
            found = metadata.get("architecture", "no architecture")
            raise AdapterError(f"'{path}' names {found}; an emotion adapter names {ARCHITECTURE}.")
        try:
            adapter = cls(AdapterConfig(**json.loads(metadata["config"])))
            adapter.load_state_dict(tensors)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise AdapterError(f"'{path}' does not hold what its config says ({error}).") from None
        if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
            raise AdapterError(f"'{path}' holds numbers that are not finite; train it again.")
        return adapter.eval()

    def save(self, path: Path, **facts: str) -> None:
        """Writes all weights, the config, and what else is to be known about them."""
        known = {"architecture": ARCHITECTURE, "config": json.dumps(asdict(self.config)), **facts}
        save_file({key: value.contiguous() for key, value in self.state_dict().items()}, path, known)

    def check(self, transformers: Sequence[Transformer]) -> None:
        """Raises AdapterError unless it was made for transformers of these sizes."""
        fits = AdapterConfig.of(transformers)
        wanted, found = (
            {"dim": c.dim, "layers": c.layers, "experts": c.experts} for c in (self.config, fits)
        )
        if wanted != found:
            raise AdapterError(
                f"The adapter was made for a backbone of {_sizes(wanted)}, this one has {_sizes(found)}: "
                "give the adapter of this backbone."
            )

    @contextmanager
    def attached(self, transformers: Sequence[Transformer]) -> Iterator[None]:
        """The branches stand beside these transformers, the high-noise expert first, and leave no trace."""
        self.check(transformers)
        handles = [h for expert, t in enumerate(transformers) for h in self._hooks(expert, t)]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    @contextmanager
    def conditioned(self, conditions: Conditions | None) -> Iterator[None]:
        """What the branches see meanwhile; None makes them silent, whatever they have learned."""
        before, self._conditions = self._conditions, conditions
        try:
            yield
        finally:
            self._conditions = before

    def checkpoint_gradients(self, transformer: Transformer) -> None:
        """Gradient checkpointing that runs a block again under the conditions it saw the first time.

        diffusers' own would run it under those of the moment of `backward`.
        """

        def run(block: nn.Module, *inputs: Tensor) -> Tensor:
            conditions = self._conditions

            def again(*inputs: Tensor) -> Tensor:
                with self.conditioned(conditions):
                    return block(*inputs)

            return cast(Tensor, checkpoint(again, *inputs, use_reentrant=False))

        transformer.enable_gradient_checkpointing(gradient_checkpointing_func=run)

    def _hooks(self, expert: int, transformer: Transformer) -> Iterator[RemovableHandle]:
        for layer, block in enumerate(transformer.blocks):
            attention = cast(nn.Module, block.attn2)
            yield attention.register_forward_hook(self._beside(expert, layer))
        yield transformer.condition_embedder.register_forward_hook(self._shifting(expert))

    def _beside(self, expert: int, layer: int) -> Callable[..., Tensor | None]:
        """A hook that adds what the branches hear to what cross-attention hears of the text."""

        def hook(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
            seen = self._conditions
            if seen is None:
                return None
            frames = len(seen.seconds) + seen.lead
            if inputs[0].shape[1] % frames:
                raise AdapterError(f"{inputs[0].shape[1]} positions came for {frames} latent frames.")
            x = inputs[0].unflatten(1, (frames, -1))[:, seen.lead :].to(self.dtype)
            heard = torch.zeros_like(x)
            if seen.emotion is not None:
                heard = heard + self.emotion[expert](layer, x, seen.emotion, seen.seconds)
            if seen.audio is not None and self.audio:
                heard = heard + self.audio[expert](layer, x, seen.audio)
            return output + F.pad(heard, (0, 0, 0, 0, seen.lead, 0)).flatten(1, 2).to(output.dtype)

        return hook

    def _shifting(self, expert: int) -> Callable[..., tuple[Tensor, ...] | None]:
        """A hook that shifts AdaLN by the intensity, of each frame where every position has its own time."""

        def hook(_: nn.Module, __: object, output: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
            seen = self._conditions
            if seen is None or seen.intensity is None:
                return None
            temb, steering, *context = output
            felt = seen.intensity.to(self.dtype)
            if steering.ndim == 3:  # (B, positions, 6 dim), as in Wan 2.2 TI2V
                felt = F.pad(felt, (seen.lead, 0))
                felt = felt.repeat_interleave(steering.shape[1] // felt.shape[1], dim=1)
            else:
                felt = felt.mean(1)
            offset = cast(EmotionBranch, self.emotion[expert]).offset(felt)
            return temb, steering + offset.to(steering.dtype), *context

        return hook

    @property
    def dtype(self) -> torch.dtype:
        """Of the branches; what they hear of the backbone is cast to it, and their answer back."""
        return self.conditioner.null.dtype


def _sizes(sizes: dict[str, int]) -> str:
    return f"width {sizes['dim']}, {sizes['layers']} blocks and {sizes['experts']} experts"
