"""Agreement: how far the emotion that was seen is the emotion that was asked for; pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from emotion_encoders.emotion import Emotion, EmotionError
from emotion_encoders.track import EmotionTrack

LONGEST_LAG_SECONDS = 1.0
LEAST_CORRELATION = (
    0.3  # below this, what was seen does not follow what was asked, and has no lag (judgement)
)
_FLAT = 1e-9  # a signal that moves less than this is constant


@dataclass(frozen=True)
class Agreement:
    """The asked track against what a recogniser saw; None is what could not be measured, never 0.

    Frames in which no face was found, and moments whose asked emotion the vocabulary cannot name (intensity
    0 without a neutral), are left out of the means; `faces_found` of `frames` says how much was seen.
    """

    judge: str | None  # name of the recogniser that looked
    judge_accuracy: float | None  # its own accuracy, on its own test
    frames: int
    faces_found: int
    top1: float | None  # share of frames whose most probable emotion is the one most asked for
    probability: float | None  # mean probability of what was asked, in the asked mixture
    divergence: float | None  # mean Jensen-Shannon divergence in bits: 0 the same, 1 nothing in common
    valence_ccc: float | None  # concordance over time, in [-1, 1]; None while the asked valence stands still
    arousal_ccc: float | None
    lag_seconds: float | None  # how much later than asked it is seen
    judge_n: int | None = None  # on how many cases its accuracy was measured


def agree(
    asked: EmotionTrack,
    seen: Sequence[Emotion | None],
    fps: float,
    *,
    judge: str | None = None,
    judge_accuracy: float | None = None,
    judge_n: int | None = None,
) -> Agreement:
    """Compare a track with what was seen in each frame (None where no face was found).

    >>> asked = EmotionTrack.parse("happiness")
    >>> agree(asked, [Emotion.of("happiness"), None, Emotion.of("sadness")], 25).top1
    0.5
    >>> agree(asked, [None, None], 25).top1 is None
    True
    """
    wanted = asked.per_frame(len(seen), fps)
    found = [(w, s) for w, s in zip(wanted, seen, strict=True) if s is not None]
    for _, s in found:
        if s.vocabulary != asked.vocabulary:
            raise EmotionError(
                f"The asked track speaks {asked.vocabulary.name!r}, but {s.vocabulary.name!r} was seen; "
                "translate the track first."
            )
    nameable = [(w, s) for w, s in found if w.intensity > 0 or w.vocabulary.has_neutral]
    return Agreement(
        judge=judge,
        judge_accuracy=judge_accuracy,
        frames=len(seen),
        faces_found=len(found),
        top1=_mean([float(_is_hit(w, s)) for w, s in nameable]),
        probability=_mean([wanted_probability(w, s) for w, s in nameable]),
        divergence=_mean([divergence(w, s) for w, s in nameable]),
        valence_ccc=_moving_ccc([(w.shown.affect.valence, s.shown.affect.valence) for w, s in found]),
        arousal_ccc=_moving_ccc([(w.shown.affect.arousal, s.shown.affect.arousal) for w, s in found]),
        lag_seconds=_lag(asked, seen, fps),
        judge_n=judge_n,
    )


def wanted_probability(asked: Emotion, seen: Emotion) -> float:
    """The seen probability of each label, averaged by how much of that label is to show.

    >>> wanted_probability(Emotion.of("anger", intensity=0), Emotion.of("neutral"))
    1.0
    """
    # Without a neutral the missing intensity has no label, so the labels are averaged as they are.
    shown = asked.shown if asked.vocabulary.has_neutral else asked
    return math.fsum(a * s for a, s in zip(shown.weights, seen.shown.weights, strict=True))


def divergence(a: Emotion, b: Emotion) -> float:
    """Jensen-Shannon divergence of what two emotions show (Lin 1991), in bits."""
    total = 0.0
    for p, q in zip(a.shown.weights, b.shown.weights, strict=True):
        middle = (p + q) / 2
        total += sum(0.5 * x * math.log2(x / middle) for x in (p, q) if x > 0 and middle > 0)
    return max(0.0, min(1.0, total))


def ccc(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Concordance correlation coefficient (Lin 1989, "A concordance correlation coefficient to evaluate
    reproducibility", Biometrics 45:255-268); None for fewer than two points or two equal constants.

    >>> ccc([0, 1, 2], [0, 1, 2]), ccc([0, 1, 2], [2, 1, 0])
    (1.0, -1.0)
    """
    mean_x, mean_y = _mean(x), _mean(y)
    if len(x) < 2 or mean_x is None or mean_y is None:
        return None
    covariance = math.fsum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / len(x)
    variance_x = math.fsum((a - mean_x) ** 2 for a in x) / len(x)
    variance_y = math.fsum((b - mean_y) ** 2 for b in y) / len(y)
    scale = variance_x + variance_y + (mean_x - mean_y) ** 2
    return None if scale == 0 else 2 * covariance / scale


def _is_hit(asked: Emotion, seen: Emotion) -> bool:
    """Whether the top of what was seen is the top, or ties with the top, of what was asked.

    A weak emotion may be seen as what it is called or as the neutral it mostly is.
    """
    accepted = (asked.shown,) if asked.intensity == 0 else (asked, asked.shown)
    top = seen.shown.top
    return any(emotion.probability(top) >= max(emotion.weights) - _FLAT for emotion in accepted)


def _moving_ccc(pairs: Sequence[tuple[float, float]]) -> float | None:
    """CCC where the asked signal moves: against a constant it is 0 whatever was seen, which says nothing."""
    asked, seen = [a for a, _ in pairs], [s for _, s in pairs]
    return ccc(asked, seen) if _moves(asked) else None


def _lag(asked: EmotionTrack, seen: Sequence[Emotion | None], fps: float) -> float | None:
    """The shift at which what was seen correlates best with what was asked; None if nothing moved along."""
    found = [i for i, emotion in enumerate(seen) if emotion is not None]
    shown = [emotion.shown.weights for emotion in seen if emotion is not None]
    reach = min(round(LONGEST_LAG_SECONDS * fps), len(seen) // 2)
    # The track has a value before and after the clip too, so every shift can use every frame.
    wanted = {i: asked.at(i / fps).shown.weights for i in range(-reach, len(seen) + reach)}
    moving = [k for k in range(len(asked.vocabulary.labels)) if _moves([w[k] for w in wanted.values()])]

    best_lag, best = None, LEAST_CORRELATION
    for lag in sorted(range(-reach, reach + 1), key=abs):  # of equals the smallest shift
        x = [[wanted[i - lag][k] for i in found] for k in moving]
        y = [[weights[k] for weights in shown] for k in moving]
        correlation = _correlation(x, y)
        if correlation is not None and correlation > best + _FLAT:
            best_lag, best = lag, correlation
    return None if best_lag is None else best_lag / fps


def _correlation(x: Sequence[Sequence[float]], y: Sequence[Sequence[float]]) -> float | None:
    """Pearson correlation of two signals of several channels; None if one of them stands still."""
    x, y = [_centred(channel) for channel in x], [_centred(channel) for channel in y]
    energy_x = math.fsum(a * a for channel in x for a in channel)
    energy_y = math.fsum(b * b for channel in y for b in channel)
    if min(energy_x, energy_y) < _FLAT:
        return None
    both = math.fsum(a * b for p, q in zip(x, y, strict=True) for a, b in zip(p, q, strict=True))
    return both / math.sqrt(energy_x * energy_y)


def _centred(channel: Sequence[float]) -> list[float]:
    mean = _mean(channel)
    return [] if mean is None else [value - mean for value in channel]


def _moves(signal: Sequence[float]) -> bool:
    return len(signal) > 0 and max(signal) - min(signal) > _FLAT


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
