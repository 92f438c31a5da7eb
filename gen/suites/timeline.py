"""Does the face change when it is asked to? The lag between a track that turns and what a recogniser sees."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from emotion_encoders.agreement import LONGEST_LAG_SECONDS, agree
from emotion_encoders.emotion import Emotion
from emotion_encoders.track import EmotionTrack
from gen.look import look, recognise
from gen.measure import clustered
from gen.suites.cast import Cast, Finding, told
from gen.trials import FPS, SEED
from pipelines.portrait.tracker import FaceTracker

TURNS = (0.3, 0.7)  # parts of the clip at which the emotion comes and goes
AT_ONCE = 0.04  # seconds that an asked change takes


def turning(emotion: str, seconds: float) -> str:
    """A track that is neutral, turns to an emotion, and back."""
    on, off = (round(part * seconds, 2) for part in TURNS)
    return f"0:neutral {on}:neutral {on + AT_ONCE:.2f}:{emotion} {off}:{emotion} {off + AT_ONCE:.2f}:neutral"


def run(cast: Cast) -> Finding:
    """Every portrait with every emotion that comes and goes; the floor has the same frames in any order."""
    roles = [witness.role for witness in cast.witnesses]
    lags: dict[str, dict[str, list[float]]] = {role: {} for role in roles}
    followed: dict[str, dict[str, list[float]]] = {role: {} for role in roles}
    wrong: dict[str, dict[str, list[float]]] = {role: {} for role in roles}
    missed: dict[str, str] = {}
    tracks = {e: EmotionTrack.parse(turning(e, cast.seconds)) for e in cast.emotions}
    motions = {e: cast.motion(str(track)) for e, track in tracks.items()}
    for name, actor in cast.actors():
        if isinstance(actor, str):
            missed[name] = actor
            continue
        for emotion, motion in motions.items():
            with FaceTracker(max_faces=1) as tracker:
                faces = look(cast.drawn(actor, motion), FPS, tracker, {}).faces
            seen = recognise(faces, {witness.role: witness.recogniser for witness in cast.witnesses})
            for role in roles:
                emotions = seen.emotions(role)
                lag = _lag(tracks[emotion], emotions, faces.fps)
                followed[role].setdefault(name, []).append(float(lag is not None))
                lags[role].setdefault(name, []).extend([] if lag is None else [lag])
                mixed = [emotions[k] for k in np.random.default_rng(SEED).permutation(len(emotions))]
                chance = _lag(tracks[emotion], mixed, faces.fps)
                wrong[role].setdefault(name, []).append(float(chance is not None))
    lines: list[str] = []
    report: dict[str, object] = {"missed": missed, "turns_at": TURNS, "recognisers": {}}
    rows: dict[str, object] = {}
    for witness in cast.witnesses:
        lag, share, floor = (clustered(table[witness.role]) for table in (lags, followed, wrong))
        lines += [
            witness.sentence,
            told("lag of seen behind asked, seconds", lag),
            told("share of clips that are followed", share),
            told("floor: followed by the frames in any order", floor),
        ]
        rows[witness.role] = {
            "what": witness.description(),
            "lag_seconds": asdict(lag) if lag else None,
            "followed": asdict(share) if share else None,
            "floor": asdict(floor) if floor else None,
            "by_portrait": lags[witness.role],
        }
    return Finding({**report, "recognisers": rows}, tuple(lines))


def _lag(asked: EmotionTrack, seen: list[Emotion | None], fps: float) -> float | None:
    """How much later than asked it is seen; None where it is not, or only at the end of what is searched."""
    lag = agree(asked, seen, fps).lag_seconds
    return None if lag is None or abs(lag) >= LONGEST_LAG_SECONDS - 1 / fps else lag
