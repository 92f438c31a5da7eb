"""How each emotion looks on a face: ARKit prototypes after FACS, and how they come, hold and go.

The action units are those that EMFACS names for each emotion (Friesen & Ekman 1983, "EMFACS-7"; Ekman et
al. 2002, "Facial Action Coding System: Investigator's Guide"; for contempt Ekman & Friesen 1986, "A new
pan-cultural facial expression of emotion", Motivation and Emotion 10:159-168). ARKit's names for them: AU1
browInnerUp, AU2 browOuterUp, AU4 browDown, AU5 eyeWide, AU6 cheekSquint, AU7 eyeSquint, AU9 noseSneer, AU10
mouthUpperUp, AU12 mouthSmile, AU14 mouthDimple, AU15 mouthFrown, AU16 mouthLowerDown, AU17 mouthShrugLower,
AU20 mouthStretch, AU22 mouthFunnel, AU23 and 28 mouthRoll, AU24 mouthPress, AU25 and 26 jawOpen, AU29
jawForward, AU43 eyeBlink. The strengths are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from emotion_encoders.emotion import FACE8
from emotion_encoders.mapping import translate_track
from emotion_encoders.track import EmotionTrack
from pipelines.portrait.arkit import ARKIT, columns

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Prototype:
    """One emotion at full intensity. A name without Left or Right means both sides."""

    face: Mapping[str, float]  # brows, lids, cheeks, nose: with and without speech
    silent: Mapping[str, float]  # the mouth at rest
    spoken: Mapping[str, float]  # the mouth while speaking: it leaves lips and jaw to the speech
    onset: float  # seconds to two thirds of the way
    offset: float
    head: tuple[float, float, float] = (0.0, 0.0, 0.0)  # pitch (down), yaw, roll in degrees
    approach: float = 0.0  # towards the viewer, in outer-eye-corner distances
    emphasis: float = 1.0  # how widely it speaks and nods, against neutral
    gaze: float = 0.0  # degrees, down
    rows: Array = field(init=False)  # (3, 52): face, silent, spoken

    def __post_init__(self) -> None:
        rows = np.zeros((3, len(ARKIT)))
        for row, part in zip(rows, (self.face, self.silent, self.spoken), strict=True):
            for name, value in part.items():
                row[list(columns(name))] = value
        object.__setattr__(self, "rows", rows)


# Surprise is the quickest and shortest of emotions, sadness the slowest and longest (Ekman 2003, "Emotions
# Revealed"); all leave more slowly than they come.
PROTOTYPES: Mapping[str, Prototype] = MappingProxyType(
    {
        "happiness": Prototype(  # 6 + 12 (+ 25)
            face={"cheekSquint": 0.75, "eyeSquint": 0.25, "browOuterUp": 0.08},
            silent={"mouthSmile": 0.85, "mouthUpperUp": 0.25, "mouthDimple": 0.15, "jawOpen": 0.06},
            spoken={"mouthSmile": 0.8, "mouthUpperUp": 0.28, "mouthDimple": 0.1},
            onset=0.22,
            offset=0.5,
            head=(-0.8, 0.0, 1.5),
            emphasis=1.1,
        ),
        "sadness": Prototype(  # 1 + 4 + 15 (+ 11, 17), lids droop (43 slight), gaze and head down
            face={
                "browInnerUp": 1.0,
                "browDown": 0.75,
                "eyeBlink": 0.3,
                "eyeSquint": 0.2,
                "cheekSquint": 0.15,
            },
            silent={"mouthFrown": 0.95, "mouthShrugLower": 0.5, "mouthPress": 0.1, "mouthUpperUp": 0.05},
            spoken={"mouthFrown": 0.9, "mouthShrugLower": 0.2, "mouthUpperUp": 0.2},
            onset=0.45,
            offset=0.8,
            head=(3.0, 0.0, 1.2),
            approach=-0.01,
            emphasis=0.75,
            gaze=10.0,
        ),
        "anger": Prototype(  # 4 + 5 + 7 + 23/24 (+ 9, 10, 17, 29); with speech 10 + 16 bare the teeth
            face={"browDown": 0.95, "eyeWide": 0.4, "eyeSquint": 0.6, "noseSneer": 0.6, "cheekSquint": 0.15},
            silent={
                "mouthPress": 0.65,
                "mouthFrown": 0.4,
                "mouthRollLower": 0.2,
                "mouthRollUpper": 0.25,
                "mouthShrugLower": 0.3,
                "jawForward": 0.3,
            },
            spoken={
                "mouthFrown": 0.4,
                "mouthPress": 0.2,
                "mouthUpperUp": 0.4,
                "mouthLowerDown": 0.3,
                "mouthRollUpper": 0.1,
                "jawForward": 0.25,
            },
            onset=0.18,
            offset=0.5,
            head=(2.6, 0.0, 0.0),
            approach=0.03,
            emphasis=1.5,
        ),
        "surprise": Prototype(  # 1 + 2 + 5 + 26
            face={"browInnerUp": 0.9, "browOuterUp": 0.95, "eyeWide": 0.95},
            silent={"jawOpen": 0.4, "mouthFunnel": 0.12},
            spoken={"jawOpen": 0.37, "mouthFunnel": 0.12, "mouthUpperUp": 0.08},
            onset=0.1,
            offset=0.35,
            head=(-2.2, 0.0, 0.0),
            approach=-0.025,
            emphasis=1.4,
        ),
        "fear": Prototype(  # 1 + 2 + 4 + 5 + 7 + 20 + 25 or 26; it screams on vowels rather than gapes
            face={
                "browInnerUp": 1.0,
                "browOuterUp": 0.2,
                "browDown": 0.9,
                "eyeWide": 1.0,
                "eyeSquint": 0.2,
                "noseSneer": 0.15,
            },
            silent={
                "mouthStretch": 1.0,
                "mouthLowerDown": 0.75,
                "mouthUpperUp": 0.35,
                "mouthFrown": 0.5,
                "jawOpen": 0.3,
            },
            spoken={
                "mouthStretch": 1.0,
                "mouthLowerDown": 0.75,
                "mouthUpperUp": 0.5,
                "mouthFrown": 0.6,
                "jawOpen": 0.3,
            },
            onset=0.14,
            offset=0.5,
            head=(-2.0, 0.0, 0.0),
            approach=-0.03,
            emphasis=1.7,
        ),
        # A nose that wrinkles draws the brows together by itself: pulling them down too is read as anger.
        "disgust": Prototype(  # 9 + 15 + 16 or 10 (+ 4, 17), eyes narrowed; the jaw stays up
            face={
                "noseSneer": 0.7,
                "browDown": 0.2,
                "browInnerUp": 0.5,
                "cheekSquint": 0.6,
                "eyeSquint": 0.6,
                "eyeBlink": 0.2,
            },
            silent={"mouthUpperUp": 0.55, "mouthFrown": 0.75, "mouthLowerDown": 0.2, "mouthShrugLower": 0.4},
            spoken={"mouthUpperUp": 0.55, "mouthFrown": 0.75, "mouthLowerDown": 0.1, "mouthShrugLower": 0.3},
            onset=0.24,
            offset=0.5,
            head=(-0.6, 1.2, -1.0),
            approach=-0.02,
            emphasis=0.75,
        ),
        "contempt": Prototype(  # 12 + 14 on one side (+ 17)
            face={"eyeSquint": 0.25, "browOuterUpRight": 0.3, "browDownLeft": 0.2, "noseSneerRight": 0.15},
            silent={
                "mouthSmileRight": 0.4,
                "mouthDimpleRight": 0.8,
                "mouthPress": 0.35,
                "mouthShrugLower": 0.25,
            },
            spoken={
                "mouthSmileRight": 0.35,
                "mouthDimpleRight": 0.7,
                "mouthPress": 0.15,
                "mouthShrugLower": 0.15,
            },
            onset=0.3,
            offset=0.6,
            head=(-2.0, 0.0, 2.5),
            emphasis=0.85,
        ),
    }
)

LABELS = tuple(label for label in FACE8.labels if label != "neutral")


@dataclass(frozen=True)
class Expression:
    """How much of each emotion a face shows at each frame, (T, 7) in [0, 1], in the order of LABELS."""

    shares: Array

    def coefficients(self, speaking: Array) -> Array:
        """ARKit coefficients (T, 52) of the expression alone; `speaking` (T,) frees the mouth for speech."""
        face, silent, spoken = np.stack([PROTOTYPES[label].rows for label in LABELS], axis=1)  # (7, 52) each
        rest, talk = self.shares @ silent, self.shares @ spoken
        return self.shares @ face + rest + speaking[:, None] * (talk - rest)

    def mean(self, trait: str) -> Array:
        """A trait of the prototypes (T,) or (T, k), weighted by what is shown; 0 for neutral."""
        return self.shares @ np.array([getattr(PROTOTYPES[label], trait) for label in LABELS], dtype=float)

    @property
    def emphasis(self) -> Array:
        """How widely the voice is acted out (T,); 1 for neutral."""
        return 1 + self.mean("emphasis") - self.shares.sum(axis=1)


def express(track: EmotionTrack, *, frames: int, fps: float) -> Expression:
    """The track as a face follows it: each emotion comes and goes at its own pace."""
    emotions = translate_track(track, FACE8).track.per_frame(frames, fps)
    asked = np.array([[e.intensity * e.probability(label) for label in LABELS] for e in emotions])
    rise = np.array([PROTOTYPES[label].onset for label in LABELS])
    fall = np.array([PROTOTYPES[label].offset for label in LABELS])
    return Expression(_followed(asked, rise, fall, fps))


def _followed(asked: Array, rise: Array, fall: Array, fps: float) -> Array:
    """Two lags in a row, each quicker up than down; what holds at the first frame is there already."""
    shown = np.empty_like(asked)
    first = second = asked[0]
    up, down = (1 - np.exp(-2 / fps / seconds) for seconds in (rise, fall))
    for frame, target in enumerate(asked):
        first = first + np.where(target > first, up, down) * (target - first)
        second = second + np.where(first > second, up, down) * (first - second)
        shown[frame] = second
    return shown
