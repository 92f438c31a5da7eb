"""`python -m gen.score CLIP...`: what a clip shows over time, and how far that is what was asked for."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from emotion_encoders.agreement import Agreement, agree
from emotion_encoders.emotion import FACE8, Emotion, EmotionError
from emotion_encoders.mapping import translate_track
from emotion_encoders.track import EmotionTrack
from gen import intake
from gen.atomic import unwritable, unwritten
from gen.weights import WeightsError

if TYPE_CHECKING:
    from gen.look import Follower, Recogniser

Role = Literal["judge", "face"]
WHOLE = (
    0.9  # share of the promised frames below which a clip counts as cut off; cameras hide a few at the ends
)


@dataclass(frozen=True)
class Scoring:
    """Score clips: what two recognisers see in every frame, and the agreement with what was asked."""

    clips: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Videos to look at."""
    emotion: str | None = None
    """What was asked for, as a track; if absent, what the record inside the clip says."""
    json: bool = False
    """One JSON object a clip, a line each, with every frame."""
    plot: Path | None = None
    """Draw wanted and seen over time into this png (one clip only)."""
    every: int = 1
    """Look at every n-th frame."""


@dataclass(frozen=True)
class Witness:
    """A recogniser that is asked, with what its word is worth."""

    role: Role
    recogniser: Recogniser
    name: str
    accuracy: float
    n: int

    @property
    def sentence(self) -> str:
        """Who speaks, and how often it is right."""
        return f"{self.role}: {self.name}, itself right on {self.accuracy:.1%} of {self.n:,} validation faces"

    def description(self) -> dict[str, str | float | int]:
        """The same as data."""
        return {"role": self.role, "name": self.name, "accuracy": self.accuracy, "n": self.n}


@dataclass(frozen=True)
class View:
    """What one recogniser saw; None is what could not be seen or compared, never 0."""

    witness: Witness
    emotions: tuple[Emotion | None, ...]  # one for each frame looked at
    mean: Emotion | None
    agreement: Agreement | None


@dataclass(frozen=True)
class Score:
    """A clip looked at by every witness."""

    clip: Path
    fps: float  # of the frames looked at
    frames: int
    faces_found: int
    wanted: EmotionTrack | None
    wanted_from: str
    views: tuple[View, ...]


def witnesses(*, judge: bool = True) -> tuple[Witness, ...]:
    """The recognisers to ask: the judge if it may look, and the one that tuning may look at."""
    from gen.assemble import face_recogniser

    face = face_recogniser()
    found = [Witness("face", face, face.name, face.accuracy, face.n)]
    if judge:
        from emotion_encoders.judge import Judge
        from gen.weights import local_path

        one = Judge.load(local_path("judge"))
        found.insert(0, Witness("judge", one, one.name, one.accuracy, one.n))
    return tuple(found)


def score(
    clip: Path, wanted: EmotionTrack | None, asked: Sequence[Witness], tracker: Follower, *, every: int = 1
) -> Score:
    """Look at one clip; without a wanted track, its record is asked what was wanted."""
    from gen.look import look
    from gen.media import MediaError, read_video

    video = read_video(clip)
    source = "--emotion" if wanted else "nothing says what was asked"
    if wanted is None and (wanted := recorded_track(video.comment)):
        source = "its record"
    seen = look(video.frames, video.fps, tracker, {w.role: w.recogniser for w in asked}, every=every)
    promised = video.count or 1
    if seen.faces.looked * every < WHOLE * promised:
        raise MediaError(f"'{clip}' is cut off: fewer than its {promised} frames can be read. Save it again.")
    views = tuple(view(w, seen.emotions(w.role), wanted, seen.faces.fps) for w in asked)
    return Score(clip, seen.faces.fps, seen.faces.looked, seen.faces.found, wanted, source, views)


def view(
    witness: Witness, emotions: Sequence[Emotion | None], wanted: EmotionTrack | None, fps: float
) -> View:
    """One witness's word on the frames, and how it agrees with what was wanted."""
    found = [emotion.weights for emotion in emotions if emotion is not None]
    mean = None
    if found:
        mean = Emotion.seen(FACE8, [sum(column) / len(found) for column in zip(*found, strict=True)])
    agreement = None
    if wanted is not None:
        name, accuracy = witness.name, witness.accuracy
        agreement = agree(wanted, emotions, fps, judge=name, judge_accuracy=accuracy, judge_n=witness.n)
    return View(witness, tuple(emotions), mean, agreement)


def recorded_track(comment: str | None) -> EmotionTrack | None:
    """The track that the record inside a clip names; None where there is no record of ours."""
    from gen.record import RecordError, RenderRecord

    if not comment:
        return None
    try:
        record = RenderRecord.from_json(comment)
        return in_face8(EmotionTrack.parse(str(record.emotion or record.request.get("emotion"))))
    except (RecordError, EmotionError):
        return None


def in_face8(track: EmotionTrack) -> EmotionTrack:
    """The track in the recognisers' vocabulary."""
    return translate_track(track, FACE8).track


def as_json(result: Score) -> str:
    """One line that holds everything, frame by frame."""
    return json.dumps(
        {
            "clip": str(result.clip),
            "frames": result.frames,
            "frames_per_second": result.fps,
            "faces_found": result.faces_found,
            "wanted": str(result.wanted) if result.wanted else None,
            "wanted_from": result.wanted_from,
            "labels": FACE8.labels,
            "recognisers": [
                {
                    **one.witness.description(),
                    "seen": as_dict(one.mean),
                    "agreement": dataclasses.asdict(one.agreement) if one.agreement else None,
                    "per_frame": [as_dict(emotion) for emotion in one.emotions],
                }
                for one in result.views
            ],
        }
    )


def as_dict(emotion: Emotion | None) -> dict[str, list[float] | float] | None:
    """Distribution and affect; None where there was no face."""
    if emotion is None:
        return None
    return {
        "probabilities": [round(weight, 5) for weight in emotion.weights],
        "valence": round(emotion.affect.valence, 5),
        "arousal": round(emotion.affect.arousal, 5),
    }


def as_text(result: Score) -> str:
    """The score for reading."""
    wanted = f"asked {result.wanted} ({result.wanted_from})" if result.wanted else result.wanted_from
    lines = [f"{result.clip}  {result.faces_found} of {result.frames} frames with a face  {wanted}"]
    for one in result.views:
        lines.append(f"  {one.witness.sentence}")
        if one.mean is None:
            lines.append("    saw no face, so it cannot say")
            continue
        most = sorted(zip(one.mean.weights, FACE8.labels, strict=True), reverse=True)[:3]
        seen = "  ".join(f"{label} {weight:.2f}" for weight, label in most)
        affect = one.mean.affect
        lines.append(f"    saw        {seen}   valence {affect.valence:+.2f} arousal {affect.arousal:+.2f}")
        if one.agreement:
            lines.append(f"    agreement  {agreement_text(one.agreement)}")
    return "\n".join(lines)


def agreement_text(agreement: Agreement) -> str:
    """What could be measured, in words; what could not is left out."""
    parts = [
        (agreement.probability, "wanted probability {:.2f}"),
        (agreement.top1, "on top in {:.0%} of frames"),
        (agreement.divergence, "divergence {:.2f} bit"),
        (agreement.valence_ccc, "valence CCC {:+.2f}"),
        (agreement.arousal_ccc, "arousal CCC {:+.2f}"),
        (agreement.lag_seconds, "lag {:+.2f} s"),
    ]
    return ", ".join(text.format(value) for value, text in parts if value is not None)


def problems(request: Scoring) -> list[str]:
    """Everything that is wrong with the request, found without loading anything."""
    found = [sentence for clip in request.clips if (sentence := intake.problem(clip))]
    if not request.clips:
        found.append("No clip came; name at least one video.")
    if request.emotion is not None:
        try:
            in_face8(EmotionTrack.parse(request.emotion))
        except EmotionError as error:
            found.append(f"--emotion: {error}")
    if request.every < 1:
        found.append(f"--every {request.every} came; 1 looks at every frame, 2 at every second one.")
    if request.plot is not None and len(request.clips) > 1:
        found.append(f"--plot draws one clip, {len(request.clips)} came; score them one by one.")
    if request.plot is not None and (told := unwritable(request.plot.absolute().parent)):
        found.append(f"--plot: {told}")
    return found


def run(request: Scoring) -> int:
    """Score clip by clip; a clip that cannot be read is said and does not stop the others."""
    from gen.media import MediaError
    from gen.plot import write_plot
    from pipelines.portrait.tracker import FaceTracker

    wanted = in_face8(EmotionTrack.parse(request.emotion)) if request.emotion is not None else None
    asked, failed = witnesses(), 0
    for clip in request.clips:
        try:
            with FaceTracker(max_faces=1) as tracker:
                result = score(clip, wanted, asked, tracker, every=request.every)
        except (MediaError, OSError) as error:
            failed += 1
            print(error if isinstance(error, MediaError) else f"'{clip}': {error}", file=sys.stderr)
            continue
        print(as_json(result) if request.json else as_text(result), flush=True)
        if request.plot is not None:
            try:
                print(write_plot(request.plot, result), file=sys.stderr)
            except OSError as error:
                failed += 1
                print(f"--plot: {unwritten(request.plot, error)}", file=sys.stderr)
    return 1 if failed else 0


def main() -> int:
    """Parse, refuse what cannot be done, score."""
    request = tyro.cli(Scoring, config=(tyro.conf.FlagCreatePairsOff,), prog="python -m gen.score")
    wrong = problems(request)
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    if wrong:
        return 2
    try:
        return run(request)
    except WeightsError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read the scores has gone, and wants no more of them
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
