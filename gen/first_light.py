"""`python -m gen.first_light`: the first clips, from what comes along; scored, on a sheet, as a picture."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from gen.atomic import unwritable, unwritten

if TYPE_CHECKING:
    import numpy as np

TRACKS = {
    "happy": "happiness",
    "sad": "sadness",
    "angry": "anger",
    "changing": "0:neutral 0.6:neutral 1.1:happiness 1.8:happiness 2.4:surprise 3:anger",
}
COLUMNS = 7
PICTURE_SIDE, PICTURE_FPS, PICTURE_QUALITY = 220, 12.5, 60
PICTURES = (".webp", ".gif")


@dataclass(frozen=True)
class FirstLight:
    """Render the bundled portrait speaking the bundled line: happy, sad, angry, and changing over time."""

    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("out")
    """Where the clips, their records and sheet.png go."""
    picture: Path | None = None
    """Also make a looping picture (webp or gif) of the clips side by side."""
    force: bool = False
    """Render again what was rendered before, as after a change to the engine."""


def render(out: Path, *, force: bool = False) -> dict[str, Path]:
    """Ask for the clips, printing each path; those that exist are rendered again only by force."""
    from gen.bundled import astronaut, line
    from gen.job import FaceJob
    from gen.runner import Finished, Skipped, run
    from gen.terminal import Terminal

    portrait = out / "astronaut.png"
    write_portrait(portrait, astronaut())
    jobs = [FaceJob(portrait=portrait, audio=line(), emotion=track) for track in TRACKS.values()]
    names, clips, terminal = list(TRACKS), {}, Terminal()
    for event in run(jobs, out, force=force):
        terminal.show(event)
        if isinstance(event, Finished | Skipped):
            clips[names[event.index - 1]] = event.path
    terminal.close()
    return clips


def write_portrait(path: Path, picture: np.ndarray) -> None:
    """The portrait as a file, since jobs name files."""
    import imageio.v3 as iio

    from gen.atomic import replacing

    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with replacing(path) as part:
            iio.imwrite(part, picture, extension=".png")


def score_all(clips: dict[str, Path]) -> None:
    """Print what was seen in each clip, with both recognisers' names."""
    from gen.score import as_text, score, witnesses
    from pipelines.portrait.tracker import FaceTracker

    asked = witnesses()
    for clip in clips.values():
        with FaceTracker(max_faces=1) as tracker:
            print(as_text(score(clip, None, asked, tracker, every=2)))


def draw(clips: dict[str, Path], out: Path) -> Path:
    """A sheet of moments: a row a clip, evenly spaced."""
    from gen.bundled import astronaut
    from gen.media import read_video
    from gen.sheet import Row, contact_sheet, write_sheet

    rows, heads = [], ("photo",)
    for name, clip in clips.items():
        video = read_video(clip)
        frames = list(video.frames)
        chosen = spaced(len(frames), COLUMNS)
        heads = ("photo", *(f"{index / video.fps:.1f} s" for index in chosen))
        rows.append(Row(f"{name}: {TRACKS[name]}", (astronaut(), *(frames[index] for index in chosen))))
    return write_sheet(out / "sheet.png", contact_sheet(heads, rows, side=200))


def spaced(count: int, wanted: int) -> list[int]:
    """Indices of evenly spaced frames, the ends left out."""
    return [round((step + 0.5) * count / wanted - 0.5) for step in range(wanted)]


def write_picture(path: Path, clips: dict[str, Path]) -> Path:
    """The clips side by side as one looping picture (webp or gif), small enough for a page."""
    from PIL import Image

    from gen.atomic import replacing
    from gen.media import read_video

    videos = [read_video(clip) for clip in clips.values()]
    every = max(1, round(videos[0].fps / PICTURE_FPS))
    together = list(zip(*(video.frames for video in videos), strict=False))[::every]
    pictures = []
    for frames in together:
        picture = Image.new("RGB", (PICTURE_SIDE * len(frames), PICTURE_SIDE))
        for column, frame in enumerate(frames):
            small = Image.fromarray(frame).resize((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.LANCZOS)
            picture.paste(small, (column * PICTURE_SIDE, 0))
        pictures.append(picture)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        pictures[0].save(
            part,
            format=path.suffix.removeprefix(".").upper(),
            save_all=True,
            append_images=pictures[1:],
            duration=round(1000 * every / videos[0].fps),
            loop=0,
            quality=PICTURE_QUALITY,
            method=6,
        )
    return path


def problems(request: FirstLight) -> list[str]:
    """What is wrong with the request, found without loading anything."""
    found = []
    if told := unwritable(request.out):
        found.append(f"--out: {told}")
    if request.picture is not None:
        if request.picture.suffix.lower() not in PICTURES:
            found.append(f"--picture: '{request.picture}' came; give a name that ends in .webp or .gif.")
        elif told := unwritable(request.picture.absolute().parent):
            found.append(f"--picture: {told}")
    return found


def show(request: FirstLight) -> int:
    """Render, score, draw; 0 if every clip was made."""
    clips = render(request.out, force=request.force)
    if len(clips) < len(TRACKS):
        return 1
    score_all(clips)
    print(draw(clips, request.out))
    if request.picture is not None:
        print(write_picture(request.picture, clips))
    return 0


def main() -> int:
    """Parse, refuse what cannot be done, show."""
    request = tyro.cli(FirstLight, config=(tyro.conf.FlagCreatePairsOff,), prog="python -m gen.first_light")
    wrong = problems(request)
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    if wrong:
        return 2
    from gen.intake import MediaError
    from gen.job import JobError
    from gen.weights import WeightsError

    try:
        return show(request)
    except (JobError, WeightsError) as error:
        print(error, file=sys.stderr)
        return 2
    except MediaError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(unwritten(Path(error.filename or request.out), error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
