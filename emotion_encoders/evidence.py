"""Evidence: what one encoder saw; fuse() makes one track of what several saw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, get_args

from emotion_encoders.agreement import divergence
from emotion_encoders.emotion import FACE8, Emotion, EmotionError, Vocabulary, normalised, pooled
from emotion_encoders.mapping import translate_track
from emotion_encoders.track import EmotionTrack, Keyframe

Modality = Literal["text", "voice", "face", "scene", "fused"]
Policy = Literal["voice", "text", "blend", "ask"]

# Two sources are in conflict when, over time, they differ by more than half of what they could differ and
# both are fairly sure. Both numbers are judgement.
CONFLICT_DIVERGENCE = 0.5  # bits
CONFLICT_CONFIDENCE = 0.5
LOOKED_UP = 0.5  # how much an affect looked up from labels counts beside one that was measured; judgement too


class EmotionConflict(EmotionError):  # noqa: N818 - a question to the user rather than a fault
    """Two sources contradict each other and the policy is to ask."""


@dataclass(frozen=True)
class Evidence:
    """What an encoder saw, over time.

    `affect_learned` says that the valence and arousal were measured by the encoder rather than looked up
    from its labels.
    """

    track: EmotionTrack
    modality: Modality
    confidence: float  # calibrated: the share of such cases in which the encoder is right
    weights: str  # name of the weights that saw it
    affect_learned: bool = False

    def __post_init__(self) -> None:
        if self.modality not in get_args(Modality):
            raise EmotionError(f"{self.modality!r} is not a modality; use {', '.join(get_args(Modality))}.")
        if not 0 <= self.confidence <= 1:
            raise EmotionError(f"Confidence is {self.confidence}; it must lie between 0 and 1.")


@dataclass(frozen=True)
class Conflict:
    """Two modalities that contradict each other, and by how many bits."""

    between: tuple[Modality, Modality]
    divergence: float


@dataclass(frozen=True)
class Fusion:
    """One evidence made of several, the worst contradiction among them, and what was done, in a sentence."""

    evidence: Evidence
    conflict: Conflict | None
    reason: str


def fuse(
    evidence: Sequence[Evidence | None],
    *,
    policy: Policy = "blend",
    vocabulary: Vocabulary = FACE8,
    wish: EmotionTrack | None = None,
) -> Fusion:
    """Late fusion: at each moment the average of what the sources show, weighted by their confidence.

    None stands for a modality that is missing. The policy says what to do when sources contradict each
    other: follow the voice or the text against the rest, blend all the same, or ask (raise EmotionConflict).
    A wish is what the user asked for in so many words: it is followed, whatever was seen or heard.
    """
    if policy not in get_args(Policy):
        raise EmotionError(f"{policy!r} is not a policy; use {', '.join(get_args(Policy))}.")
    sources = _counted(evidence, vocabulary)
    if wish is not None:
        granted = Evidence(translate_track(wish, vocabulary).track, "fused", 1.0, "asked for")
        return Fusion(granted, None, f"asked for, which goes before {_names(sources) or 'all else'}")
    if not sources:
        raise EmotionError(
            "Nothing was seen or heard with any confidence; give an emotion instead of 'auto'."
        )

    conflicts = _conflicts(sources)
    if conflicts and policy == "ask":
        raise EmotionConflict(_question(sources, conflicts[0]))

    reason = f"from {_names(sources)}"
    if conflicts:
        reason = f"{' and '.join(conflicts[0].between)} contradict each other; blended by confidence"
    against = {name for conflict in conflicts if policy in conflict.between for name in conflict.between}
    if against:
        sources = [
            source for source in sources if source.modality == policy or source.modality not in against
        ]
        reason = f"{' and '.join(sorted(against))} contradict each other; the {policy} was followed"
    return Fusion(_blended(sources), conflicts[0] if conflicts else None, reason)


def decisiveness(
    evidence: Sequence[Evidence | None], *, policy: Policy = "blend", vocabulary: Vocabulary = FACE8
) -> dict[Modality, float]:
    """How much each modality decides: how far the fusion would move without it, in bits averaged over time.

    0 is a modality that changes nothing, 1 one that changes everything, as one that is alone does. Where the
    policy is to ask, the shift of the blend is measured.
    """
    settled: Policy = "blend" if policy == "ask" else policy
    sources = _counted(evidence, vocabulary)
    shifts: dict[Modality, float] = {}
    for source in sources:
        modality: Modality = source.modality
        others = [other for other in sources if other.modality != modality]
        if not others:
            shifts[modality] = 1.0
        elif modality not in shifts:
            whole, rest = (fuse(part, policy=settled, vocabulary=vocabulary) for part in (sources, others))
            shifts[modality] = _mean_divergence(whole.evidence.track, rest.evidence.track)
    return shifts


def _counted(evidence: Sequence[Evidence | None], vocabulary: Vocabulary) -> list[Evidence]:
    """The sources that are there and saw anything, in one vocabulary."""
    sources = [_translated(source, vocabulary) for source in evidence if source is not None]
    return [source for source in sources if source.confidence > 0]


def _translated(source: Evidence, vocabulary: Vocabulary) -> Evidence:
    """The same in one vocabulary; what got lost on the way is confidence lost."""
    mapped = translate_track(source.track, vocabulary)
    confidence = source.confidence * (1 - mapped.lost)
    return Evidence(mapped.track, source.modality, confidence, source.weights, source.affect_learned)


def _blended(sources: Sequence[Evidence]) -> Evidence:
    if len(sources) == 1:
        return sources[0]
    total = math.fsum(source.confidence for source in sources)
    shares = [source.confidence / total for source in sources]

    # Between its keys the distribution that a track shows is linear in time, so the keys of all are enough.
    moments = sorted({keyframe.seconds for source in sources for keyframe in source.track.keyframes})
    keyframes = [Keyframe(seconds, _at(sources, shares, seconds)) for seconds in moments]
    return Evidence(
        EmotionTrack(tuple(keyframes)),
        "fused",
        min(1.0, math.fsum(s * source.confidence for s, source in zip(shares, sources, strict=True))),
        " + ".join(source.weights for source in sources),
        any(source.affect_learned for source in sources),
    )


def _at(sources: Sequence[Evidence], shares: Sequence[float], seconds: float) -> Emotion:
    """The blend at a moment; in its affect what was measured counts more than what was looked up."""
    emotions = [source.track.at(seconds) for source in sources]
    blend = pooled(emotions, shares)
    if len({source.affect_learned for source in sources}) == 1:
        return blend
    counts = [
        share if source.affect_learned else LOOKED_UP * share
        for source, share in zip(sources, shares, strict=True)
    ]
    weighed = pooled(emotions, normalised(counts))
    return replace(blend, affect=weighed.affect) if weighed.intensity > 0 else blend


def _conflicts(sources: Sequence[Evidence]) -> list[Conflict]:
    """The pairs that contradict each other, the worst first."""
    sure = [source for source in sources if source.confidence >= CONFLICT_CONFIDENCE]
    found = [
        Conflict((a.modality, b.modality), _contradiction(a.track, b.track)) for a, b in combinations(sure, 2)
    ]
    worst_first = sorted(found, key=lambda conflict: -conflict.divergence)
    return [conflict for conflict in worst_first if conflict.divergence > CONFLICT_DIVERGENCE]


def _contradiction(a: EmotionTrack, b: EmotionTrack) -> float:
    """Mean divergence over the moments of both; who is mostly neutral contradicts nobody."""
    moments = sorted({keyframe.seconds for track in (a, b) for keyframe in track.keyframes})
    total = 0.0
    for seconds in moments:
        x, y = a.at(seconds), b.at(seconds)
        if min(_felt(x), _felt(y)) >= 0.5:
            total += divergence(x, y)
    return total / len(moments)


def _mean_divergence(a: EmotionTrack, b: EmotionTrack) -> float:
    moments = sorted({keyframe.seconds for track in (a, b) for keyframe in track.keyframes})
    return math.fsum(divergence(a.at(seconds), b.at(seconds)) for seconds in moments) / len(moments)


def _felt(emotion: Emotion) -> float:
    """The share of what is shown that is not neutral."""
    neutral = emotion.probability("neutral") if emotion.vocabulary.has_neutral else 0.0
    return emotion.intensity * (1 - neutral)


def _names(sources: Sequence[Evidence]) -> str:
    return ", ".join(f"{source.modality} ({source.confidence:.2f})" for source in sources)


def _question(sources: Sequence[Evidence], conflict: Conflict) -> str:
    views = [
        f"{source.modality} starts with {source.track.at(0).top} (confidence {source.confidence:.2f})"
        for source in sources
        if source.modality in conflict.between
    ]
    return f"The sources contradict each other: {', '.join(views)}. Choose one of them, or 'blend'."
