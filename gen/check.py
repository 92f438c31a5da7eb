"""What is wrong with a request, in sentences, found without reading more than its words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from emotion_encoders.emotion import FACE8, EmotionError
from emotion_encoders.mapping import MappedTrack, translate_track
from emotion_encoders.track import EmotionTrack
from gen import intake, synthesiser
from gen.inferred import is_auto

if TYPE_CHECKING:
    from gen.job import FaceJob

SIZES, RATES, SEEDS = range(128, 1025, 2), range(10, 61), range(2**32)
MOST_WORDS = 10_000  # characters: ten minutes of speech
MISSING: Mapping[str, str] = {
    "emotion": "--emotion: it is missing: say what the face shows, as in 'happiness'; or give --motion or "
    "--driving-video.",
    "audio": "--audio: it is missing: give a file with a voice, or a text with --say; or give --motion or "
    "--driving-video.",
}


def emotion_of(job: FaceJob) -> tuple[MappedTrack | None, list[str]]:
    """The emotion of a job, and what is wrong with how it says what the face does."""
    if job.motion is not None:
        if job.emotion is None:
            return None, []
        return None, ["--emotion: --motion already says what the face shows: give one of the two."]
    if is_auto(job.emotion):
        mapped, problems = None, _unreadable(job)
        if job.driving_video is not None:
            problems.append("--emotion: leave 'auto' out to keep what the driving video shows, or name one.")
    else:
        missing = [] if job.driving_video is not None else [MISSING["emotion"]]
        mapped, problems = (None, missing) if job.emotion is None else _parsed(job.emotion)
        only = {"text": job.text is not None, "policy": job.policy != "blend"}
        problems += [f"--{name}: only --emotion auto reads it." for name, given in only.items() if given]
    is_heard = job.audio is not None or job.say is not None or job.driving_video is not None
    return mapped, problems + ([] if is_heard else [MISSING["audio"]])


def _unreadable(job: FaceJob) -> list[str]:
    """What is wrong with the words that an emotion is to be inferred from."""
    if job.text is None:
        return []
    if job.say is not None:
        return ["--text: --say already gives the words: give one of the two."]
    if not job.text.strip():
        return ["--text: it is empty: write what is said, or leave it out."]
    if len(job.text) > MOST_WORDS:
        return [f"--text: it has {len(job.text):,} characters; {MOST_WORDS:,} are read: shorten it."]
    return []


def speaker_of(job: FaceJob) -> tuple[synthesiser.Synthesiser | None, list[str]]:
    """Who says the text of a job, and what is wrong with saying it."""
    if job.say is None:
        return None, []
    for option, other in (
        ("--audio", job.audio),
        ("--motion", job.motion),
        ("--driving-video", job.driving_video),
    ):
        if other is not None:
            return None, [f"--say: {option} already says what is heard: give one of the two."]
    found = synthesiser.problem(job.say)
    if found is not None:
        return None, [f"--say: {found}"]
    try:
        return synthesiser.find(), []
    except intake.MediaError as error:
        return None, [f"--say: {error}"]


def _parsed(emotion: str) -> tuple[MappedTrack | None, list[str]]:
    try:
        return translate_track(EmotionTrack.parse(emotion), FACE8), []
    except EmotionError as error:
        return None, [f"--emotion: {error}"]


def out_of_range(job: FaceJob) -> list[str]:
    problems: list[str] = []
    if job.motion is not None and job.driving_video is not None:
        problems.append("--driving-video: --motion already says what the face does: give one of the two.")
    if job.side not in SIZES:
        problems.append(f"--size: {job.side} came; even numbers from {SIZES[0]} to {SIZES[-1]} are allowed.")
    if job.fps not in RATES:
        problems.append(f"--fps: {job.fps} came; {RATES[0]} to {RATES[-1]} frames per second are allowed.")
    if job.seed not in SEEDS:
        problems.append(f"--seed: {job.seed} came; 0 to {SEEDS[-1]} are allowed.")
    if job.face is not None and job.face < 1:
        problems.append(f"--face: {job.face} came; faces are numbered from the left: 1, 2, ...")
    return problems


def lost(mapped: MappedTrack) -> tuple[str, ...]:
    if not mapped.lost_labels:
        return ()
    return (f"A face cannot show {', '.join(mapped.lost_labels)}: the rest of the mixture is shown instead.",)
