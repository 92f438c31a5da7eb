"""Emotions as data: the mean over a track, distributions by label, one answer from several senses."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, TypeVar

from emotion_encoders.emotion import MIKELS8, Emotion, pooled
from emotion_encoders.evidence import Evidence
from emotion_encoders.mapping import translate
from emotion_encoders.track import EmotionTrack

DIGITS = 5
Name = TypeVar("Name", bound=str)


def average(track: EmotionTrack) -> Emotion:
    """What a track shows on average, from its first to its last keyframe."""
    keyframes = track.keyframes
    if len(keyframes) == 1:
        return keyframes[0].emotion
    weights = [0.0] * len(keyframes)
    for index, (one, other) in enumerate(pairwise(keyframes)):
        half = (other.seconds - one.seconds) / 2  # between keys what is shown moves on a straight line
        weights[index] += half
        weights[index + 1] += half
    whole = keyframes[-1].seconds - keyframes[0].seconds
    return pooled([keyframe.emotion for keyframe in keyframes], [weight / whole for weight in weights])


def shares(emotion: Emotion) -> dict[str, float]:
    """Label to probability of what is shown."""
    shown = emotion.shown
    return {label: round(w, DIGITS) for label, w in zip(shown.vocabulary.labels, shown.weights, strict=True)}


def only_measured(evidence: Evidence) -> bool:
    """Whether nothing was to be felt: the bundled scene encoder measures colour and motion, no emotion."""
    return evidence.modality == "scene" and all(k.emotion.intensity == 0 for k in evidence.track.keyframes)


def summary(evidence: Evidence) -> dict[str, Any]:
    """The distributions, the affect and the confidence of a whole evidence."""
    mean = average(evidence.track)
    affect = mean.shown.affect
    mikels8 = mean if mean.vocabulary == MIKELS8 else translate(mean, MIKELS8).emotion
    by_name = {"mikels8": shares(mikels8)}
    if mean.vocabulary != MIKELS8:
        by_name = {mean.vocabulary.name: shares(mean), **by_name}
    return {
        **by_name,
        "valence": round(affect.valence, DIGITS),
        "arousal": round(affect.arousal, DIGITS),
        "confidence": round(evidence.confidence, DIGITS),
        "weights": evidence.weights,
    }


def moments(track: EmotionTrack) -> list[dict[str, Any]]:
    """A track keyframe by keyframe."""
    return [
        {
            "seconds": round(keyframe.seconds, 3),
            track.vocabulary.name: shares(keyframe.emotion),
            "valence": round(keyframe.emotion.shown.affect.valence, DIGITS),
            "arousal": round(keyframe.emotion.shown.affect.arousal, DIGITS),
            "intensity": round(keyframe.emotion.intensity, DIGITS),
        }
        for keyframe in track.keyframes
    ]


def rounded(values: Mapping[Name, float]) -> dict[Name, float]:
    """The same numbers for reading."""
    return {name: round(value, DIGITS) for name, value in values.items()}
