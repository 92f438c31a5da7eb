"""Is a photo's own expression taken away? Smiling and frowning photos, asked to be neutral."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from emotion_encoders.alignment import face_crop
from gen.measure import clustered
from gen.suites.cast import Cast, Finding, told
from gen.trials import MIDDLE, SIZE
from pipelines.portrait.arkit import columns
from pipelines.portrait.motion import Motion
from pipelines.portrait.tracker import FaceTracker, PortraitError

if TYPE_CHECKING:
    from pipelines.portrait.pipeline import Actor

SHOWS = 0.5  # probability from which a photo counts as showing an emotion
HALF, LITTLE = 0.5, 0.3  # it is gone if at most half of it, and less than so much, is left
FRAMES = 15  # looked at in the middle of the neutral clip
MADE = ("happiness", "anger", "sadness")  # what portraits are made to show, to be photos that show something


@dataclass(frozen=True)
class Case:
    """One photo that shows an emotion, by one recogniser, and its neutral clip."""

    portrait: str
    emotion: str
    before: float
    after: float
    neutral_after: float
    is_top: bool  # neutral is what is seen most

    @property
    def gone(self) -> bool:
        return self.after <= HALF * self.before and self.after < LITTLE


def run(cast: Cast) -> Finding:
    """Photos as they are, and photos that this engine made from them with an emotion at full intensity."""
    cases: dict[str, dict[str, list[Case]]] = {
        kind: {w.role: [] for w in cast.witnesses} for kind in ("photos", "made")
    }
    missed: dict[str, str] = {}
    motions = {emotion: cast.motion(emotion) for emotion in ("neutral", *MADE)}
    places = np.linspace(MIDDLE[0] * cast.frames, MIDDLE[1] * cast.frames - 1, FRAMES).astype(int).tolist()
    with FaceTracker(max_faces=1) as tracker:
        for name, actor in cast.actors():
            if isinstance(actor, str):
                missed[name] = actor
                continue
            neutral = list(cast.drawn(actor, motions["neutral"], places))
            _compare(cast, tracker, name, [actor.picture], neutral, cases["photos"])
            for emotion in MADE:
                photo = next(cast.drawn(actor, motions[emotion], [_wide_awake(motions[emotion], places)]))
                again = _prepared(cast, photo)
                if again is not None:
                    frames = list(cast.drawn(again, motions["neutral"], places))
                    _compare(cast, tracker, name, [photo], frames, cases["made"], only=emotion)
    return _finding(cast, cases, missed)


def _wide_awake(motion: Motion, places: Sequence[int]) -> int:
    """The frame, among some, whose lids are furthest from a blink, as people choose their photos."""
    lids = motion.coefficients[:, list(columns("eyeBlink"))].max(axis=1)
    return min(places, key=lambda place: lids[place])


def _prepared(cast: Cast, photo: np.ndarray) -> Actor | None:
    try:
        return cast.pipeline.prepare(photo, size=SIZE)
    except PortraitError:
        return None


def _compare(
    cast: Cast,
    tracker: FaceTracker,
    name: str,
    photo: list[np.ndarray],
    clip: list[np.ndarray],
    into: dict[str, list[Case]],
    *,
    only: str | None = None,
) -> None:
    """Adds a case for every recogniser to which the photo shows an emotion."""
    crops = [
        [face_crop(f, at) for f in frames if (at := tracker.find_one(f)) is not None]
        for frames in (photo, clip)
    ]
    if not all(crops):
        return
    for witness in cast.witnesses:
        before, after = (
            witness.recogniser.probabilities(np.stack(part)).mean(dim=0).tolist() for part in crops
        )
        labels = witness.recogniser.labels
        place = max((k for k, label in enumerate(labels) if label != "neutral"), key=lambda k: before[k])
        if only is not None:
            place = labels.index(only)
        if before[place] >= SHOWS:
            neutral = after[labels.index("neutral")]
            case = Case(name, labels[place], before[place], after[place], neutral, neutral >= max(after))
            into[witness.role].append(case)


def _finding(cast: Cast, cases: dict[str, dict[str, list[Case]]], missed: dict[str, str]) -> Finding:
    lines, rows = [f"a photo counts from {SHOWS:g}; gone is at most half of it, and under {LITTLE:g}"], {}
    for witness in cast.witnesses:
        lines.append(witness.sentence)
        row: dict[str, object] = {"what": witness.description()}
        for kind, told_as in (("photos", "photos as they are"), ("made", "photos made to show it")):
            own = cases[kind][witness.role]
            gone, top, before, after = (
                clustered(_by_portrait(own, value))
                for value in (
                    lambda case: float(case.gone),
                    lambda case: float(case.is_top),
                    lambda case: case.before,
                    lambda case: case.after,
                )
            )
            lines += [
                told(f"{told_as}: emotion gone", gone),
                told("  neutral is on top", top),
                told("  its probability in the photo (floor)", before),
                told("  its probability in the neutral clip", after),
            ]
            kept = [f"{c.portrait} {c.emotion} {c.before:.2f} -> {c.after:.2f}" for c in own if not c.gone]
            lines += [f"    stays: {one}" for one in kept]
            row[kind] = {
                "gone": asdict(gone) if gone else None,
                "neutral_on_top": asdict(top) if top else None,
                "cases": [asdict(case) for case in own],
            }
        rows[witness.role] = row
    return Finding({"missed": missed, "recognisers": rows}, tuple(lines))


def _by_portrait(cases: Sequence[Case], value: Callable[[Case], float]) -> dict[str, list[float]]:
    groups: dict[str, list[float]] = {}
    for case in cases:
        groups.setdefault(case.portrait, []).append(value(case))
    return groups
