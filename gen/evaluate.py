"""`python -m gen.evaluate portraits DIR`: does the emotion asked for show, on many portraits?"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from emotion_encoders.emotion import FACE8, EmotionError
from gen import intake
from gen.atomic import unwritable, unwritten, write_text
from gen.weights import WeightsError

if TYPE_CHECKING:
    from gen.measure import Result
    from gen.score import Witness
    from gen.trials import Shown, Stage, Trial

EMOTIONS = ("happiness", "sadness", "anger", "surprise", "fear", "disgust")
LEADING = (
    4  # the first four carry the suite's worst case; fear and disgust are told apart less well by people too
)
PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}


@dataclass(frozen=True)
class Evaluation:
    """Render portraits x emotions x one sentence; measure how far the wanted emotion rises over neutral."""

    suite: Annotated[Literal["portraits"], tyro.conf.Positional]
    """What to evaluate."""
    folder: Annotated[Path, tyro.conf.Positional]
    """Folder of portraits, one picture a file."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("out/evaluate")
    """Where the table (portraits.json), the contact sheet (sheet.png) and the kept faces go."""
    speech: Path | None = None
    """The sentence spoken; the bundled line if absent."""
    emotions: tuple[str, ...] = EMOTIONS
    """Emotions asked for; the worst is sought among the first four."""
    intensities: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    """Intensities asked for, for the rank correlation of asked and seen; 1 alone leaves it out."""
    skip: tuple[str, ...] = ()
    """Portraits to leave out, as file name patterns: --skip 'animal_*'."""
    open: bool = False
    """Also ask the judge. Keep it closed while tuning: looking often is a way of training on it."""
    json: bool = False
    """One JSON object on stdout instead of tables."""


def problems(request: Evaluation) -> list[str]:
    """Everything that is wrong with the request, found without loading anything."""
    found, named = [], []
    for word in request.emotions:
        try:
            named.append(FACE8.resolve(word))
        except EmotionError as error:
            found.append(str(error))
    if "neutral" in named:
        found.append("'neutral' is the baseline of every emotion; leave it out of --emotions.")
    if twice := ", ".join(sorted({label for label in named if named.count(label) > 1})):
        found.append(f"--emotions names {twice} more than once; name each emotion once.")
    found += [
        f"Intensity {value:g} was asked for; it lies between 0 and 1."
        for value in request.intensities
        if not 0 <= value <= 1
    ]
    if not request.folder.is_dir():
        found.append(f"{request.folder} is not a folder; give the folder that holds the portraits.")
    elif not portraits_in(request.folder, request.skip):
        found.append(f"{request.folder} holds no pictures to evaluate ({', '.join(sorted(PICTURES))}).")
    else:  # results are told apart by the name without its ending
        stems = [path.stem for path in portraits_in(request.folder, request.skip)]
        if twins := ", ".join(sorted({stem for stem in stems if stems.count(stem) > 1})):
            found.append(f"Several pictures are called {twins}; rename them or leave some out with --skip.")
    if request.speech is not None and (told := intake.problem(request.speech)):
        found.append(f"--speech: {told}")
    if told := unwritable(request.out):
        found.append(f"--out: {told}")
    return found


def portraits_in(folder: Path, skip: Sequence[str]) -> list[Path]:
    """The folder's pictures in order, without those whose name or stem meets a pattern."""
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in PICTURES
        and path.is_file()
        and not any(fnmatch(path.name, pattern) or fnmatch(path.stem, pattern) for pattern in skip)
    ]


def show_all(
    stage: Stage, paths: Sequence[Path], emotions: Sequence[str], intensities: Sequence[float]
) -> tuple[dict[Trial, Shown], dict[str, str]]:
    """Render what is not kept yet; returns the trials and, for portraits that do not track, why."""
    from gen.trials import trials_for

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
        print(
            f"[{index}/{len(paths)}] {path.stem}  {note}  {time.perf_counter() - started:.1f} s",
            file=sys.stderr,
        )
    return shown, missed


def judge_all(
    witness: Witness,
    shown: Mapping[Trial, Shown],
    portraits: Sequence[str],
    emotions: Sequence[str],
    intensities: Sequence[float],
) -> Result:
    """One recogniser's view of all trials."""
    from gen.measure import Cell, Table, summarise

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
    from gen.media import MediaError, read_image
    from gen.sheet import Row, contact_sheet, write_sheet
    from gen.trials import Trial

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


def evaluate(request: Evaluation) -> int:
    """Render, look, measure, report."""
    from gen.assemble import portrait_pipeline
    from gen.bundled import line
    from gen.media import MediaError, read_sound
    from gen.score import witnesses
    from gen.trials import FPS, Stage, rendering_version
    from pipelines.portrait.voice import VoiceError, listen

    paths = portraits_in(request.folder, request.skip)
    emotions = tuple(FACE8.resolve(word) for word in request.emotions)
    try:
        speech = read_sound(request.speech or line())
        listen(*speech, frames=1, fps=FPS)  # refuses what no face can speak, before every portrait would
    except (MediaError, VoiceError) as error:
        print(error, file=sys.stderr)
        return 1
    asked = witnesses(judge=request.open)
    stage = Stage(portrait_pipeline(), speech, request.out / "kept", rendering_version())
    shown, missed = show_all(stage, paths, emotions, request.intensities)
    names = [path.stem for path in paths]
    results = {w.role: (w, judge_all(w, shown, names, emotions, request.intensities)) for w in asked}
    report = {
        "suite": request.suite,
        "portraits": names,
        "missed": missed,
        "without_a_face": [dataclasses.asdict(t) for t, clip in shown.items() if not clip.faces.found],
        "clips": len(shown),
        "frames": sum(clip.faces.looked for clip in shown.values()),
        "interval": "95 %, bootstrap over whole portraits",
        "recognisers": {
            role: {"what": w.description(), **dataclasses.asdict(result)}
            for role, (w, result) in results.items()
        },
    }
    request.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=1)
    write_text(request.out / "portraits.json", text + "\n")
    sheet = draw(paths, shown, missed, emotions, request.out)
    if request.json:
        print(text)
        return 0
    print(f"{len(names)} portraits, {len(missed)} missed, {len(shown)} clips; 95 % intervals over portraits")
    for name, reason in missed.items():
        print(f"  missed: {name}: {reason}")
    for witness, result in results.values():
        print(f"\n{table(witness, result)}")
    print(f"\n{request.out / 'portraits.json'}\n{sheet}")
    return 0


def main() -> int:
    """Parse, refuse what cannot be done, evaluate."""
    request = tyro.cli(Evaluation, config=(tyro.conf.FlagCreatePairsOff,), prog="python -m gen.evaluate")
    wrong = problems(request)
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    if wrong:
        return 2
    try:
        return evaluate(request)
    except WeightsError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(unwritten(Path(error.filename or request.out), error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; the clips rendered so far are kept, run it again to go on.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
