"""The clips of an evaluation: rendered straight to aligned faces, kept so that a second run is quick."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from emotion_encoders.track import EmotionTrack
from gen import intake
from gen.atomic import replacing
from gen.look import Faces, look
from gen.media import MediaError, read_image
from pipelines.portrait.motion import Motion, perform
from pipelines.portrait.pipeline import PortraitPipeline
from pipelines.portrait.tracker import FaceTracker, PortraitError

if TYPE_CHECKING:
    from pipelines.portrait.pipeline import Actor

FPS, SIZE, SEED = 25, 512, 0
MIDDLE = (0.2, 0.8)  # the part of a clip that is scored: past the onset, before the offset
EVERY = 2
PICTURE = 256
ROOT = Path(__file__).parents[1]
RENDERING = (
    "pipelines",
    "emotion_encoders/vocabulary.py",
    "emotion_encoders/emotion.py",
    "emotion_encoders/track.py",
    "emotion_encoders/alignment.py",
)


@dataclass(frozen=True)
class Trial:
    """One clip that is asked for."""

    portrait: str
    emotion: str
    intensity: float

    @property
    def track(self) -> str:
        """The emotion in a track's notation."""
        return f"{self.emotion}@{self.intensity:g}"


@dataclass(frozen=True)
class Shown:
    """What came of a trial: the faces of its middle part and one picture of it."""

    faces: Faces
    picture: np.ndarray


def rendering_version() -> str:
    """A digest of everything that decides what a clip looks like: code and weights."""
    digest = hashlib.sha256()
    for name in RENDERING:
        path = ROOT / name
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in files:
            if file.suffix in {".py", ".safetensors"}:
                digest.update(file.relative_to(ROOT).as_posix().encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def trials_for(portrait: str, emotions: Sequence[str], intensities: Sequence[float]) -> list[Trial]:
    """The neutral clip, which is every emotion at intensity 0, then each emotion at each intensity above."""
    above = sorted({1.0, *(value for value in intensities if value > 0)})
    return [
        Trial(portrait, "neutral", 1.0),
        *(Trial(portrait, e, value) for e in emotions for value in above),
    ]


class Stage:
    """Renders trials of one sentence and remembers their faces in a folder."""

    def __init__(
        self, pipeline: PortraitPipeline, speech: tuple[np.ndarray, int], folder: Path, version: str
    ) -> None:
        self._pipeline, self._folder, self._version = pipeline, folder, version
        self._waveform, self._rate = speech
        self._sound = hashlib.sha256(self._waveform.tobytes()).hexdigest()
        self._frames = math.ceil(len(self._waveform) / self._rate * FPS)

    def show(self, path: Path, trials: Sequence[Trial]) -> Mapping[Trial, Shown] | str:
        """All trials of one portrait, or the sentence that says why it cannot be animated."""
        if (told := intake.problem(path)) is not None:
            return told
        portrait = hashlib.sha256(path.read_bytes()).hexdigest()
        shown: dict[Trial, Shown] = {}
        actor: Actor | None = None
        for trial in trials:
            kept = self._folder / f"{self._key(portrait, trial)}.npz"
            if not kept.exists():
                try:
                    actor = actor or self._pipeline.prepare(read_image(path), size=SIZE)
                except (PortraitError, MediaError) as error:
                    return str(error)
                _keep(kept, self._render(actor, trial))
            shown[trial] = _recall(kept)
        return shown

    def _key(self, portrait: str, trial: Trial) -> str:
        parts = (self._version, portrait, self._sound, trial.track, FPS, SIZE, SEED, MIDDLE, EVERY, PICTURE)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]

    def _render(self, actor: Actor, trial: Trial) -> Shown:
        track = EmotionTrack.parse(trial.track)
        motion = perform(self._waveform, self._rate, track, frames=self._frames, fps=FPS, seed=SEED)
        frames = list(self._pipeline.frames(actor, _middle(motion)))
        with FaceTracker(max_faces=1) as tracker:
            faces = look(frames, FPS / EVERY, tracker, {}).faces
        picture = cv2.resize(frames[len(frames) // 2], (PICTURE, PICTURE), interpolation=cv2.INTER_AREA)
        return Shown(faces, picture)


def _middle(motion: Motion) -> Motion:
    """Every n-th frame of the middle part of a performance."""
    count = len(motion.coefficients)
    part = slice(int(MIDDLE[0] * count), max(int(MIDDLE[1] * count), int(MIDDLE[0] * count) + 1), EVERY)
    return replace(
        motion, coefficients=motion.coefficients[part], head=motion.head[part], fps=motion.fps / EVERY
    )


def _keep(path: Path, shown: Shown) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(
            file,
            crops=shown.faces.crops,
            seconds=np.array(shown.faces.seconds, np.float64),
            looked=np.array(shown.faces.looked),
            fps=np.array(shown.faces.fps),
            picture=shown.picture,
        )


def _recall(path: Path) -> Shown:
    with np.load(path, allow_pickle=False) as kept:
        faces = Faces(kept["crops"], tuple(kept["seconds"].tolist()), int(kept["looked"]), float(kept["fps"]))
        return Shown(faces, kept["picture"])
