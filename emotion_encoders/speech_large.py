"""Larger speech models as speech encoders: any audio classifier in a local folder, by transformers."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
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
from emotion_encoders.prosody import Prosody
from emotion_encoders.prosody import prosody as prosody_of_sound
from emotion_encoders.recogniser import WeightsError
from emotion_encoders.spectrum import HOP_SECONDS, blocks
from emotion_encoders.speech import WINDOW_SECONDS, Hearing, holds_voice
from emotion_encoders.track import EmotionTrack, Keyframe
from emotion_encoders.waveform import RATE, prepared

SECONDS = 1.0  # between two windows: such a model needs about a second for each on a CPU
BATCH = 8
# A model that was not measured here is not trusted until someone does.
UNMEASURED = 0.0


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
        self._model = model.eval().requires_grad_(False)
        self._extractor = extractor
        self.labels = tuple(labels)  # of FACE8, one for each output
        self.confidence, self.name = confidence, name

    @classmethod
    def load(
        cls, folder: Path, *, labels: Sequence[str] | None = None, confidence: float = UNMEASURED
    ) -> LargeSpeechEncoder:
        """Reads a local folder; `confidence` is the share of clips in which it was measured to be right."""
        words = _words(folder, labels)
        logging.getLogger("transformers").setLevel(logging.ERROR)
        from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

        local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        try:
            model, found = AutoModelForAudioClassification.from_pretrained(
                folder, use_safetensors=True, output_loading_info=True, **local
            )
            extractor = AutoFeatureExtractor.from_pretrained(folder, **local)
        except (OSError, ValueError) as error:
            first = str(error).strip().splitlines()[0]
            raise WeightsError(f"'{folder}' is not a whole model folder: {first}") from None
        if found["missing_keys"]:
            # Another kind of head: transformers would fill ours with chance.
            lacking = ", ".join(sorted(found["missing_keys"])[:3])
            raise WeightsError(f"'{folder}' has no weights for {lacking}; it is no audio classifier.")
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
        sound = prepared(waveform, rate)
        moments = _moments(sound)
        if not moments:
            return Evidence(EmotionTrack.constant(Emotion.of("neutral")), "voice", 0.0, self.name)
        rows: list[list[float]] = []
        for start in range(0, len(moments), BATCH):
            rows += self._probabilities([_window(sound, m) for m in moments[start : start + BATCH]]).tolist()
        keyframes = [Keyframe(moment, self._emotion(row)) for moment, row in zip(moments, rows, strict=True)]
        return Evidence(EmotionTrack(tuple(keyframes)), "voice", self.confidence, self.name)

    def prosody(self, waveform: NDArray[np.floating] | Tensor, rate: int) -> Prosody:
        """Loudness, pitch, speaking rate and voicing, as SpeechEncoder gives them."""
        return prosody_of_sound(waveform, rate)

    @torch.inference_mode()
    def _probabilities(self, windows: Sequence[NDArray[np.float32]]) -> Tensor:
        given = self._extractor(windows, sampling_rate=RATE, padding=True, return_tensors="pt")
        return self._model(**given).logits.softmax(1)

    def _emotion(self, row: Sequence[float]) -> Emotion:
        shares = dict.fromkeys(FACE8.labels, 0.0)
        for label, probability in zip(self.labels, row, strict=True):
            shares[label] += probability
        return Emotion.seen(FACE8, list(shares.values()))


def _words(folder: Path, labels: Sequence[str] | None) -> list[str]:
    """The label of FACE8 that each output stands for."""
    path = folder / "config.json"
    if not path.is_file():
        raise WeightsError(f"There is no config.json in '{folder}'; give the folder of a downloaded model.")
    named: dict[str, str] = json.loads(path.read_text(encoding="utf-8")).get("id2label", {})
    if labels is not None and len(labels) != len(named):
        raise WeightsError(f"'{folder}' has {len(named)} outputs; {len(labels)} labels were given for them.")
    words = list(labels) if labels is not None else [named[key] for key in sorted(named, key=int)]
    try:
        return [FACE8.resolve(word) for word in words]
    except UnknownEmotion as error:
        raise WeightsError(f"'{folder}' has an output without a place: {error}") from None


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


def _window(sound: Tensor, second: float) -> NDArray[np.float32]:
    start = max(0, round((second - WINDOW_SECONDS / 2) * RATE))
    return sound[start : round((second + WINDOW_SECONDS / 2) * RATE)].numpy()
