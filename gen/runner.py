"""Runs jobs and tells what happens as a stream of events; knows neither terminal nor browser."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from emotion_encoders.agreement import Agreement, agree
from emotion_encoders.emotion import EmotionError
from emotion_encoders.track import EmotionTrack
from gen import assemble, weights
from gen.assemble import Studio
from gen.atomic import unwritten
from gen.events import Failed, Finished, Preview, RenderEvent, Skipped, Started, Step
from gen.job import PRESETS, FaceJob, FacePlan, file_sha256, plan
from gen.look import Watcher, recognise
from gen.media import Encoding, MediaError, VideoWriter, read_image
from gen.performance import felt_by, performed, write_motion
from gen.planning import all_planned
from gen.record import RenderRecord, UsedFile, UsedWeights, sidecar, sound_record, versions, write_sidecar
from gen.senses import Senses
from pipelines.portrait.tracker import PortraitError
from pipelines.portrait.voice import VoiceError

if TYPE_CHECKING:
    from pipelines.portrait.motion import Motion
    from pipelines.portrait.pipeline import Actor

logger = logging.getLogger(__name__)

LOOKS = "face"  # the recogniser that sees every finished clip
LOOKS_A_SECOND = 6  # enough to follow an emotion, which moves in tenths of a second
# Their messages are sentences for the person who asked.
FOR_USERS = (MediaError, PortraitError, VoiceError, EmotionError, weights.WeightsError)


def run(
    jobs: Sequence[FaceJob],
    out: Path,
    *,
    force: bool = False,
    export_motion: bool = False,
    preview_every: int = 0,
    assembled: Callable[[], Studio] = assemble.studio,
) -> Iterator[RenderEvent]:
    """Checks all jobs, then renders them one by one as the events are asked for.

    Args:
        jobs: What to render; a job that was done before is skipped.
        out: Folder for clips and records, made if it does not exist.
        force: Render again what was done before.
        export_motion: Also write each clip's motion beside it, as Live Link Face CSV.
        preview_every: Frames between two previews; 0 for none.
        assembled: Loads the engine, when the first clip needs it.

    Raises:
        JobError: before anything is loaded or written, with all that is wrong with the jobs and the folder.
    """
    plans = planned(jobs, out)
    return _Run(plans, out, force, export_motion, preview_every, assembled).events()


def planned(jobs: Sequence[FaceJob], out: Path) -> list[FacePlan]:
    """Every job checked and named, and a folder that can be written to; or all problems at once."""
    problems = _weights_problems(jobs)

    def digested(job: FaceJob) -> FacePlan:
        return plan(job, {} if problems else {w.name: w.sha256 for w in _shaping(job)})

    return all_planned(jobs, digested, out, problems)


def _shaping(job: FaceJob) -> list[weights.Weight]:
    """The weights that decide what a job's clip looks like."""
    lock = weights.read_lock()
    return [*lock.of("render"), *(lock.named(name) for name in felt_by(job))]


def _weights_problems(jobs: Sequence[FaceJob]) -> list[str]:
    try:
        lock = weights.read_lock()
        felt = dict.fromkeys(name for job in jobs for name in felt_by(job))
        return weights.problems([*lock.of("render"), *map(lock.named, [LOOKS, *felt])])
    except weights.WeightsError as error:
        return [str(error)]


class _Run:
    """The state of a run: the engine once it is loaded, and the last actor, which often plays again."""

    def __init__(
        self,
        plans: list[FacePlan],
        out: Path,
        force: bool,
        export_motion: bool,
        preview_every: int,
        assembled: Callable[[], Studio],
    ) -> None:
        self._plans, self._out, self._force = plans, out, force
        self._export_motion, self._preview_every, self._assembled = export_motion, preview_every, assembled
        self._studio: Studio | None = None
        self._senses = Senses()
        self._actor: tuple[tuple[str, int, int | None, str], Actor] | None = None

    def events(self) -> Iterator[RenderEvent]:
        total = len(self._plans)
        for index, one in enumerate(self._plans, start=1):
            path = self._out / f"{one.name}.mp4"
            record = None if self._force else sound_record(path, one.digest)
            try:
                if record is not None:
                    yield Skipped(index, total, one.name, path, record, self._exported(one, path))
                    continue
                yield Started(index, total, one.name)
                yield from self._render(index, total, one, path)
            except FOR_USERS as error:
                yield Failed(index, total, one.name, str(error))
            except Exception as error:
                logger.debug("%s broke", one.name, exc_info=True)
                told = f"something broke that should not ({type(error).__name__}: {error}); -v tells more."
                yield Failed(index, total, one.name, told)

    def _render(self, index: int, total: int, one: FacePlan, path: Path) -> Iterator[RenderEvent]:
        began = time.perf_counter()
        job, preset = one.job, PRESETS[one.job.preset]
        played = performed(one, self._senses)
        actor = self._prepared(one)
        studio = self._loaded()
        motion, frames = played.drawn, played.motion.frames

        studio.tracker.restart()
        watcher = Watcher(studio.tracker, job.fps, every=round(job.fps / LOOKS_A_SECOND))
        size, encoding = actor.frame_size, Encoding(preset.x264, preset.crf)
        drawing = time.perf_counter()
        with VideoWriter(
            path, fps=job.fps, size=size, sound=played.sound, rate=played.rate, encoding=encoding
        ) as writer:
            for done, frame in enumerate(studio.pipeline.frames(actor, motion), start=1):
                writer.write(actor.whole(frame))
                watcher.see(frame)
                if self._preview_every and done % self._preview_every == 1 % self._preview_every:
                    yield Preview(one.name, actor.whole(frame))
                speed = done / (time.perf_counter() - drawing)
                yield Step(index, total, one.name, done, frames, speed, (frames - done) / speed)
            agreement, missing = self._seen(played.track, watcher)
            notes = (*one.notes, *played.notes, *actor.notes, *_unreached(one, frames / job.fps))
            record = _record(
                one, played.track, frames, time.perf_counter() - began, notes, agreement, missing
            )
            writer.publish(record.to_json())
        record = replace(record, clip_sha256=file_sha256(path))
        try:
            write_sidecar(path, record)
        except OSError as error:
            path.unlink(missing_ok=True)  # without its record a clip does not count as finished
            raise MediaError(unwritten(sidecar(path), error)) from error
        yield Finished(index, total, one.name, path, record, self._exported(one, path, played.motion))

    def _exported(self, one: FacePlan, clip: Path, motion: Motion | None = None) -> Path | None:
        """The file with a clip's motion, written now if it is wanted."""
        if not self._export_motion:
            return None
        path = clip.with_suffix(".csv")
        write_motion(path, performed(one, self._senses).motion if motion is None else motion)
        return path

    def _loaded(self) -> Studio:
        if self._studio is None:
            self._studio = self._assembled()
        return self._studio

    def _prepared(self, one: FacePlan) -> Actor:
        job = one.job
        key = (one.portrait_sha256, job.side, job.face, job.frame)
        if self._actor is None or self._actor[0] != key:
            picture, whole = read_image(job.portrait), job.frame == "photo"
            actor = self._loaded().pipeline.prepare(picture, size=job.side, face=job.face, whole=whole)
            self._actor = (key, actor)
        return self._actor[1]

    def _seen(self, track: EmotionTrack | None, watcher: Watcher) -> tuple[Agreement | None, str | None]:
        """What the face recogniser makes of the clip, or why it could not say."""
        if track is None:
            return None, "a performance was given, and no emotion to agree with"
        recogniser, faces = self._loaded().recogniser, watcher.faces()
        if not faces.found:
            return None, "no face was found in the finished clip"
        seen = recognise(faces, {recogniser.name: recogniser}).emotions(recogniser.name)
        name, accuracy, n = recogniser.name, recogniser.accuracy, recogniser.n
        return agree(track, seen, faces.fps, judge=name, judge_accuracy=accuracy, judge_n=n), None


def _used(path: Path | None, sha256: str | None) -> UsedFile | None:
    return None if path is None or sha256 is None else UsedFile(path.name, sha256)


def _unreached(one: FacePlan, seconds: float) -> list[str]:
    last = 0.0 if one.track is None else one.track.keyframes[-1].seconds
    if last <= seconds:
        return []
    return [f"The emotion goes on to {last:g} s, but the clip ends with its sound after {seconds:.1f} s."]


def _record(
    one: FacePlan,
    track: EmotionTrack | None,
    frames: int,
    seconds: float,
    notes: tuple[str, ...],
    agreement: Agreement | None,
    no_agreement: str | None,
) -> RenderRecord:
    used = [*_shaping(one.job), weights.read_lock().named(LOOKS)]
    return RenderRecord(
        digest=one.digest,
        request=one.request,
        portrait=UsedFile(one.job.portrait.name, one.portrait_sha256),
        audio=_used(one.job.audio, one.audio_sha256),
        motion=_used(one.job.motion, one.motion_sha256),
        driving=_used(one.job.driving_video, one.driving_sha256),
        emotion=None if track is None else str(track),
        frames=frames,
        fps=one.job.fps,
        render_seconds=round(seconds, 2),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        device=assemble.device(),
        threads=assemble.threads(),
        weights=tuple(UsedWeights(w.name, w.sha256, w.licence, w.research_only, w.purpose) for w in used),
        versions=versions(),
        notes=notes,
        agreement=agreement,
        no_agreement=no_agreement,
    )
