"""The scene encoder: colour and motion of whole frames; no emotion, for it had none to learn from."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from emotion_encoders.emotion import MIKELS8, Emotion
from emotion_encoders.evidence import Evidence
from emotion_encoders.track import EmotionTrack

NAME = "scene-measures-1"
COLOUR_EVERY = 20  # frames, as EmoVid samples them (Qiu et al. 2025)
MOTION_SECONDS = 0.1  # between the two frames that are compared, whatever the frame rate
MOTION_WIDTH = 64  # pixels: film grain and coding noise average out, moving things do not


@dataclass(frozen=True)
class SceneMeasures:
    """Colour as EmoVid measures it, and how much the picture moves.

    Every 20th frame, the first included, is taken to HSV. Motion is the mean absolute change of brightness
    over a tenth of a second, per second, of the picture 64 pixels wide: 0 stands still; a person who talks
    before a quiet wall is near 0.1, a change of everything in every tenth of a second is 10.
    """

    hue: float  # circular mean over all pixels in degrees, [0, 360); without any colour 0
    colourfulness: float  # mean saturation, [0, 1]
    brightness: float  # mean value, [0, 1]
    motion: float | None  # None: fewer than two frames to compare
    frames: int

    def rounded(self) -> SceneMeasures:
        """To one decimal, as EmoVid publishes them."""
        motion = None if self.motion is None else round(self.motion, 1)
        hue, colourfulness, brightness = (
            round(v, 1) for v in (self.hue, self.colourfulness, self.brightness)
        )
        return SceneMeasures(hue % 360, colourfulness, brightness, motion, self.frames)


class SceneEncoder:
    """Measures frames; the emotion it gives is none, at confidence 0, so that no fusion counts it."""

    name = NAME

    def encode(self, frames: Iterable[np.ndarray], fps: float) -> tuple[Evidence, SceneMeasures]:
        """RGB frames (H, W, 3) uint8 in order, read once and never kept -> nothing felt, and the measures."""
        return nothing_felt(self.name), measure(frames, fps)


def nothing_felt(weights: str) -> Evidence:
    """All of MIKELS8 alike, at intensity 0 and confidence 0."""
    evenly = Emotion.seen(MIKELS8, [1.0] * len(MIKELS8.labels), 0.0)
    return Evidence(EmotionTrack.constant(evenly), "scene", 0.0, weights)


def measure(frames: Iterable[np.ndarray], fps: float) -> SceneMeasures:
    """Colour and motion of a clip; of a still picture the colour alone."""
    if not 0 < fps < math.inf:
        raise ValueError(f"{fps} frames per second came; the rate must be above 0 (for one picture say 1).")
    apart = max(1, round(MOTION_SECONDS * fps))
    colours: list[np.ndarray] = []
    changes: list[float] = []
    last: np.ndarray | None = None
    count = 0
    for index, frame in enumerate(frames):
        check_frame(frame)
        if index % COLOUR_EVERY == 0:
            colours.append(_colour(frame))
        if index % apart == 0:
            grey = _grey(frame)
            if last is not None and last.shape == grey.shape:
                changes.append(float(np.abs(grey - last).mean()) * fps / apart)
            last = grey
        count = index + 1
    if not colours:
        raise ValueError(
            "No frame came, so there is no scene to measure; check that the video has a picture."
        )
    sine, cosine, saturation, value = np.mean(colours, axis=0)
    has_hue = math.hypot(sine, cosine) > 1e-9
    return SceneMeasures(
        hue=math.degrees(math.atan2(sine, cosine)) % 360 if has_hue else 0.0,
        colourfulness=float(saturation),
        brightness=float(value),
        motion=float(np.mean(changes)) if changes else None,
        frames=count,
    )


def check_frame(frame: np.ndarray) -> None:
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape:
        raise ValueError(f"A frame came as {frame.dtype} {frame.shape}; RGB uint8 (H, W, 3) is needed.")


def _colour(frame: np.ndarray) -> np.ndarray:
    """Sine and cosine of the hue, saturation and value, averaged over the pixels."""
    hsv = cv2.cvtColor(frame.astype(np.float32) / 255, cv2.COLOR_RGB2HSV).reshape(-1, 3)
    angles = np.radians(hsv[:, 0])
    # Grey pixels have no hue; EmoVid's text does not say so, but their 0 would pull every mean to red.
    coloured = hsv[:, 1] > 0
    sine, cosine = (np.where(coloured, part, 0).mean() for part in (np.sin(angles), np.cos(angles)))
    return np.array([sine, cosine, hsv[:, 1].mean(), hsv[:, 2].mean()])


def _grey(frame: np.ndarray) -> np.ndarray:
    height, width = frame.shape[:2]
    size = (min(MOTION_WIDTH, width), max(1, round(height * min(MOTION_WIDTH, width) / width)))
    return cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA) / 255
