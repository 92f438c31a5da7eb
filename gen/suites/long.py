"""Does a long clip stay as it began? Sharpness, identity and memory after minutes of speech."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from emotion_encoders.identity import IdentityEncoder, cosine, identity_crop
from gen.measure import clustered
from gen.suites.cast import Cast, Finding, told
from gen.trials import FPS
from pipelines.portrait.mesh import OVAL
from pipelines.portrait.tracker import FaceTracker

if TYPE_CHECKING:
    from pipelines.portrait.pipeline import Actor

EMOTION = "happiness@0.5"
EVERY = 5  # frames between two that are looked at
SETTLED = 10.0  # seconds after which memory should not grow


@dataclass(frozen=True)
class Ends:
    """What was seen of one long clip, its first and last time through the sentence."""

    sharpness: tuple[float, float]
    identity: tuple[float, float]
    grown: float  # megabytes


def run(cast: Cast, encoder: IdentityEncoder, minutes: float) -> Finding:
    """The sentence again and again for so many minutes; its first time is compared with its last."""
    waveform, rate = cast.speech
    rounds = max(2, int(minutes * 60 // cast.seconds))
    told_long = Cast(
        cast.pipeline,
        cast.portraits,
        (np.tile(waveform, rounds), rate),
        cast.emotions,
        cast.witnesses,
        cast.tell,
    )
    motion = told_long.motion(EMOTION)
    ends: dict[str, Ends] = {}
    missed: dict[str, str] = {}
    for name, actor in cast.actors():
        if isinstance(actor, str):
            missed[name] = actor
        else:
            ends[name] = _ends(actor, told_long.drawn(actor, motion), cast.frames, motion.frames, encoder)
    values = {
        "sharpness at the end against the start": {
            n: [e.sharpness[1] / e.sharpness[0]] for n, e in ends.items()
        },
        "identity at the end against the start": {
            n: [e.identity[1] / e.identity[0]] for n, e in ends.items()
        },
        "memory grown since the first seconds, MB": {n: [e.grown] for n, e in ends.items()},
    }
    lines = [f"{rounds} times the sentence, {motion.frames / FPS:.0f} s; identity by {encoder.name}"]
    lines += [told(name, clustered(groups)) for name, groups in values.items()]
    report = {
        "seconds": motion.frames / FPS,
        "embedding": encoder.name,
        **{name: asdict(found) if (found := clustered(groups)) else None for name, groups in values.items()},
        "by_portrait": {name: asdict(one) for name, one in ends.items()},
        "missed": missed,
    }
    return Finding(report, tuple(lines))


def _ends(
    actor: Actor, frames: Iterator[np.ndarray], part: int, total: int, encoder: IdentityEncoder
) -> Ends:
    """Draws the whole clip and looks at its first and its last `part` frames."""
    oval = actor.tracked[list(OVAL)]
    (left, top), (right, bottom) = oval.min(axis=0).astype(int), oval.max(axis=0).astype(int)
    photo = encoder.embed(identity_crop(actor.picture, actor.tracked)[None])[0]
    sharp: tuple[list[float], list[float]] = ([], [])
    alike: tuple[list[float], list[float]] = ([], [])
    settled = resident = 0.0
    with FaceTracker(max_faces=1) as tracker:
        for index, frame in enumerate(frames):
            if index == min(round(SETTLED * FPS), total // 2):
                settled = _megabytes()
            resident = max(resident, _megabytes()) if index == total - 1 else resident
            if index % EVERY or part <= index < total - part:
                continue
            end = int(index >= total - part)
            grey = cv2.cvtColor(frame[max(0, top) : bottom, max(0, left) : right], cv2.COLOR_RGB2GRAY)
            sharp[end].append(float(cv2.Laplacian(grey, cv2.CV_64F).var()))
            at = tracker.find_one(frame)
            if at is not None:
                alike[end].append(cosine(encoder.embed(identity_crop(frame, at)[None])[0], photo))
    return Ends(
        (float(np.mean(sharp[0])), float(np.mean(sharp[1]))),
        (float(np.mean(alike[0])), float(np.mean(alike[1]))),
        resident - settled,
    )


def _megabytes() -> float:
    """Resident memory of this process; 0 where the system does not say."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return 0.0
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
