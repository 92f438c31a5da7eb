"""The senses: sentences, sounds, pictures and videos become evidence; encoders load when first used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from emotion_encoders.evidence import Evidence
from gen import models, weights
from gen.assemble import THREADS, device, face_recogniser
from gen.intake import MediaError
from gen.lock import Sense

if TYPE_CHECKING:
    from emotion_encoders.face import FaceRecogniser
    from emotion_encoders.prosody import Prosody
    from emotion_encoders.scene import SceneEncoder, SceneMeasures
    from emotion_encoders.scene_model import SceneModel
    from emotion_encoders.speech import Hearing, SpeechEncoder
    from emotion_encoders.speech_affect import SpeechAffectEncoder
    from emotion_encoders.speech_large import LargeSpeechEncoder
    from emotion_encoders.text import Felt, TextEncoder
    from emotion_encoders.text_large import LargeTextEncoder
    from pipelines.portrait.tracker import FaceTracker

Kind = Literal["text", "audio", "image", "video"]
# The weights that each kind of input cannot do without. A video may be silent, so its voice is a bonus.
NEEDED: dict[Kind, str] = {"text": "text", "audio": "speech", "image": "face", "video": "face"}
LOOKS_A_SECOND = 6


@dataclass(frozen=True)
class Sensed:
    """What was felt in one input, and in sentences what could not be."""

    evidence: tuple[Evidence, ...]
    reading: Felt | None = None  # of a text
    hearing: Hearing | None = None  # of a recording as a whole
    prosody: Prosody | None = None  # and how it is said
    scene: SceneMeasures | None = None  # of a picture or video
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Models:
    """Larger models in place of the bundled encoders: names of weights.lock, or folders."""

    text: str | None = None
    speech: str | None = None
    scene: str | None = None
    confidence: float = 0.0  # the share of inputs in which they were measured to be right

    def problems(self) -> list[str]:
        """Why one of them cannot be used, in sentences; nothing is loaded."""
        found: list[str] = []
        asked: tuple[tuple[str | None, Sense], ...] = (
            (self.text, "text"),
            (self.speech, "speech"),
            (self.scene, "scene"),
        )
        for name, sense in asked:
            try:
                if name is not None:
                    models.chosen(name, sense)
            except weights.WeightsError as error:
                found.append(f"--{sense}-model: {error}")
        return found


BUNDLED = Models()


def problem(kind: Kind, larger: Models = BUNDLED) -> str | None:
    """Why inputs of this kind cannot be encoded here, as a sentence; nothing is loaded."""
    name = NEEDED[kind]
    if (kind == "text" and larger.text) or (kind == "audio" and larger.speech):
        return None
    try:
        return weights.read_lock().named(name).problem()
    except weights.WeightsError as error:
        return f"The {name} encoder has no weights here: {error}"


class Senses:
    """All encoders, none of them loaded before it is needed."""

    def __init__(self, larger: Models = BUNDLED) -> None:
        self._larger = larger

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if "_tracker" in self.__dict__:
            self._tracker.close()

    def load(self, kind: Kind) -> None:
        """Loads what this kind of input needs; WeightsError if the weights do not fit the code."""
        try:
            getattr(self, f"_{NEEDED[kind]}")
            if kind in ("image", "video"):
                _ = self._scene
        except weights.WeightsError:
            raise
        except ValueError as error:  # each encoder has its own error for weights
            raise weights.WeightsError(str(error)) from error

    def texts(self, sentences: Sequence[str]) -> list[Sensed]:
        """Many sentences at once."""
        return [Sensed((_read(reading),), reading) for reading in self._text.read(sentences)]

    def text(self, sentence: str) -> Sensed:
        """One sentence or a whole transcript."""
        return self.texts([sentence])[0]

    def sound(self, path: Path) -> Sensed:
        """A recording of a voice."""
        from gen.media import read_sound

        sound, rate = read_sound(path)
        hearing, prosody = self._speech.listen(sound, rate), self._speech.prosody(sound, rate)
        return Sensed((self.voice(sound, rate),), hearing=hearing, prosody=prosody)

    def voice(self, sound: np.ndarray, rate: int) -> Evidence:
        """A voice (N,) float32 mono that was read already."""
        return self._speech.encode(sound, rate)

    def picture(self, path: Path, *, cropped: bool = False) -> Sensed:
        """The largest face in a picture, or a picture that is already the crop of a face; and its colours."""
        from gen.media import read_image

        picture = read_image(path)
        if cropped:
            return Sensed((self._face.encode(as_crop(path, picture)[None], (0.0,)),))
        scene, measures = self._scene.encode([picture], 1.0)
        crop = self._crop(picture)
        if crop is None:
            return Sensed((scene,), scene=measures, missing=(f"'{path}' shows no face that can be seen.",))
        return Sensed((self._face.encode(crop[None], (0.0,)), scene), scene=measures)

    def video(self, path: Path) -> Sensed:
        """The face in a video over time, its voice if it has sound, and its colours and motion."""
        from gen.look import Watcher
        from gen.media import read_video

        video = read_video(path)
        watcher = Watcher(self._tracker, video.fps, every=max(1, round(video.fps / LOOKS_A_SECOND)))
        self._tracker.restart()
        scene, measures = self._scene.encode(watcher.watch(video.frames), video.fps)
        faces, found, missing = watcher.faces(), [scene], list[str]()
        if faces.found:
            found.insert(0, self._face.encode(faces.crops, faces.seconds))
        else:
            missing.append(f"'{path}' shows no face that can be seen.")
        if video.sound is not None and video.rate is not None:
            self._listen(path, video.sound, video.rate, found, missing)
        return Sensed(tuple(found), scene=measures, missing=tuple(missing))

    def _listen(
        self, path: Path, sound: np.ndarray, rate: int, found: list[Evidence], missing: list[str]
    ) -> None:
        from gen.sound import refuse_unheard

        lacking = problem("audio", self._larger)
        if lacking is not None:
            missing.append(lacking)
            return
        try:
            refuse_unheard(path, sound, rate)
            found.insert(0, self.voice(sound, rate))
        except ValueError as error:
            missing.append(str(error))

    def _crop(self, picture: np.ndarray) -> np.ndarray | None:
        from emotion_encoders.alignment import face_crop
        from gen.look import LEAST_EYES
        from pipelines.portrait.tracker import eye_distance

        faces = self._tracker.find(picture)
        if not faces or eye_distance(faces[0]) < LEAST_EYES:
            return None
        return face_crop(picture, faces[0])

    @cached_property
    def _text(self) -> TextEncoder | LargeTextEncoder:
        from emotion_encoders.text import TextEncoder
        from emotion_encoders.text_large import LargeTextEncoder

        _one_thread()
        if self._larger.text is None:
            return TextEncoder.load(weights.local_path("text"), device=device().value)
        folder, labels = models.chosen(self._larger.text, "text")
        sure = self._larger.confidence
        return LargeTextEncoder.load(folder, labels=labels, confidence=sure, device=device().value)

    @cached_property
    def _speech(self) -> SpeechEncoder | LargeSpeechEncoder | SpeechAffectEncoder:
        from emotion_encoders.speech import SpeechEncoder
        from emotion_encoders.speech_affect import SpeechAffectEncoder, hears_affect
        from emotion_encoders.speech_large import LargeSpeechEncoder

        _one_thread()
        if self._larger.speech is None:
            return SpeechEncoder.load(weights.local_path("speech"))
        folder, labels = models.chosen(self._larger.speech, "speech")
        kind = SpeechAffectEncoder if hears_affect(folder, labels) else LargeSpeechEncoder
        return kind.load(folder, labels=labels, confidence=self._larger.confidence)

    @cached_property
    def _scene(self) -> SceneEncoder | SceneModel:
        from emotion_encoders.scene import SceneEncoder
        from emotion_encoders.scene_model import SceneModel

        if self._larger.scene is None:
            return SceneEncoder()
        _one_thread()
        return SceneModel.load(
            models.chosen(self._larger.scene, "scene")[0], confidence=self._larger.confidence
        )

    @cached_property
    def _face(self) -> FaceRecogniser:
        return face_recogniser()

    @cached_property
    def _tracker(self) -> FaceTracker:
        from pipelines.portrait.tracker import FaceTracker

        return FaceTracker()


def as_crop(path: Path, picture: np.ndarray) -> np.ndarray:
    """A picture that is filled by one face, as the recogniser takes it: grey, square, small."""
    import cv2

    from emotion_encoders.alignment import SIZE

    height, width = picture.shape[:2]
    if max(height, width) > 2 * min(height, width):
        raise MediaError(f"'{path}' is {width} x {height} pixels; the crop of a face is about square.")
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    if (height, width) == (SIZE, SIZE):
        return grey
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = grey[top : top + side, left : left + side]
    return cv2.resize(square, (SIZE, SIZE), interpolation=cv2.INTER_AREA if side > SIZE else cv2.INTER_LINEAR)


def _read(reading: Felt) -> Evidence:
    from emotion_encoders.text import Reading
    from emotion_encoders.track import EmotionTrack

    track = EmotionTrack.constant(reading.face8)
    learned = isinstance(reading, Reading)  # a larger model has its affect from the labels
    return Evidence(track, "text", reading.confidence, reading.weights, affect_learned=learned)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(THREADS)


def chunks(items: Iterator[str], size: int) -> Iterator[list[str]]:
    """Items in lists of at most `size`."""
    part: list[str] = []
    for item in items:
        part.append(item)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part
