"""Vocabularies, affect and emotions: values and messages."""

import copy
import doctest
import importlib
import math

import pytest

from emotion_encoders.emotion import (
    FACE8,
    GOEMOTIONS28,
    MIKELS8,
    VOCABULARIES,
    Affect,
    Emotion,
    EmotionError,
    UnknownEmotion,
    Vocabulary,
    normalised,
    pooled,
    vocabulary,
)


@pytest.mark.parametrize("module", ["vocabulary", "emotion", "track", "mapping", "evidence", "agreement"])
def test_the_examples_in_the_docstrings_are_true(module: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(f"emotion_encoders.{module}"))
    assert failed == 0


def test_the_orders_of_the_labels_are_the_published_ones() -> None:
    assert " ".join(FACE8.labels) == "neutral happiness sadness surprise fear disgust anger contempt"
    assert " ".join(MIKELS8.labels) == "amusement awe contentment excitement anger disgust fear sadness"
    assert len(GOEMOTIONS28.labels) == len(set(GOEMOTIONS28.labels)) == 28
    assert list(GOEMOTIONS28.labels[:-1]) == sorted(GOEMOTIONS28.labels[:-1])
    assert GOEMOTIONS28.labels[-1] == "neutral"


def test_a_misspelt_emotion_is_refused_with_the_right_one() -> None:
    with pytest.raises(UnknownEmotion) as refused:
        FACE8.resolve("suprise")
    assert str(refused.value) == (
        "'suprise' is not an emotion of 'face8' (neutral, happiness, sadness, surprise, fear, disgust, "
        "anger, contempt). Did you mean 'surprise'?"
    )


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("hapy", "Did you mean 'happiness'?"),  # an alias leads to its label
        ("angr", "Did you mean 'anger'?"),
        ("awe", "It is one of 'mikels8': write 'mikels8/awe'."),
        ("grateful", "It is one of 'goemotions28': write 'goemotions28/gratitude'."),
        ("qqqq", "Use one of these."),
        ("", "Use one of these."),
    ],
)
def test_an_unknown_word_is_answered_with_advice(word: str, advice: str) -> None:
    with pytest.raises(UnknownEmotion) as refused:
        FACE8.resolve(word)
    assert str(refused.value).endswith(advice)


def test_where_there_is_no_neutral_intensity_zero_is_advised() -> None:
    with pytest.raises(UnknownEmotion, match="intensity 0 instead, as in 'amusement@0'"):
        MIKELS8.resolve("neutral")


def test_a_word_of_absurd_length_is_not_repeated_in_full() -> None:
    with pytest.raises(UnknownEmotion) as refused:
        FACE8.resolve("a" * 100_000)
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(
    ("word", "label"),
    [("Happy", "happiness"), ("JOY", "happiness"), ("sad", "sadness"), ("angry", "anger"), ("mad", "anger"),
     ("surprised", "surprise"), ("scared", "fear"), ("afraid", "fear"), ("disgusted", "disgust")],
)  # fmt: skip
def test_everyday_words_are_understood(word: str, label: str) -> None:
    assert FACE8.resolve(word) == label


def test_vocabularies_are_found_by_name() -> None:
    assert [vocabulary(v.name.upper()) for v in VOCABULARIES] == list(VOCABULARIES)
    with pytest.raises(EmotionError, match="there are face8, mikels8, goemotions28"):
        vocabulary("ekman")


def test_a_vocabulary_with_a_label_that_has_no_affect_is_refused() -> None:
    with pytest.raises(EmotionError, match="'hunger' has no valence"):
        Vocabulary("mine", ("hunger",), {})
    with pytest.raises(EmotionError, match="alias 'glad'"):
        Vocabulary("mine", ("anger",), {"glad": "joy"})


def test_the_affects_lie_in_the_quadrants_of_the_circumplex() -> None:
    quadrants = {
        "happiness": (1, 1),
        "sadness": (-1, -1),
        "anger": (-1, 1),
        "fear": (-1, 1),
        "contentment": (1, -1),
    }
    for label, (valence, arousal) in quadrants.items():
        book = FACE8 if label in FACE8.labels else MIKELS8
        affect = Emotion.of(label, book).affect
        assert affect.valence * valence > 0, label
        assert affect.arousal * arousal > 0, label
    assert Emotion.of("neutral").affect == Affect(0, 0)


def test_no_two_labels_of_a_vocabulary_share_a_point() -> None:
    for book in VOCABULARIES:
        assert len(set(book.affects)) == len(book.labels)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1.01, -1.01])
def test_a_point_off_the_plane_is_refused(value: float) -> None:
    with pytest.raises(EmotionError, match="Valence is"):
        Affect(value, 0)
    with pytest.raises(EmotionError, match="Arousal is"):
        Affect(0, value)


def test_a_mixture_is_normalised_and_named_by_any_word() -> None:
    emotion = Emotion.mixture({"happy": 3, "surprised": 1}, intensity=0.5)
    assert emotion.probability("joy") == 0.75
    assert emotion.probability("surprise") == 0.25
    assert emotion.top == "happiness"


@pytest.mark.parametrize("weight", [0, -1, math.nan, math.inf])
def test_a_weight_that_is_not_above_zero_is_refused(weight: float) -> None:
    with pytest.raises(EmotionError, match=r"weight of 'fear' is .*above 0"):
        Emotion.mixture({"fear": weight})


def test_an_empty_or_doubled_mixture_is_refused() -> None:
    with pytest.raises(EmotionError, match="at least one of"):
        Emotion.mixture({})
    with pytest.raises(EmotionError, match="'happiness' is named twice"):
        Emotion.mixture({"happy": 1, "joy": 1})


@pytest.mark.parametrize("intensity", [-0.1, 1.1, math.nan])
def test_an_intensity_outside_zero_to_one_is_refused(intensity: float) -> None:
    with pytest.raises(EmotionError, match="between 0 and 1"):
        Emotion.of("anger", intensity=intensity)


@pytest.mark.parametrize(
    "probabilities", [[1.0], [0.0] * 8, [math.nan] * 8, [-0.1, 1.1, 0, 0, 0, 0, 0, 0], [1.0] * 9]
)
def test_probabilities_that_are_no_distribution_are_refused(probabilities: list[float]) -> None:
    with pytest.raises(EmotionError):
        Emotion.seen(FACE8, probabilities)


@pytest.mark.parametrize("weights", [(1.0,), (0.5,) * 8, (math.nan,) * 8, (2.0, -1.0, 0, 0, 0, 0, 0, 0)])
def test_an_emotion_cannot_be_made_of_weights_that_are_no_distribution(weights: tuple[float, ...]) -> None:
    with pytest.raises(EmotionError):
        Emotion(FACE8, weights, Affect(0, 0))


def test_what_was_seen_keeps_the_affect_that_was_measured() -> None:
    measured = Affect(0.1, -0.2)
    assert Emotion.seen(FACE8, [1] * 8, affect=measured).affect == measured
    assert Emotion.seen(FACE8, [1] * 8).affect == FACE8.affect_of([1 / 8] * 8)


def test_intensity_zero_is_neutral() -> None:
    emotion = Emotion.of("anger", intensity=0)
    assert emotion.top == "neutral"
    assert emotion.shown == Emotion.of("neutral")


def test_without_a_neutral_intensity_zero_shows_every_label_alike() -> None:
    assert set(Emotion.of("awe", MIKELS8, 0).shown.weights) == {1 / 8}


def test_a_point_is_mostly_the_nearest_label_and_keeps_itself() -> None:
    emotion = Emotion.from_affect(Affect(0.8, 0.5))
    assert emotion.top == "happiness"
    assert emotion.probability("happiness") > 0.7
    assert emotion.affect == Affect(0.8, 0.5)
    assert Emotion.from_affect(Affect(0, 0)).top == "neutral"


def test_an_emotion_that_fades_in_counts_only_as_far_as_it_shows() -> None:
    hidden, sad = Emotion.of("happiness", intensity=0), Emotion.of("sadness")
    assert hidden.blend(sad, 0.5).probability("happiness") == 0
    assert hidden.blend(sad, 0.5).intensity == 0.5


def test_emotions_of_two_vocabularies_do_not_blend() -> None:
    with pytest.raises(EmotionError, match="'face8' and 'mikels8' cannot be mixed"):
        Emotion.of("anger").blend(Emotion.of("anger", MIKELS8), 0.5)


def test_a_blend_beyond_its_ends_is_refused() -> None:
    with pytest.raises(EmotionError, match=r"1\.5"):
        Emotion.of("anger").blend(Emotion.of("fear"), 1.5)


def test_two_hidden_emotions_blend_to_a_hidden_mixture() -> None:
    blend = pooled([Emotion.of("anger", intensity=0), Emotion.of("fear", intensity=0)], [0.5, 0.5])
    assert blend.intensity == 0
    assert blend.probability("anger") == 0.5


def test_intensities_that_all_but_vanish_still_blend() -> None:
    faint = Emotion.from_affect(Affect(0, 0.5), GOEMOTIONS28, 5e-324)
    blend = Emotion.of("anger", GOEMOTIONS28, 0).blend(faint, 0.75)
    assert blend.intensity <= 5e-324
    assert math.fsum(blend.weights) == pytest.approx(1)


def test_weights_that_are_shares_stay_bit_for_bit() -> None:
    assert normalised([0.1, 0.2, 0.7]) == (0.1, 0.2, 0.7)
    assert normalised([1e308, 1e308]) == (0.5, 0.5)


def test_emotions_are_values() -> None:
    emotion = Emotion.of("anger", intensity=0.5)
    assert emotion == Emotion.of("angry", intensity=0.5)
    assert len({emotion, copy.deepcopy(emotion)}) == 1
    with pytest.raises(AttributeError):
        emotion.intensity = 1.0  # pyright: ignore[reportAttributeAccessIssue] - it must fail
