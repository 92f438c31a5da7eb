"""What holds for every translation: it gives a distribution and accounts for all that it was given."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_encoders.emotion import FACE8, GOEMOTIONS28, MIKELS8, Emotion, Vocabulary
from emotion_encoders.mapping import translate

steady = settings(deadline=None, max_examples=60)  # a busy machine is no failure
directions = st.sampled_from(
    [(GOEMOTIONS28, FACE8), (GOEMOTIONS28, MIKELS8), (FACE8, MIKELS8), (MIKELS8, FACE8)]
)


@st.composite
def mixtures(draw: st.DrawFn, vocabulary: Vocabulary) -> Emotion:
    labels = st.sampled_from(vocabulary.labels)
    weights = draw(st.dictionaries(labels, st.floats(0.01, 1), min_size=1, max_size=6))
    return Emotion.mixture(weights, vocabulary, draw(st.floats(0, 1)))


cases = directions.flatmap(lambda both: st.tuples(mixtures(both[0]), st.just(both[1])))


@steady
@given(cases)
def test_a_translation_is_a_distribution_of_the_other_vocabulary(case: tuple[Emotion, Vocabulary]) -> None:
    emotion, to = case
    mapped = translate(emotion, to)
    assert mapped.emotion.vocabulary == to
    assert math.fsum(mapped.emotion.weights) == pytest.approx(1)
    assert mapped.emotion.intensity <= emotion.intensity
    assert 0 <= mapped.lost <= 1


@steady
@given(cases)
def test_what_is_lost_is_the_probability_of_the_labels_named(case: tuple[Emotion, Vocabulary]) -> None:
    emotion, to = case
    mapped = translate(emotion, to)
    assert mapped.lost == pytest.approx(sum(emotion.probability(label) for label in mapped.lost_labels))


@steady
@given(cases)
def test_a_translation_feels_the_same(case: tuple[Emotion, Vocabulary]) -> None:
    emotion, to = case
    before, after = emotion.shown.affect, translate(emotion, to).emotion.shown.affect
    assert (after.valence, after.arousal) == pytest.approx((before.valence, before.arousal), abs=1e-9)


@steady
@given(mixtures(MIKELS8))
def test_negative_emotions_survive_the_way_to_faces_and_back(emotion: Emotion) -> None:
    there = translate(emotion, FACE8).emotion
    for label in ("anger", "disgust", "fear", "sadness"):
        assert there.probability(label) == pytest.approx(emotion.probability(label))
