"""`python -m gen.render face|video ...`: one job in, one clip and its record out."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import tyro

from gen import job, video_job
from gen.check import MISSING
from gen.job import FaceJob, JobError
from gen.video_job import VideoJob

if TYPE_CHECKING:
    from gen.events import RenderEvent

NOT_BUILT = {"batch": "rendering a file of jobs"}
INTERRUPTED, TERMINATED = 130, 143


@dataclass(frozen=True)
class Run:
    """Where the clip goes and what is told about it."""

    out: Annotated[Path, tyro.conf.arg(aliases=("-o",))]
    """Folder for the clip (mp4) and its record (json); it is made if it does not exist."""
    force: bool = False
    """Render again even if the same job was done before."""
    explain: bool = False
    """Also print every value that is used and where it came from."""
    json: bool = False
    """Print one JSON object instead of the clip's path."""
    quiet: Annotated[bool, tyro.conf.arg(aliases=("-q",))] = False
    """Say nothing but errors."""
    verbose: Annotated[bool, tyro.conf.arg(aliases=("-v",))] = False
    """Log more, for whoever looks for a fault."""


@dataclass(frozen=True)
class Face:
    """Make a portrait say an audio file, with the emotion asked for, or repeat a performance."""

    job: Annotated[FaceJob, tyro.conf.arg(name="")]
    run: Annotated[Run, tyro.conf.arg(name="")]
    export_motion: bool = False
    """Also write what the face does beside the clip, as Live Link Face CSV for Unreal, Unity and Blender."""


@dataclass(frozen=True)
class Video:
    """Make a video of a prompt, or go on from a picture, with the emotion asked for."""

    job: Annotated[VideoJob, tyro.conf.arg(name="")]
    run: Annotated[Run, tyro.conf.arg(name="")]


@dataclass(frozen=True)
class Batch:
    """Many jobs from a file: not built yet."""


Command = (
    Annotated[Face, tyro.conf.subcommand("face")]
    | Annotated[Video, tyro.conf.subcommand("video")]
    | Annotated[Batch, tyro.conf.subcommand("batch")]
)


class Terminated(BaseException):
    """The system asked this process to end."""


def main(arguments: list[str]) -> int:
    """Reads the command line and renders; returns 0 done, 1 failed, 2 wrong request, 130 or 143 stopped."""
    try:
        signal.signal(signal.SIGTERM, _terminate)
        return _dispatch(arguments)
    except JobError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        if "--json" in arguments:
            print(json.dumps({"problems": error.problems}))
        return 2
    except KeyboardInterrupt:
        print("Interrupted: finished clips stay, the unfinished one was removed.", file=sys.stderr)
        return INTERRUPTED
    except Terminated:
        print("Terminated: finished clips stay, the unfinished one was removed.", file=sys.stderr)
        return TERMINATED


def _dispatch(arguments: list[str]) -> int:
    if arguments[:1] == ["--version"]:
        print(_version())
        return 0
    if arguments and arguments[0] in NOT_BUILT and not {"-h", "--help"} & set(arguments):
        what = NOT_BUILT[arguments[0]]
        raise JobError((f"'{arguments[0]}', {what}, is not built yet; 'face' and 'video' are.",))
    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    about = "Renders clips that show the emotion asked for. --version says what is installed."
    try:
        command = tyro.cli(
            Command, prog="python -m gen.render", description=about, args=arguments, config=config
        )
    except SystemExit as stop:
        if stop.code and arguments[:1] == ["face"]:
            _name_missing(arguments)
        raise
    if isinstance(command, Batch):
        raise JobError(("'batch' is not built yet.",))
    return _render(command, arguments)


def _name_missing(arguments: list[str]) -> None:
    """Which options are needed only in certain company is not for the parser to know."""
    given = {argument.split("=")[0] for argument in arguments}
    if not given & {"--motion", "--driving-video"}:
        for name in MISSING:
            if f"--{name}" not in given and not (name == "audio" and "--say" in given):
                print(MISSING[name], file=sys.stderr)


def _render(command: Face | Video, arguments: list[str]) -> int:
    logging.basicConfig()
    for package in ("gen", "pipelines", "emotion_encoders"):
        logging.getLogger(package).setLevel(logging.DEBUG if command.run.verbose else logging.WARNING)
    if command.run.explain:
        _explain(command.job, arguments)

    # Only now the engines' modules are imported: a wrong option is answered at once.
    from gen.terminal import Terminal

    events = _face_events(command) if isinstance(command, Face) else _video_events(command)
    terminal = Terminal(quiet=command.run.quiet, as_json=command.run.json)
    try:
        for event in events:
            terminal.show(event)
    finally:
        terminal.close()
    return terminal.exit_code


def _face_events(command: Face) -> Iterator[RenderEvent]:
    # The engine's matrices are small: more threads only spin, and would make clips differ between machines.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from gen.runner import run

    options = command.run
    return run([command.job], options.out, force=options.force, export_motion=command.export_motion)


def _video_events(command: Video) -> Iterator[RenderEvent]:
    from gen.video_runner import run_videos

    return run_videos([command.job], command.run.out, force=command.run.force)


def _explain(asked_for: FaceJob | VideoJob, arguments: list[str]) -> None:
    given = {argument.split("=")[0] for argument in arguments}
    options = {field.name: f"--{field.name.replace('_', '-')}" for field in fields(asked_for)}
    asked = frozenset(name for name, option in options.items() if option in given)
    rows = (
        job.explained(asked_for, asked)
        if isinstance(asked_for, FaceJob)
        else video_job.explained(asked_for, asked)
    )
    for name, value, source in rows:
        print(f"{name:10} {value:30} {source}", file=sys.stderr)


def _version() -> str:
    from gen.assemble import device
    from gen.record import versions

    found = versions()
    return f"mien {found['mien']}, torch {found['torch']}, {device().value}: {device().reason}"


def _terminate(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - what signal handlers are given
    raise Terminated


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
