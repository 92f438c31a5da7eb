"""A small wav2vec2 classifier of real classes, made here, hears through the same interface."""

from pathlib import Path

import numpy as np
import pytest
import torch

from emotion_encoders.emotion import FACE8
from emotion_encoders.speech_large import LargeSpeechEncoder
from emotion_encoders.waveform import SoundError
from emotion_encoders.weights_file import WeightsError

RATE = 16_000
WORDS = ("angry", "happy", "neutral", "sad")


def made(folder: Path, words: tuple[str, ...] = WORDS, *, head: bool = True) -> Path:
    """A random model on disk, as a download would lie there."""
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForSequenceClassification,
        Wav2Vec2Model,
    )

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
        classifier_proj_size=8,
        id2label=dict(enumerate(words)),
        label2id={word: number for number, word in enumerate(words)},
    )
    model = Wav2Vec2ForSequenceClassification(config) if head else Wav2Vec2Model(config)
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(feature_size=1, sampling_rate=RATE).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("model"))


def test_it_hears_a_track_of_face8(folder: Path, voice: np.ndarray) -> None:
    encoder = LargeSpeechEncoder.load(folder, confidence=0.7)
    evidence = encoder.encode(voice, RATE)
    first = evidence.track.keyframes[0].emotion
    assert (evidence.modality, evidence.confidence, evidence.weights) == ("voice", 0.7, folder.name)
    assert first.vocabulary == FACE8
    assert {label for label in FACE8.labels if first.probability(label) > 0} == {
        "anger",
        "happiness",
        "neutral",
        "sadness",
    }


def test_a_clip_is_the_mean_of_its_windows(folder: Path, voice: np.ndarray) -> None:
    encoder = LargeSpeechEncoder.load(folder)
    rows = [keyframe.emotion.weights for keyframe in encoder.encode(voice, RATE).track.keyframes]
    assert encoder.listen(voice, RATE).face8.weights == pytest.approx(tuple(np.mean(rows, axis=0)))


def test_a_model_that_nobody_measured_is_not_trusted(folder: Path, voice: np.ndarray) -> None:
    assert LargeSpeechEncoder.load(folder).encode(voice, RATE).confidence == 0


def test_silence_is_not_given_to_the_model(folder: Path) -> None:
    encoder = LargeSpeechEncoder.load(folder, confidence=0.7)
    silence = np.zeros(3 * RATE, np.float32)
    assert encoder.encode(silence, RATE).confidence == 0
    assert encoder.listen(silence, RATE).face8.top == "neutral"
    assert encoder.prosody(silence, RATE).silent.all()


def test_the_lock_may_name_the_outputs(folder: Path) -> None:
    encoder = LargeSpeechEncoder.load(folder, labels=("fear", "fear", "neutral", "disgust"))
    assert encoder.labels == ("fear", "fear", "neutral", "disgust")


def test_labels_of_another_number_are_refused(folder: Path) -> None:
    with pytest.raises(WeightsError, match="4 outputs; 2 labels"):
        LargeSpeechEncoder.load(folder, labels=("fear", "anger"))


def test_an_output_without_a_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="'calm' is not an emotion"):
        LargeSpeechEncoder.load(made(tmp_path, ("calm", "happy")))


def test_a_model_with_another_head_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no audio classifier"):
        LargeSpeechEncoder.load(made(tmp_path, head=False))


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no config\.json"):
        LargeSpeechEncoder.load(tmp_path)
    made(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match="not a whole model folder"):
        LargeSpeechEncoder.load(tmp_path)


def test_what_is_no_sound_is_refused(folder: Path) -> None:
    with pytest.raises(SoundError, match="no numbers"):
        LargeSpeechEncoder.load(folder).encode(np.full(RATE, np.nan, np.float32), RATE)
