"""`python -m gen.encode`: what is felt in words, a voice, a face, a video, alone or together, over time."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from emotion_encoders.emotion import EmotionError
from emotion_encoders.evidence import EmotionConflict, Policy
from gen import intake, senses
from gen.senses import Kind, Models
from gen.weights import WeightsError

INTERRUPTED = 130
STDIN = "-"


def _given(metavar: str, kind: type) -> Any:  # noqa: ANN401 - tyro's own type is private
    """An option that may be absent; every word is a value, also 'None'."""
    return tyro.conf.arg(metavar=metavar, constructor=kind, help_behavior_hint="")


@dataclass(frozen=True)
class Encoding:
    """Say what is felt in a sentence, a voice, a face or a video; several inputs are taken as one moment.

    One answer for all of them, or with --batch one JSON object for each line of a file.
    """

    text: Annotated[str | None, _given("TEXT", str)] = None
    """What is said or written."""
    audio: Annotated[Path | None, _given("FILE", Path)] = None
    """A recording of a voice: wav, flac, ogg, mp3, m4a or mp4."""
    image: Annotated[Path | None, _given("FILE", Path)] = None
    """A picture with a face."""
    video: Annotated[Path | None, _given("FILE", Path)] = None
    """A video: its face, its voice if it has sound, its colours and motion."""
    policy: Policy = "blend"
    """What to do if the inputs contradict each other: follow one of them, blend them, or ask."""
    json: bool = False
    """One JSON object with everything, over time."""
    plot: Annotated[Path | None, _given("PNG", Path)] = None
    """Draw what was felt over time into this png."""
    batch: Annotated[str | None, _given("FILE", str)] = None
    """File with one sentence or path a line, - for standard input; paths start from this folder."""
    kind: Annotated[
        Kind | None, tyro.conf.arg(name="as", metavar="text|audio|image|video", help_behavior_hint="")
    ] = None
    """What the lines of --batch are."""
    cropped: bool = False
    """Images are already crops of one face, as in a data set of faces."""
    text_model: Annotated[str | None, _given("NAME|FOLDER", str)] = None
    """A larger model in place of the bundled one: a name of weights.lock, or the folder of a download."""
    speech_model: Annotated[str | None, _given("NAME|FOLDER", str)] = None
    """The same for voices."""
    scene_model: Annotated[str | None, _given("NAME|FOLDER", str)] = None
    """The same for whole pictures, of which nothing but colour and motion is told without one."""
    model_confidence: Annotated[float | None, _given("SHARE", float)] = None
    """How often these models are right, 0 to 1; without it they are shown but count nothing beside others."""

    @property
    def inputs(self) -> dict[Kind, str | Path]:
        """What came, by kind."""
        came: dict[Kind, str | Path | None] = {
            "text": self.text,
            "audio": self.audio,
            "image": self.image,
            "video": self.video,
        }
        return {kind: value for kind, value in came.items() if value is not None}

    @property
    def larger(self) -> Models:
        """The larger models that were asked for."""
        return Models(self.text_model, self.speech_model, self.scene_model, self.model_confidence or 0.0)


def problems(request: Encoding) -> list[str]:
    """Everything that is wrong with the request, found without loading anything."""
    found = _batch_problems(request) if request.batch is not None else _single_problems(request)
    images = request.kind if request.batch is not None else ("image" if request.image else None)
    if request.cropped and images != "image":
        found.append("--cropped says how images are to be taken, but none came: give --image or --as image.")
    kinds: list[Kind] = [request.kind] if request.kind else list(request.inputs)
    found += _model_problems(request)
    lacking = (sentence for kind in kinds if (sentence := senses.problem(kind, request.larger)))
    return found + list(dict.fromkeys(lacking))


def _single_problems(request: Encoding) -> list[str]:
    found: list[str] = []
    if request.kind is not None:
        found.append("--as says what the lines of --batch are, but there is no --batch.")
    if not request.inputs:
        found.append("Nothing came; give --text, --audio, --image or --video, or --batch FILE --as KIND.")
    if request.text is not None and not request.text.strip():
        found.append("--text: it is empty; write what is said.")
    for option, path in (("audio", request.audio), ("image", request.image), ("video", request.video)):
        if path is not None and (sentence := intake.problem(path)):
            found.append(f"--{option}: {sentence}")
    if request.plot is not None:
        found += _plot_problems(request.plot)
    return found


def _model_problems(request: Encoding) -> list[str]:
    found, sure = request.larger.problems(), request.model_confidence
    if sure is not None and not 0 <= sure <= 1:
        found.append(f"--model-confidence: {sure} came; it is a share, from 0 to 1.")
    if sure is not None and request.larger == Models(confidence=sure):
        found.append("--model-confidence says how often a larger model is right, but none was named.")
    return found


def _batch_problems(request: Encoding) -> list[str]:
    found: list[str] = []
    if request.kind is None:
        found.append("--batch needs --as text, audio, image or video, which says what its lines are.")
    extra = [f"--{kind}" for kind in request.inputs] + (["--plot"] if request.plot else [])
    if extra:
        found.append(f"--batch takes its inputs from its lines; leave out {', '.join(extra)}.")
    if request.batch not in (None, STDIN):
        path = Path(str(request.batch))
        if not path.exists():
            found.append(f"--batch: '{path}' does not exist; give a file with one input a line, or -.")
        elif path.is_dir():
            found.append(f"--batch: '{path}' is a folder; give a file with one path a line, or -.")
        elif not os.access(path, os.R_OK):
            found.append(f"--batch: '{path}' may not be read: check its permissions.")
    return found


def _plot_problems(path: Path) -> list[str]:
    nearest = next(folder for folder in path.absolute().parents if folder.exists())
    if path.is_dir():
        return [f"--plot: '{path}' is a folder; name a png file in it."]
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        return [f"--plot: '{nearest}' may not be written to: choose another folder."]
    return []


def run(request: Encoding) -> int:
    """Senses all inputs and fuses them; an input that cannot be used is said and does not stop the others."""
    from gen.encode_report import Report, as_json, as_text

    asked_back = None
    with senses.Senses(request.larger) as encoders:
        report = Report.of(request.inputs, encoders, request.policy, cropped=request.cropped)
    try:
        report = report.fused()
    except EmotionConflict as question:
        asked_back = str(question)
    except EmotionError:  # nothing was felt by anyone; the report says so
        pass
    _answer(json.dumps(as_json(report, asked_back), ensure_ascii=False) if request.json else as_text(report))
    if request.plot is not None and report.sources:
        from gen.encode_plot import write_plot

        sys.stderr.write(f"{write_plot(request.plot, report)}\n")
    for sentence in (*report.errors, *([asked_back] if asked_back else [])):
        sys.stderr.write(f"{sentence}\n")
    return 1 if report.errors or asked_back else 0


def run_batch(request: Encoding) -> int:
    """An answer a line; 1 if some line could not be answered."""
    from gen.encode_batch import rows

    if request.kind is None:
        raise TypeError("A batch has a kind; problems() sees to it.")
    failed = done = 0
    with ExitStack() as opened:
        encoders = opened.enter_context(senses.Senses(request.larger))
        encoders.load(request.kind)
        lines = _lines(str(request.batch), opened)
        for row in rows(lines, request.kind, encoders, cropped=request.cropped, policy=request.policy):
            failed, done = failed + ("error" in row), done + 1
            _answer(json.dumps(row, ensure_ascii=False))
    if failed:
        sys.stderr.write(f"{failed} of {done} lines could not be answered; their 'error' says why.\n")
    return 1 if failed else 0


def _lines(batch: str, opened: ExitStack) -> Iterator[str]:
    """Lines as they come; only a newline ends one, so that odd spaces in a sentence stay in it."""
    path = None if batch == STDIN else Path(batch)
    stream = sys.stdin.buffer if path is None else opened.enter_context(path.open("rb"))
    for line in stream:
        yield line.decode("utf-8", errors="replace").removesuffix("\n").removesuffix("\r")


def _answer(text: str) -> None:
    """On stdout at once, also for a reader who takes line by line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Parse, refuse what cannot be done, encode."""
    request = tyro.cli(Encoding, config=(tyro.conf.FlagCreatePairsOff,), prog="python -m gen.encode")
    wrong = problems(request)
    if wrong:
        sys.stderr.writelines(f"{sentence}\n" for sentence in wrong)
        return 2
    logging.basicConfig(level=logging.WARNING)
    if request.larger != Models() and not request.larger.confidence:
        sys.stderr.write(
            "What larger models feel is told but counts nothing beside others, since nobody measured them "
            "here; --model-confidence says how often they are right.\n"
        )
    try:
        return run(request) if request.batch is None else run_batch(request)
    except WeightsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except BrokenPipeError:  # the reader has gone away and wants no more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
