"""What a video can be asked for: a dataclass that is the command line, the jobs-file row and the form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

import tyro

from emotion_encoders.emotion import MIKELS8, EmotionError
from emotion_encoders.track import EmotionTrack
from gen import intake
from gen.backbones import BackboneFacts, find_backbone
from gen.check import SEEDS
from gen.inferred import is_auto
from gen.job import JobError, PresetName, file_sha256, request_digest
from gen.lock import WeightsError
from pipelines.shapes import Compression, ShapeError, VideoShape

LONGEST_PROMPT = 4000  # characters; how many tokens that is only the tokenizer knows
FEWEST_STEPS, MOST_STEPS = 1, 200


@dataclass(frozen=True)
class VideoPreset:
    """What one turn of the dial decides: steps of denoising, and how hard x264 works."""

    steps: int
    x264: str
    crf: int


PRESETS: Mapping[PresetName, VideoPreset] = {
    "draft": VideoPreset(steps=12, x264="veryfast", crf=23),
    "standard": VideoPreset(steps=30, x264="veryfast", crf=18),
    "best": VideoPreset(steps=50, x264="medium", crf=16),
}


@dataclass(frozen=True)
class VideoJob:
    """A video from a prompt, or from a first frame and a prompt, with an emotion over time."""

    prompt: str
    """What is seen: up to 512 of the model's tokens."""
    emotion: str
    """What is felt, in the words of mikels8: 'sadness', 'awe@0.5', over time '0:contentment 1.5:fear@0.8'."""
    backbone: str = "nano"
    """The model: a name of `python -m gen.weights list`, or a folder in the format of diffusers."""
    image: Annotated[Path | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="(default: none)")] = None
    """The first frame, cut to the video's shape; for image-to-video backbones."""
    negative: str = ""
    """What is not to be seen."""
    seconds: float = 2.0
    """From the first frame to the last: at 16 fps a multiple of 0.25, 0.5, ..."""
    fps: int = 16
    """Frames per second, 1 to 60; Wan 2.1 was trained at 16, TI2V-5B at 24."""
    width: int = 832
    """In pixels, a multiple of 16, or of 32 for TI2V-5B."""
    height: int = 480
    """In pixels, as the width."""
    preset: PresetName = "standard"
    """The one dial, from quick to careful: decides the steps and the encoder's effort."""
    steps: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: the preset's)")] = (
        None
    )
    """Steps of denoising, 1 to 200: 12 for draft, 30 for standard, 50 for best."""
    scheduler: Literal["unipc", "euler"] = "unipc"
    """How the steps are taken; unipc needs fewer of them."""
    text_guidance: float = 5.0
    """How strongly the prompt counts: 0 not at all, 1 plainly, more amplifies."""
    emotion_guidance: float = 3.0
    """The same for the emotion, apart from the prompt; 0 needs no adapter."""
    image_guidance: float = 1.0
    """The same for the first frame."""
    high_noise_text_guidance: Annotated[
        float | None, tyro.conf.arg(metavar="SCALE", help_behavior_hint="(default: as --text-guidance)")
    ] = None
    """The prompt's scale for the high-noise expert of two; --text-guidance is the low-noise one's."""
    adapter: Annotated[Path | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="(default: none)")] = (
        None
    )
    """The emotion adapter of this backbone (safetensors)."""
    lora: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="[PATH ...]")] = ()
    """LoRA files for this backbone (safetensors), as diffusers reads them."""
    lora_scale: float = 1.0
    """How strongly the LoRA files count."""
    seed: int = 0
    """Another number gives another video; the same number gives the same one."""

    @property
    def step_count(self) -> int:
        """As asked, or the preset's."""
        return PRESETS[self.preset].steps if self.steps is None else self.steps


@dataclass(frozen=True)
class VideoPlan:
    """A job that passed the door: parsed, its inputs hashed, its name settled."""

    job: VideoJob
    backbone: BackboneFacts
    track: EmotionTrack
    shape: VideoShape
    inputs: Mapping[str, str]  # digests of image, adapter and LoRA files, by option
    weights_sha256: str
    digest: str
    name: str

    @property
    def request(self) -> dict[str, str | int | None]:
        """The job without what does not change the clip: folders, file names, spellings."""
        return normalised(self.job, self.track, self.backbone)


def plan(job: VideoJob) -> VideoPlan:
    """Checks everything that needs no loading; JobError has all that is wrong with the job at once."""
    backbone, problems = _backbone(job)
    track, told = _track(job.emotion)
    problems += told + _out_of_range(job)
    shape, told = _shape(job, backbone)
    problems += told
    given = {
        "image": job.image,
        "adapter": job.adapter,
        **{f"lora-{i}": p for i, p in enumerate(job.lora, 1)},
    }
    files = {name: path for name, path in given.items() if path is not None}
    for name, path in files.items():
        if (found := intake.problem(path)) is not None:
            problems.append(f"--{name.split('-')[0]}: {found}")
    if backbone is not None:
        problems += _company(job, backbone)
    if problems or backbone is None or track is None or shape is None:
        raise JobError(tuple(problems))

    inputs = {name: file_sha256(path) for name, path in files.items()}
    weights = backbone.sha256
    digest = request_digest(normalised(job, track, backbone), inputs, {"backbone": weights})
    return VideoPlan(
        job, backbone, track, shape, inputs, weights, digest, name=f"{_stem(job.prompt)}-{digest[:8]}"
    )


def normalised(job: VideoJob, track: EmotionTrack, backbone: BackboneFacts) -> dict[str, str | int | None]:
    """The job as far as it changes the clip: presets resolved, the emotion in its one spelling."""
    preset = PRESETS[job.preset]
    high = job.high_noise_text_guidance
    return {
        "task": "video",
        "backbone": "a folder" if backbone.model is None else backbone.name,
        "prompt": job.prompt.strip(),
        "negative": job.negative.strip(),
        "emotion": str(track),
        "seconds": _exact(job.seconds),
        "fps": job.fps,
        "width": job.width,
        "height": job.height,
        "steps": job.step_count,
        "scheduler": job.scheduler,
        "text_guidance": _exact(job.text_guidance),
        "high_noise_text_guidance": None if high is None else _exact(high),
        "emotion_guidance": _exact(job.emotion_guidance),
        "image_guidance": _exact(job.image_guidance) if job.image else None,
        "lora_scale": _exact(job.lora_scale) if job.lora else None,
        "seed": job.seed,
        "x264": preset.x264,
        "crf": preset.crf,
    }


def explained(job: VideoJob, asked: frozenset[str]) -> list[tuple[str, str, str]]:
    """Every value the job will use and where it came from; `asked` names the fields that were given."""
    preset, source = PRESETS[job.preset], f"preset {job.preset}"
    rows = []
    for field in fields(job):
        value = getattr(job, field.name)
        if field.name == "steps" and value is None:
            rows.append(("steps", str(job.step_count), source))
        else:
            shown = "-" if value in (None, "", ()) else str(value)
            rows.append((field.name, shown, "asked" if field.name in asked else "default"))
    return [*rows, ("x264", preset.x264, source), ("crf", str(preset.crf), source)]


def _backbone(job: VideoJob) -> tuple[BackboneFacts | None, list[str]]:
    try:
        return find_backbone(job.backbone), []
    except WeightsError as error:
        return None, [f"--backbone: {error}"]


def _track(emotion: str) -> tuple[EmotionTrack | None, list[str]]:
    if is_auto(emotion):
        return None, ["--emotion: 'auto' needs a voice to infer it from: name one, as in 'contentment'."]
    try:
        return EmotionTrack.parse(emotion, MIKELS8), []
    except EmotionError as error:
        return None, [f"--emotion: {error}"]


def _shape(job: VideoJob, backbone: BackboneFacts | None) -> tuple[VideoShape | None, list[str]]:
    compression = Compression() if backbone is None else backbone.compression
    try:
        shape = VideoShape.lasting(
            job.seconds, fps=job.fps, height=job.height, width=job.width, compression=compression
        )
    except ShapeError as error:
        return None, [f"--seconds, --fps, --width, --height: {error}"]
    return shape, []


def _out_of_range(job: VideoJob) -> list[str]:
    problems = []
    for option, text in (("prompt", job.prompt), ("negative", job.negative)):
        if option == "prompt" and not text.strip():
            problems.append("--prompt: it is empty: write what is seen.")
        if len(text) > LONGEST_PROMPT:
            told = f"it has {len(text):,} characters; {LONGEST_PROMPT:,} are read: shorten it."
            problems.append(f"--{option}: {told}")
    if not FEWEST_STEPS <= job.step_count <= MOST_STEPS:
        problems.append(f"--steps: {job.steps} came; {FEWEST_STEPS} to {MOST_STEPS} are allowed.")
    scales = {
        name: getattr(job, name) for name in (f.name for f in fields(job)) if name.endswith("_guidance")
    }
    for name, scale in scales.items():
        if scale is not None and not 0 <= scale <= 100:
            problems.append(f"--{name.replace('_', '-')}: {scale:g} came; 0 to 100 are allowed.")
    if not 0 <= job.lora_scale <= 4:
        problems.append(f"--lora-scale: {job.lora_scale:g} came; 0 to 4 are allowed.")
    if job.seed not in SEEDS:
        problems.append(f"--seed: {job.seed} came; 0 to {SEEDS[-1]} are allowed.")
    return problems


def _company(job: VideoJob, backbone: BackboneFacts) -> list[str]:
    """What does not go together with this backbone."""
    problems = []
    if backbone.kind == "driven":
        problems.append(f"--backbone: '{backbone.name}' draws a driving clip; it makes no video of a prompt.")
    elif backbone.kind == "image" and job.image is None:
        problems.append(f"--image: '{backbone.name}' needs the first frame: give a picture.")
    elif not backbone.takes_image and job.image is not None:
        problems.append(
            f"--image: '{backbone.name}' takes none: leave it out, or give an image-to-video one."
        )
    if job.adapter is None and job.emotion_guidance > 0:
        problems.append(
            f"--adapter: without one '{backbone.name}' cannot show an emotion: give its emotion adapter, or "
            "--emotion-guidance 0 for a video without."
        )
    if backbone.experts == 1 and job.high_noise_text_guidance is not None:
        problems.append(f"--high-noise-text-guidance: '{backbone.name}' has one expert: use --text-guidance.")
    return problems


def _exact(number: float) -> str:
    """The shortest text that reads back to the same number."""
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def _stem(prompt: str) -> str:
    """The first words of a prompt as a short, harmless part of a file name."""
    words = re.findall(r"\w+", prompt.lower())[:6]
    stem = "-".join(words)
    while len(stem.encode()) > 60:
        stem = stem[:-1]
    return stem or "video"
