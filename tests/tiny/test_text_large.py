"""Small text classifiers of real classes, made here, read through the interface of the bundled encoder."""

from pathlib import Path

import pytest
import torch
from transformers import RobertaConfig, RobertaForSequenceClassification

from emotion_encoders.emotion import FACE8, GOEMOTIONS28, MIKELS8, EmotionError
from emotion_encoders.mapping import translate
from emotion_encoders.text import MOST_WINDOWS, Felt
from emotion_encoders.text_large import PIECES, LargeTextEncoder
from emotion_encoders.weights_file import WeightsError
from tests.classifier import EKMAN, SPECIAL, TINY, WORDS, classifier, tokenizer


@pytest.fixture(scope="module")
def ekman(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return classifier(tmp_path_factory.mktemp("ekman"), EKMAN)


@pytest.fixture(scope="module")
def goemotions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return classifier(tmp_path_factory.mktemp("go"), GOEMOTIONS28.labels, several=True)


def logits(encoder: LargeTextEncoder, text: str) -> list[float]:
    """What the model itself gives, asked directly."""
    with torch.inference_mode():
        given = encoder._tokenizer(text, return_tensors="pt", return_token_type_ids=False)
        return encoder._model(**given).logits[0].tolist()


def test_outputs_of_seven_emotions_become_face8(ekman: Path) -> None:
    encoder = LargeTextEncoder.load(ekman, confidence=0.7)
    (reading,) = encoder.read(["good dog"])
    wanted = dict(zip(EKMAN, torch.tensor(logits(encoder, "good dog")).softmax(0).tolist(), strict=True))
    for label in EKMAN:
        assert reading.face8.probability(label) == pytest.approx(wanted[label], abs=1e-6)
    assert reading.face8.probability("contempt") == 0
    assert reading.mikels8.vocabulary == MIKELS8
    assert (reading.goemotions28, reading.confidence, reading.weights) == ({}, 0.7, ekman.name)


def test_outputs_of_goemotions_hold_each_for_itself(goemotions: Path) -> None:
    encoder = LargeTextEncoder.load(goemotions)
    (reading,) = encoder.read(["bad rain"])
    chances = torch.tensor(logits(encoder, "bad rain")).sigmoid().tolist()
    assert list(reading.goemotions28) == list(GOEMOTIONS28.labels)
    assert list(reading.goemotions28.values()) == pytest.approx(chances, abs=1e-6)
    holding = sorted((p, label) for p, label in zip(chances, GOEMOTIONS28.labels, strict=True) if p >= 0.5)
    assert reading.labels == tuple(label for _, label in reversed(holding))
    assert reading.face8.vocabulary == FACE8


def test_the_affect_is_looked_up_from_the_labels(goemotions: Path) -> None:
    encoder = LargeTextEncoder.load(goemotions)
    (reading,) = encoder.read(["sing"])
    assert reading.valence == pytest.approx(GOEMOTIONS28.affect_of(_shares(reading)).valence)
    assert not encoder.encode("sing").affect_learned


def _shares(reading: Felt) -> list[float]:
    total = sum(reading.goemotions28.values())
    return [p / total for p in reading.goemotions28.values()]


def test_a_text_reads_the_same_alone_and_among_others(ekman: Path) -> None:
    encoder = LargeTextEncoder.load(ekman)
    texts = ["good", "bad rain dog cry sing", "", "sing good"]
    together = encoder.read(texts)
    for text, reading in zip(texts, together, strict=True):
        assert encoder.read([text])[0].face8.weights == pytest.approx(reading.face8.weights, abs=1e-5)


def test_a_long_text_is_read_in_windows_to_its_end(ekman: Path) -> None:
    encoder = LargeTextEncoder.load(ekman)
    start = "good " * (PIECES - 2)
    (one, longer) = encoder.read([start, start + "cry " * (PIECES - 2)])
    assert one.face8 != longer.face8
    half = [(a + b) / 2 for a, b in zip(*_rows(encoder, start, "cry " * (PIECES - 2)), strict=True)]
    assert list(longer.face8.weights) == pytest.approx(half, abs=1e-5)
    assert len(encoder._windows("good " * PIECES * 100)) == MOST_WINDOWS


def _rows(encoder: LargeTextEncoder, *texts: str) -> list[tuple[float, ...]]:
    return [reading.face8.weights for reading in encoder.read(texts)]


@pytest.mark.parametrize("text", ["", " \n", "\u200d\u200d", "\x07"])
def test_a_text_without_anything_to_read_is_neutral_and_counts_nothing(ekman: Path, text: str) -> None:
    (reading,) = LargeTextEncoder.load(ekman, confidence=0.7).read([text])
    assert (reading.face8.top, reading.confidence) == ("neutral", 0)


def test_words_with_times_become_a_track(ekman: Path) -> None:
    encoder = LargeTextEncoder.load(ekman, confidence=0.7)
    said = [("good", 0.0, 0.5), ("dog.", 0.5, 1.0), ("Bad", 2.0, 2.5), ("rain.", 2.5, 3.0)]
    evidence = encoder.encode(said)
    assert len(evidence.track.keyframes) == 4
    first, alone = evidence.track.keyframes[0].emotion, encoder.read(["good dog."])[0].face8
    assert first.weights == pytest.approx(alone.weights, abs=1e-5)
    assert (evidence.modality, evidence.confidence) == ("text", pytest.approx(0.7))


def test_a_model_that_nobody_measured_is_not_trusted(ekman: Path) -> None:
    assert LargeTextEncoder.load(ekman).encode("good").confidence == 0


def test_the_lock_may_name_the_outputs(ekman: Path) -> None:
    named = LargeTextEncoder.load(ekman, labels=("joy", *["neutral"] * 6))
    (reading,) = named.read(["good"])
    (plain,) = LargeTextEncoder.load(ekman).read(["good"])
    assert reading.face8.probability("happiness") == pytest.approx(plain.face8.probability("anger"))
    with pytest.raises(WeightsError, match="7 outputs; 1 labels"):
        LargeTextEncoder.load(ekman, labels=("joy",))


def test_a_roberta_reads_as_far_as_its_positions_go(tmp_path: Path) -> None:
    config = RobertaConfig(
        **{**TINY, "max_position_embeddings": 20},
        vocab_size=len(SPECIAL) + len(WORDS),
        pad_token_id=1,
        id2label=dict(enumerate(EKMAN)),
    )
    RobertaForSequenceClassification(config).save_pretrained(tmp_path)
    tokenizer(tmp_path)
    (reading,) = LargeTextEncoder.load(tmp_path).read(["good dog " * 40])
    assert sum(reading.face8.weights) == pytest.approx(1)


def test_what_is_no_emotion_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no emotions: LABEL_0, LABEL_1"):
        LargeTextEncoder.load(classifier(tmp_path, ("LABEL_0", "LABEL_1", "joy")))


def test_folders_that_hold_no_classifier_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"There is no config\.json"):
        LargeTextEncoder.load(tmp_path)
    classifier(tmp_path, EKMAN, head=False)
    with pytest.raises(WeightsError, match="it is no text classifier"):
        LargeTextEncoder.load(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(WeightsError, match="is not a whole model folder"):
        LargeTextEncoder.load(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(WeightsError, match=r"config\.json' cannot be read"):
        LargeTextEncoder.load(tmp_path)


def test_input_that_is_no_list_or_too_long_is_refused(ekman: Path) -> None:
    encoder = LargeTextEncoder.load(ekman)
    with pytest.raises(EmotionError, match="give a list of texts"):
        encoder.read("good")
    with pytest.raises(EmotionError, match="1,000,001 characters long"):
        encoder.read(["a" * 1_000_001])


def test_both_vocabularies_translate_to_the_same_face(ekman: Path) -> None:
    encoder = LargeTextEncoder.load(ekman)
    (reading,) = encoder.read(["cry"])
    assert translate(reading.face8, MIKELS8).emotion == reading.mikels8
