"""How strongly text, voice, emotion and a reference shape a clip: nested guidance as tensor arithmetic."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from typing import Literal, get_args

from torch import Tensor

Condition = Literal["reference", "text", "audio", "emotion"]
ORDER: tuple[Condition, ...] = get_args(Condition)  # each one's effect is measured beside those before it


@dataclass(frozen=True)
class Guidance:
    """One scale for each condition: 0 ignores it, 1 is plain conditioning, more amplifies it."""

    text: float = 5.0
    audio: float = 1.0
    emotion: float = 1.0
    reference: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            scale = getattr(self, field.name)
            if not math.isfinite(scale) or not 0 <= scale <= 100:
                raise ValueError(f"{scale} came as guidance by {field.name}; 0 to 100 are allowed.")


@dataclass(frozen=True)
class ExpertGuidance:
    """Guidance for a checkpoint of two experts, by the noise they work in and never by their place."""

    high_noise: Guidance
    low_noise: Guidance


@dataclass(frozen=True)
class Pass:
    """One run of the model: which conditions it sees, and how much of its answer is taken."""

    conditions: frozenset[Condition]
    share: float


def passes(guidance: Guidance, given: Collection[Condition]) -> tuple[Pass, ...]:
    """The runs that a step needs, as few as there can be; their shares add up to 1.

    Brooks et al. 2023, eq. 3, for any number of conditions c1 ... cn in the order of ORDER:

        v = v() + w1 (v(c1) - v()) + w2 (v(c1, c2) - v(c1)) + ... + wn (v(c1 ... cn) - v(c1 ... cn-1))

    Collected by runs, v(c1 ... ck) has the share wk - wk+1, with w0 = 1 and no term after wn. A run whose
    share is 0 is left out, so scales of 1 cost nothing; a condition of scale 0 is given to no run at all.

    Args:
        guidance: The scales.
        given: The conditions that there are; the scales of others are not looked at.
    """
    on: list[Condition] = [name for name in ORDER if name in given and getattr(guidance, name) > 0]
    scales = [1.0, *(getattr(guidance, name) for name in on), 0.0]
    shares = [scales[k] - scales[k + 1] for k in range(len(on) + 1)]
    return tuple(Pass(frozenset(on[:k]), share) for k, share in enumerate(shares) if share != 0)


def combined(velocities: Sequence[Tensor], runs: Sequence[Pass]) -> Tensor:
    """The guided velocity: the sum of what the runs said by their shares; a lone run's answer as it is."""
    if len(velocities) != len(runs):
        raise ValueError(f"{len(velocities)} velocities came for {len(runs)} runs; one for each is needed.")
    if len(runs) == 1:
        return velocities[0]
    # As differences from the first run: its large common part must not be lost in rounding.
    first, guided = velocities[0], velocities[0]
    for velocity, run in zip(velocities[1:], runs[1:], strict=True):
        guided = guided + run.share * (velocity - first)
    return guided
