"""`python -m gen.bench encoders`: how long words, a voice and a face take to be felt, warm, on one core."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from gen import weights

SENTENCE = "I just got the letter you sent me, and I read it twice."
# The bundled weights behind these three, and the space that joins them.
NAMES = ("text", "speech", "face", "conditioner")


@dataclass(frozen=True)
class EncodersReport:
    """Median milliseconds of each encoder, and what their weights weigh."""

    seconds: float  # of speech
    text_ms: float
    speech_ms: float
    face_ms: float
    finding_ms: float  # of the face in a photo, which comes before it is looked at
    megabytes: float
    core: str
    rounds: int

    @property
    def whole_ms(self) -> float:
        """One moment of a person: words, voice and face, one after the other."""
        return self.text_ms + self.speech_ms + self.face_ms

    def __str__(self) -> str:
        return (
            f"encoders  {self.whole_ms:.0f} ms for one sentence, {self.seconds:g} s of speech and one face\n"
            f"apart     text {self.text_ms:.1f}, speech {self.speech_ms:.1f}, face {self.face_ms:.1f} ms\n"
            f"before    finding the face in a 512x512 photo {self.finding_ms:.1f} ms\n"
            f"weights   {self.megabytes:.1f} MB together ({', '.join(NAMES)})\n"
            f"measured  warm, median of {self.rounds} rounds, {self.core}"
        )


def measure(seconds: float, rounds: int, core: str) -> EncodersReport:
    """Loads every bundled encoder, asks each once, and then `rounds` times against the clock."""
    from emotion_encoders.alignment import face_crop
    from emotion_encoders.speech import SpeechEncoder
    from emotion_encoders.text import TextEncoder
    from gen.assemble import face_recogniser
    from gen.bundled import astronaut, speech_of
    from pipelines.portrait.tracker import FaceTracker

    text = TextEncoder.load(weights.local_path("text"))
    speech = SpeechEncoder.load(weights.local_path("speech"))
    face = face_recogniser()
    picture, (waveform, rate) = astronaut(), speech_of(seconds)
    with FaceTracker() as tracker:
        landmarks = tracker.find(picture)[0]
        finding = _median_ms(lambda: tracker.find(picture), rounds)
    crop = face_crop(picture, landmarks)[None]
    lock = weights.read_lock()
    return EncodersReport(
        seconds=seconds,
        text_ms=_median_ms(lambda: text.encode(SENTENCE), rounds),
        speech_ms=_median_ms(lambda: speech.encode(waveform, rate), rounds),
        face_ms=_median_ms(lambda: face.encode(crop, (0.0,)), rounds),
        finding_ms=finding,
        megabytes=sum(lock.named(name).size for name in NAMES) / 1e6,
        core=core,
        rounds=rounds,
    )


def _median_ms(ask: Callable[[], object], rounds: int) -> float:
    ask()  # first calls load libraries
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        ask()
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken)
