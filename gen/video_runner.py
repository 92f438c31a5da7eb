"""Runs video jobs and tells what happens as the same stream of events as faces do."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emotion_encoders.emotion import EmotionError
from gen.assemble_wan import VideoStudio, guidance_of, key_of, video_studio
from gen.atomic import unwritten
from gen.events import Failed, Finished, Preview, RenderEvent, Skipped, Started, Step
from gen.image import read_image
from gen.job import file_sha256
from gen.lock import WeightsError
from gen.machine import RoomError
from gen.media import Encoding, MediaError, VideoWriter
from gen.planning import all_planned
from gen.record import (
    Choice,
    RenderRecord,
    UsedFile,
    UsedWeights,
    sidecar,
    sound_record,
    versions,
    write_sidecar,
)
from gen.video_job import PRESETS, VideoJob, VideoPlan, plan
from pipelines.shapes import ShapeError, VideoShape
from pipelines.wan.errors import WanError

if TYPE_CHECKING:
    from pipelines.clip import Clip
    from pipelines.wan.generation import Rendering

logger = logging.getLogger(__name__)

# Their messages are sentences for the person who asked.
FOR_USERS = (MediaError, EmotionError, WeightsError, RoomError, ShapeError, WanError)
UNSEEN = "no recogniser looks at videos yet"


class BrokenClipError(ValueError):
    """A clip whose latents stopped being numbers; the message is a sentence."""


def run_videos(
    jobs: Sequence[VideoJob],
    out: Path,
    *,
    force: bool = False,
    preview_every: int = 0,
    assembled: Callable[[VideoPlan], VideoStudio] = video_studio,
) -> Iterator[RenderEvent]:
    """Checks all jobs, then renders them one by one as the events are asked for.

    Args:
        jobs: What to render; a job that was done before is skipped.
        out: Folder for clips and records, made if it does not exist.
        force: Render again what was done before.
        preview_every: Steps between two previews, each of which costs a decode; 0 for none.
        assembled: Loads what a plan needs; jobs that need the same share it.

    Raises:
        JobError: before anything is loaded or written, with all that is wrong with the jobs and the folder.
    """
    return _Run(all_planned(jobs, plan, out), out, force, preview_every, assembled).events()


class _Run:
    """The state of a run: the studio that is loaded, which often serves the next plan as well."""

    def __init__(
        self,
        plans: list[VideoPlan],
        out: Path,
        force: bool,
        preview_every: int,
        assembled: Callable[[VideoPlan], VideoStudio],
    ) -> None:
        self._plans, self._out, self._force = plans, out, force
        self._preview_every, self._assembled = preview_every, assembled
        self._studio: VideoStudio | None = None

    def events(self) -> Iterator[RenderEvent]:
        total = len(self._plans)
        for index, one in enumerate(self._plans, start=1):
            path = self._out / f"{one.name}.mp4"
            record = None if self._force else sound_record(path, one.digest)
            if record is not None:
                yield Skipped(index, total, one.name, path, record)
                continue
            try:
                yield Started(index, total, one.name)
                yield from self._render(index, total, one, path)
            except (*FOR_USERS, BrokenClipError) as error:
                yield Failed(index, total, one.name, str(error))
            except Exception as error:
                logger.debug("%s broke", one.name, exc_info=True)
                told = f"something broke that should not ({type(error).__name__}: {error}); -v tells more."
                yield Failed(index, total, one.name, told)

    def _render(self, index: int, total: int, one: VideoPlan, path: Path) -> Iterator[RenderEvent]:
        began = time.perf_counter()
        image = _first_frame(one)  # refused before the backbone is loaded
        studio = self._loaded(one)
        rendering = _asked(studio, one, image)
        drawing = time.perf_counter()
        for step in rendering:
            speed = step.number / (time.perf_counter() - drawing)
            left = (step.steps - step.number) / speed
            yield Step(index, total, one.name, step.number, step.steps, speed, left, unit="steps")
            if self._preview_every and step.number % self._preview_every == 0:
                yield Preview(one.name, step.preview()[0])
        clip = _whole(rendering)
        record = _record(one, studio, len(clip.frames), time.perf_counter() - began)
        _write(path, one, clip, record.to_json())
        record = replace(record, clip_sha256=file_sha256(path))
        try:
            write_sidecar(path, record)
        except OSError as error:
            path.unlink(missing_ok=True)  # without its record a clip does not count as finished
            raise MediaError(unwritten(sidecar(path), error)) from error
        yield Finished(index, total, one.name, path, record)

    def _loaded(self, one: VideoPlan) -> VideoStudio:
        if self._studio is None or self._studio.key != key_of(one):
            self._studio = None  # two backbones seldom fit beside each other
            self._studio = self._assembled(one)
        return self._studio


def _asked(studio: VideoStudio, one: VideoPlan, image: np.ndarray | None) -> Rendering:
    """The pipeline's answer to a plan: still nothing is denoised."""
    from pipelines.wan.generation import Request
    from pipelines.wan.image_to_video import ImageToVideo
    from pipelines.wan.sampling import Sampling
    from pipelines.wan.text_to_video import TextToVideo

    job = one.job
    emotion = one.track if studio.adapter is not None and job.emotion_guidance > 0 else None
    requests = [Request(job.prompt, emotion, job.seed, job.negative)]
    sampling = Sampling(
        job.step_count, job.scheduler, guidance=guidance_of(job, one.backbone), batched=studio.batched
    )
    if image is None:
        return TextToVideo(studio.backbone, studio.adapter)(requests, one.shape, sampling)
    return ImageToVideo(studio.backbone, studio.adapter)(requests, [image], one.shape, sampling)


def _first_frame(one: VideoPlan) -> np.ndarray | None:
    """The picture cut to the video's shape from its middle, and scaled to its size."""
    if one.job.image is None:
        return None
    from PIL import Image, ImageOps

    picture = Image.fromarray(read_image(one.job.image))
    return np.asarray(ImageOps.fit(picture, (one.shape.width, one.shape.height), Image.Resampling.LANCZOS))


def _whole(rendering: Rendering) -> Clip:
    from pipelines.wan.sampling import Broken

    (made,) = rendering.clips()
    if isinstance(made, Broken):
        raise BrokenClipError(str(made))
    return made


def _write(path: Path, one: VideoPlan, clip: Clip, comment: str) -> None:
    shape: VideoShape = one.shape
    preset = PRESETS[one.job.preset]
    with VideoWriter(
        path, fps=shape.fps, size=(shape.width, shape.height), encoding=Encoding(preset.x264, preset.crf)
    ) as writer:
        for frame in clip.frames:
            writer.write(frame)
        writer.publish(comment)


def _record(one: VideoPlan, studio: VideoStudio, frames: int, seconds: float) -> RenderRecord:
    import torch

    job, backbone = one.job, one.backbone
    image = one.inputs.get("image")
    own = [
        UsedWeights(name, digest, "not known", False, "render")
        for name, digest in one.inputs.items()
        if name != "image"
    ]
    used = UsedWeights(backbone.name, one.weights_sha256, backbone.licence, backbone.research_only, "render")
    runs = "one forward for all runs of a step" if studio.batched else "one forward for each run of a step"
    return RenderRecord(
        digest=one.digest,
        request=one.request,
        portrait=None,
        audio=None,
        image=None if job.image is None or image is None else UsedFile(job.image.name, image),
        frames=frames,
        fps=job.fps,
        render_seconds=round(seconds, 2),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        device=studio.placing.device,
        threads=Choice(str(torch.get_num_threads()), "all of this process; another number rounds otherwise"),
        weights=(used, *own),
        versions=versions(),
        notes=(*studio.placing.notes, runs, *_unreached(one)),
        agreement=None,
        no_agreement=UNSEEN,
        emotion=str(one.track) if job.emotion_guidance > 0 else None,
    )


def _unreached(one: VideoPlan) -> list[str]:
    last = one.track.keyframes[-1].seconds
    if last <= one.shape.seconds:
        return []
    return [f"The emotion goes on to {last:g} s, but the video ends after {one.shape.seconds:g} s."]
