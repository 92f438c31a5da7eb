"""The speech encoder: what is felt in a voice, over time, whatever is said and in whatever language."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emotion_encoders.curves import PACE, Curves, curves
from emotion_encoders.emotion import FACE8, MIKELS8, Emotion
from emotion_encoders.evidence import Evidence
from emotion_encoders.mapping import translate
from emotion_encoders.prosody import Prosody
from emotion_encoders.prosody import prosody as prosody_of_sound
from emotion_encoders.spectrum import HOP_SECONDS, blocks
from emotion_encoders.speech_network import HEARD, POOL, Facts, SpeechNetwork, load_network, pooled_activity
from emotion_encoders.track import EmotionTrack, Keyframe
from emotion_encoders.waveform import prepared

WINDOW_SECONDS = 2.5
# A window or clip with less speech than this tells nothing: silence, noise, a click.
LEAST_ACTIVE_SECONDS = 0.3
LEAST_VOICED_SECONDS = 0.12
_WINDOWS_AT_ONCE = 512

# The label of FACE8 that each label of HEARD counts for. Contempt was in no corpus and is never heard.
_AS_FACE: Mapping[str, str] = {**{label: label for label in HEARD}, "calm": "neutral"}


@dataclass(frozen=True)
class Hearing:
    """What was heard in one clip as a whole."""

    heard: Mapping[str, float]  # calibrated probability of each label of HEARD
    face8: Emotion  # calm counts as neutral; contempt is never heard
    mikels8: Emotion
    confidence: float  # how often such a clip's first emotion of face8 is right; 0: no voice was heard
    weights: str
    affect_learned: bool = False  # valence and arousal follow from the distribution

    @property
    def valence(self) -> float:
        return self.face8.affect.valence

    @property
    def arousal(self) -> float:
        return self.face8.affect.arousal

    @property
    def is_voice(self) -> bool:
        """Whether a voice was heard at all."""
        return self.confidence > 0


class SpeechEncoder:
    """A voice to emotion. Only what is in the clip counts: nothing is known of the speaker.

    >>> from emotion_encoders import speech
    >>> encoder = SpeechEncoder.load(Path(speech.__file__).with_suffix(".safetensors"))
    >>> encoder.listen(np.zeros(16_000, np.float32), 16_000).confidence
    0.0
    """

    def __init__(self, network: SpeechNetwork, facts: Facts) -> None:
        self.network = network.eval().requires_grad_(False)
        self.facts = facts

    @classmethod
    def load(cls, path: Path) -> SpeechEncoder:
        """Reads a file made by gen/recipes/speech.py; anything else is a WeightsError."""
        return cls(*load_network(path))

    @property
    def name(self) -> str:
        return self.facts.name

    def listen(self, waveform: NDArray[np.floating] | Tensor, rate: int) -> Hearing:
        """A clip as a whole; of a long one the mean of its blocks, by how much is spoken in each.

        Sound in which no voice is heard is neutral with confidence 0. Sound that is not one channel of finite
        numbers at a usual rate is a SoundError.
        """
        total, spoken = torch.zeros(len(HEARD)), 0.0
        for block in blocks(prepared(waveform, rate)):
            clip = curves(block.frames)
            if holds_voice(clip):
                seconds = float(clip.active.sum()) / PACE
                logits = clip_logits(self.network, clip)
                total += seconds * (logits / self.facts.temperature).softmax(0)
                spoken += seconds
        neutral = {"neutral": 1.0} | dict.fromkeys(HEARD[1:], 0.0)
        heard = dict(zip(HEARD, (total / spoken).tolist(), strict=True)) if spoken else neutral
        face8 = as_face8(list(heard.values()))
        confidence = max(face8.weights) if spoken else 0.0
        return Hearing(heard, face8, translate(face8, MIKELS8).emotion, confidence, self.name)

    def encode(self, waveform: NDArray[np.floating] | Tensor, rate: int) -> Evidence:
        """A track: what is heard in a window of 2.5 s around every quarter of a second.

        Moments without a voice get no keyframe, so what was heard before and after holds there. Without any
        voice the track is neutral with confidence 0.
        """
        keyframes, sure = [], []
        for block in blocks(prepared(waveform, rate)):
            clip = curves(block.frames)
            if not holds_voice(clip):
                continue
            centres = torch.arange(block.first, block.stop) * HOP_SECONDS - block.start_seconds
            logits, is_heard = window_logits(self.network, clip, centres)
            probabilities = (logits / self.facts.window_temperature).softmax(1)
            for hop in is_heard.nonzero()[:, 0].tolist():
                emotion = as_face8(probabilities[hop].tolist())
                keyframes.append(Keyframe((block.first + hop) * HOP_SECONDS, emotion))
                sure.append(max(emotion.weights))
        if not keyframes:
            nothing = EmotionTrack.constant(Emotion.of("neutral"))
            return Evidence(nothing, "voice", 0.0, self.name)
        confidence = min(1.0, math.fsum(sure) / len(sure))
        return Evidence(EmotionTrack(tuple(keyframes)), "voice", confidence, self.name)

    def prosody(self, waveform: NDArray[np.floating] | Tensor, rate: int) -> Prosody:
        """Loudness, pitch, speaking rate and voicing at the same quarters of a second."""
        return prosody_of_sound(waveform, rate)


@torch.inference_mode()
def clip_logits(network: SpeechNetwork, clip: Curves) -> Tensor:
    """(8,) of a whole clip."""
    return network(clip.values.T[None], clip.active[None])[0]


@torch.inference_mode()
def window_logits(network: SpeechNetwork, clip: Curves, centres: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 8) of the windows around these seconds, and (N,) in which of them enough of a voice is heard."""
    h, heed = network.features(clip.values.T[None])
    pace = PACE / POOL
    half = round(WINDOW_SECONDS / 2 * pace)
    active = pooled_activity(clip.active[None])[0, : h.shape[2]]
    voiced = pooled_activity(clip.voiced[None])[0, : h.shape[2]]
    places = (centres * pace).round().long()[:, None] + torch.arange(-half, half + 1)  # (N, steps)
    there = (places >= 0) & (places < len(active))
    places = places.clamp(0, len(active) - 1)
    active, voiced = active[places] & there, voiced[places] & there
    is_heard = (active.sum(1) >= LEAST_ACTIVE_SECONDS * pace) & (voiced.sum(1) >= LEAST_VOICED_SECONDS * pace)
    rows = [
        network.logits(h[0, :, part].transpose(0, 1), heed[0, :, part].transpose(0, 1), mask)
        for part, mask in zip(places.split(_WINDOWS_AT_ONCE), active.split(_WINDOWS_AT_ONCE), strict=True)
    ]
    return torch.cat(rows), is_heard


def as_face8(heard: list[float]) -> Emotion:
    """Probabilities of HEARD as an emotion of FACE8."""
    shares = dict.fromkeys(FACE8.labels, 0.0)
    for label, probability in zip(HEARD, heard, strict=True):
        shares[_AS_FACE[label]] += probability
    return Emotion.seen(FACE8, list(shares.values()))


def holds_voice(clip: Curves) -> bool:
    """Whether enough of a voice is heard to tell anything."""
    active, voiced = float(clip.active.sum()) / PACE, float((clip.voiced & clip.active).sum()) / PACE
    return active >= LEAST_ACTIVE_SECONDS and voiced >= LEAST_VOICED_SECONDS
