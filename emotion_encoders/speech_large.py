"""Larger speech models as speech encoders: any audio classifier in a local folder, by transformers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emotion_encoders.curves import PACE, Curves, curves
from emotion_encoders.emotion import FACE8, MIKELS8, Emotion, UnknownEmotion
from emotion_encoders.evidence import Evidence
from emotion_encoders.mapping import translate
from emotion_encoders.model_folder import UNMEASURED, load_folder, words_of
from emotion_encoders.prosody import Prosody
from emotion_encoders.prosody import prosody as prosody_of_sound
from emotion_encoders.spectrum import HOP_SECONDS, blocks
from emotion_encoders.speech import WINDOW_SECONDS, Hearing, holds_voice
from emotion_encoders.track import EmotionTrack, Keyframe
from emotion_encoders.waveform import RATE, prepared
from emotion_encoders.weights_file import WeightsError

SECONDS = 1.0  # between two windows: such a model needs about a second for each on a CPU
BATCH = 8
Window = NDArray[np.float32]  # mono sound (N,) at RATE


class LargeSpeechEncoder:
    """A wav2vec2, HuBERT or WavLM that was tuned to emotions, with the interface of SpeechEncoder.

    Its outputs are named by `labels`, the `labels` of its entry in weights.lock, or else by the `id2label` of
    its config. Only safetensors are read, nothing is fetched.
    """

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - transformers chooses the class by the folder
        extractor: Any,  # noqa: ANN401 - as above
        labels: Sequence[str],
        *,
        confidence: float,
        name: str,
    ) -> None:
        self._model = model
        self._extractor = extractor
        self.labels = tuple(labels)  # of FACE8, one for each output
        self.confidence, self.name = confidence, name

    @classmethod
    def load(
        cls, folder: Path, *, labels: Sequence[str] | None = None, confidence: float = UNMEASURED
    ) -> LargeSpeechEncoder:
        """Reads a local folder; `confidence` is the share of clips in which it was measured to be right."""
        from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

        words = _words(folder, labels)
        model, extractor = load_folder(
            folder, AutoModelForAudioClassification, AutoFeatureExtractor, "audio classifier"
        )
        if extractor.sampling_rate != RATE:
            raise WeightsError(
                f"'{folder}' hears {extractor.sampling_rate} samples a second; {RATE} are given."
            )
        return cls(model, extractor, words, confidence=confidence, name=folder.name)

    def listen(self, waveform: NDArray[np.floating] | Tensor, rate: int) -> Hearing:
        """A clip as a whole: the mean over its windows; without a voice neutral with confidence 0."""
        track = self.encode(waveform, rate)
        rows = [keyframe.emotion.weights for keyframe in track.track.keyframes]
        face8 = Emotion.seen(FACE8, np.mean(rows, axis=0).tolist())
        heard = dict(zip(FACE8.labels, face8.weights, strict=True))
        return Hearing(heard, face8, translate(face8, MIKELS8).emotion, track.confidence, self.name)

    def encode(self, waveform: NDArray[np.floating] | Tensor, rate: int) -> Evidence:
        """A track: what is heard in a window of 2.5 s around every second in which there is a voice."""
        keyframes = heard_at(waveform, rate, self._emotions)
        if not keyframes:
            return Evidence(EmotionTrack.constant(Emotion.of("neutral")), "voice", 0.0, self.name)
        return Evidence(EmotionTrack(keyframes), "voice", self.confidence, self.name)

    def prosody(self, waveform: NDArray[np.floating] | Tensor, rate: int) -> Prosody:
        """Loudness, pitch, speaking rate and voicing, as SpeechEncoder gives them."""
        return prosody_of_sound(waveform, rate)

    @torch.inference_mode()
    def _emotions(self, windows: Sequence[Window]) -> list[Emotion]:
        given = self._extractor(windows, sampling_rate=RATE, padding=True, return_tensors="pt")
        return [self._emotion(row) for row in self._model(**given).logits.softmax(1).tolist()]

    def _emotion(self, row: Sequence[float]) -> Emotion:
        shares = dict.fromkeys(FACE8.labels, 0.0)
        for label, probability in zip(self.labels, row, strict=True):
            shares[label] += probability
        return Emotion.seen(FACE8, list(shares.values()))


def _words(folder: Path, labels: Sequence[str] | None) -> list[str]:
    """The label of FACE8 that each output stands for."""
    try:
        return [FACE8.resolve(word) for word in words_of(folder, labels)]
    except UnknownEmotion as error:
        raise WeightsError(f"'{folder}' has an output without a place: {error}") from None


def heard_at(
    waveform: NDArray[np.floating] | Tensor, rate: int, hear: Callable[[Sequence[Window]], Sequence[Emotion]]
) -> tuple[Keyframe, ...]:
    """What a model hears in a window of 2.5 s around every second in which there is a voice."""
    sound = prepared(waveform, rate)
    moments = _moments(sound)
    emotions: list[Emotion] = []
    for start in range(0, len(moments), BATCH):
        emotions += hear([_window(sound, moment) for moment in moments[start : start + BATCH]])
    return tuple(Keyframe(moment, emotion) for moment, emotion in zip(moments, emotions, strict=True))


def _moments(sound: Tensor) -> list[float]:
    """The seconds around which a voice is heard."""
    moments = []
    for block in blocks(sound):
        clip = curves(block.frames)
        for second in np.arange(block.first * HOP_SECONDS, block.stop * HOP_SECONDS, SECONDS):
            middle = (float(second) - block.start_seconds) * PACE
            half = WINDOW_SECONDS / 2 * PACE
            steps = slice(max(0, round(middle - half)), max(0, round(middle + half)))
            if holds_voice(Curves(clip.values[steps], clip.active[steps], clip.voiced[steps])):
                moments.append(float(second))
    return moments


def _window(sound: Tensor, second: float) -> Window:
    start = max(0, round((second - WINDOW_SECONDS / 2) * RATE))
    return sound[start : round((second + WINDOW_SECONDS / 2) * RATE)].numpy()
