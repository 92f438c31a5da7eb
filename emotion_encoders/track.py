"""EmotionTrack: emotion over the seconds of a clip, and its text notation.

track   = EMOTION (for the whole clip) or SECONDS:EMOTION separated by spaces
EMOTION = [vocabulary/]label[*weight][+label[*weight]...][@intensity] or [vocabulary/]va(v,a)[@intensity]
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

from emotion_encoders.emotion import FACE8, Affect, Emotion, EmotionError, Vocabulary, vocabulary

LONGEST_TEXT = 10_000  # characters
LONGEST_SECONDS = 86_400.0  # a day; more is a slip of the hand

# A number as the notation knows it; float() alone would also take '1_0', 'nan' and 'infinity'.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_POINT = re.compile(r"va\(([^,()]*),([^,()]*)\)", re.IGNORECASE)
# Spaces separate keyframes, except inside the brackets of va(v, a).
_KEYFRAME = re.compile(r"(?:\([^()]*\)|\S)+")
# A plus joins labels, except in an exponent such as 1e+3.
_PLUS = re.compile(r"(?<![0-9.][eE])\+")


@dataclass(frozen=True)
class Keyframe:
    """An emotion that is reached at a moment."""

    seconds: float
    emotion: Emotion

    def __post_init__(self) -> None:
        if not 0 <= self.seconds <= LONGEST_SECONDS:
            raise EmotionError(
                f"The time is {self.seconds} s; it must lie between 0 and {LONGEST_SECONDS:.0f} s."
            )


@dataclass(frozen=True)
class EmotionTrack:
    """Keyframes in order of time; between two of them what is shown moves on a straight line.

    >>> track = EmotionTrack.parse("0:neutral 2:happy@.8")
    >>> str(track)
    '0:neutral 2:happiness@0.8'
    >>> track.at(1).shown.probability("happiness")
    0.4
    """

    keyframes: tuple[Keyframe, ...]

    def __post_init__(self) -> None:
        if not self.keyframes:
            raise EmotionError("A track needs an emotion, such as 'happiness' or '0:neutral 2:anger'.")
        names = sorted({keyframe.emotion.vocabulary.name for keyframe in self.keyframes})
        if len(names) > 1:
            raise EmotionError(
                f"A track speaks one vocabulary, but {' and '.join(names)} came; write it all in one of them."
            )
        for number, (earlier, later) in enumerate(pairwise(self.keyframes), start=2):
            if earlier.seconds >= later.seconds:
                raise EmotionError(
                    f"Times must increase, but keyframe {number} at {_text(later.seconds)} s follows one at "
                    f"{_text(earlier.seconds)} s; put them in order and name each moment once."
                )

    @classmethod
    def constant(cls, emotion: Emotion) -> EmotionTrack:
        """One emotion for the whole clip."""
        return cls((Keyframe(0.0, emotion),))

    @classmethod
    def parse(cls, text: str, vocabulary: Vocabulary = FACE8) -> EmotionTrack:
        """Read the notation; labels without a vocabulary before them belong to the one given.

        >>> EmotionTrack.parse("suprise")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        emotion_encoders.vocabulary.UnknownEmotion: 'suprise' is not ... Did you mean 'surprise'?
        """
        if len(text) > LONGEST_TEXT:
            raise EmotionError(f"The track is {len(text)} characters long; at most {LONGEST_TEXT} are read.")
        found = list(_KEYFRAME.finditer(text))
        if not found:
            raise EmotionError("The track is empty; write for example 'happiness' or '0:neutral 2:anger'.")

        keyframes: list[Keyframe] = []
        for number, match in enumerate(found, start=1):
            piece = match.group()
            try:
                keyframes.append(_keyframe(piece, vocabulary, is_alone=len(found) == 1))
            except EmotionError as error:
                if piece == text:
                    raise
                shown = piece if len(piece) <= 60 else piece[:60] + "…"
                where = f"Keyframe {number} ({shown!r}, at character {match.start() + 1})"
                raise type(error)(f"{where}: {error}") from None
        return cls(tuple(keyframes))

    def __str__(self) -> str:
        """The notation that parse() reads back to an equal track."""
        return self.text(FACE8)

    def text(self, vocabulary: Vocabulary) -> str:
        """The notation as written where that vocabulary is the job's own."""
        pieces = [(k.seconds, emotion_text(k.emotion, vocabulary)) for k in self.keyframes]
        if len(pieces) == 1 and pieces[0][0] == 0:
            return pieces[0][1]
        return " ".join(f"{_text(seconds)}:{emotion}" for seconds, emotion in pieces)

    @property
    def vocabulary(self) -> Vocabulary:
        return self.keyframes[0].emotion.vocabulary

    def at(self, seconds: float) -> Emotion:
        """The emotion at a moment; before the first keyframe and after the last one theirs holds."""
        if math.isnan(seconds):
            raise EmotionError("The time is not a number; ask for a moment in seconds.")
        after = bisect_right(self.keyframes, seconds, key=lambda keyframe: keyframe.seconds)
        if after == 0:
            return self.keyframes[0].emotion
        start = self.keyframes[after - 1]
        if after == len(self.keyframes) or start.seconds == seconds:
            return start.emotion
        end = self.keyframes[after]
        return start.emotion.blend(end.emotion, (seconds - start.seconds) / (end.seconds - start.seconds))

    def per_frame(self, n: int, fps: float) -> list[Emotion]:
        """The emotion of each of n frames; frame i lies at i / fps seconds."""
        if n < 0 or not 0 < fps < math.inf:
            raise EmotionError(f"{n} frames at {fps} fps came; frames must be 0 or more and fps above 0.")
        return [self.at(i / fps) for i in range(n)]


def emotion_text(emotion: Emotion, own: Vocabulary) -> str:
    """One emotion in the notation.

    An affect that a recogniser measured apart from the labels has no notation; the labels are written then.
    """
    prefix = "" if emotion.vocabulary == own else emotion.vocabulary.name + "/"
    suffix = "" if emotion.intensity == 1 else "@" + _text(emotion.intensity)
    shares = {
        label: weight
        for label, weight in zip(emotion.vocabulary.labels, emotion.weights, strict=True)
        if weight > 0
    }
    is_point = emotion == Emotion.from_affect(emotion.affect, emotion.vocabulary, emotion.intensity)
    if is_point and emotion.affect != emotion.vocabulary.affect_of(emotion.weights):
        body = f"va({_text(emotion.affect.valence)},{_text(emotion.affect.arousal)})"
    else:
        # A share within rounding of 1 is written too: it must read back as it is.
        terms = [label if share == 1 else f"{label}*{_text(share)}" for label, share in shares.items()]
        body = "+".join(terms)
    return prefix + body + suffix


def _text(number: float) -> str:
    """The shortest text that reads back to the same float."""
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def _number(text: str, what: str) -> float:
    if not _NUMBER.fullmatch(text) or not math.isfinite(value := float(text)):
        raise EmotionError(f"{what} {text[:40]!r} is not a number.")
    return value + 0.0  # -0 becomes 0


def _keyframe(piece: str, own: Vocabulary, *, is_alone: bool) -> Keyframe:
    time, colon, what = piece.rpartition(":")
    if what.casefold() == "auto":
        raise EmotionError(
            "'auto' is not a track but the request to infer one from the voice or the words; "
            "give it alone, as the emotion of a job."
        )
    if colon:
        return Keyframe(_number(time, "The time in seconds"), parse_emotion(what, own))
    if not is_alone:
        raise EmotionError(
            f"It has no time, which only a lone emotion may lack; write for example '1.5:{piece[:40]}'."
        )
    return Keyframe(0.0, parse_emotion(what, own))


def parse_emotion(text: str, own: Vocabulary) -> Emotion:
    """Read one emotion of the notation; without a vocabulary before it, it belongs to the one given."""
    body, at, suffix = text.partition("@")
    intensity = _number(suffix, "The intensity") if at else 1.0
    name, slash, rest = body.partition("/")
    if slash:
        own, body = vocabulary(name), rest
    if not body:
        raise EmotionError(f"The emotion is missing; use one of {', '.join(own.labels)}, or va(v,a).")

    if point := _POINT.fullmatch(body):
        valence, arousal = point.groups()
        affect = Affect(_number(valence.strip(), "The valence"), _number(arousal.strip(), "The arousal"))
        return Emotion.from_affect(affect, own, intensity)
    if body.casefold().startswith("va("):
        raise EmotionError(f"{body[:40]!r} is not a point; write va(VALENCE,AROUSAL), such as va(-0.6,0.7).")

    weights: dict[str, float] = {}
    for term in _PLUS.split(body):
        word, star, weight = term.partition("*")
        label = own.resolve(word)
        if label in weights:
            raise EmotionError(f"{label!r} is named twice; name each emotion of a mixture once.")
        weights[label] = _number(weight, f"The weight of {label!r}") if star else 1.0
    return Emotion.mixture(weights, own, intensity)
