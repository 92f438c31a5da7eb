"""The only translation between vocabularies: cited tables, and a report of what they could not carry."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from emotion_encoders.emotion import FACE8, GOEMOTIONS28, MIKELS8, Affect, Emotion, EmotionError, Vocabulary
from emotion_encoders.track import EmotionTrack, Keyframe

# What a label becomes: several targets share its probability evenly, a label that is absent loses it.
# Neutral is in no table: it stays neutral, or becomes missing intensity where the target has no neutral.
_Table = Mapping[str, tuple[str, ...]]

# Demszky et al. 2020: the grouping into Ekman's six emotions published with the paper as ekman_mapping.json.
# Contempt is not among the six, so no text maps to it.
_GOEMOTIONS_TO_FACE: _Table = {
    **dict.fromkeys(("anger", "annoyance", "disapproval"), ("anger",)),
    "disgust": ("disgust",),
    **dict.fromkeys(("fear", "nervousness"), ("fear",)),
    **dict.fromkeys(("joy", "amusement", "approval", "excitement", "gratitude", "love"), ("happiness",)),
    **dict.fromkeys(("optimism", "relief", "pride", "admiration", "desire", "caring"), ("happiness",)),
    **dict.fromkeys(("sadness", "disappointment", "embarrassment", "grief", "remorse"), ("sadness",)),
    **dict.fromkeys(("surprise", "realization", "confusion", "curiosity"), ("surprise",)),
}

# Negative labels: the same groups as above. Positive labels: placed by judgement among the four positive
# categories of Mikels et al. 2005, by what each is described as; joy fits three of them and says no more.
# Surprise and its kin are neither positive nor negative and have no place in those categories: lost.
_GOEMOTIONS_TO_MIKELS: _Table = {
    **dict.fromkeys(("anger", "annoyance", "disapproval"), ("anger",)),
    "disgust": ("disgust",),
    **dict.fromkeys(("fear", "nervousness"), ("fear",)),
    **dict.fromkeys(("sadness", "disappointment", "embarrassment", "grief", "remorse"), ("sadness",)),
    "amusement": ("amusement",),
    "admiration": ("awe",),
    **dict.fromkeys(("excitement", "desire"), ("excitement",)),
    **dict.fromkeys(("approval", "caring", "gratitude", "love"), ("contentment",)),
    **dict.fromkeys(("optimism", "pride", "relief"), ("contentment",)),
    "joy": ("amusement", "contentment", "excitement"),
}

# The four negative categories of Mikels et al. 2005 are Ekman's of the same name. By judgement, happiness is
# one of three positive ones; awe is left out of them because its face does not smile (below).
_FACE_TO_MIKELS: _Table = {
    **{label: (label,) for label in ("anger", "disgust", "fear", "sadness")},
    "happiness": ("amusement", "contentment", "excitement"),
}

# Amusement, contentment and excitement show as smiles (Ekman 1992, "An argument for basic emotions", the
# enjoyable emotions share one). Awe shows with raised brows, wide eyes and a dropped jaw, rarely a smile
# (Shiota, Campos & Keltner 2003, "The faces of positive emotion"): on a face, nearest to surprise.
_MIKELS_TO_FACE: _Table = {
    **{label: (label,) for label in ("anger", "disgust", "fear", "sadness")},
    **dict.fromkeys(("amusement", "contentment", "excitement"), ("happiness",)),
    "awe": ("surprise",),
}

_TABLES: Mapping[tuple[str, str], _Table] = {
    (GOEMOTIONS28.name, FACE8.name): _GOEMOTIONS_TO_FACE,
    (GOEMOTIONS28.name, MIKELS8.name): _GOEMOTIONS_TO_MIKELS,
    (FACE8.name, MIKELS8.name): _FACE_TO_MIKELS,
    (MIKELS8.name, FACE8.name): _MIKELS_TO_FACE,
}


@dataclass(frozen=True)
class Mapped:
    """An emotion in another vocabulary, and what the translation cost."""

    emotion: Emotion
    lost: float  # share of the distribution that had no counterpart, in [0, 1]
    lost_labels: tuple[str, ...]  # and whose it was
    spread_labels: tuple[str, ...]  # labels shared evenly over several, for want of knowing better


@dataclass(frozen=True)
class MappedTrack:
    """A track in another vocabulary, and what the translation cost."""

    track: EmotionTrack
    lost: float  # the largest share that any keyframe lost
    lost_labels: tuple[str, ...]
    spread_labels: tuple[str, ...]


def translate(emotion: Emotion, to: Vocabulary) -> Mapped:
    """Say an emotion in another vocabulary.

    What is lost is dropped and the rest scaled up to a distribution; if all is lost, the labels nearest in
    valence and arousal are taken. The affect itself needs no translation and stays.

    >>> mapped = translate(Emotion.mixture({"happiness": 0.75, "contempt": 0.25}), MIKELS8)
    >>> mapped.lost, mapped.lost_labels, mapped.spread_labels
    (0.25, ('contempt',), ('happiness',))
    """
    if emotion.vocabulary == to:
        return Mapped(emotion, 0.0, (), ())
    if emotion == Emotion.from_affect(emotion.affect, emotion.vocabulary, emotion.intensity):
        return Mapped(Emotion.from_affect(emotion.affect, to, emotion.intensity), 0.0, (), ())

    table = _table(emotion.vocabulary, to)
    felt = {label: w for label, w in zip(emotion.vocabulary.labels, emotion.weights, strict=True) if w > 0}
    neutral = min(1.0, felt.pop("neutral", 0.0))
    lost_labels = tuple(label for label in felt if label not in table)
    spread_labels = tuple(label for label in felt if len(table.get(label, ())) > 1)
    lost = min(1.0, math.fsum(felt[label] for label in lost_labels))

    shares = dict.fromkeys(to.labels, 0.0)
    for label, weight in felt.items():
        for target in table.get(label, ()):
            shares[target] += weight / len(table[label])
    if to.has_neutral:
        shares["neutral"] = neutral
        kept = 1.0
    else:
        kept = 1 - neutral  # what was neutral becomes missing intensity

    intensity = emotion.intensity * kept
    if kept == 0:
        mapped = Emotion.seen(to, [1.0] * len(to.labels), 0.0)
    else:
        affect = Affect(_on_plane(emotion.affect.valence / kept), _on_plane(emotion.affect.arousal / kept))
        if any(shares.values()):
            mapped = Emotion.seen(to, list(shares.values()), intensity, affect)
        else:
            mapped = Emotion.from_affect(affect, to, intensity)
    return Mapped(mapped, lost, lost_labels, spread_labels)


def translate_track(track: EmotionTrack, to: Vocabulary) -> MappedTrack:
    """Say a track in another vocabulary, keyframe by keyframe."""
    mapped = [translate(keyframe.emotion, to) for keyframe in track.keyframes]
    keyframes = [Keyframe(k.seconds, m.emotion) for k, m in zip(track.keyframes, mapped, strict=True)]
    return MappedTrack(
        EmotionTrack(tuple(keyframes)),
        max(m.lost for m in mapped),
        tuple(dict.fromkeys(label for m in mapped for label in m.lost_labels)),
        tuple(dict.fromkeys(label for m in mapped for label in m.spread_labels)),
    )


def _table(source: Vocabulary, to: Vocabulary) -> _Table:
    if (source.name, to.name) not in _TABLES:
        known = "; ".join(f"{a} to {b}" for a, b in _TABLES)
        raise EmotionError(f"Nothing translates {source.name!r} to {to.name!r}; there is {known}.")
    return _TABLES[source.name, to.name]


def _on_plane(coordinate: float) -> float:
    return max(-1.0, min(1.0, coordinate))
