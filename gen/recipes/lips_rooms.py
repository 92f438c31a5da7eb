"""What happens to taught speech on its way to the network: microphones, rooms, noise, telephones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.portrait.lips import BAND, MELS, RANGE_DB, STEPS

SPEECHLESS = 0.12  # of what is learned: noise or music alone, which moves no lips
NARROW = 0.15  # of what is learned: a telephone
TELEPHONE_MELS = 56  # of MELS lie below 3.5 kHz


@dataclass(frozen=True)
class Rooms:
    """Takes a batch of sounds out of the studio they were made in."""

    noise: Tensor  # mel power (S, MELS) of all that is no speech

    def __call__(self, power: Tensor, mouth: Tensor, dice: torch.Generator) -> tuple[Tensor, Tensor]:
        """What the network hears (B, S, MELS) of mel power, and the mouths (B, S, C) behind it."""
        each = (len(power), 1, 1)
        power = _in_a_room(_coloured(_of_another_size(power, dice), dice), dice)
        noise = _coloured(self._noise(power.shape[0], power.shape[1], dice), dice)
        below = 45 - 45 * torch.rand(each, generator=dice) ** 1.5  # dB; the nearer to speech, the rarer
        speechless = torch.rand(each, generator=dice) < SPEECHLESS
        noise = noise * _loud(power) / _loud(noise)
        power = torch.where(speechless, noise, power + noise * 10 ** (-below / 10))
        narrow = torch.rand(each, generator=dice) < NARROW
        power = torch.where(narrow & (torch.arange(MELS) >= TELEPHONE_MELS), power * 1e-7, power)
        # The recording's loud moments are found wrong by some dB where a clip is short.
        loud = 10 * torch.log10(_loud(power)) + 4 * torch.randn(each, generator=dice)
        levels = (10 * torch.log10(power + 1e-10) - loud) / RANGE_DB + 1
        return levels.clamp(0, 1), torch.where(speechless, torch.zeros(()), mouth)

    def _noise(self, batch: int, steps: int, dice: torch.Generator) -> Tensor:
        starts = torch.randint(len(self.noise) - steps, (batch,), generator=dice).tolist()
        return torch.stack([self.noise[start : start + steps] for start in starts])


def _loud(power: Tensor) -> Tensor:
    """Power (B, 1, 1) of the loud moments."""
    return power.sum(dim=2).quantile(0.95, dim=1)[:, None, None] + 1e-7


def _of_another_size(power: Tensor, dice: torch.Generator) -> Tensor:
    """From a smaller or larger speaker: formants and pitch moved by up to a fifth."""
    factor = torch.exp(0.13 * torch.randn((len(power), 1), generator=dice).clamp(-1.5, 1.5))
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in BAND)
    hertz = 700 * (10 ** (torch.linspace(low, high, MELS) / 2595) - 1) * factor
    at = ((2595 * torch.log10(1 + hertz / 700) - low) / (high - low) * (MELS - 1)).clamp(0, MELS - 1.001)
    below = at.floor().long()
    share = (at - below)[:, None]
    index = below[:, None].expand(-1, power.shape[1], -1)
    return power.gather(2, index) * (1 - share) + power.gather(2, index + 1) * share


def _coloured(power: Tensor, dice: torch.Generator) -> Tensor:
    """Through a microphone with its own response: a random walk of some dB."""
    walk = (2.5 * torch.randn((len(power), 1, 7), generator=dice)).cumsum(dim=2)
    gains = F.interpolate(walk, MELS, mode="linear", align_corners=True)
    return power * 10 ** ((gains - gains.mean(dim=2, keepdim=True)) / 10)


def _in_a_room(power: Tensor, dice: torch.Generator) -> Tensor:
    """With a tail that takes 0.1 to 0.6 s to fade by 60 dB, 3 to 25 dB below what is heard directly."""
    each, steps = (len(power), 1, 1), power.shape[1]
    seconds = 0.1 + 0.5 * torch.rand(each, generator=dice)
    loudness = 10 ** (-(0.3 + 2.2 * torch.rand(each, generator=dice)))
    since = (torch.arange(steps)[:, None] - torch.arange(steps)[None]).float() / STEPS
    fading = torch.where(since > 0, 10 ** (-6 * since / seconds), torch.zeros(()))
    return power + loudness * torch.bmm(fading / fading[:, -1:].sum(dim=2, keepdim=True), power)
