"""The speaking mouth: how jaw and lips make the sounds of a voice, also through an expression.

Lips that speak must meet at p, b, m and open for vowels whatever the face feels. So the distance between the
inner lips is decided first, and the coefficients are chosen to give exactly that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipelines.portrait.arkit import ARKIT, columns, index
from pipelines.portrait.voice import Voice

Array = NDArray[np.float64]

# How far one coefficient at 1 parts the inner lips, in distances between the outer eye corners: what the
# rig's sculpted shapes do at the middle of the lips. The others leave it alone.
LIP_GAP: dict[str, float] = {
    "jawOpen": 0.36,
    "mouthClose": -0.42,
    "mouthFunnel": 0.15,
    "mouthLowerDown": 0.037,
    "mouthUpperUp": 0.039,
    "mouthRollLower": -0.03,
    "mouthShrugLower": -0.075,
    "mouthShrugUpper": 0.06,
    "mouthPress": -0.014,
}
VOWEL_GAP = 0.16  # the widest a neutral speaker's lips part; real ones reach .12 to .25
JAW_SHARE = 0.85  # the jaw's part in that; the lips do the rest
JAW_SECONDS = 0.03  # the jaw is slower than the lips (sigma)
LIFT = 0.35  # how far the lips alone part where the jaw stays up, as coefficients

_GAPS = np.zeros(len(ARKIT))
for _name, _gap in LIP_GAP.items():
    _GAPS[list(columns(_name))] = _gap
_JAW, _CLOSE = index("jawOpen"), index("mouthClose")
_LIPS = [*columns("mouthLowerDown"), *columns("mouthUpperUp")]
_RAISERS = [
    *columns("mouthLowerDown"),
    *columns("mouthUpperUp"),
    index("mouthFunnel"),
    index("mouthShrugUpper"),
]


def lip_gap(coefficients: NDArray[np.floating]) -> Array:
    """How far apart (T,) coefficients (T, 52) want the inner lips, in outer-eye-corner distances."""
    return np.clip(coefficients @ _GAPS, 0, None)


def articulate(voice: Voice, expression: Array, emphasis: Array, fps: float) -> Array:
    """Coefficients (T, 52) of a face that holds an expression (T, 52) and speaks."""
    speech = _shapes(voice)
    face = 1 - (1 - np.clip(expression, 0, 1)) * (1 - speech)  # both at once, never above 1
    for column in (*columns("mouthSmile"), *columns("mouthStretch")):
        face[:, column] *= 1 - 0.35 * voice.rounding  # rounded lips pull the corners in

    # What the expression opens stays open, except where the lips surely meet.
    wanted = VOWEL_GAP * emphasis * voice.opening + lip_gap(expression) * (1 - voice.seal**2)
    jaw = gaussian_filter1d(VOWEL_GAP * JAW_SHARE * emphasis * voice.jaw, JAW_SECONDS * fps, mode="nearest")
    face[:, _JAW] = np.clip(expression[:, _JAW] * (1 - 0.7 * voice.seal) + jaw / LIP_GAP["jawOpen"], 0, 0.9)
    return _fitted(face, wanted)


def _shapes(voice: Voice) -> Array:
    """What the sounds do to the lips, besides parting them."""
    shapes = np.zeros((voice.frames, len(ARKIT)))
    for name, curve in (
        ("mouthPucker", 0.5 * voice.rounding),
        ("mouthFunnel", 0.3 * voice.rounding),
        ("mouthStretch", 0.3 * voice.spread + 0.15 * voice.frication),
        ("mouthDimple", 0.15 * voice.spread),
        ("mouthLowerDown", 0.3 * voice.opening + 0.25 * voice.frication),
        ("mouthUpperUp", 0.12 * voice.opening + 0.15 * voice.frication + 0.3 * voice.tuck),
        ("mouthPress", 0.25 * voice.seal),
        ("mouthRollLower", 0.2 * voice.seal + 0.45 * voice.tuck),
        ("mouthRollUpper", 0.1 * voice.seal),
    ):
        shapes[:, list(columns(name))] = np.clip(curve, 0, 1)[:, None]
    return shapes


def _fitted(face: Array, wanted: Array) -> Array:
    """The same mouth with the wanted distance between its lips."""
    fixed = _GAPS.copy()
    fixed[_RAISERS] = 0
    raised = face[:, _RAISERS] @ _GAPS[_RAISERS]
    # Raised lips come down first; then mouthClose shuts them before an open jaw, or the jaw opens further.
    keep = np.clip(wanted / np.maximum(raised, 1e-6), 0, 1)
    face[:, _RAISERS] *= keep[:, None]
    missing = wanted - face @ _GAPS
    face[:, _CLOSE] = np.clip(-missing / -LIP_GAP["mouthClose"], 0, 1)
    # A jaw that is held up, as for s and i, leaves the parting to the lips as far as they can.
    lift = np.clip(missing / np.sum(_GAPS[_LIPS]), 0, LIFT)
    face[:, _LIPS] += lift[:, None]
    face[:, _JAW] += np.clip(missing - lift * np.sum(_GAPS[_LIPS]), 0, None) / LIP_GAP["jawOpen"]
    return np.clip(face, 0, 1)
