"""What a voice tells about the mouth that made it: lips, jaw, loudness and stress per video frame.

The lips are heard by a small network (`pipelines.portrait.lips`) and by signal processing
(`pipelines.portrait.signal`) together; without a network the signal alone moves them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, minimum_filter1d

from pipelines.portrait import lips as learned
from pipelines.portrait.lips import LipNetwork
from pipelines.portrait.signal import STEPS, Curve, Signal, analysed, resampled, smooth

# Lips move a little before the sound they make; a frame shows the mouth of this much later.
LEAD_SECONDS = 0.02
# Lips are no faster than this (sigma; about 50 ms from closed to open).
LIP_SECONDS = 0.02
# Lips that meet stay together this long at least, or a video frame could miss it.
SEAL_SECONDS = 0.03
# The chance that lips meet, below which they do not and from which on they do. Chosen on voices that were not
# learned from: nine of ten p, b and m are shut, half-way up, at the price of some closures too many.
UNMET, MET = 0.15, 0.45
SEAL_SIGMA = 0.015  # seconds
WIDEST_LEARNED = 0.7  # what the network says of an open vowel; means of many voices are never extreme
NETWORK_SHARE = 0.5  # of the opening; the rest is what the signal tells
# Below this opening the lips of a speaker meet.
SEALED = 0.12
# Speakers part their lips to breathe in before they speak: this far, this long before the first sound.
PARTED = 0.3
PARTED_SECONDS = 0.3
# Where the sound breaks off, the mouth takes this long to close.
END_SECONDS = 0.15
# Silence longer than this ends a phrase.
PAUSE_SECONDS = 0.25


class VoiceError(ValueError):
    """Sound that cannot drive a face; its text is one sentence for the user."""


@dataclass(frozen=True)
class Voice:
    """Features of a voice at video rate, each (T,) in [0, 1]; phrase_ends are seconds."""

    loudness: Curve  # from the clip's noise floor to its loud moments, on a dB scale
    opening: Curve  # how far the lips are apart
    jaw: Curve  # how far the jaw is down
    rounding: Curve  # o, u, w, r: lips forward
    spread: Curve  # i, e: lips wide
    seal: Curve  # p, b, m: the lips meet
    tuck: Curve  # f, v: the lower lip touches the teeth
    frication: Curve  # s, sh, f: teeth nearly closed
    voiced: Curve  # the vocal folds vibrate
    speaking: Curve  # within a phrase, pauses between words included
    stress: Curve  # pulses at the stressed syllables
    phrase_ends: tuple[float, ...]

    def __post_init__(self) -> None:
        curves = [getattr(self, f.name) for f in fields(self) if f.name != "phrase_ends"]
        if len({c.shape for c in curves}) != 1 or any(not np.isfinite(c).all() for c in curves):
            raise ValueError("The curves of a Voice must be finite and of one length.")
        if any(c.min() < 0 or c.max() > 1 for c in curves):
            raise ValueError("The curves of a Voice must lie between 0 and 1.")

    @property
    def frames(self) -> int:
        return len(self.loudness)


def listen(
    waveform: NDArray[np.floating], rate: int, *, frames: int, fps: float, lips: LipNetwork | None = None
) -> Voice:
    """The voice's features at each of `frames` video frames; after the end of the sound there is silence.

    Args:
        waveform: (N,) mono.
        rate: Samples a second, 4,000 to 768,000.
        frames: Video frames to make, from the sound's beginning.
        fps: Video frames a second.
        lips: Hears what the mouth does; the bundled network by default.

    Raises:
        VoiceError: the sound is not mono, too short, no numbers or of another rate.
    """
    sound = _checked(waveform, rate)
    signal = analysed(sound, rate)
    network = lips or LipNetwork.bundled()
    return _voice(signal, _by_network(signal, network(resampled(sound, rate, learned.RATE))), frames, fps)


def listen_without_network(waveform: NDArray[np.floating], rate: int, *, frames: int, fps: float) -> Voice:
    """The same from the signal alone; the network is measured against it."""
    signal = analysed(_checked(waveform, rate), rate)
    return _voice(signal, _by_signal(signal), frames, fps)


def _voice(signal: Signal, mouth: _Mouth | None, frames: int, fps: float) -> Voice:
    if mouth is None:
        return _silence(frames)
    phrases = _phrases(mouth.active)
    parted = PARTED * smooth(_ahead(mouth.active, PARTED_SECONDS) * (1 - phrases), 0.04)
    opening = np.clip((np.maximum(mouth.opening, parted) - 0.05) / 0.95, 0, 1)
    opening *= 1 - np.clip(2 * mouth.seal, 0, 1)  # lips that relax into each other are shut before they press
    moments = np.append(np.arange(signal.steps) / STEPS, signal.steps / STEPS + END_SECONDS)
    seconds = np.arange(frames) / fps + LEAD_SECONDS

    def at_frames(curve: Curve) -> Curve:
        return np.clip(np.interp(seconds, moments, np.append(curve, 0.0)), 0, 1)

    return Voice(
        loudness=at_frames(smooth(signal.loudness, 0.03)),
        opening=at_frames(opening),
        jaw=at_frames(mouth.jaw),
        rounding=at_frames(mouth.rounding),
        spread=at_frames(mouth.spread),
        seal=at_frames(mouth.seal),
        tuck=at_frames(mouth.tuck),
        frication=at_frames(mouth.frication),
        voiced=at_frames(smooth(signal.voiced, 0.02)),
        speaking=at_frames(smooth(phrases, 0.1)),
        stress=at_frames(_stress(signal.loudness * signal.voiced)),
        phrase_ends=tuple(float(s) for s in np.flatnonzero(np.diff(phrases) < 0) / STEPS),
    )


@dataclass(frozen=True)
class _Mouth:
    """Curves (S,) in [0, 1] as `Voice` has them, STEPS a second, and when a voice is heard."""

    opening: Curve
    jaw: Curve
    rounding: Curve
    spread: Curve
    seal: Curve
    tuck: Curve
    frication: Curve
    active: NDArray[np.bool_]


def _by_signal(signal: Signal) -> _Mouth | None:
    """What the signal alone tells; None if it is no voice."""
    if signal.is_steady or not signal.is_loud:
        return None
    active = (signal.energy > 0.35) | (signal.loudness * signal.voiced > 0.5)
    vowel = smooth(_vowel(signal), LIP_SECONDS)
    sounding = signal.voiced * signal.energy
    return _Mouth(
        opening=vowel,
        jaw=vowel,
        rounding=smooth(sounding * (1 - signal.brightness), 0.03),
        spread=smooth(sounding * signal.front, 0.03),
        seal=_phrases(active) * np.clip(1 - vowel / SEALED, 0, 1),
        tuck=np.zeros(signal.steps),
        frication=smooth(signal.energy * signal.hiss * (1 - signal.voiced), 0.02),
        active=active,
    )


def _by_network(signal: Signal, heard: NDArray[np.float32]) -> _Mouth | None:
    """What the network hears (K, 7), its opening averaged with the signal's; None without a voice."""
    at, moments = np.arange(signal.steps) / STEPS, np.arange(len(heard)) / learned.STEPS
    curves = {
        name: np.interp(at, moments, heard[:, column].astype(np.float64))
        for column, name in enumerate(learned.CURVES)
    }
    speaking = smooth(curves["speaking"], 0.03)
    active = speaking > 0.4
    if not (signal.is_loud and active.any()):
        return None
    # What the network takes for noise or music moves no lips.
    here = np.clip((speaking - 0.1) / 0.3, 0, 1)
    vowel = _vowel(signal)
    # Lips that meet let no vowel out, whatever the network hears.
    chance = smooth(curves["seal"], SEAL_SIGMA) * (1 - smooth(vowel, LIP_SECONDS))
    met = np.clip((chance - UNMET) / (MET - UNMET), 0, 1)
    sounding = here * curves["opening"] / WIDEST_LEARNED
    opening = NETWORK_SHARE * sounding + (1 - NETWORK_SHARE) * here * vowel
    return _Mouth(
        opening=np.clip(smooth(opening, LIP_SECONDS), 0, 1),
        jaw=np.clip(here * curves["jaw"] / WIDEST_LEARNED, 0, 1),
        rounding=here * curves["rounding"],
        spread=here * curves["spread"],
        seal=smooth(maximum_filter1d(here * met, round(SEAL_SECONDS * STEPS)), 0.007),
        tuck=here * curves["tuck"],
        frication=smooth(here * signal.energy * signal.hiss * (1 - signal.voiced), 0.02),
        active=active,
    )


def _vowel(signal: Signal) -> Curve:
    """A narrow or rounded mouth takes the upper formants away: the energy says that there is a vowel, the
    spectral balance how open it is."""
    return signal.energy * (0.5 + 0.5 * signal.brightness)


def _checked(waveform: NDArray[np.floating], rate: int) -> Curve:
    sound = np.asarray(waveform, dtype=np.float64)
    if sound.ndim != 1:
        raise VoiceError(
            f"The sound has the shape {sound.shape}; one channel is needed: mix it down to mono."
        )
    if not 4000 <= rate <= 768_000:
        raise VoiceError(f"The sound has {rate} samples a second; 4,000 to 768,000 are allowed.")
    if len(sound) < rate / 50:
        raise VoiceError(
            f"The sound has {len(sound)} samples; at {rate} Hz at least {-(-rate // 50)} are needed."
        )
    if not np.isfinite(sound).all():
        raise VoiceError("The sound holds values that are no numbers (NaN or infinity); decode it again.")
    return sound


def _silence(frames: int) -> Voice:
    nothing = np.zeros(frames)
    return Voice(*([nothing] * (len(fields(Voice)) - 1)), phrase_ends=())


def _ahead(active: NDArray[np.bool_], seconds: float) -> Curve:
    """1 where something is active now or within the coming seconds."""
    steps = round(seconds * STEPS)
    return maximum_filter1d(active.astype(float), steps, origin=-(steps // 2), mode="nearest")


def _phrases(active: NDArray[np.bool_]) -> Curve:
    """1 within phrases: stretches of sound with no pause longer than PAUSE_SECONDS."""
    steps = round(PAUSE_SECONDS * STEPS)
    padded = np.pad(active.astype(float), steps)
    closed = minimum_filter1d(maximum_filter1d(padded, steps, mode="constant"), steps, mode="constant")
    return closed[steps:-steps]


def _stress(strength: Curve) -> Curve:
    """Pulses of up to 1 on syllables that stand out from what is around them, at most about two a second."""
    syllables = smooth(strength, 0.05)
    prominence = np.clip(syllables - smooth(strength, 0.4), 0, None)
    steps = round(0.45 * STEPS)
    peaks = (prominence == maximum_filter1d(prominence, steps, mode="nearest")) & (prominence > 0.05)
    pulses = np.zeros(len(strength))
    pulses[peaks] = np.clip(prominence[peaks] / 0.35, 0, 1)
    width = 0.07 * STEPS
    return np.clip(gaussian_filter1d(pulses, width, mode="constant") * width * np.sqrt(2 * np.pi), 0, 1)
