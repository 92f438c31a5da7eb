"""`--emotion auto`: the track that a voice and its words ask for, short enough to be written down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from emotion_encoders.emotion import FACE8, Emotion
from emotion_encoders.evidence import Evidence, Policy, fuse
from emotion_encoders.track import EmotionTrack, Keyframe

AUTO = "auto"
EVERY = 1.0  # seconds between keyframes; what a voice shows in less is as often noise
MOST = 48  # keyframes: the notation stays readable, and fits into a clip's record
LEAST = 0.1  # share; labels below it are left out
# An encoder that is unsure spreads its shares over everything, and a face that shows a little of everything
# shows nothing: shares are raised to this power, so that what is heard most is what is shown.
DECIDED = 2
SAMPLES = 4  # looked at for each keyframe, so that one window of sound does not decide


def is_auto(emotion: str | None) -> bool:
    """Whether an emotion is not named but to be inferred."""
    return emotion is not None and emotion.strip().casefold() == AUTO


def inferred(
    evidence: Sequence[Evidence], seconds: float, *, policy: Policy = "blend"
) -> tuple[EmotionTrack, str]:
    """What the evidence shows over a clip of so many seconds, as a track that could have been written, and
    in a phrase where it comes from.

    Raises:
        EmotionError: nothing was heard with any confidence, or sources contradict each other and the policy
            is to ask.
    """
    fusion = fuse(evidence, policy=policy)
    return _written_over(fusion.evidence.track, seconds), fusion.reason


def _written_over(track: EmotionTrack, seconds: float) -> EmotionTrack:
    if len(track.keyframes) == 1:
        return EmotionTrack.constant(written(track.keyframes[0].emotion.shown.weights))
    count = max(2, min(MOST, math.ceil(seconds / EVERY) + 1))
    gap = seconds / (count - 1)
    keyframes = [Keyframe(round(i * gap, 2), written(_around(track, i * gap, gap))) for i in range(count)]
    return EmotionTrack(tuple(_telling(keyframes)))


def written(weights: Sequence[float]) -> Emotion:
    """A distribution as a person would write it: decided, in two digits, without what hardly counts."""
    decided = [weight**DECIDED for weight in weights]
    whole = math.fsum(decided)
    kept = {label: w for label, w in zip(FACE8.labels, decided, strict=True) if w >= LEAST * whole}
    total = math.fsum(kept.values())
    hundredths = {label: round(100 * w / total) for label, w in kept.items()}
    most = max(hundredths, key=lambda label: hundredths[label])
    hundredths[most] += 100 - sum(hundredths.values())
    return Emotion.mixture({label: count / 100 for label, count in hundredths.items()})


def _around(track: EmotionTrack, seconds: float, gap: float) -> list[float]:
    """What a track shows about a moment, on average over the gap between keyframes."""
    offsets = [gap * ((i + 0.5) / SAMPLES - 0.5) for i in range(SAMPLES)]
    shown = [track.at(max(0.0, seconds + offset)).shown.weights for offset in offsets]
    return [math.fsum(column) / SAMPLES for column in zip(*shown, strict=True)]


def _telling(keyframes: Sequence[Keyframe]) -> list[Keyframe]:
    """Without the keyframes in the middle of three alike."""
    kept = [keyframes[0]]
    for one, after in pairwise(keyframes[1:]):
        if not (_alike(kept[-1], one) and _alike(one, after)):
            kept.append(one)
    last = keyframes[-1]
    return kept if len(kept) == 1 and _alike(kept[0], last) else [*kept, last]


def _alike(one: Keyframe, other: Keyframe) -> bool:
    pairs = zip(one.emotion.weights, other.emotion.weights, strict=True)
    return max(abs(a - b) for a, b in pairs) <= LEAST
