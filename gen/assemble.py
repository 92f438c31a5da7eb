"""Where names become files and files become pipelines; what is chosen for the user comes with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.record import Choice
from gen.weights import local_path

if TYPE_CHECKING:
    from emotion_encoders.face import FaceRecogniser
    from pipelines.portrait.pipeline import PortraitPipeline
    from pipelines.portrait.tracker import FaceTracker

THREADS = 1


def device() -> Choice:
    """Where frames are drawn."""
    return Choice("cpu", "the portrait engine warps one photo, which needs no GPU")


def threads() -> Choice:
    """How many threads draw a frame."""
    return Choice(str(THREADS), "the same clip on every machine, whatever its number of cores")


def portrait_pipeline(tracker: FaceTracker | None = None) -> PortraitPipeline:
    """The portrait engine with its bundled rig."""
    import cv2

    from pipelines.portrait.pipeline import PortraitPipeline
    from pipelines.portrait.rig import Rig
    from pipelines.portrait.tracker import FaceTracker

    cv2.setNumThreads(THREADS)
    return PortraitPipeline(tracker or FaceTracker(), Rig.load(local_path("rig")))


def face_recogniser() -> FaceRecogniser:
    """The recogniser that a render may look at."""
    import torch

    from emotion_encoders.face import FaceRecogniser

    torch.set_num_threads(THREADS)
    return FaceRecogniser.load(local_path("face"), device=device().value)


@dataclass(frozen=True)
class Studio:
    """All that a run of face jobs needs, loaded once."""

    pipeline: PortraitPipeline
    tracker: FaceTracker
    recogniser: FaceRecogniser


def studio() -> Studio:
    """The portrait engine and the recogniser that looks at its clips, sharing one face tracker."""
    from pipelines.portrait.tracker import FaceTracker

    tracker = FaceTracker()
    return Studio(portrait_pipeline(tracker), tracker, face_recogniser())
