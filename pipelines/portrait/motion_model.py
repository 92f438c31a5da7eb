"""A learned mover: flow matching over brows, lids, gaze and head, by a voice and by emotion tokens.

Rectified flow (Liu et al. 2023, "Flow straight and fast") over frames on a grid: noise at 0, motion at 1. The
network is a stack of dilated convolutions (van den Oord et al. 2016) that normalises every frame by itself:
what it says of a moment hangs on four seconds to either side and no more. Clips of any length are made of
windows on an absolute grid, whose velocities are blended at every step (Bar-Tal et al. 2023,
"MultiDiffusion"): no window follows from another, so there are neither seams nor drift.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from emotion_encoders.conditioner import EmotionConditioner
from emotion_encoders.track import EmotionTrack
from pipelines.guidance import Condition, Guidance, combined, passes
from pipelines.portrait.life import LIVELY

ARCHITECTURE = "motion-flow-1"
FPS = 30.0
# What a frame holds: LIVELY coefficients, how far the lids are shut, gaze (right, down), head as in `Motion`.
CHANNELS = len(LIVELY) + 1 + 2 + 6
COEFFICIENTS = len(LIVELY) + 1  # kept as their square roots: rest is a point, and most of life is near it
VOICE = 4  # loudness, voiced, speaking, stress
WINDOW, STRIDE = 192, 96  # frames
TOKEN_SECONDS = 0.2  # between emotion tokens
CHUNK = 16  # windows at a time, whatever the length: memory stays flat
WAVES = 16
DILATIONS = (1, 2, 4, 8, 16, 32)


class MotionModelError(ValueError):
    """Weights or conditions that do not fit; its text is one sentence for the user."""


@dataclass(frozen=True)
class Conditions:
    """What a clip of T frames at FPS is to follow; None: nothing is known of it."""

    voice: Tensor | None  # (T, VOICE) in [0, 1]
    track: EmotionTrack | None

    @property
    def given(self) -> list[Condition]:
        """The names of those that are known."""
        audio: list[Condition] = [] if self.voice is None else ["audio"]
        return audio if self.track is None else [*audio, "emotion"]


@dataclass(frozen=True)
class Size:
    """How large the network is."""

    width: int = 64
    rounds: int = 2
    tokens: int = 32


class Block(nn.Module):
    """A dilated convolution beside a residual path, scaled and shifted by the step of the flow."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.out = nn.Conv1d(width, width, 1)
        self.film = nn.Linear(width, 2 * width)

    def forward(self, x: Tensor, step: Tensor) -> Tensor:
        scale, shift = self.film(step)[..., None].chunk(2, dim=1)
        # Each frame by itself: statistics over time would tie a moment to the length of its window.
        h = x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-5)
        return x + self.out(F.silu(self.mix(h * (1 + scale) + shift)))


class MotionModel(nn.Module):
    """Says which way noise (B, T, CHANNELS) must move to become motion."""

    mean: Tensor
    spread: Tensor

    def __init__(self, size: Size = Size(), *, seed: int = 0) -> None:
        super().__init__()
        self.size = size
        self.emotion = EmotionConditioner(size.tokens, hidden=size.tokens, seed=seed)
        # A token stands beside its own frames, so its clock stays silent: late is as early.
        nn.init.zeros_(self.emotion.time.weight)
        self.emotion.time.requires_grad_(False)
        self.enter = nn.Conv1d(CHANNELS, size.width, 1)
        self.hear = nn.Conv1d(VOICE, size.width, 5, padding=2)
        self.unheard = nn.Parameter(torch.zeros(size.width))
        self.feel = nn.Conv1d(size.tokens, size.width, 1)
        self.step = nn.Sequential(
            nn.Linear(2 * WAVES, size.width), nn.SiLU(), nn.Linear(size.width, size.width)
        )
        self.blocks = nn.ModuleList(Block(size.width, d) for _ in range(size.rounds) for d in DILATIONS)
        self.leave = nn.Conv1d(size.width, CHANNELS, 1)
        self._draw(torch.Generator().manual_seed(seed))
        self.register_buffer("mean", torch.zeros(CHANNELS))
        self.register_buffer("spread", torch.ones(CHANNELS))

    def _draw(self, generator: torch.Generator) -> None:
        """Every weight anew from one seed; layers that end a path begin with zeros."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv1d | nn.Linear) and not name.startswith("emotion."):
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
                if name.split(".")[-1] in ("out", "film", "leave"):
                    nn.init.zeros_(module.weight)
                else:
                    nn.init.kaiming_uniform_(module.weight, a=5**0.5, generator=generator)

    @staticmethod
    def load(path: Path) -> MotionModel:
        """Reads weights of gen/recipes/motion.py or `gen.train motion`; MotionModelError for other files."""
        try:
            with safe_open(path, framework="pt") as file:
                facts = file.metadata() or {}
                tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118 - not a dict
        except (OSError, SafetensorError) as error:
            raise MotionModelError(
                f"'{path}' is no whole safetensors file ({error}); make it anew."
            ) from error
        if facts.get("architecture") != ARCHITECTURE:
            raise MotionModelError(f"'{path}' is not a {ARCHITECTURE!r}; make it with `gen.train motion`.")
        model = MotionModel(Size(**json.loads(facts["size"])))
        model.load_state_dict(tensors)
        return model.eval()

    def facts(self) -> dict[str, str]:
        """The metadata that `load` asks for."""
        return {"architecture": ARCHITECTURE, "size": json.dumps(asdict(self.size))}

    def pack(self, moves: Tensor) -> Tensor:
        """Frames (..., CHANNELS) as the network knows them: coefficients' roots, all of spread 1."""
        roots = moves[..., :COEFFICIENTS].clamp(0, 1).sqrt()
        return (torch.cat([roots, moves[..., COEFFICIENTS:]], dim=-1) - self.mean) / self.spread

    def unpack(self, packed: Tensor) -> Tensor:
        """The way back from `pack`."""
        moves = packed * self.spread + self.mean
        return torch.cat([moves[..., :COEFFICIENTS].clamp(0, 1).square(), moves[..., COEFFICIENTS:]], dim=-1)

    def tokens(self, tracks: Sequence[EmotionTrack | None], start: float, frames: int) -> Tensor:
        """What is felt at each frame from a second on, (B, frames, tokens), read between tokens by lines."""
        if all(track is None or len(track.keyframes) == 1 for track in tracks):
            return self.emotion(tracks, [0.0]).values.expand(-1, frames, -1)  # no moment differs
        count = int(frames / FPS / TOKEN_SECONDS) + 2
        moments = [max(0.0, start + k * TOKEN_SECONDS) for k in range(count)]
        values = self.emotion(tracks, moments).values
        places = torch.arange(frames) / (FPS * TOKEN_SECONDS)
        before = places.long()
        share = (places - before)[:, None]
        return values[:, before] * (1 - share) + values[:, before + 1] * share

    def forward(self, x: Tensor, step: Tensor, voice: Tensor, is_heard: Tensor, felt: Tensor) -> Tensor:
        """Velocities (B, T, CHANNELS).

        Args:
            x: Packed frames on their way (B, T, CHANNELS).
            step: Where on it they are (B,), from 0, noise, to 1.
            voice: Curves of the voice (B, T, VOICE).
            is_heard: Whether a voice is known (B,); where not, `voice` is not looked at.
            felt: Emotion tokens at the frames (B, T, tokens).
        """
        angles = step[:, None] * torch.pi * 2 ** torch.linspace(-1, 6, WAVES, device=step.device)
        told = self.step(torch.cat([angles.sin(), angles.cos()], dim=1))
        sound = torch.where(is_heard[:, None, None], self.hear(voice.mT), self.unheard[:, None])
        h = self.enter(x.mT) + sound + self.feel(felt.mT)
        for block in self.blocks:
            h = block(h, told)
        return self.leave(F.silu(h)).mT

    @torch.inference_mode()
    def sample(
        self,
        conditions: Conditions,
        frames: int,
        *,
        seed: int,
        steps: int = 8,
        guidance: Guidance | None = None,
    ) -> Tensor:
        """Frames (frames, CHANNELS) at FPS for a clip; one seed gives one motion, however long the clip is.

        Args:
            conditions: Its voice (at least `frames` long) and emotion; either may be None.
            frames: How many frames at FPS.
            seed: Of the noise, which is drawn along the absolute grid.
            steps: Of Euler's method, 4 to 10 are enough.
            guidance: Scales of audio and emotion; None is 1 for both.
        """
        if frames < 1 or steps < 1:
            raise MotionModelError(f"{frames} frames in {steps} steps came; at least 1 of both are needed.")
        runs = passes(guidance or Guidance(), conditions.given)
        windows = -(-frames // STRIDE) + 1  # the first begins one stride before the clip
        total = (windows + 1) * STRIDE
        x = torch.randn(total, CHANNELS, generator=torch.Generator().manual_seed(seed))
        voice = torch.zeros(total, VOICE)
        if conditions.voice is not None:
            voice[STRIDE : STRIDE + frames] = conditions.voice[:frames]
        before = -STRIDE / FPS
        felt, nothing = (self.tokens([track], before, total)[0] for track in (conditions.track, None))
        fade = torch.sin(torch.pi * (torch.arange(WINDOW) + 0.5) / WINDOW).square()[
            :, None
        ]  # two of them make 1

        for k in range(steps):
            step = k / steps
            answers = []
            for run in runs:
                tokens = felt if "emotion" in run.conditions else nothing
                answers.append(self._blended(x, step, voice, "audio" in run.conditions, tokens, fade))
            x = x + combined(answers, runs) / steps
        return self.unpack(x[STRIDE : STRIDE + frames])

    def _blended(
        self, x: Tensor, step: float, voice: Tensor, is_heard: bool, felt: Tensor, fade: Tensor
    ) -> Tensor:
        """Velocities (total, CHANNELS) of all windows, faded into each other."""
        starts = torch.arange(0, len(x) - STRIDE, STRIDE)
        velocity = torch.zeros_like(x)
        for chunk in starts.split(CHUNK):
            cut = [torch.stack([part[s : s + WINDOW] for s in chunk.tolist()]) for part in (x, voice, felt)]
            at, heard = torch.full((len(chunk),), step), torch.full((len(chunk),), is_heard)
            said = self(cut[0], at, cut[1], heard, cut[2])
            for start, window in zip(chunk.tolist(), said, strict=True):
                velocity[start : start + WINDOW] += fade * window
        return velocity
