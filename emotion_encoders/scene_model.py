"""Larger vision models as scene encoders: any image classifier or CLIP in a local folder, by transformers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from emotion_encoders.emotion import MIKELS8, Emotion, UnknownEmotion
from emotion_encoders.evidence import Evidence
from emotion_encoders.model_folder import UNMEASURED, config_of, load_folder
from emotion_encoders.scene import SceneMeasures, check_frame, measure
from emotion_encoders.track import EmotionTrack, Keyframe
from emotion_encoders.weights_file import WeightsError

SECONDS = 1.0  # between two frames that the model looks at
BATCH = 16
PROMPT = "a picture that makes people feel {}"


class SceneModel:
    """A model that sees MIKELS8 in whole frames; the measures come along.

    A folder whose config names `id2label` with words of MIKELS8 is a classifier; a CLIP folder is asked
    with one sentence for each label. Only safetensors are read, nothing is fetched.
    """

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - transformers chooses the class by the folder
        processor: Any,  # noqa: ANN401 - as above
        texts: Tensor | None,
        confidence: float,
        name: str,
    ) -> None:
        self._model = model
        self._processor, self._texts = processor, texts
        self.confidence, self.name = confidence, name

    @classmethod
    def load(cls, folder: Path, *, confidence: float = UNMEASURED) -> Self:
        """Reads a local folder; `confidence` is the share of scenes in which it was measured to be right."""
        from transformers import AutoImageProcessor, AutoModel, AutoModelForImageClassification

        config = config_of(folder)
        if config.get("model_type") == "clip":
            model, processor = load_folder(folder, AutoModel, AutoImageProcessor, "CLIP")
            return cls(model, processor, _asked(model, folder), confidence, folder.name)
        _columns(config, folder)
        kind = AutoModelForImageClassification
        model, processor = load_folder(folder, kind, AutoImageProcessor, "image classifier")
        return cls(model, processor, None, confidence, folder.name)

    def encode(self, frames: Iterable[np.ndarray], fps: float) -> tuple[Evidence, SceneMeasures]:
        """RGB frames (H, W, 3) uint8 -> MIKELS8 once a second, and colour and motion of all of them."""
        every = max(1, round(SECONDS * fps))
        waiting: list[np.ndarray] = []
        rows: list[list[float]] = []

        def passed() -> Iterator[np.ndarray]:
            for index, frame in enumerate(frames):
                if index % every == 0:
                    check_frame(frame)
                    waiting.append(frame)
                if len(waiting) == BATCH:
                    rows.extend(self.probabilities(waiting).tolist())
                    waiting.clear()
                yield frame

        measures = measure(passed(), fps)
        rows += self.probabilities(waiting).tolist() if waiting else []
        keyframes = [Keyframe(i * every / fps, Emotion.seen(MIKELS8, row)) for i, row in enumerate(rows)]
        return Evidence(EmotionTrack(tuple(keyframes)), "scene", self.confidence, self.name), measures

    @torch.inference_mode()
    def probabilities(self, frames: Sequence[np.ndarray]) -> Tensor:
        """(N, 8) over MIKELS8."""
        pixels = self._processor(images=list(frames), return_tensors="pt")
        return self._logits(pixels["pixel_values"]).softmax(1)

    def _logits(self, pixels: Tensor) -> Tensor:
        if self._texts is None:
            return self._model(pixel_values=pixels).logits[:, _columns(self._model.config.to_dict(), None)]
        seen = _vector(self._model.get_image_features(pixel_values=pixels))
        return self._model.logit_scale.exp() * seen @ self._texts.T


def _columns(config: Mapping[str, Any], folder: Path | None) -> list[int]:
    """Where each label of MIKELS8 stands among the outputs of a classifier."""
    found: dict[str, int] = {}
    for number, word in config.get("id2label", {}).items():
        try:
            found[MIKELS8.resolve(str(word))] = int(number)
        except UnknownEmotion:
            continue
    missing = [label for label in MIKELS8.labels if label not in found]
    if missing:
        raise WeightsError(
            f"'{folder}' has no output for {', '.join(missing)}; a scene model needs all of "
            f"{', '.join(MIKELS8.labels)} among its labels."
        )
    return [found[label] for label in MIKELS8.labels]


@torch.inference_mode()
def _asked(model: Any, folder: Path) -> Tensor:  # noqa: ANN401 - transformers chooses
    """The directions of the eight sentences in CLIP's space."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    sentences = [PROMPT.format(label) for label in MIKELS8.labels]
    tokens = tokenizer(sentences, padding=True, truncation=True, return_tensors="pt")
    return _vector(model.get_text_features(**tokens))


def _vector(found: Any) -> Tensor:  # noqa: ANN401 - a tensor or, since transformers 5, an output that holds one
    vector = found if isinstance(found, Tensor) else found.pooler_output
    return torch.nn.functional.normalize(vector, dim=-1)
