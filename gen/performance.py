"""What a face will do, from a job: a voice and an emotion are acted out, or a performance is repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from emotion_encoders.emotion import Emotion
from emotion_encoders.evidence import Evidence
from emotion_encoders.track import EmotionTrack
from gen import synthesiser
from gen.atomic import unwritten, write_text
from gen.driving import drive
from gen.inferred import inferred, is_auto
from gen.intake import MediaError, checked
from gen.job import FaceJob, FacePlan
from gen.media import read_sound
from gen.senses import Senses
from pipelines.portrait import livelink
from pipelines.portrait.motion import Motion, perform
from pipelines.portrait.reach import within_reach

MAX_CSV_BYTES = 200_000_000  # ten minutes at 240 rows a second with all the app's digits


@dataclass(frozen=True)
class Performance:
    """A motion, its sound if there is one, and what should be said about them."""

    motion: Motion  # as it was acted; this is what is exported
    sound: np.ndarray | None  # (N,) float32 mono
    rate: int | None
    track: EmotionTrack | None  # what the face was to show; None where a motion says it
    notes: tuple[str, ...] = ()

    @property
    def drawn(self) -> Motion:
        """The motion as one photo can follow it."""
        return within_reach(self.motion)[0]


def performed(one: FacePlan, senses: Senses) -> Performance:
    """What a checked job asks for; its files are read now, and where the emotion is `auto`, felt."""
    job = one.job
    track, notes = one.track, tuple[str, ...]()
    if is_auto(job.emotion) and job.say is not None:  # the words decide the manner that they are said in
        track, notes = _felt(one, senses.text(job.say).evidence, 0.0)
    sound, rate = _voice(one, track)
    if job.motion is not None:
        motion, notes = read_motion(job.motion, job.fps)
        _, held = within_reach(motion)
        return Performance(motion, sound, rate, None, (*notes, *held, *_lengths(motion, sound, rate)))
    if job.driving_video is not None:
        return _driven(job.driving_video, job.fps, track, sound, rate)
    if sound is None or rate is None:
        raise ValueError("A job without a motion needs a voice.")
    if track is None:
        words = () if job.text is None else senses.text(job.text).evidence
        track, notes = _felt(one, (senses.voice(sound, rate), *words), len(sound) / rate)
    frames = -(-len(sound) * job.fps // rate)  # no sound is lost
    motion = perform(sound, rate, track, frames=frames, fps=job.fps, seed=job.seed)
    return Performance(motion, sound, rate, track, notes)


def _driven(
    path: Path, fps: float, track: EmotionTrack | None, sound: np.ndarray | None, rate: int | None
) -> Performance:
    """What a person on video does; its own sound counts where no other came."""
    driven = drive(path, fps, track)
    motion, (_, held) = driven.motion, within_reach(driven.motion)
    if sound is None:
        silent = ("The driving video has no sound: the clip is silent.",) if driven.sound is None else ()
        return Performance(motion, driven.sound, driven.rate, track, (*driven.notes, *held, *silent))
    return Performance(motion, sound, rate, track, (*driven.notes, *held, *_lengths(motion, sound, rate)))


def felt_by(job: FaceJob) -> tuple[str, ...]:
    """The encoders that a job's emotion is inferred by, named as their weights."""
    if not is_auto(job.emotion):
        return ()
    words = job.say is not None or job.text is not None
    return (*(("speech",) if job.audio is not None else ()), *(("text",) if words else ()))


def _felt(
    one: FacePlan, evidence: Sequence[Evidence], seconds: float
) -> tuple[EmotionTrack, tuple[str, ...]]:
    """The track that `auto` stands for, and where it comes from."""
    track, reason = inferred(evidence, seconds, policy=one.job.policy)
    return track, (f"The emotion was inferred {reason}: {track}",)


def _voice(one: FacePlan, track: EmotionTrack | None) -> tuple[np.ndarray, int] | tuple[None, None]:
    """What is heard: a recording, a text that is said now, or nothing."""
    if one.job.audio is not None:
        return read_sound(one.job.audio)
    if one.job.say is None or one.speaker is None:
        return None, None
    emotion = Emotion.of("neutral") if track is None else track.keyframes[0].emotion
    with TemporaryDirectory(prefix="mien-") as folder:
        said = synthesiser.say(one.speaker, one.job.say, emotion, Path(folder))
        try:
            return read_sound(said)
        except MediaError:
            told = f"{one.speaker.name} made no sound of the text, or too much: give other words."
            raise MediaError(told) from None


def read_motion(path: Path, fps: float) -> tuple[Motion, tuple[str, ...]]:
    """The motion of a Live Link Face CSV at a frame rate, and notes about it."""
    size = checked(path).stat().st_size
    if size > MAX_CSV_BYTES:
        limit = f"up to {MAX_CSV_BYTES / 1e6:.0f} MB are read"
        raise MediaError(f"'{path}' has {size / 1e6:.0f} MB; {limit}: cut the recording up.")
    try:
        return livelink.from_csv(path.read_text(encoding="utf-8-sig"), fps)
    except UnicodeDecodeError:
        raise MediaError(f"'{path}' is not text: give a CSV as Live Link Face writes it.") from None
    except livelink.LiveLinkError as error:
        raise MediaError(f"'{path}': {error}") from error


def write_motion(path: Path, motion: Motion) -> None:
    """Writes a motion as Live Link Face CSV, whole or not at all."""
    try:
        write_text(path, livelink.to_csv(motion))
    except OSError as error:
        raise MediaError(unwritten(path, error)) from error


def _lengths(motion: Motion, sound: np.ndarray | None, rate: int | None) -> tuple[str, ...]:
    if sound is None or rate is None:
        return ()
    seen, heard = motion.frames / motion.fps, len(sound) / rate
    if abs(seen - heard) <= 1.5 / motion.fps:
        return ()
    what = "is cut off there" if heard > seen else "is followed by silence"
    return (f"The motion lasts {seen:.2f} s and the sound {heard:.2f} s: the sound {what}.",)
