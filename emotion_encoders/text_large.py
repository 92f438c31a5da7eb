"""Larger text models as text encoders: any text classifier in a local folder, by transformers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch

from emotion_encoders.emotion import FACE8, GOEMOTIONS28, MIKELS8, Emotion, EmotionError, Vocabulary
from emotion_encoders.evidence import Evidence
from emotion_encoders.mapping import translate
from emotion_encoders.model_folder import UNMEASURED, config_of, load_folder, words_of
from emotion_encoders.text import BATCH, LONGEST_TEXT, MOST_WINDOWS, Felt, evidence_of
from emotion_encoders.transcript import Word
from emotion_encoders.weights_file import WeightsError
from emotion_encoders.wordpieces import readable

PIECES = 128  # that are read together; longer texts are read in windows
HOLDS = 0.5  # from this probability on a label is said to hold


@dataclass(frozen=True)
class _Outputs:
    """What the outputs of a classifier stand for."""

    vocabulary: Vocabulary
    labels: tuple[str, ...]  # one for each output
    several: bool  # whether several may hold at once, each with its own probability


class LargeTextEncoder:
    """A BERT, RoBERTa or the like that was tuned to emotions, with the interface of TextEncoder.

    Its outputs are named by `labels` or else by the `id2label` of its config, in words of FACE8 or of
    GOEMOTIONS28. Valence and arousal are looked up from the labels. Only safetensors are read, nothing is
    fetched.
    """

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - transformers chooses the class by the folder
        tokenizer: Any,  # noqa: ANN401 - as above
        outputs: _Outputs,
        *,
        confidence: float,
        name: str,
    ) -> None:
        self._model = model
        self._tokenizer, self._outputs = tokenizer, outputs
        self.confidence, self.name = confidence, name

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        labels: Sequence[str] | None = None,
        confidence: float = UNMEASURED,
        device: torch.device | str = "cpu",
    ) -> Self:
        """Reads a local folder; `confidence` is the share of texts in which it was measured to be right.

        Raises WeightsError if the folder holds no whole text classifier, or outputs that are no emotions.
        """
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        outputs = _outputs(folder, labels)
        model, tokenizer = load_folder(
            folder, AutoModelForSequenceClassification, AutoTokenizer, "text classifier"
        )
        if not tokenizer.is_fast:
            raise WeightsError(f"'{folder}' has no tokenizer.json; save its tokenizer as a fast one.")
        return cls(model.to(device), tokenizer, outputs, confidence=confidence, name=folder.name)

    def read(self, texts: Sequence[str]) -> list[Felt]:
        """What each text carries; a text without anything to read is neutral, with confidence 0."""
        if isinstance(texts, str):
            raise EmotionError("One text came; give a list of texts, such as [text].")
        for number, text in enumerate(texts, start=1):
            if len(text) > LONGEST_TEXT:
                raise EmotionError(
                    f"Text {number} is {len(text):,} characters long; at most {LONGEST_TEXT:,} are read."
                )
        windows = [self._windows(text) if readable(text) else [] for text in texts]
        rows = self._probabilities([window for several in windows for window in several])
        readings, place = [], 0
        for several in windows:
            found = rows[place : place + len(several)]
            place += len(several)
            sizes = [len(window) for window in several]
            readings.append(self._felt(_mean(found, sizes), self.confidence) if found else self._nothing())
        return readings

    def encode(self, text: str | Sequence[Word]) -> Evidence:
        """One text as a constant track; words with times as a track that changes from clause to clause."""
        return evidence_of(text, self.read, self.name, affect_learned=False)

    def _windows(self, text: str) -> list[list[int]]:
        """The numbers of a text's pieces, in parts that the model can read; of very long texts some parts."""
        positions = self._model.config.max_position_embeddings - 2  # RoBERTa's begin at 2
        longest = min(PIECES, positions, self._tokenizer.model_max_length)
        found = self._tokenizer(
            text, truncation=True, max_length=longest, return_overflowing_tokens=True, verbose=False
        )
        parts = found["input_ids"]
        if len(parts) <= MOST_WINDOWS:
            return parts
        return [parts[round(i * (len(parts) - 1) / (MOST_WINDOWS - 1))] for i in range(MOST_WINDOWS)]

    def _probabilities(self, windows: Sequence[Sequence[int]]) -> list[list[float]]:
        """One row for each window; windows of like length go together."""
        order = sorted(range(len(windows)), key=lambda i: len(windows[i]))
        found: dict[int, list[float]] = {}
        for first in range(0, len(order), BATCH):
            part = order[first : first + BATCH]
            padded = self._tokenizer.pad({"input_ids": [windows[i] for i in part]}, return_tensors="pt")
            with torch.inference_mode():
                logits = self._model(**padded.to(self._model.device)).logits
            rows = logits.sigmoid() if self._outputs.several else logits.softmax(1)
            found |= dict(zip(part, rows.tolist(), strict=True))
        return [found[i] for i in range(len(windows))]

    def _felt(self, row: Sequence[float], confidence: float) -> Felt:
        outputs = self._outputs
        chances = dict.fromkeys(outputs.vocabulary.labels, 0.0)
        for label, probability in zip(outputs.labels, row, strict=True):
            chances[label] += probability
        seen = Emotion.seen(outputs.vocabulary, list(chances.values()))
        holding = [label for label in chances if chances[label] >= HOLDS]
        goemotions = outputs.vocabulary is GOEMOTIONS28
        return Felt(
            goemotions28=chances if goemotions else {},
            labels=tuple(sorted(holding, key=lambda label: -chances[label])),
            face8=translate(seen, FACE8).emotion,
            mikels8=translate(seen, MIKELS8).emotion,
            valence=seen.affect.valence,
            arousal=seen.affect.arousal,
            confidence=confidence,
            weights=self.name,
        )

    def _nothing(self) -> Felt:
        neutral = [float(label == "neutral") for label in self._outputs.labels]
        return self._felt(neutral if any(neutral) else [1.0] * len(neutral), 0.0)


def _outputs(folder: Path, labels: Sequence[str] | None) -> _Outputs:
    """The outputs by the words for them: FACE8 if it has all of them, or else GOEMOTIONS28."""
    words = words_of(folder, labels)
    for vocabulary in (FACE8, GOEMOTIONS28):
        if words and all(map(vocabulary.knows, words)):
            several = config_of(folder).get("problem_type") == "multi_label_classification"
            return _Outputs(vocabulary, tuple(map(vocabulary.resolve, words)), several)
    odd = [word for word in words if not (FACE8.knows(word) or GOEMOTIONS28.knows(word))] or words
    raise WeightsError(
        f"'{folder}' has outputs that are no emotions: {', '.join(odd[:5]) or 'none are named'}. A text "
        f"model needs words of {FACE8.name} or of {GOEMOTIONS28.name} as the id2label of its config."
    )


def _mean(rows: Sequence[Sequence[float]], sizes: Sequence[int]) -> list[float]:
    total = sum(sizes)
    columns = zip(*rows, strict=True)
    return [
        math.fsum(n * value for n, value in zip(sizes, column, strict=True)) / total for column in columns
    ]
