"""`python -m gen.evaluate SUITE DIR`: what portraits show, keep and lose, measured on many of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
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
    from emotion_encoders.identity import IdentityEncoder
    from gen.suites.cast import Cast, Finding

EMOTIONS = ("happiness", "sadness", "anger", "surprise", "fear", "disgust")
Suite = Literal["portraits", "identity", "timeline", "neutralise", "lips", "long"]
LONGEST_MINUTES = 60.0
NEED_IDENTITY = ("identity", "long")
PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}


@dataclass(frozen=True)
class Evaluation:
    """Render many portraits that say one sentence, and measure one side of the clips."""

    suite: Annotated[Suite, tyro.conf.Positional]
    """portraits: how far the wanted emotion rises over neutral. identity: whether faces stay themselves.

    timeline: how late a change is seen. neutralise: whether a photo's own expression goes. lips: what emotion
    costs them. long: whether minutes later all is as it was.
    """
    folder: Annotated[Path, tyro.conf.Positional]
    """Folder of portraits, one picture a file."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("out/evaluate")
    """Where the table (SUITE.json) goes; for portraits, a contact sheet and the kept faces too."""
    speech: Path | None = None
    """The sentence spoken; the bundled line if absent."""
    emotions: tuple[str, ...] = EMOTIONS
    """Emotions asked for; the worst is sought among the first four. neutralise and long have their own."""
    intensities: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    """For portraits: intensities asked for, to correlate asked and seen; 1 alone leaves that out."""
    identity: str = "mobileface"
    """For identity and long: the embedding, by its name in weights.lock or as a folder."""
    minutes: float = 3.0
    """For long: how long it is spoken."""
    skip: tuple[str, ...] = ()
    """Portraits to leave out, as file name patterns: --skip 'animal_*'."""
    open: bool = False
    """Also ask the judge. Keep it closed while tuning: looking often is a way of training on it."""
    json: bool = False
    """One JSON object on stdout instead of tables."""


def problems(request: Evaluation) -> list[str]:
    """Everything that is wrong with the request, found without loading anything."""
    found = [*_wrong_emotions(request.emotions), *_wrong_folder(request)]
    found += [
        f"Intensity {value:g} was asked for; it lies between 0 and 1."
        for value in request.intensities
        if not 0 <= value <= 1
    ]
    if not 0 < request.minutes <= LONGEST_MINUTES:
        found.append(f"--minutes: {request.minutes:g} came; up to {LONGEST_MINUTES:g} are allowed.")
    if request.speech is not None and (told := intake.problem(request.speech)):
        found.append(f"--speech: {told}")
    if told := unwritable(request.out):
        found.append(f"--out: {told}")
    return found


def _wrong_emotions(words: Sequence[str]) -> list[str]:
    found, named = [], []
    for word in words:
        try:
            named.append(FACE8.resolve(word))
        except EmotionError as error:
            found.append(str(error))
    if "neutral" in named:
        found.append("'neutral' is the baseline of every emotion; leave it out of --emotions.")
    if twice := ", ".join(sorted({label for label in named if named.count(label) > 1})):
        found.append(f"--emotions names {twice} more than once; name each emotion once.")
    return found


def _wrong_folder(request: Evaluation) -> list[str]:
    if not request.folder.is_dir():
        return [f"{request.folder} is not a folder; give the folder that holds the portraits."]
    stems = [path.stem for path in portraits_in(request.folder, request.skip)]
    if not stems:
        return [f"{request.folder} holds no pictures to evaluate ({', '.join(sorted(PICTURES))})."]
    twins = ", ".join(sorted({stem for stem in stems if stems.count(stem) > 1}))
    if twins:  # results are told apart by the name without its ending
        return [f"Several pictures are called {twins}; rename them or leave some out with --skip."]
    return []


def portraits_in(folder: Path, skip: Sequence[str]) -> list[Path]:
    """The folder's pictures in order, without those whose name or stem meets a pattern."""
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in PICTURES
        and path.is_file()
        and not any(fnmatch(path.name, pattern) or fnmatch(path.stem, pattern) for pattern in skip)
    ]


def evaluate(request: Evaluation) -> int:
    """Render, look, measure, report."""
    from gen.assemble import portrait_pipeline
    from gen.bundled import line
    from gen.media import MediaError, read_sound
    from gen.score import witnesses
    from gen.suites.cast import Cast
    from gen.trials import FPS
    from pipelines.portrait.voice import VoiceError, listen

    paths = portraits_in(request.folder, request.skip)
    try:
        speech = read_sound(request.speech or line())
        listen(*speech, frames=1, fps=FPS)  # refuses what no face can speak, before every portrait would
    except (MediaError, VoiceError) as error:
        print(error, file=sys.stderr)
        return 1
    emotions = tuple(FACE8.resolve(word) for word in request.emotions)
    encoder = identity_encoder(request.identity) if request.suite in NEED_IDENTITY else None
    asked = witnesses(judge=request.open)
    cast = Cast(portrait_pipeline(), tuple(paths), speech, emotions, asked, tell)
    finding = found_by(request, cast, encoder)
    report = {
        "suite": request.suite,
        "portraits": [path.stem for path in paths],
        "interval": "95 %, bootstrap over whole portraits",
        **finding.report,
    }
    request.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=1)
    path = request.out / f"{request.suite}.json"
    write_text(path, text + "\n")
    if request.json:
        print(text)
        return 0
    print(f"{len(paths)} portraits; 95 % intervals over portraits")
    for name, reason in finding.report["missed"].items():
        print(f"  missed: {name}: {reason}")
    print("\n".join(finding.lines))
    print(f"\n{path}")
    return 0


def found_by(request: Evaluation, cast: Cast, encoder: IdentityEncoder | None) -> Finding:
    """What the suite that was asked for finds."""
    from gen.suites import identity, lips, long, neutralise, portraits, timeline

    match request.suite:
        case "portraits":
            return portraits.run(cast, request.intensities, request.out)
        case "timeline":
            return timeline.run(cast)
        case "neutralise":
            return neutralise.run(cast)
        case "lips":
            return lips.run(cast)
    if encoder is None:
        raise ValueError(f"The suite {request.suite!r} needs an identity embedding.")
    return (
        identity.run(cast, encoder)
        if request.suite == "identity"
        else long.run(cast, encoder, request.minutes)
    )


def identity_encoder(name: str) -> IdentityEncoder:
    """The embedding of that name in weights.lock, or in a folder; WeightsError if it is not there."""
    from emotion_encoders.identity import IdentityEncoder, IdentityError
    from gen.models import chosen

    folder, _ = chosen(name, "identity")
    try:
        return IdentityEncoder.load(folder)
    except (IdentityError, OSError) as error:
        raise WeightsError(str(error)) from error


def tell(line: str) -> None:
    """How far it is, for whoever waits."""
    print(line, file=sys.stderr)


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
