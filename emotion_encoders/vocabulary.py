"""The words for what is felt: vocabularies of labels, and the valence and arousal of each label."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


class EmotionError(ValueError):
    """A request about emotions that cannot be met; its text is one sentence that is shown to the user."""


class UnknownEmotion(EmotionError):  # noqa: N818 - reads as the sentence it raises
    """A word that names no emotion of the vocabulary; its text suggests what may have been meant."""


@dataclass(frozen=True)
class Affect:
    """A point on the plane of valence (unpleasant -1 to pleasant 1) and arousal (calm -1 to excited 1)."""

    valence: float
    arousal: float

    def __post_init__(self) -> None:
        for name, value in (("Valence", self.valence), ("Arousal", self.arousal)):
            if not -1 <= value <= 1:  # also refuses NaN
                raise EmotionError(f"{name} is {value}; it must lie between -1 and 1.")


# Where each label lies. Most points are the mean pleasure and arousal that Russell & Mehrabian (1977,
# "Evidence for a three-factor theory of emotions", J. Research in Personality 11:273-294, table 4) measured
# for the quoted word, to two decimals, read from public transcriptions of that table. "stand-in": the table
# lacks the word, a near one is taken. "judgement": placed by us between the named words, in the order of
# the circumplex (Russell 1980, "A circumplex model of affect", J. Personality and Social Psych. 39:1161-78).
AFFECT: Mapping[str, Affect] = {
    "neutral": Affect(0.0, 0.0),  # judgement: the origin is the absence of affect
    "happiness": Affect(0.81, 0.51),  # "happy"
    "sadness": Affect(-0.63, -0.27),  # "sad"
    "surprise": Affect(0.40, 0.67),  # "surprised"; measured as rather pleasant
    "fear": Affect(-0.64, 0.60),  # "fearful"
    "disgust": Affect(-0.60, 0.35),  # "disgusted"
    "anger": Affect(-0.51, 0.59),  # "angry"
    "contempt": Affect(-0.24, 0.31),  # "contemptuous"
    "amusement": Affect(0.77, 0.44),  # stand-in: "entertained"
    "awe": Affect(0.18, 0.40),  # "awed"
    "contentment": Affect(0.71, -0.30),  # judgement: between "secure" (.74 -.13) and "relaxed" (.68 -.46)
    "excitement": Affect(0.62, 0.75),  # "excited"
    "admiration": Affect(0.41, 0.30),  # stand-in: "impressed"
    "annoyance": Affect(-0.28, 0.17),  # "mildly annoyed"
    "approval": Affect(0.55, 0.07),  # stand-in: "appreciative"
    "caring": Affect(0.64, 0.35),  # stand-in: "affectionate"
    "confusion": Affect(-0.53, 0.28),  # "confused"
    "curiosity": Affect(0.22, 0.62),  # "curious"
    "desire": Affect(0.50, 0.60),  # judgement: between "aroused" (.24 .57) and "in love" (.82 .65)
    "disappointment": Affect(-0.53, -0.16),  # stand-in: "discontented"
    "disapproval": Affect(-0.55, 0.16),  # stand-in: "displeased"
    "embarrassment": Affect(-0.46, 0.54),  # "embarrassed"
    "gratitude": Affect(0.64, 0.16),  # "grateful"
    "grief": Affect(-0.72, -0.16),  # stand-in: "despairing"
    "joy": Affect(0.76, 0.48),  # "joyful"
    "love": Affect(0.87, 0.54),  # "loved"
    "nervousness": Affect(-0.33, 0.58),  # stand-in: "tense"
    "optimism": Affect(0.51, 0.23),  # "hopeful"
    "pride": Affect(0.77, 0.38),  # "proud"
    "realization": Affect(0.10, 0.35),  # judgement: a mild, little pleasant "surprised"
    "relief": Affect(0.50, -0.30),  # judgement: between "consoled" (.29 -.19) and "relaxed" (.68 -.46)
    "remorse": Affect(-0.52, 0.02),  # "regretful"
}


def _key(word: str) -> str:
    return word.strip().casefold()


@dataclass(frozen=True)
class Vocabulary:
    """Labels in a fixed order, and other words for them.

    >>> FACE8.resolve("Happy")
    'happiness'
    """

    name: str
    labels: tuple[str, ...]
    aliases: Mapping[str, str] = field(hash=False)

    def __post_init__(self) -> None:
        for label in self.labels:
            if label not in AFFECT:
                raise EmotionError(f"{label!r} has no valence and arousal; add it to the table of affects.")
        for alias, label in self.aliases.items():
            if label not in self.labels or alias in self.labels:
                raise EmotionError(f"The alias {alias!r} of {self.name!r} must lead to one of its labels.")

    @property
    def affects(self) -> tuple[Affect, ...]:
        return tuple(AFFECT[label] for label in self.labels)

    @property
    def has_neutral(self) -> bool:
        return "neutral" in self.labels

    def knows(self, word: str) -> bool:
        return _key(word) in self.labels or _key(word) in self.aliases

    def resolve(self, word: str) -> str:
        """The label that a word means; raises UnknownEmotion, with a suggestion, if it means none."""
        key = _key(word)
        if key in self.labels:
            return key
        if key in self.aliases:
            return self.aliases[key]

        near = difflib.get_close_matches(key[:40], [*self.labels, *self.aliases], n=1, cutoff=0.6)
        others = [v for v in VOCABULARIES if v is not self and v.knows(key)]
        if key == "neutral":
            advice = f"It has none: ask for intensity 0 instead, as in '{self.labels[0]}@0'."
        elif others:
            advice = f"It is one of {others[0].name!r}: write '{others[0].name}/{others[0].resolve(key)}'."
        elif near:
            advice = f"Did you mean {self.aliases.get(near[0], near[0])!r}?"
        else:
            advice = "Use one of these."
        shown = word if len(word) <= 40 else word[:40] + "…"
        raise UnknownEmotion(
            f"{shown!r} is not an emotion of {self.name!r} ({', '.join(self.labels)}). {advice}"
        )

    def affect_of(self, weights: Sequence[float]) -> Affect:
        """The mean affect of a distribution over the labels."""
        points = self.affects
        return Affect(
            math.fsum(w * p.valence for w, p in zip(weights, points, strict=True)),
            math.fsum(w * p.arousal for w, p in zip(weights, points, strict=True)),
        )


def _aliases(**words_by_label: str) -> dict[str, str]:
    return {word: label for label, words in words_by_label.items() for word in words.split()}


_ANGER, _FEAR, _SADNESS, _DISGUST = (
    "angry mad furious rage enraged",
    "afraid scared fearful frightened terrified",
    "sad unhappy sorrow sorrowful",
    "disgusted revulsion revolted",
)

FACE8 = Vocabulary(
    "face8",
    ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"),
    _aliases(
        happiness="happy joy joyful glad cheerful",
        sadness=_SADNESS,
        surprise="surprised astonished astonishment amazed",
        fear=_FEAR,
        disgust=_DISGUST,
        anger=_ANGER,
        contempt="contemptuous scorn scornful disdain",
    ),
)

# Mikels et al. 2005, "Emotional category data on images from the IAPS", Behavior Research Methods 37:626-630.
MIKELS8 = Vocabulary(
    "mikels8",
    ("amusement", "awe", "contentment", "excitement", "anger", "disgust", "fear", "sadness"),
    _aliases(
        amusement="amused funny",
        awe="awed wonder",
        contentment="content contented satisfied calm",
        excitement="excited thrilled",
        anger=_ANGER,
        disgust=_DISGUST,
        fear=_FEAR,
        sadness=_SADNESS,
    ),
)

# Demszky et al. 2020, "GoEmotions: A Dataset of Fine-Grained Emotions", ACL: 27 emotions, then neutral.
GOEMOTIONS28 = Vocabulary(
    "goemotions28",
    (
        *("admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion", "curiosity"),
        *("desire", "disappointment", "disapproval", "disgust", "embarrassment", "excitement", "fear"),
        *("gratitude", "grief", "joy", "love", "nervousness", "optimism", "pride", "realization"),
        *("relief", "remorse", "sadness", "surprise", "neutral"),
    ),
    _aliases(
        amusement="amused funny",
        anger=_ANGER,
        annoyance="annoyed irritated",
        confusion="confused",
        curiosity="curious",
        disappointment="disappointed",
        disgust=_DISGUST,
        embarrassment="embarrassed",
        excitement="excited thrilled",
        fear=_FEAR,
        gratitude="grateful thankful",
        joy="happy happiness joyful glad cheerful",
        nervousness="nervous anxious",
        optimism="optimistic hopeful",
        pride="proud",
        realization="realisation",
        relief="relieved",
        sadness=_SADNESS,
        surprise="surprised astonished amazed",
    ),
)

VOCABULARIES = (FACE8, MIKELS8, GOEMOTIONS28)


def vocabulary(name: str) -> Vocabulary:
    """The vocabulary of that name."""
    for known in VOCABULARIES:
        if known.name == _key(name):
            return known
    names = ", ".join(known.name for known in VOCABULARIES)
    raise EmotionError(f"{name[:40]!r} is not a vocabulary; there are {names}.")
