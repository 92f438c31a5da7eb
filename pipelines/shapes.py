"""Seconds, frames and latents of a video: converted exactly, or refused with what would do."""

from __future__ import annotations

import math
from dataclasses import dataclass


class ShapeError(ValueError):
    """A length or size that the model cannot make; the message says which ones it can."""


@dataclass(frozen=True)
class Compression:
    """How many frames and pixels one latent stands for, and how many latents one patch."""

    frames: int = 4
    pixels: int = 8
    patch: int = 2

    @property
    def side(self) -> int:
        """Width and height must be multiples of this many pixels: 16 for Wan 2.1, 32 for Wan 2.2 TI2V."""
        return self.pixels * self.patch


@dataclass(frozen=True)
class VideoShape:
    """A clip that a Wan model can make; a wrong one is a ShapeError.

    The first latent holds the first frame alone, every other one `compression.frames`. So frames are 4n+1,
    frame i lies at i / fps seconds, and the last one at the end: 2 s at 16 fps are 33 frames.
    """

    frames: int
    height: int
    width: int
    fps: float
    compression: Compression = Compression()

    def __post_init__(self) -> None:
        if not 0 < self.fps <= 120:
            raise ShapeError(f"{self.fps:g} frames per second came; more than 0 and up to 120 are allowed.")
        step, side = self.compression.frames, self.compression.side
        if self.frames < 1 or (self.frames - 1) % step:
            lower = max(1, (self.frames - 1) // step * step + 1)
            near = f"{lower} or {lower + step}"
            raise ShapeError(f"{self.frames} frames came; the model makes {step}n+1: use {near}.")
        for name, pixels in (("height", self.height), ("width", self.width)):
            if pixels < side or pixels % side:
                lower = max(side, pixels // side * side)
                near = f"{lower} or {lower + side}"
                raise ShapeError(f"A {name} of {pixels} came; multiples of {side} are needed: use {near}.")

    @classmethod
    def lasting(
        cls, seconds: float, *, fps: float, height: int, width: int, compression: Compression = Compression()
    ) -> VideoShape:
        """The clip of exactly so many seconds."""
        return cls(frames_of(seconds, fps, compression.frames), height, width, fps, compression)

    @classmethod
    def covering(
        cls, seconds: float, *, fps: float, height: int, width: int, compression: Compression = Compression()
    ) -> VideoShape:
        """The shortest clip in which a sound of so many seconds is not cut."""
        step = compression.frames
        frames = max(0, math.ceil(seconds * fps) - 1)
        return cls(math.ceil(frames / step) * step + 1, height, width, fps, compression)

    @property
    def seconds(self) -> float:
        """From the first frame to the last."""
        return (self.frames - 1) / self.fps

    @property
    def latent_frames(self) -> int:
        return (self.frames - 1) // self.compression.frames + 1

    @property
    def latents(self) -> tuple[int, int, int]:
        """Frames, height and width of the latents."""
        pixels = self.compression.pixels
        return self.latent_frames, self.height // pixels, self.width // pixels

    @property
    def tokens(self) -> int:
        """What the transformer attends over: one token for each patch of each latent frame."""
        frames, height, width = self.latents
        return frames * (height // self.compression.patch) * (width // self.compression.patch)

    @property
    def latent_seconds(self) -> tuple[float, ...]:
        """The middle of what each latent frame shows, in seconds."""
        step = self.compression.frames
        middles = (step * k - (step - 1) / 2 for k in range(1, self.latent_frames))
        return (0.0, *(middle / self.fps for middle in middles))

    @property
    def latent_spans(self) -> tuple[tuple[float, float], ...]:
        """Where each latent frame begins and ends, in seconds, half a frame beyond what it shows."""
        step, half = self.compression.frames, 0.5 / self.fps
        ends = (step * k / self.fps for k in range(1, self.latent_frames))
        return ((0.0, half), *((end - (step - 1) / self.fps - half, end + half) for end in ends))


def frames_of(seconds: float, fps: float, step: int = 4) -> int:
    """How many frames a clip of so many seconds has; ShapeError unless that is a whole number of latents."""
    if not math.isfinite(seconds) or seconds < 0 or not 0 < fps < math.inf:
        raise ShapeError(f"{seconds:g} seconds at {fps:g} fps came; 0 seconds or more are needed.")
    latents = seconds * fps / step
    if abs(latents - round(latents)) > 1e-6 * max(1.0, latents):
        lower = math.floor(latents)
        near = " or ".join(f"{count * step / fps:.6g}" for count in (lower, lower + 1))
        raise ShapeError(
            f"{seconds:g} seconds at {fps:g} fps came; a clip lasts a multiple of {step / fps:.6g} s there: "
            f"use {near}."
        )
    return round(latents) * step + 1
