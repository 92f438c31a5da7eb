"""Says where in a picture somebody is, by MediaPipe's selfie segmentation."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from pipelines.portrait.quiet import quiet_stderr


class Segmenter:
    """The model is loaded at the first picture and kept."""

    def __init__(self) -> None:
        self._model: Any = None  # MediaPipe ships no types

    def person(self, picture: np.ndarray) -> np.ndarray:
        """Probability (H, W) float32 that each pixel of a picture (H, W, 3) uint8 belongs to a person."""
        with quiet_stderr(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # protobuf's own deprecation notices
            if self._model is None:
                from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation

                self._model = SelfieSegmentation(model_selection=0)
            return self._model.process(np.ascontiguousarray(picture)).segmentation_mask.astype(np.float32)
