"""Larger speech models that hear valence and arousal, as speech encoders: wav2vec2 with a regression head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emotion_encoders.emotion import FACE8, MIKELS8, Affect, Emotion
from emotion_encoders.evidence import Evidence
from emotion_encoders.mapping import translate
from emotion_encoders.model_folder import UNMEASURED, load_folder, words_of
from emotion_encoders.prosody import Prosody
from emotion_encoders.prosody import prosody as prosody_of_sound
from emotion_encoders.speech import Hearing
from emotion_encoders.speech_large import Window, heard_at
from emotion_encoders.track import EmotionTrack
from emotion_encoders.waveform import RATE
from emotion_encoders.weights_file import WeightsError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

OUTPUTS = ("arousal", "dominance", "valence")  # each 0 to 1, in the order that the config names


class SpeechAffectEncoder:
    """A wav2vec2 that was tuned to arousal, dominance and valence (Wagner et al. 2023, "Dawn of the
    transformer era in speech emotion recognition"), with the interface of SpeechEncoder.

    Its valence and arousal are measured; the labels of FACE8 follow from them, by nearness on the plane.
    Only safetensors are read, nothing is fetched.
    """

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - made of a class that exists once transformers is imported
        extractor: Any,  # noqa: ANN401 - transformers chooses the class by the folder
        order: Sequence[str],
        *,
        confidence: float,
        name: str,
    ) -> None:
        self._model, self._extractor = model, extractor
        self._order = tuple(order)  # OUTPUTS, as they come out
        self.confidence, self.name = confidence, name

    @classmethod
    def load(
        cls, folder: Path, *, labels: Sequence[str] | None = None, confidence: float = UNMEASURED
    ) -> Self:
        """Reads a local folder; `confidence` is the share of clips in which it was measured to be right.

        Raises WeightsError if it holds no such model, by `labels` or else by the `id2label` of its config.
        """
        from transformers import AutoFeatureExtractor

        if not hears_affect(folder, labels):
            raise WeightsError(f"'{folder}' has other outputs than {', '.join(OUTPUTS)}.")
        model, extractor = load_folder(
            folder, affect_regressor(), AutoFeatureExtractor, "regressor of affects"
        )
        if extractor.sampling_rate != RATE:
            raise WeightsError(
                f"'{folder}' hears {extractor.sampling_rate} samples a second; {RATE} are given."
            )
        return cls(model, extractor, words_of(folder, labels), confidence=confidence, name=folder.name)

    def listen(self, waveform: NDArray[np.floating] | Tensor, rate: int) -> Hearing:
        """A clip as a whole: the mean over its windows; without a voice neutral with confidence 0."""
        track = self.encode(waveform, rate)
        face8 = track.track.keyframes[0].emotion
        if track.affect_learned:
            affects = [keyframe.emotion.affect for keyframe in track.track.keyframes]
            valence, arousal = ([a.valence for a in affects], [a.arousal for a in affects])
            face8 = Emotion.from_affect(Affect(float(np.mean(valence)), float(np.mean(arousal))))
        heard = dict(zip(FACE8.labels, face8.weights, strict=True))
        return Hearing(
            heard, face8, translate(face8, MIKELS8).emotion, track.confidence, self.name, track.affect_learned
        )

    def encode(self, waveform: NDArray[np.floating] | Tensor, rate: int) -> Evidence:
        """A track: what is heard in a window of 2.5 s around every second in which there is a voice."""
        keyframes = heard_at(waveform, rate, self._emotions)
        if not keyframes:
            return Evidence(EmotionTrack.constant(Emotion.of("neutral")), "voice", 0.0, self.name)
        return Evidence(EmotionTrack(keyframes), "voice", self.confidence, self.name, affect_learned=True)

    def prosody(self, waveform: NDArray[np.floating] | Tensor, rate: int) -> Prosody:
        """Loudness, pitch, speaking rate and voicing, as SpeechEncoder gives them."""
        return prosody_of_sound(waveform, rate)

    @torch.inference_mode()
    def _emotions(self, windows: Sequence[Window]) -> list[Emotion]:
        rows: list[list[float]] = []
        # Windows of one length go together: the head averages over time and would count padding.
        for _, alike in groupby(windows, key=len):
            given = self._extractor(list(alike), sampling_rate=RATE, return_tensors="pt")
            rows += self._model(given["input_values"]).clamp(0, 1).tolist()
        return [self._emotion(dict(zip(self._order, row, strict=True))) for row in rows]

    def _emotion(self, values: Mapping[str, float]) -> Emotion:
        return Emotion.from_affect(Affect(2 * values["valence"] - 1, 2 * values["arousal"] - 1))


def hears_affect(folder: Path, labels: Sequence[str] | None = None) -> bool:
    """Whether the outputs of the model in this folder are arousal, dominance and valence."""
    return sorted(words_of(folder, labels)) == sorted(OUTPUTS)


def affect_regressor() -> type[PreTrainedModel]:
    """The class of these models, which transformers does not have: the mean over time, then two layers."""
    from transformers import Wav2Vec2Model, Wav2Vec2PreTrainedModel

    class Head(torch.nn.Module):
        def __init__(self, width: int, outputs: int) -> None:
            super().__init__()
            self.dense = torch.nn.Linear(width, width)
            self.out_proj = torch.nn.Linear(width, outputs)

        def forward(self, x: Tensor) -> Tensor:
            return self.out_proj(self.dense(x).tanh())

    class Regressor(Wav2Vec2PreTrainedModel):
        def __init__(self, config: Any) -> None:  # noqa: ANN401 - transformers does not name its type
            super().__init__(config)
            self.wav2vec2 = Wav2Vec2Model(config)
            self.classifier = Head(config.hidden_size, config.num_labels)
            self.post_init()

        def forward(self, sound: Tensor) -> Tensor:
            return self.classifier(self.wav2vec2(sound)[0].mean(1))

    return Regressor
