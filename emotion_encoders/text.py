"""The text encoder: what is felt in words, from one sentence or from a transcript with times."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from emotion_encoders.emotion import FACE8, GOEMOTIONS28, MIKELS8, Affect, Emotion, EmotionError
from emotion_encoders.evidence import Evidence
from emotion_encoders.mapping import translate
from emotion_encoders.track import EmotionTrack, Keyframe
from emotion_encoders.transcript import Word, clauses
from emotion_encoders.wordpieces import WordPieces, readable, understood

if TYPE_CHECKING:  # torch is imported when an encoder is loaded: importing this module stays quick
    import torch

    from emotion_encoders.text_model import Facts, TextNetwork

WINDOW = 62  # pieces that are read together; longer texts are read in windows
MOST_WINDOWS = 32  # of one text; of longer ones as many are read, spread evenly from start to end
LONGEST_TEXT = 1_000_000  # characters
BATCH = 32  # windows through the network at once
HOLD = 0.3  # seconds before the end of a clause at which its emotion begins to give way to the next


@dataclass(frozen=True)
class Felt:
    """What any text model reads from one text."""

    goemotions28: Mapping[str, float]  # the probability of each label it has; several may hold
    labels: tuple[str, ...]  # those that are said to hold, most probable first
    face8: Emotion
    mikels8: Emotion
    valence: float  # these in [-1, 1], on the scale of the table of affects
    arousal: float
    confidence: float  # calibrated: how often the first emotion of face8 is right; 0 if nothing can be read
    weights: str


@dataclass(frozen=True)
class Reading(Felt):
    """What the bundled encoder reads from one text."""

    dominance: float  # in [-1, 1]
    polarity: float  # probability that the tone is positive


@dataclass(frozen=True)
class _Raw:
    """The mean over a text's windows of what the heads gave, calibrated."""

    labels: list[float]
    line: list[float]
    affect: list[float]
    polarity: float
    spoken: float


class TextEncoder:
    """Words to emotion, in English; other languages get a low confidence.

    >>> from emotion_encoders import text
    >>> encoder = TextEncoder.load(Path(text.__file__).with_suffix(".safetensors"))
    >>> encoder.read(["I can't wait to see you!"])[0].face8.top
    'happiness'
    """

    def __init__(self, network: TextNetwork, pieces: WordPieces, facts: Facts, device: torch.device) -> None:
        self.network = network.to(device)
        self.pieces, self.facts, self.device = pieces, facts, device

    @classmethod
    def load(cls, path: Path, *, device: torch.device | str = "cpu") -> TextEncoder:
        """Reads a file made by gen/recipes/text.py; anything else is a WeightsError."""
        import torch

        from emotion_encoders.text_model import load_network

        network, facts = load_network(path)
        return cls(network, WordPieces(facts.pieces), facts, torch.device(device))

    @property
    def name(self) -> str:
        return self.facts.name

    @property
    def thresholds(self) -> Mapping[str, float]:
        """From which probability on each of the 28 labels is said to hold."""
        return dict(zip(GOEMOTIONS28.labels, self.facts.thresholds, strict=True))

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """What each text carries; a text without anything to read is neutral, with confidence 0."""
        if isinstance(texts, str):
            raise EmotionError("One text came; give a list of texts, such as [text].")
        for number, text in enumerate(texts, start=1):
            if len(text) > LONGEST_TEXT:
                raise EmotionError(
                    f"Text {number} is {len(text):,} characters long; at most {LONGEST_TEXT:,} are read."
                )
        cleaned = [readable(text) for text in texts]
        windows = [_windows(ids) for ids in self.pieces.ids(cleaned)]
        raws = self._raw([window for several in windows for window in several])
        readings, place = [], 0
        for text, several in zip(cleaned, windows, strict=True):
            found = raws[place : place + len(several)]
            place += len(several)
            sizes = [len(window) for window in several]
            share = understood(text, [i for w in several for i in w], self.pieces)
            readings.append(self._reading(_mean(found, sizes), share) if found else self._nothing())
        return readings

    def encode(self, text: str | Sequence[Word]) -> Evidence:
        """One text as a constant track; words with times as a track that changes from clause to clause."""
        return evidence_of(text, self.read, self.name, affect_learned=True)

    def _raw(self, windows: Sequence[Sequence[int]]) -> list[_Raw]:
        """Every window through the network; windows of like length go together."""
        import torch

        start, end = self.pieces.start, self.pieces.end
        order = sorted(range(len(windows)), key=lambda i: len(windows[i]))
        found: dict[int, _Raw] = {}
        for first in range(0, len(order), BATCH):
            part = order[first : first + BATCH]
            longest = len(windows[part[-1]]) + 2
            rows = [[start, *windows[i], end] for i in part]
            ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows], device=self.device)
            lengths = torch.tensor([len(row) for row in rows], device=self.device)
            mask = torch.arange(longest, device=self.device) < lengths[:, None]
            with torch.inference_mode():
                heads = self.network(ids, mask)
            found |= dict(zip(part, self._calibrated(heads), strict=True))
        return [found[i] for i in range(len(windows))]

    def _calibrated(self, heads: Mapping[str, torch.Tensor]) -> list[_Raw]:
        facts = self.facts
        like = heads["goemotions"]
        labels = (like * like.new_tensor(facts.slopes) + like.new_tensor(facts.biases)).sigmoid()
        line = (heads["dialogue"] / facts.line_temperature).softmax(1)
        affect = (heads["affect"] * like.new_tensor(facts.gains) + like.new_tensor(facts.offsets)).clamp(
            -1, 1
        )
        chances = [
            (heads[name] * slope + bias).sigmoid()[:, 0].tolist()
            for name, (slope, bias) in (("polarity", facts.polarity), ("spoken", facts.spoken))
        ]
        columns = (labels.tolist(), line.tolist(), affect.tolist(), *chances)
        return [_Raw(*row) for row in zip(*columns, strict=True)]

    def _reading(self, raw: _Raw, share: float) -> Reading:
        valence, arousal, dominance = raw.affect
        affect = Affect(valence, arousal)
        felt = Emotion.seen(GOEMOTIONS28, raw.labels, affect=affect)
        face8, certain = self._face8(translate(felt, FACE8).emotion.weights, raw, affect)
        chances = dict(zip(GOEMOTIONS28.labels, raw.labels, strict=True))
        holding = [label for label in chances if chances[label] >= self.thresholds[label]]
        return Reading(
            goemotions28=chances,
            labels=tuple(sorted(holding, key=lambda label: -chances[label])),
            face8=face8,
            mikels8=translate(felt, MIKELS8).emotion,
            valence=valence,
            arousal=arousal,
            dominance=dominance,
            polarity=raw.polarity,
            confidence=certain * share,
            weights=self.name,
        )

    def _face8(self, mapped: Sequence[float], raw: _Raw, affect: Affect) -> tuple[Emotion, float]:
        """The 28 labels through mapping.py, pooled with what the text says if it is a line of dialogue.

        Commenters and actors do not mean the same by the same words, so the shares in the pool are the
        chances that the text is the one or the other.
        Also the chance that the first of them is right, from its share, and whether both agree on it.
        """
        from emotion_encoders.text_model import spoken

        facts, spoken_as = self.facts, spoken(raw.line)
        pool = [
            ((1 - raw.spoken) * a + raw.spoken * b) ** facts.sharpness
            for a, b in zip(mapped, spoken_as, strict=True)
        ]
        face8 = Emotion.seen(FACE8, pool, affect=affect)
        first = min(1 - 1e-6, max(face8.weights))
        agreed = mapped.index(max(mapped)) == spoken_as.index(max(spoken_as))
        by_share, by_agreement, by_spoken, bias = facts.trust
        odds = (
            by_share * math.log(first / (1 - first)) + by_agreement * agreed + by_spoken * raw.spoken + bias
        )
        return face8, 1 / (1 + math.exp(-odds))

    def _nothing(self) -> Reading:
        neutral = {label: float(label == "neutral") for label in GOEMOTIONS28.labels}
        origin = Affect(0.0, 0.0)
        return Reading(
            goemotions28=neutral,
            labels=(),
            face8=Emotion.seen(FACE8, [float(label == "neutral") for label in FACE8.labels], affect=origin),
            mikels8=Emotion.seen(MIKELS8, [1.0] * len(MIKELS8.labels), 0.0, origin),
            valence=0.0,
            arousal=0.0,
            dominance=0.0,
            polarity=0.5,
            confidence=0.0,
            weights=self.name,
        )


def evidence_of(
    text: str | Sequence[Word],
    read: Callable[[Sequence[str]], Sequence[Felt]],
    name: str,
    *,
    affect_learned: bool,
) -> Evidence:
    """What a text model reads from one text, or from words with times, clause by clause."""
    if isinstance(text, str):
        reading = read([text])[0]
        track = EmotionTrack.constant(reading.face8)
        return Evidence(track, "text", min(1.0, reading.confidence), name, affect_learned)
    spoken = clauses(text)
    if not spoken:
        return evidence_of("", read, name, affect_learned=affect_learned)
    readings = read([clause.text for clause in spoken])
    keyframes: list[Keyframe] = []
    for clause, reading in zip(spoken, readings, strict=True):
        for seconds in (clause.start, clause.end - HOLD):
            if not keyframes or seconds > keyframes[-1].seconds:
                keyframes.append(Keyframe(seconds, reading.face8))
    lengths = [clause.end - clause.start + 1e-3 for clause in spoken]
    sure = [length * reading.confidence for length, reading in zip(lengths, readings, strict=True)]
    confidence = min(1.0, math.fsum(sure) / math.fsum(lengths))
    return Evidence(EmotionTrack(tuple(keyframes)), "text", confidence, name, affect_learned)


def _windows(ids: Sequence[int]) -> list[Sequence[int]]:
    """Pieces in windows of about equal length; of very long texts an even choice of them."""
    count = math.ceil(len(ids) / WINDOW)
    edges = [round(i * len(ids) / count) for i in range(count + 1)] if count else [0]
    windows = [ids[a:b] for a, b in pairwise(edges)]
    if count <= MOST_WINDOWS:
        return windows
    return [windows[round(i * (count - 1) / (MOST_WINDOWS - 1))] for i in range(MOST_WINDOWS)]


def _mean(raws: Sequence[_Raw], sizes: Sequence[int]) -> _Raw:
    total = sum(sizes)

    def mean(rows: Sequence[Sequence[float]]) -> list[float]:
        return [
            math.fsum(n * value for n, value in zip(sizes, column, strict=True)) / total
            for column in zip(*rows, strict=True)
        ]

    return _Raw(
        mean([raw.labels for raw in raws]),
        mean([raw.line for raw in raws]),
        mean([raw.affect for raw in raws]),
        *mean([[raw.polarity, raw.spoken] for raw in raws]),
    )
