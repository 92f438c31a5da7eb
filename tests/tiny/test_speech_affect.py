"""A small wav2vec2 with a regression head, made here, hears affect through the same interface."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emotion_encoders.emotion import FACE8
from emotion_encoders.speech_affect import OUTPUTS, SpeechAffectEncoder, affect_regressor, hears_affect
from emotion_encoders.weights_file import WeightsError

RATE = 16_000


def made(folder: Path, words: tuple[str, ...] = OUTPUTS) -> Path:
    """A random model on disk, as a download would lie there."""
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor

    torch.manual_seed(0)
    config = Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8, 8),
        conv_kernel=(10, 8),
        conv_stride=(20, 16),
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        id2label=dict(enumerate(words)),
        label2id={word: number for number, word in enumerate(words)},
    )
    model: Any = affect_regressor()(config)
    with torch.no_grad():
        model.classifier.out_proj.weight.mul_(20)  # so that windows differ
        model.classifier.out_proj.bias.fill_(0.5)
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(feature_size=1, sampling_rate=RATE).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("model"))


def test_valence_and_arousal_are_what_the_model_gives(folder: Path, voice: np.ndarray) -> None:
    encoder = SpeechAffectEncoder.load(folder, confidence=0.7)
    evidence = encoder.encode(voice, RATE)
    assert (evidence.modality, evidence.confidence, evidence.affect_learned) == ("voice", 0.7, True)
    keyframe = evidence.track.keyframes[1]
    middle = round(keyframe.seconds * RATE)
    window = voice[max(0, middle - round(1.25 * RATE)) : middle + round(1.25 * RATE)]
    given = encoder._extractor(window - voice.mean(), sampling_rate=RATE, return_tensors="pt")
    with torch.inference_mode():
        arousal, _, valence = encoder._model(given["input_values"])[0].clamp(0, 1).tolist()
    assert keyframe.emotion.affect.valence == pytest.approx(2 * valence - 1, abs=1e-4)
    assert keyframe.emotion.affect.arousal == pytest.approx(2 * arousal - 1, abs=1e-4)
    assert keyframe.emotion.vocabulary == FACE8


def test_outputs_may_come_in_another_order(tmp_path: Path, folder: Path, voice: np.ndarray) -> None:
    other = SpeechAffectEncoder.load(made(tmp_path, ("valence", "dominance", "arousal")))
    one, two = (e.encode(voice, RATE).track.at(1.0).affect for e in (SpeechAffectEncoder.load(folder), other))
    assert (one.valence, one.arousal) == pytest.approx((two.arousal, two.valence), abs=1e-6)
    assert one.valence != pytest.approx(one.arousal)


def test_the_lock_may_name_the_outputs(folder: Path, voice: np.ndarray) -> None:
    named = SpeechAffectEncoder.load(folder, labels=("valence", "dominance", "arousal"))
    plain = SpeechAffectEncoder.load(folder).encode(voice, RATE).track.at(1.0).affect
    assert named.encode(voice, RATE).track.at(1.0).affect.valence == pytest.approx(plain.arousal)


def test_a_clip_is_the_mean_of_its_windows(folder: Path, voice: np.ndarray) -> None:
    encoder = SpeechAffectEncoder.load(folder)
    rows = [keyframe.emotion.affect.valence for keyframe in encoder.encode(voice, RATE).track.keyframes]
    hearing = encoder.listen(voice, RATE)
    assert hearing.valence == pytest.approx(np.mean(rows))
    assert (hearing.affect_learned, hearing.confidence) == (True, 0)


def test_silence_is_not_given_to_the_model(folder: Path) -> None:
    encoder = SpeechAffectEncoder.load(folder, confidence=0.7)
    silence = np.zeros(3 * RATE, np.float32)
    assert encoder.encode(silence, RATE).confidence == 0
    assert encoder.listen(silence, RATE).face8.top == "neutral"


def test_other_outputs_are_refused(tmp_path: Path) -> None:
    made(tmp_path, ("happy", "sad", "neutral"))
    assert not hears_affect(tmp_path)
    with pytest.raises(WeightsError, match="has other outputs than arousal, dominance, valence"):
        SpeechAffectEncoder.load(tmp_path)


def test_a_model_without_that_head_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    made(tmp_path)
    file = tmp_path / "model.safetensors"
    kept = {name: value for name, value in load_file(file).items() if "classifier" not in name}
    save_file(kept, file, metadata={"format": "pt"})
    with pytest.raises(WeightsError, match="no weights for classifier"):
        SpeechAffectEncoder.load(tmp_path)
