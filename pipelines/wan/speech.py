"""Speech as a wav2vec2-class model hears it, cut into a window for each latent frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emotion_encoders.waveform import RATE, prepared
from pipelines.shapes import VideoShape
from pipelines.wan.errors import BackboneError

WINDOW = 10  # features that a latent frame hears
MARGIN = 0.1  # seconds that it hears beyond what it shows, to both sides: lips move before the sound


class SpeechFeatures:
    """The last hidden states of a wav2vec2, HuBERT or WavLM in a local folder."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - transformers chooses the class by the folder
        self.model = model.eval().requires_grad_(False)
        self.width: int = model.config.hidden_size
        self.hop = int(np.prod(model.config.conv_stride))  # samples from one feature to the next

    @classmethod
    def load(cls, folder: Path) -> SpeechFeatures:
        """Reads config and safetensors; BackboneError for anything else, nothing is fetched."""
        from transformers import AutoModel

        if not (folder / "config.json").is_file():
            raise BackboneError(f"'{folder}' has no config.json: give the folder of a speech model.")
        try:
            model = AutoModel.from_pretrained(str(folder), local_files_only=True, use_safetensors=True)
        except (OSError, ValueError) as error:
            first = str(error).strip().splitlines()[0]
            raise BackboneError(f"'{folder}' is no whole speech model: {first}") from None
        if not hasattr(model.config, "conv_stride"):
            raise BackboneError(f"'{folder}' is no model of the wav2vec2 kind: it does not hear waveforms.")
        return cls(model)

    @torch.inference_mode()
    def __call__(self, sound: np.ndarray, rate: int) -> Tensor:
        """Mono sound (N,) of any rate -> features (M, width), `RATE / hop` a second."""
        waveform = prepared(sound, rate)
        waveform = waveform / (waveform.std() + 1e-5)  # as these models were trained
        return self.model(waveform[None]).last_hidden_state[0].float()

    def windows(self, sound: np.ndarray, rate: int, shape: VideoShape) -> Tensor:
        """What is heard around each latent frame, (F, WINDOW, width)."""
        return windowed(self(sound, rate), RATE / self.hop, shape)


def windowed(features: Tensor, rate: float, shape: VideoShape, window: int = WINDOW) -> Tensor:
    """Features (M, width), `rate` a second -> (F, window, width); zeros, silence, outside the sound.

    A latent frame hears `window` moments spread evenly over what it shows and MARGIN around it, each
    interpolated between the two nearest features.
    """
    spans = torch.tensor(shape.latent_spans)  # (F, 2)
    spread = torch.linspace(0, 1, window)
    start, end = spans[:, :1] - MARGIN, spans[:, 1:] + MARGIN
    place = (start + (end - start) * spread) * rate - 0.5  # a feature lies in the middle of its hop
    last = len(features) - 1
    low = place.floor().clamp(0, last).long()
    high = (low + 1).clamp(max=last)
    share = (place - low).clamp(0, 1)[..., None]
    heard = features[low] * (1 - share) + features[high] * share
    inside = (place >= -0.5) & (place <= last + 0.5)
    return heard * inside[..., None]
