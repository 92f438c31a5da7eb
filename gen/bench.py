"""`python -m gen.bench portrait|encoders`: what one core does, beside the ceiling of the same run."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from gen.weights import WeightsError

if TYPE_CHECKING:
    import numpy as np

    from gen.bench_encoders import EncodersReport
    from pipelines.portrait.pipeline import Actor, PortraitPipeline

FPS, SIZE, LINE_EMOTION = 25, 512, "0:neutral 1.5:happiness"


@dataclass(frozen=True)
class Bench:
    """Measure speed on one core: of a clip at 512x512 from sound to mp4, or of the emotion encoders."""

    part: Annotated[Literal["portrait", "encoders"], tyro.conf.Positional] = "portrait"
    """What to measure."""
    seconds: float = 10.0
    """Length of the clip or of the speech, 1 to 600."""
    rounds: int = 3
    """How often engine and ceiling take turns, or an encoder is asked; the median counts."""
    core: int | None = None
    """Core to be pinned to; the first one allowed if absent."""
    json: bool = False
    """One JSON object instead of lines."""


@dataclass(frozen=True)
class Times:
    """Seconds one clip took, by stage."""

    motion: float
    frames: float
    encoding: float
    processor: float  # of the whole, what the core spent on it: less where it also served others

    @property
    def whole(self) -> float:
        """All of it, by the clock on the wall."""
        return self.motion + self.frames + self.encoding


@dataclass(frozen=True)
class Report:
    """Speed of the engine and of the ceiling; what is done once is kept apart."""

    frames: int
    fps: float
    ceiling_fps: float
    ratio: float
    real_time: float
    processor_fps: float
    ceiling_processor_fps: float
    motion_ms: float
    frames_ms: float
    encoding_ms: float
    loading_seconds: float
    preparation_seconds: float
    core: str
    rounds: int

    @property
    def undisturbed(self) -> str:
        """Whether the core was ours alone, in words."""
        share = self.fps / self.processor_fps
        return (
            "the core was ours alone"
            if share > 0.95
            else f"others took {1 - share:.0%} of the core meanwhile"
        )

    def __str__(self) -> str:
        return (
            f"portrait  {self.fps:.1f} fps end to end at {SIZE}x{SIZE}, {self.real_time:.1f} x real time\n"
            f"ceiling   {self.ceiling_fps:.1f} fps: one cv2.remap a frame, x264 veryfast crf 18, one thread\n"
            f"ratio     {self.ratio:.2f} of the ceiling\n"
            f"processor {self.processor_fps:.1f} and {self.ceiling_processor_fps:.1f} fps by processor time: "
            f"{self.undisturbed}\n"
            f"a frame   {self.frames_ms:.2f} ms drawing, {self.encoding_ms:.2f} ms H.264 and AAC, "
            f"{self.motion_ms:.2f} ms sound features and motion\n"
            f"apart     {self.loading_seconds:.2f} s loading, "
            f"{self.preparation_seconds:.2f} s preparing the portrait\n"
            f"measured  {self.frames} frames, median of {self.rounds} alternating rounds, {self.core}"
        )


class Stopwatch:
    """Adds up the time spent inside an iterable that something else consumes."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, items: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The same items, timed."""
        iterator = iter(items)
        while True:
            started = time.perf_counter()
            item = next(iterator, None)
            self.seconds += time.perf_counter() - started
            if item is None:
                return
            yield item


@contextlib.contextmanager
def one_core(core: int | None) -> Iterator[str]:
    """Pin this process to one core and its libraries to one thread; yields what could be done, in words."""
    can_pin = hasattr(os, "sched_setaffinity")
    allowed = os.sched_getaffinity(0) if can_pin else set[int]()
    if can_pin:
        # Before numpy and torch start their worker threads, which keep the cores they are born with.
        os.sched_setaffinity(0, {min(allowed) if core is None else core})
    import cv2
    import torch

    torch.set_num_threads(1)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        if can_pin:
            yield f"pinned to core {min(os.sched_getaffinity(0))}"
        else:
            yield "one thread; this system cannot pin a process to a core"
    finally:
        if can_pin:
            os.sched_setaffinity(0, allowed)
        cv2.setNumThreads(threads)


def perform_once(
    pipeline: PortraitPipeline, actor: Actor, speech: tuple[np.ndarray, int], path: Path
) -> tuple[Times, int]:
    """One clip from sound to file; returns the time each stage took and the number of frames."""
    from emotion_encoders.track import EmotionTrack
    from gen.media import write_video
    from pipelines.portrait.motion import perform

    waveform, rate = speech
    count = round(len(waveform) / rate * FPS)
    drawing = Stopwatch()
    started, before = time.perf_counter(), time.process_time()
    motion = perform(waveform, rate, EmotionTrack.parse(LINE_EMOTION), frames=count, fps=FPS, seed=0)
    moved = time.perf_counter()
    write_video(path, drawing.around(pipeline.frames(actor, motion)), FPS, waveform, rate, "", (SIZE, SIZE))
    ended = time.perf_counter()
    spent = time.process_time() - before
    return Times(moved - started, drawing.seconds, ended - moved - drawing.seconds, spent), count


def ceiling_once(picture: np.ndarray, count: int, path: Path) -> tuple[float, float]:
    """Seconds, by wall and processor, for the least a warp can do: one remap a frame, the same encoder."""
    from gen.media import write_video

    started, before = time.perf_counter(), time.process_time()
    write_video(path, remapped(picture, count), FPS, None, None, "", (SIZE, SIZE))
    return time.perf_counter() - started, time.process_time() - before


def remapped(picture: np.ndarray, count: int) -> Iterator[np.ndarray]:
    """The picture swaying by a few pixels, through one cv2.remap a frame."""
    import cv2
    import numpy as np

    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    for index in range(count):
        shift = np.float32(3 * np.sin(index / 8))
        yield cv2.remap(picture, x + shift, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def measure(request: Bench) -> Report:
    """Load, prepare, then let engine and ceiling take turns so that a busy machine slows both."""
    with one_core(request.core) as core, tempfile.TemporaryDirectory() as folder:
        import cv2

        from gen.bundled import astronaut, speech_of

        started = time.perf_counter()
        from gen.assemble import portrait_pipeline

        pipeline = portrait_pipeline()
        loaded = time.perf_counter()
        actor = pipeline.prepare(astronaut(), size=SIZE)
        prepared = time.perf_counter()
        picture = cv2.resize(astronaut(), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        speech, path = speech_of(request.seconds), Path(folder) / "clip.mp4"
        perform_once(pipeline, actor, speech_of(1.0), path)  # first calls load libraries
        takes, ceilings, count = [], [], 0
        for _ in range(request.rounds):
            take, count = perform_once(pipeline, actor, speech, path)
            takes.append(take)
            ceilings.append(ceiling_once(picture, count, path))
    median = sorted(takes, key=lambda take: take.whole)[len(takes) // 2]
    fps = count / median.whole
    ceiling, ceiling_processor = (count / statistics.median(column) for column in zip(*ceilings, strict=True))
    return Report(
        frames=count,
        fps=fps,
        ceiling_fps=ceiling,
        ratio=fps / ceiling,
        real_time=fps / FPS,
        processor_fps=count / statistics.median(take.processor for take in takes),
        ceiling_processor_fps=ceiling_processor,
        motion_ms=1000 * median.motion / count,
        frames_ms=1000 * median.frames / count,
        encoding_ms=1000 * median.encoding / count,
        loading_seconds=loaded - started,
        preparation_seconds=prepared - loaded,
        core=core,
        rounds=request.rounds,
    )


def measured(request: Bench) -> Report | EncodersReport:
    """The part that was asked for."""
    if request.part == "portrait":
        return measure(request)
    with one_core(request.core) as core:
        from gen import bench_encoders

        return bench_encoders.measure(request.seconds, request.rounds, core)


def problems(request: Bench) -> list[str]:
    """What is wrong with the request."""
    found = []
    if not 1 <= request.seconds <= 600:
        found.append(f"--seconds {request.seconds:g} was asked for; 1 to 600 are allowed.")
    if not 1 <= request.rounds <= 100:
        found.append(f"--rounds {request.rounds} was asked for; 1 to 100 are allowed.")
    if (
        request.core is not None
        and hasattr(os, "sched_getaffinity")
        and request.core not in os.sched_getaffinity(0)
    ):
        allowed = ", ".join(map(str, sorted(os.sched_getaffinity(0))))
        found.append(f"--core {request.core} is not one of this process's cores: {allowed}.")
    return found


def main() -> int:
    """Parse, measure, report."""
    request = tyro.cli(Bench, config=(tyro.conf.FlagCreatePairsOff,), prog="python -m gen.bench")
    wrong = problems(request)
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    if wrong:
        return 2
    try:
        report = measured(request)
    except WeightsError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print(json.dumps(asdict(report)) if request.json else report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
