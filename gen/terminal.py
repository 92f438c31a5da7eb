"""How a run looks: a moving line in a terminal, some lines in a log; clip paths or JSON on stdout."""

import json
import os
import sys
import time
from dataclasses import asdict
from typing import Any, TextIO

from gen.events import Failed, Finished, Preview, RenderEvent, Skipped, Started, Step
from gen.record import RenderRecord

MOVES_EVERY, LOG_EVERY = 0.1, 5.0  # seconds between two lines of progress


class Terminal:
    """Shows events as they come and remembers how they ended."""

    def __init__(self, *, quiet: bool = False, as_json: bool = False, stderr: TextIO | None = None) -> None:
        self._quiet, self._as_json, self._stderr = quiet, as_json, stderr or sys.stderr
        self._moves = self._stderr.isatty()
        self._began = self._last = time.perf_counter()
        self._ended: dict[str, list[dict[str, Any]]] = {"finished": [], "skipped": [], "failed": []}

    @property
    def exit_code(self) -> int:
        """0 all done or skipped, 1 some clip failed."""
        return 1 if self._ended["failed"] else 0

    def show(self, event: RenderEvent) -> None:
        """Tells one event to whom it concerns."""
        match event:
            case Started():
                self._last = time.perf_counter()
                if not self._moves:
                    self._tell(f"{_place(event)}  started")
            case Step():
                self._progress(event)
            case Preview():
                pass
            case Finished():
                self._keep("finished", event)
                for note in event.record.notes:
                    self._tell(f"{_place(event)}  note: {note}")
                self._tell(f"{_place(event)}  {_made(event.record)}")
            case Skipped():
                self._keep("skipped", event)
                self._tell(
                    f"{_place(event)}  skipped: it was made before and is whole; --force makes it again"
                )
            case Failed():
                self._ended["failed"].append({"job": event.name, "error": event.message})
                self._write(f"{_place(event)}  failed: {event.message}")

    def close(self) -> None:
        """The last words: a summary if there were several clips, and the JSON object if it was asked for."""
        counts = {kind: len(rows) for kind, rows in self._ended.items()}
        if sum(counts.values()) > 1:
            told = ", ".join(f"{count} {kind}" for kind, count in counts.items())
            self._tell(f"{told} in {time.perf_counter() - self._began:.0f} s")
        if self._as_json:
            _answer(json.dumps(self._ended, ensure_ascii=False))

    def _keep(self, kind: str, event: Finished | Skipped) -> None:
        row = {"clip": str(event.path), "record": asdict(event.record)}
        if event.motion is not None:
            row["motion"] = str(event.motion)
            self._tell(f"{_place(event)}  motion: {event.motion}")
        self._ended[kind].append(row)
        if not self._as_json:
            self._clear()
            _answer(str(event.path))

    def _progress(self, step: Step) -> None:
        now = time.perf_counter()
        if self._quiet or now - self._last < (MOVES_EVERY if self._moves else LOG_EVERY):
            return
        self._last = now
        counted = step.unit == "frames"
        speed = f"{step.frames_per_second:.0f} fps" if counted else f"{1 / step.frames_per_second:.1f} s each"
        line = (
            f"{_place(step)}  {step.done}/{step.frames} {step.unit}  {speed}  {step.seconds_left:.0f} s left"
        )
        if self._moves:
            self._stderr.write(f"\r\x1b[K{line}")
            self._stderr.flush()
        else:
            self._write(line)

    def _tell(self, line: str) -> None:
        if not self._quiet:
            self._write(line)

    def _clear(self) -> None:
        if self._moves:
            self._stderr.write("\r\x1b[K")
            self._stderr.flush()

    def _write(self, line: str) -> None:
        self._clear()
        self._stderr.write(f"{line}\n")
        self._stderr.flush()


def _answer(line: str) -> None:
    """A line on stdout; a reader who has gone away does not want it, and the clip is there all the same."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _place(event: Started | Step | Finished | Skipped | Failed) -> str:
    return f"[{event.index}/{event.total}] {event.name}"


def _made(record: RenderRecord) -> str:
    asked, shown = record.request, record.request["emotion"] or "a given motion"
    size = "{0}x{0}".format(asked["size"]) if "size" in asked else f"{asked['width']}x{asked['height']}"
    what = f"{shown}  {record.frames} frames {size}  {record.render_seconds:.1f} s"
    seen = record.agreement
    if seen is None or seen.probability is None:
        return f"{what}  no agreement: {record.no_agreement or 'what was asked has no label'}"
    worth = "" if seen.judge_accuracy is None else f", itself right on {seen.judge_accuracy:.0%}"
    worth += f" of {seen.judge_n:,}" if worth and seen.judge_n is not None else ""
    faces = f"{seen.faces_found}/{seen.frames} faces"
    return f"{what}  agreement {seen.probability:.2f} ({seen.judge}{worth}; {faces})"
