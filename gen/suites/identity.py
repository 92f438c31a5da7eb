"""Does a portrait stay itself? Cosine of an identity embedding between the photo and its emotional frames."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from emotion_encoders.alignment import face_crop
from emotion_encoders.identity import IdentityEncoder, cosine, identity_crop
from gen.measure import clustered
from gen.suites.cast import Cast, Finding, told
from gen.trials import MIDDLE
from pipelines.portrait.tracker import FaceTracker

if TYPE_CHECKING:
    from pipelines.portrait.pipeline import Actor

FRAMES = 15  # looked at in the middle part of a clip: with fewer, one blink decides
LEADING = 4


@dataclass(frozen=True)
class Likeness:
    """What was seen of one portrait in one clip."""

    cosines: tuple[float, ...]  # of each frame to the photo
    seen: dict[str, tuple[float, ...]]  # each recogniser's mean distribution


def run(cast: Cast, encoder: IdentityEncoder) -> Finding:
    """Every portrait with every emotion at full intensity, and neutral as the ceiling."""
    found: dict[tuple[str, str], Likeness] = {}
    photos: dict[str, np.ndarray] = {}
    missed: dict[str, str] = {}
    motions = {emotion: cast.motion(emotion) for emotion in ("neutral", *cast.emotions)}
    places = np.linspace(MIDDLE[0] * cast.frames, MIDDLE[1] * cast.frames - 1, FRAMES).astype(int)
    with FaceTracker(max_faces=1) as tracker:
        for name, actor in cast.actors():
            if isinstance(actor, str):
                missed[name] = actor
                continue
            photos[name] = encoder.embed(_own_crop(actor, tracker)[None])[0]
            for emotion, motion in motions.items():
                frames = list(cast.drawn(actor, motion, places.tolist()))
                found[name, emotion] = _likeness(cast, encoder, tracker, photos[name], frames)
    return _finding(cast, encoder, found, photos, missed)


def _own_crop(actor: Actor, tracker: FaceTracker) -> np.ndarray:
    again = tracker.find_one(actor.picture)
    return identity_crop(actor.picture, actor.tracked if again is None else again)


def _likeness(
    cast: Cast, encoder: IdentityEncoder, tracker: FaceTracker, photo: np.ndarray, frames: list[np.ndarray]
) -> Likeness:
    tracked = [(frame, at) for frame in frames if (at := tracker.find_one(frame)) is not None]
    if not tracked:
        return Likeness((), {})
    own = encoder.embed(np.stack([identity_crop(frame, at) for frame, at in tracked]))
    crops = np.stack([face_crop(frame, at) for frame, at in tracked])
    seen = {w.role: tuple(w.recogniser.probabilities(crops).mean(dim=0).tolist()) for w in cast.witnesses}
    return Likeness(tuple(cosine(one, photo) for one in own), seen)


def _finding(
    cast: Cast,
    encoder: IdentityEncoder,
    found: dict[tuple[str, str], Likeness],
    photos: dict[str, np.ndarray],
    missed: dict[str, str],
) -> Finding:
    def likeness(*emotions: str) -> dict[str, list[float]]:
        return {name: [c for e in emotions for c in found[name, e].cosines] for name in photos}

    emotional, neutral = clustered(likeness(*cast.emotions)), clustered(likeness("neutral"))
    floor = clustered({f"{a}/{b}": [cosine(photos[a], photos[b])] for a, b in combinations(photos, 2)})
    by_emotion = {emotion: clustered(likeness(emotion)) for emotion in cast.emotions}
    cells = {(n, e): float(np.mean(one.cosines)) for (n, e), one in found.items() if one.cosines}
    frames = {(n, e): min(one.cosines) for (n, e), one in found.items() if one.cosines}
    lines = [
        f"identity by {encoder.name}: cosine to the photo, {FRAMES} frames a clip",
        told("neutral clip (ceiling)", neutral),
        told("emotional clips", emotional),
        *(told(f"  {emotion}", value) for emotion, value in by_emotion.items()),
        told("two portraits' photos (floor)", floor),
    ]
    for word, values in (("clip", cells), ("frame", frames)):
        if values:
            (name, emotion), least = min(values.items(), key=lambda item: item[1])
            lines.append(f"  the least like {word:<29} {least:.3f}  {name}, {emotion}")
    rises = {}
    for witness in cast.witnesses:
        labels, role = witness.recogniser.labels, witness.role

        def rise(name: str, emotion: str, labels: tuple[str, ...] = labels, role: str = role) -> list[float]:
            pair = found[name, emotion].seen.get(role), found[name, "neutral"].seen.get(role)
            place = labels.index(emotion)
            return [pair[0][place] - pair[1][place]] if pair[0] and pair[1] else []

        rises[role] = {e: clustered({n: rise(n, e) for n in photos}) for e in cast.emotions}
        leading = clustered({n: [r for e in cast.emotions[:LEADING] for r in rise(n, e)] for n in photos})
        lines += [
            f"  at this rise over neutral, by {witness.sentence}",
            told(f"  first {LEADING} emotions", leading),
        ]
    report = {
        "embedding": encoder.name,
        "neutral": asdict(neutral) if neutral else None,
        "emotional": asdict(emotional) if emotional else None,
        "by_emotion": {e: asdict(v) if v else None for e, v in by_emotion.items()},
        "floor": asdict(floor) if floor else None,
        "by_clip": {f"{n}/{e}": round(v, 4) for (n, e), v in cells.items()},
        "least_frame": min(frames.values()) if frames else None,
        "rise": {role: {e: asdict(v) if v else None for e, v in row.items()} for role, row in rises.items()},
        "missed": missed,
    }
    return Finding(report, tuple(lines))
