"""Branches beside a Wan transformer: gated cross-attention to emotion or speech, silent until trained."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emotion_encoders.conditioner import EmotionTokens
from emotion_encoders.shared_space import seeded_linear

STEEPEST = 8.0  # by how much attention falls in a second, in the head that looks nearest to its own moment


@dataclass(frozen=True)
class Conditions:
    """What the branches see during one run of the model over B rows of F latent frames."""

    seconds: Tensor  # (F,): the middle of each latent frame
    emotion: EmotionTokens | None = None  # (B, N, D)
    intensity: Tensor | None = None  # (B, F) in [0, 1]: how much is felt in each latent frame
    audio: Tensor | None = None  # (B, F, W, A): what is heard around each latent frame
    lead: int = 0  # latent frames of a reference that stand before the clip and show no moment


class GatedAttention(nn.Module):
    """Cross-attention of every latent frame to a context of its own, times a gate that begins at zero.

    With the gate at zero the answer is exactly 0, so adding it changes no bit of what it is added to.
    """

    def __init__(self, dim: int, context: int, width: int, heads: int, generator: torch.Generator) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = seeded_linear(dim, width, generator)
        self.to_k = seeded_linear(context, width, generator)
        self.to_v = seeded_linear(context, width, generator)
        self.to_out = seeded_linear(width, dim, generator)
        self.norm_q = nn.RMSNorm(width // heads)
        self.norm_k = nn.RMSNorm(width // heads)
        self.gate = nn.Parameter(torch.zeros(dim))

    def forward(self, x: Tensor, context: Tensor, bias: Tensor | None = None) -> Tensor:
        """What the context says to each position.

        Args:
            x: (B, F, S, dim), S positions in each of F frames.
            context: (B, F, N, context), or (B, 1, N, context) where all frames share it.
            bias: Added to the attention's logits, broadcast to (B, F, heads, S, N).
        """
        q = self.norm_q(self._split(self.to_q(x)))
        k = self.norm_k(self._split(self.to_k(context)))
        v = self._split(self.to_v(context))
        frames = (-1, x.shape[1], -1, -1, -1)
        heard = F.scaled_dot_product_attention(q, k.expand(frames), v.expand(frames), attn_mask=bias)
        return self.gate * self.to_out(heard.transpose(2, 3).flatten(3))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(2, 3)


class NearBias(nn.Module):
    """Attention falls with the seconds between a frame and a token; each head learns how steeply.

    Press et al. 2022 (ALiBi), for times instead of places: a frame follows the track from the first step of
    training, where a set of tokens would have to teach it the time.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.steepness = nn.Parameter(STEEPEST * 0.5 ** torch.arange(heads))

    def forward(self, frames: Tensor, tokens: EmotionTokens) -> Tensor:
        """(B, F, heads, 1, N) from F moments; minus infinity where a token is masked."""
        apart = (frames[:, None] - tokens.seconds[None]).abs()  # (F, N)
        bias = -self.steepness[:, None, None] * apart[:, None, None]
        return bias[None].masked_fill(~tokens.mask[:, None, None, None], -torch.inf)


class IntensityOffset(nn.Module):
    """How much is felt, as an offset of the six numbers by which AdaLN steers every block; zero at first.

    Without biases, so intensity 0 is always exactly no offset.
    """

    def __init__(self, dim: int, generator: torch.Generator, hidden: int = 64) -> None:
        super().__init__()
        self.widen = nn.Linear(1, hidden, bias=False)
        nn.init.normal_(self.widen.weight, generator=generator)
        self.read = nn.Linear(hidden, 6 * dim, bias=False)
        nn.init.zeros_(self.read.weight)

    def forward(self, intensity: Tensor) -> Tensor:
        """(...) -> (..., 6 * dim)."""
        return self.read(F.silu(self.widen(intensity[..., None])))


class EmotionBranch(nn.Module):
    """One gated attention to the emotion tokens for each block, and the intensity's offset for all."""

    def __init__(
        self, dim: int, layers: int, context: int, width: int, heads: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.attentions = nn.ModuleList(
            GatedAttention(dim, context, width, heads, generator) for _ in range(layers)
        )
        self.near = nn.ModuleList(NearBias(heads) for _ in range(layers))
        self.offset = IntensityOffset(dim, generator)

    def forward(self, layer: int, x: Tensor, tokens: EmotionTokens, seconds: Tensor) -> Tensor:
        """What block `layer` hears of the emotion at x (B, F, S, dim)."""
        bias = self.near[layer](seconds, tokens)
        return self.attentions[layer](x, tokens.values[:, None], bias.to(x.dtype))


class AudioBranch(nn.Module):
    """One gated attention to speech for each block; a latent frame hears only the sound around it."""

    def __init__(
        self, dim: int, layers: int, features: int, width: int, heads: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(features)
        self.attentions = nn.ModuleList(
            GatedAttention(dim, features, width, heads, generator) for _ in range(layers)
        )

    def forward(self, layer: int, x: Tensor, audio: Tensor) -> Tensor:
        """What block `layer` hears of the speech (B, F, W, A) at x (B, F, S, dim)."""
        return self.attentions[layer](x, self.norm(audio))
