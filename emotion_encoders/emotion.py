"""What is felt: a distribution over a vocabulary, its valence and arousal, and how strongly it shows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emotion_encoders.vocabulary import (
    FACE8,
    GOEMOTIONS28,
    MIKELS8,
    VOCABULARIES,
    Affect,
    EmotionError,
    UnknownEmotion,
    Vocabulary,
    vocabulary,
)

# The words of the emotion space are imported from here, so that users of emotions need one import.
__all__ = [
    "FACE8",
    "GOEMOTIONS28",
    "MIKELS8",
    "VOCABULARIES",
    "Affect",
    "Emotion",
    "EmotionError",
    "UnknownEmotion",
    "Vocabulary",
    "normalised",
    "pooled",
    "vocabulary",
]


def normalised(weights: Sequence[float]) -> tuple[float, ...]:
    """Weights as shares of 1; weights that are shares already stay as they are, bit for bit."""
    values = tuple(float(w) for w in weights)
    if not all(0 <= w < math.inf for w in values):
        raise EmotionError(f"The weights {values} must be finite numbers of 0 or more.")
    largest = max(values, default=0.0)
    if largest == 0:
        raise EmotionError("All weights are 0; at least one must be above 0.")
    if largest <= 1 and abs(math.fsum(values) - 1) <= 1e-12:
        return values
    total = math.fsum(w / largest for w in values)  # by the largest first: sums of huge weights overflow
    return tuple(w / largest / total for w in values)


@dataclass(frozen=True)
class Emotion:
    """A distribution over one vocabulary, where it lies in affect, and how strongly it shows.

    Intensity does not change the distribution: it says how far the face or the scene goes from neutral
    (0) to the full emotion (1). `shown` is what should then be seen.

    >>> Emotion.of("happy", intensity=0.75).shown.probability("neutral")
    0.25
    """

    vocabulary: Vocabulary
    weights: tuple[float, ...]
    affect: Affect
    intensity: float = 1.0

    def __post_init__(self) -> None:
        if len(self.weights) != len(self.vocabulary.labels):
            wanted = len(self.vocabulary.labels)
            raise EmotionError(
                f"{len(self.weights)} weights came; {self.vocabulary.name!r} has {wanted} labels."
            )
        if min(self.weights) < 0 or not abs(math.fsum(self.weights) - 1) <= 1e-9:
            raise EmotionError(f"The weights {self.weights} must be 0 or more and sum to 1.")
        if not 0 <= self.intensity <= 1:
            raise EmotionError(f"Intensity is {self.intensity}; it must lie between 0 and 1.")

    @classmethod
    def of(cls, label: str, vocabulary: Vocabulary = FACE8, intensity: float = 1.0) -> Emotion:
        """One pure emotion."""
        return cls.mixture({label: 1.0}, vocabulary, intensity)

    @classmethod
    def mixture(
        cls, weights: Mapping[str, float], vocabulary: Vocabulary = FACE8, intensity: float = 1.0
    ) -> Emotion:
        """Several emotions at once, by weights above 0 of any sum."""
        by_label: dict[str, float] = {}
        for word, weight in weights.items():
            label = vocabulary.resolve(word)
            if label in by_label:
                raise EmotionError(f"{label!r} is named twice; name each emotion of a mixture once.")
            if not 0 < weight < math.inf:
                raise EmotionError(f"The weight of {label!r} is {weight}; it must be a number above 0.")
            by_label[label] = weight
        if not by_label:
            raise EmotionError(f"A mixture needs at least one of {', '.join(vocabulary.labels)}.")
        return cls.seen(vocabulary, [by_label.get(label, 0.0) for label in vocabulary.labels], intensity)

    @classmethod
    def seen(
        cls,
        vocabulary: Vocabulary,
        probabilities: Sequence[float],
        intensity: float = 1.0,
        affect: Affect | None = None,
    ) -> Emotion:
        """What a recogniser gave, in the order of the labels; affect follows from them if it has none."""
        weights = normalised(probabilities)
        if len(weights) != len(vocabulary.labels):
            wanted = len(vocabulary.labels)
            raise EmotionError(f"{len(weights)} probabilities came; {vocabulary.name!r} has {wanted} labels.")
        return cls(vocabulary, weights, affect or vocabulary.affect_of(weights), float(intensity))

    @classmethod
    def from_affect(cls, affect: Affect, vocabulary: Vocabulary = FACE8, intensity: float = 1.0) -> Emotion:
        """A point of valence and arousal: each label counts by its nearness, the point itself is kept."""
        distances = [
            math.dist((affect.valence, affect.arousal), (p.valence, p.arousal)) for p in vocabulary.affects
        ]
        # A Gaussian this wide lets each label win at its own point and leaves no point without a label.
        nearness = [math.exp(-0.5 * (d / 0.2) ** 2) for d in distances]
        return cls(vocabulary, normalised(nearness), affect, float(intensity))

    def probability(self, label: str) -> float:
        """The share of one label in the distribution, whatever the intensity."""
        return self.weights[self.vocabulary.labels.index(self.vocabulary.resolve(label))]

    @property
    def top(self) -> str:
        """The most probable label; at intensity 0, neutral."""
        if self.intensity == 0 and self.vocabulary.has_neutral:
            return "neutral"
        return self.vocabulary.labels[self.weights.index(max(self.weights))]

    @property
    def shown(self) -> Emotion:
        """What is to be seen, at intensity 1: neutral fills the gap (where there is none, all labels)."""
        if self.intensity == 1:
            return self
        labels = self.vocabulary.labels
        rest = [float(label == "neutral") for label in labels]
        if not self.vocabulary.has_neutral:
            rest = [1 / len(labels)] * len(labels)
        gap = 1 - self.intensity
        weights = [self.intensity * w + gap * r for w, r in zip(self.weights, rest, strict=True)]
        affect = Affect(self.intensity * self.affect.valence, self.intensity * self.affect.arousal)
        return Emotion(self.vocabulary, normalised(weights), affect)

    def blend(self, other: Emotion, t: float) -> Emotion:
        """From this emotion (t = 0) to the other (t = 1), so that what is shown moves on a straight line."""
        if not 0 <= t <= 1:
            raise EmotionError(f"The share of the second emotion is {t}; it must lie between 0 and 1.")
        return pooled((self, other), (1 - t, t))


def pooled(emotions: Sequence[Emotion], shares: Sequence[float]) -> Emotion:
    """The linear opinion pool: what several emotions show, averaged by shares that sum to 1."""
    first = emotions[0]
    for emotion, share in zip(emotions, shares, strict=True):
        if emotion.vocabulary != first.vocabulary:
            names = f"{first.vocabulary.name!r} and {emotion.vocabulary.name!r}"
            raise EmotionError(f"Emotions of {names} cannot be mixed; translate one of them first.")
        if share == 1:
            return emotion

    # An emotion of low intensity is mostly neutral, so it counts little for which emotion is felt.
    masses = [share * emotion.intensity for emotion, share in zip(emotions, shares, strict=True)]
    intensity = min(1.0, math.fsum(masses))
    masses = normalised(masses if intensity > 0 else shares)
    columns = zip(*(emotion.weights for emotion in emotions), strict=True)
    weights = normalised([_dot(masses, column) for column in columns])

    if all(e.affect == e.vocabulary.affect_of(e.weights) for e in emotions):
        return Emotion(first.vocabulary, weights, first.vocabulary.affect_of(weights), intensity)
    valence = _dot(masses, [e.affect.valence for e in emotions])
    arousal = _dot(masses, [e.affect.arousal for e in emotions])
    # Rounding may step over the edge of the plane.
    affect = Affect(max(-1.0, min(1.0, valence)), max(-1.0, min(1.0, arousal)))
    return Emotion(first.vocabulary, weights, affect, intensity)


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return math.fsum(x * y for x, y in zip(a, b, strict=True))
