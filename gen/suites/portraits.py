"""Does the emotion asked for show? Portraits x emotions x intensities, against each one's neutral clip."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emotion_encoders.emotion import FACE8
from gen.measure import Cell, Result, Table, summarise
from gen.media import MediaError, read_image
from gen.sheet import Row, contact_sheet, write_sheet
from gen.suites.cast import Cast, Finding
from gen.trials import Shown, Stage, Trial, rendering_version, trials_for

if TYPE_CHECKING:
    from gen.score import Witness

# The first four carry the suite's worst case; fear and disgust are told apart less well by people too.
LEADING = 4


def run(cast: Cast, intensities: Sequence[float], out: Path) -> Finding:
    """Render, look, measure; faces are kept below `out`, and a contact sheet is drawn there."""
    stage = Stage(cast.pipeline, cast.speech, out / "kept", rendering_version())
    shown, missed = show_all(stage, cast.portraits, cast.emotions, intensities, cast.tell)
    names = [path.stem for path in cast.portraits]
    results = [(w, judge_all(w, shown, names, cast.emotions, intensities)) for w in cast.witnesses]
    report = {
        "missed": missed,
        "without_a_face": [dataclasses.asdict(t) for t, clip in shown.items() if not clip.faces.found],
        "clips": len(shown),
        "frames": sum(clip.faces.looked for clip in shown.values()),
        "recognisers": {
            w.role: {"what": w.description(), **dataclasses.asdict(result)} for w, result in results
        },
    }
    sheet = draw(cast.portraits, shown, missed, cast.emotions, out)
    lines = [f"{len(missed)} missed, {len(shown)} clips"]
    lines += [f"\n{table(witness, result)}" for witness, result in results]
    return Finding(report, (*lines, f"\n{sheet}"))


def show_all(
    stage: Stage,
    paths: Sequence[Path],
    emotions: Sequence[str],
    intensities: Sequence[float],
    tell: Callable[[str], None],
) -> tuple[dict[Trial, Shown], dict[str, str]]:
    """Render what is not kept yet; returns the trials and, for portraits that do not track, why."""
    shown: dict[Trial, Shown] = {}
    missed: dict[str, str] = {}
    for index, path in enumerate(paths, 1):
        started = time.perf_counter()
        answer = stage.show(path, trials_for(path.stem, emotions, intensities))
        if isinstance(answer, str):
            missed[path.stem] = answer
            note = f"a miss: {answer}"
        else:
            shown.update(answer)
            note = f"{len(answer)} clips"
        tell(f"[{index}/{len(paths)}] {path.stem}  {note}  {time.perf_counter() - started:.1f} s")
    return shown, missed


def judge_all(
    witness: Witness,
    shown: Mapping[Trial, Shown],
    portraits: Sequence[str],
    emotions: Sequence[str],
    intensities: Sequence[float],
) -> Result:
    """One recogniser's view of all trials."""
    cells = {}
    for trial, clip in shown.items():
        seen = None
        if clip.faces.found:
            seen = tuple(witness.recogniser.probabilities(clip.faces.crops).mean(dim=0).tolist())
        key = (trial.portrait, trial.emotion, trial.intensity)
        cells[key] = Cell(*key, seen)
    return summarise(Table(FACE8.labels, cells), portraits, emotions, intensities, emotions[:LEADING])


def table(witness: Witness, result: Result) -> str:
    """The result of one recogniser as lines of text that name it, its accuracy and what n is."""
    lines = [witness.sentence, f"  {'asked':<12} {'in the neutral clip':<22} {'rise over it':<22}"]
    for emotion, rise in result.by_emotion.items():
        lines.append(f"  {emotion:<12} {result.neutral[emotion]!s:<22} {rise!s:<22}")
    lines.append(f"  {'mean rise':<35} {result.rise}")
    lines.append(f"  {'floor: asked about a wrong label':<35} {result.floor}")
    if result.worst:
        lines.append(f"  {'worst of the first four':<35} {result.worst[1]:+.2f} {result.worst[0]}")
    lines.append(f"  {'the wanted label is on top':<35} {result.top1}")
    if result.intensity:
        lines.append(f"  {'rank correlation of intensity':<35} {result.intensity}")
    lines.append("  rise by portrait" + " " * 10 + "".join(f"{emotion:>11}" for emotion in result.by_emotion))
    for portrait, rises in result.by_portrait.items():
        lines.append(f"  {portrait[:24]:<26}" + "".join(f"{rise:>+11.2f}" for rise in rises.values()))
    seen = sorted({label for row in result.confusion.values() for label in row})
    lines.append("  asked, and what was on top" + "".join(f"{label:>11}" for label in seen))
    for asked, row in result.confusion.items():
        lines.append(f"  {asked:<26}" + "".join(f"{row.get(label, 0) or '.':>11}" for label in seen))
    return "\n".join(lines)


def draw(
    paths: Sequence[Path],
    shown: Mapping[Trial, Shown],
    missed: Mapping[str, str],
    emotions: Sequence[str],
    out: Path,
) -> Path:
    """The contact sheet: the photo, its neutral clip and each emotion at full intensity."""
    rows = []
    for path in paths:
        try:
            photo = read_image(path)
        except MediaError:
            photo = None
        clips = [shown.get(Trial(path.stem, emotion, 1.0)) for emotion in ("neutral", *emotions)]
        name = f"{path.stem}: {missed[path.stem]}" if path.stem in missed else path.stem
        rows.append(Row(name, (photo, *(clip.picture if clip else None for clip in clips))))
    return write_sheet(out / "sheet.png", contact_sheet(("photo", "neutral", *emotions), rows))
