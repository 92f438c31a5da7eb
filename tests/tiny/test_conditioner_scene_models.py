"""Larger vision models by name, as tiny real models in a local folder."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPTokenizer,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessor,
)

from emotion_encoders.emotion import MIKELS8
from emotion_encoders.scene_model import SceneModel
from emotion_encoders.weights_file import WeightsError

SIDE = 16
FRAMES = [np.full((24, 32, 3), 12 * i, np.uint8) for i in range(20)]
TINY: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}


def classifier(folder: Path, words: list[str]) -> Path:
    config = ViTConfig(**TINY, image_size=SIDE, patch_size=8, id2label=dict(enumerate(words)))
    ViTForImageClassification(config).save_pretrained(folder)
    ViTImageProcessor(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


def clip(folder: Path) -> Path:
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({piece: i for i, piece in enumerate(pieces)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt")).save_pretrained(folder)
    ends = {"bos_token_id": len(pieces) - 2, "eos_token_id": len(pieces) - 1}
    text = {**TINY, "vocab_size": len(pieces), "max_position_embeddings": 77, **ends}
    vision = {**TINY, "image_size": SIDE, "patch_size": 8}
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8)).save_pretrained(folder)
    CLIPImageProcessor(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
    ).save_pretrained(folder)
    return folder


def test_a_classifier_with_the_eight_labels_sees_them_once_a_second(tmp_path: Path) -> None:
    words = ["something else", *reversed(MIKELS8.labels)]
    model = SceneModel.load(classifier(tmp_path, words), confidence=0.6)
    evidence, measures = model.encode(FRAMES, fps=5)
    assert [keyframe.seconds for keyframe in evidence.track.keyframes] == [0, 1, 2, 3]
    assert (evidence.modality, evidence.confidence, evidence.weights) == ("scene", 0.6, tmp_path.name)
    assert evidence.track.vocabulary == MIKELS8
    assert measures.frames == 20


def test_outputs_are_put_into_the_order_of_the_labels(tmp_path: Path) -> None:
    model = SceneModel.load(classifier(tmp_path, ["other", *reversed(MIKELS8.labels)]))
    pixels = model._processor(images=FRAMES[:2], return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        logits = model._model(pixel_values=pixels).logits
    assert torch.allclose(model.probabilities(FRAMES[:2]), logits[:, 1:].flip(1).softmax(1), atol=1e-6)


def test_clip_is_asked_with_a_sentence_for_each_label(tmp_path: Path) -> None:
    model = SceneModel.load(clip(tmp_path))
    found = model.probabilities(FRAMES[:3])
    assert found.shape == (3, 8)
    assert torch.allclose(found.sum(1), torch.ones(3), atol=1e-5)
    evidence, _ = model.encode(FRAMES, fps=5)
    assert evidence.confidence == 0  # nobody measured yet how often it is right


def test_folders_that_hold_no_scene_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"There is no config\.json"):
        SceneModel.load(tmp_path)
    partial = classifier(tmp_path, ["anger", "fear"])
    with pytest.raises(WeightsError, match="has no output for amusement, awe"):
        SceneModel.load(partial)


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    folder = classifier(tmp_path, list(MIKELS8.labels))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(WeightsError, match="is not a whole model folder"):
        SceneModel.load(folder)
