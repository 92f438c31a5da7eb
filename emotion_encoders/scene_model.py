"""Larger vision models as scene encoders: any image classifier or CLIP in a local folder, by transformers."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from emotion_encoders.emotion import MIKELS8, Emotion, UnknownEmotion
from emotion_encoders.evidence import Evidence
from emotion_encoders.recogniser import WeightsError
from emotion_encoders.scene import SceneMeasures, check_frame, measure
from emotion_encoders.track import EmotionTrack, Keyframe

SECONDS = 1.0  # between two frames that the model looks at
BATCH = 16
PROMPT = "a picture that makes people feel {}"
# A zero-shot model was never measured on emotions here: its word is not trusted until someone calibrates it.
UNMEASURED = 0.0


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
        self._model = model.eval().requires_grad_(False)
        self._processor, self._texts = processor, texts
        self.confidence, self.name = confidence, name

    @classmethod
    def load(cls, folder: Path, *, confidence: float = UNMEASURED) -> Self:
        """Reads a local folder; `confidence` is the share of scenes in which it was measured to be right."""
        config = _config(folder)
        logging.getLogger("transformers").setLevel(logging.ERROR)
        from transformers import AutoImageProcessor, AutoModel, AutoModelForImageClassification

        local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        is_clip = config.get("model_type") == "clip"
        if not is_clip:
            _columns(config, folder)
        try:
            kind = AutoModel if is_clip else AutoModelForImageClassification
            model = kind.from_pretrained(folder, use_safetensors=True, **local)
            processor = AutoImageProcessor.from_pretrained(folder, **local)
        except (OSError, ValueError) as error:
            raise WeightsError(f"'{folder}' is not a whole model folder: {_first_line(error)}") from None
        texts = _asked(model, folder, local) if is_clip else None
        return cls(model, processor, texts, confidence, folder.name)

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


def _config(folder: Path) -> Mapping[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise WeightsError(f"There is no config.json in '{folder}'; give the folder of a downloaded model.")
    return json.loads(path.read_text(encoding="utf-8"))


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
def _asked(model: Any, folder: Path, local: Mapping[str, Any]) -> Tensor:  # noqa: ANN401 - transformers chooses
    """The directions of the eight sentences in CLIP's space."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, **local)
    sentences = [PROMPT.format(label) for label in MIKELS8.labels]
    tokens = tokenizer(sentences, padding=True, truncation=True, return_tensors="pt")
    return _vector(model.get_text_features(**tokens))


def _vector(found: Any) -> Tensor:  # noqa: ANN401 - a tensor or, since transformers 5, an output that holds one
    vector = found if isinstance(found, Tensor) else found.pooler_output
    return torch.nn.functional.normalize(vector, dim=-1)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
