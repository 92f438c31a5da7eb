"""EmotionConditioner: tracks and evidence in, tokens that a video model can attend to out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emotion_encoders.evidence import Evidence
from emotion_encoders.shared_space import SharedSpace, features, seeded_linear, sense_of
from emotion_encoders.track import EmotionTrack

Asked = EmotionTrack | Evidence | None  # None: no emotion is asked for
SHORTEST, LONGEST = 0.1, 1000.0  # seconds: periods of the waves that tell the time
WAVES = 32


@dataclass(frozen=True)
class EmotionTokens:
    """One token for each clip and moment.

    Attention treats its context as a set, so a token itself says when it holds; `seconds` repeats it for
    whoever plots or checks.
    """

    values: Tensor  # (B, N, D)
    mask: Tensor  # (B, N) bool; False: after the end of the clip, not to be attended to
    seconds: Tensor  # (N,)

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or self.mask.shape != self.values.shape[:2]:
            shapes = f"{tuple(self.values.shape)} with a mask of {tuple(self.mask.shape)}"
            raise ValueError(f"Tokens came as {shapes}; (B, N, D) and (B, N) are needed.")
        if self.seconds.shape != self.values.shape[1:2]:
            came = f"{tuple(self.seconds.shape)} times for {self.values.shape[1]} tokens"
            raise ValueError(f"There are {came}; each token needs its own second.")


class EmotionConditioner(nn.Module):
    """Emotions of the shared space as tokens of a backbone's width, time written in.

        conditioner = EmotionConditioner(width=384, space=SharedSpace.load(path))
        tokens = conditioner([EmotionTrack.parse("0:neutral 2:anger"), heard, None], seconds)

    A track is taken at its word, evidence through its sense's correction, None is the learned null token,
    whose place guidance starts from. Training drops emotion by passing None, apart from text and audio.
    Everything is smooth in shares, affect, intensity and time; at intensity 0 any emotion is neutral.
    """

    def __init__(
        self, width: int, *, space: SharedSpace | None = None, hidden: int | None = None, seed: int = 0
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        hidden = hidden or width
        self.width = width
        self.space = space or SharedSpace(seed=seed)
        self.felt = seeded_linear(self.space.dim, width, generator)
        self.time = seeded_linear(2 * WAVES, width, generator)
        self.widen = seeded_linear(width, hidden, generator)
        self.narrow = seeded_linear(hidden, width, generator)
        self.null = nn.Parameter(torch.empty(width))
        nn.init.normal_(self.null, std=0.02, generator=generator)

    @classmethod
    def load(cls, path: Path, *, width: int, seed: int = 0) -> Self:
        """The trained shared space, with layers to a backbone's width that are yet to be trained with it."""
        return cls(width, space=SharedSpace.load(path), seed=seed)

    def forward(
        self,
        asked: Sequence[Asked],
        seconds: Tensor | Sequence[float],
        *,
        lengths: Sequence[float] | None = None,
    ) -> EmotionTokens:
        """Tokens of every clip at the same moments.

        Args:
            asked: What each of B clips is to show.
            seconds: The N moments, such as the middles of latent frames.
            lengths: How many seconds each clip lasts; tokens from there on are masked. None: no clip ends.
        """
        device = self.null.device
        moments = torch.as_tensor(seconds, dtype=torch.float32, device=device)
        _check(asked, moments, lengths)
        at = [float(second) for second in moments]
        rows = [self._token(self._place(one, at), moments) if one else self._nothing(at) for one in asked]
        mask = torch.ones(len(asked), len(at), dtype=torch.bool, device=device)
        if lengths is not None:
            mask = moments[None] < torch.as_tensor(lengths, dtype=torch.float32, device=device)[:, None]
            mask[:, 0] = True  # attention over nothing is not a number
        return EmotionTokens(torch.stack(rows), mask, moments)

    def align(self, evidence: Evidence) -> Tensor:
        """The place of what an encoder saw in the shared space, (dim,)."""
        return self.space.align(evidence)

    def _place(self, one: EmotionTrack | Evidence, at: Sequence[float]) -> Tensor:
        """Where each moment lies in the shared space, (N, dim)."""
        track = one.track if isinstance(one, Evidence) else one
        sense = sense_of(one) if isinstance(one, Evidence) else None
        shown = features([track.at(second) for second in at])
        return self.space(shown.to(self.null.device), sense)

    def _token(self, place: Tensor, moments: Tensor) -> Tensor:
        h = self.felt(place) + self.time(waves(moments))
        return h + self.narrow(F.silu(self.widen(h)))

    def _nothing(self, at: Sequence[float]) -> Tensor:
        return self.null.expand(len(at), -1)


def waves(seconds: Tensor) -> Tensor:
    """Sines and cosines of the time, (N,) -> (N, 2 * WAVES): periods from 0.1 to 1000 seconds."""
    steps = torch.linspace(0, 1, WAVES, device=seconds.device)
    rates = 2 * math.pi / (SHORTEST * (LONGEST / SHORTEST) ** steps)
    angles = seconds[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _check(asked: Sequence[Asked], moments: Tensor, lengths: Sequence[float] | None) -> None:
    if not asked:
        raise ValueError("No clip came; pass a track, evidence or None for each clip.")
    if moments.ndim != 1 or not len(moments) or not bool(torch.isfinite(moments).all()):
        raise ValueError(
            f"Moments came as {tuple(moments.shape)}; finite seconds (N,) are needed, at least one."
        )
    if lengths is not None and len(lengths) != len(asked):
        raise ValueError(f"{len(lengths)} lengths came for {len(asked)} clips; give each clip its own.")
