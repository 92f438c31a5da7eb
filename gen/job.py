"""What can be asked for: a dataclass that is the command line, the jobs-file row and the form."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

import tyro

from emotion_encoders.evidence import Policy
from emotion_encoders.track import EmotionTrack
from gen import intake, synthesiser
from gen.check import emotion_of, lost, out_of_range, speaker_of
from gen.inferred import AUTO, is_auto

RENDER_VERSION = 2  # raised by hand when the same job makes a different clip
PresetName = Literal["draft", "standard", "best"]
FrameName = Literal["crop", "photo"]


class JobError(ValueError):
    """A request that cannot be carried out; `problems` are sentences, all of them at once."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Preset:
    """What one turn of the dial decides: side of the clip in pixels, and how hard x264 works."""

    size: int
    x264: str
    crf: int


PRESETS: Mapping[PresetName, Preset] = {
    "draft": Preset(size=256, x264="veryfast", crf=23),
    "standard": Preset(size=512, x264="veryfast", crf=18),
    "best": Preset(size=768, x264="medium", crf=16),
}


@dataclass(frozen=True)
class FaceJob:
    """A talking face: one portrait, one voice, one emotion over time; or a portrait and a performance."""

    portrait: Path
    """Photo, painting or drawing with the face to animate (jpg, png, webp, ...)."""
    audio: Annotated[
        Path | None,
        tyro.conf.arg(
            metavar="PATH", help_behavior_hint="(needed without --say, --motion or --driving-video)"
        ),
    ] = None
    """What it says: wav, flac, ogg, mp3, m4a or mp4, up to ten minutes."""
    emotion: Annotated[
        str | None,
        tyro.conf.arg(metavar="STR", help_behavior_hint="(needed without --motion or --driving-video)"),
    ] = None
    """What it shows: 'happiness', 'anger@0.5', over time '0:neutral 1.5:happiness@0.8', or 'auto': as the
    voice and its words sound."""
    text: Annotated[str | None, tyro.conf.arg(metavar="TEXT", help_behavior_hint="(default: none)")] = None
    """For --emotion auto: what is said in the recording, in English, so that its words count too."""
    policy: Policy = "blend"
    """For --emotion auto, where words and voice contradict each other: which to follow, or to ask."""
    say: Annotated[str | None, tyro.conf.arg(metavar="TEXT", help_behavior_hint="(default: none)")] = None
    """English words to say where there is no recording: by espeak-ng or flite, in the emotion's manner."""
    motion: Annotated[Path | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="(default: none)")] = None
    """What the face does, as Live Link Face CSV, in place of an emotion; silent without --audio."""
    driving_video: Annotated[
        Path | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="(default: none)")
    ] = None
    """A person on video whose face and head the portrait repeats, with the video's sound if no --audio comes;
    an --emotion changes what they show, 'neutral' takes it away, and the lips stay theirs."""
    preset: PresetName = "standard"
    """The one dial, from quick to careful: decides the size and the encoder's effort."""
    size: Annotated[
        int | None, tyro.conf.arg(metavar="PIXELS", help_behavior_hint="(default: the preset's)")
    ] = None
    """Side of the square clip, even, 128 to 1024: 256 for draft, 512 for standard, 768 for best."""
    fps: int = 25
    """Frames per second, 10 to 60."""
    seed: int = 0
    """Another number gives other blinks and head movements; the same number gives the same clip."""
    face: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: the largest)")] = (
        None
    )
    """Which face to take if there are several, numbered from the left: 1, 2, ..."""
    frame: FrameName = "crop"
    """What the clip shows: the square around the head, or the whole photo with that square in it."""

    @property
    def side(self) -> int:
        """Side of the clip in pixels: as asked, or the preset's."""
        return PRESETS[self.preset].size if self.size is None else self.size


@dataclass(frozen=True)
class FacePlan:
    """A job that passed the door: parsed, its inputs hashed, its name settled."""

    job: FaceJob
    track: EmotionTrack | None  # None where a motion says what the face does, or the voice is yet to say it
    portrait_sha256: str
    audio_sha256: str | None
    motion_sha256: str | None
    driving_sha256: str | None
    speaker: synthesiser.Synthesiser | None  # who says the text of a job without a recording
    digest: str
    name: str
    notes: tuple[str, ...]  # what the emotion lost on its way to a face

    @property
    def request(self) -> dict[str, str | int | None]:
        """The job without what does not change the clip: folders, file names, spellings."""
        return normalised(self.job, self.track, self.speaker)


def plan(job: FaceJob, weights: Mapping[str, str]) -> FacePlan:
    """Checks everything that needs no decoding; `weights` maps the names of those in use to their digests."""
    mapped, problems = emotion_of(job)
    files = {
        "portrait": job.portrait,
        "audio": job.audio,
        "motion": job.motion,
        "driving-video": job.driving_video,
    }
    given = {name: path for name, path in files.items() if path is not None}
    for name, path in given.items():
        found = intake.problem(path)
        if found is not None:
            problems.append(f"--{name}: {found}")
    problems += out_of_range(job)
    speaker, told = speaker_of(job)
    problems += told
    if problems:
        raise JobError(tuple(problems))

    track = None if mapped is None else mapped.track
    inputs = {name: file_sha256(path) for name, path in given.items()}
    digest = request_digest(normalised(job, track, speaker), inputs, weights)
    return FacePlan(
        job=job,
        track=track,
        portrait_sha256=inputs["portrait"],
        audio_sha256=inputs.get("audio"),
        motion_sha256=inputs.get("motion"),
        driving_sha256=inputs.get("driving-video"),
        speaker=speaker,
        digest=digest,
        name=f"{_stem(job.portrait)}-{digest[:8]}",
        notes=() if mapped is None else lost(mapped),
    )


def normalised(
    job: FaceJob, track: EmotionTrack | None, speaker: synthesiser.Synthesiser | None = None
) -> dict[str, str | int | None]:
    """The job as far as it changes the clip: presets resolved, the emotion in its one spelling."""
    preset = PRESETS[job.preset]
    said: dict[str, str] = {}
    if is_auto(job.emotion):
        said = {"policy": job.policy} | ({} if job.text is None else {"text": job.text.strip()})
    if job.say is not None and speaker is not None:
        said |= {"say": synthesiser.plain(job.say), "synthesiser": speaker.name}
    if job.frame != "crop":  # the square has no name here, so that clips from before the choice keep theirs
        said |= {"frame": job.frame}
    return {
        **said,
        "task": "face",
        "emotion": AUTO if is_auto(job.emotion) else None if track is None else str(track),
        "size": job.side,
        "fps": job.fps,
        # A performance leaves nothing to chance.
        "seed": job.seed if job.motion is None and job.driving_video is None else 0,
        "face": job.face,
        "x264": preset.x264,
        "crf": preset.crf,
    }


def request_digest(
    request: Mapping[str, str | int | None], inputs: Mapping[str, str], weights: Mapping[str, str]
) -> str:
    """Names the clip by everything that shapes it: request, input bytes, weights, render version."""
    covered = {
        "request": dict(request),
        "inputs": dict(inputs),
        "weights": dict(weights),
        "version": RENDER_VERSION,
    }
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def explained(job: FaceJob, asked: frozenset[str]) -> list[tuple[str, str, str]]:
    """Every value the job will use and where it came from; `asked` names the fields that were given."""
    rows: list[tuple[str, str, str]] = []
    for field in fields(job):
        value = getattr(job, field.name)
        if field.name == "size" and value is None:
            rows.append(("size", str(job.side), f"preset {job.preset}"))
        else:
            rows.append(
                (
                    field.name,
                    "-" if value is None else str(value),
                    "asked" if field.name in asked else "default",
                )
            )
    preset = PRESETS[job.preset]
    return [
        *rows,
        ("x264", preset.x264, f"preset {job.preset}"),
        ("crf", str(preset.crf), f"preset {job.preset}"),
    ]


def file_sha256(path: Path) -> str:
    """The digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stem(path: Path) -> str:
    """The file's name as a short, harmless part of another name."""
    words = re.sub(r"[^\w.+-]+", "_", path.stem).strip("._-")
    while len(words.encode()) > 100:
        words = words[:-1]
    return words or "face"
