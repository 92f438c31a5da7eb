"""What holds for every emotion: it stays a distribution, and a blend lies on the line between its ends."""

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from emotion_encoders.emotion import (
    FACE8,
    VOCABULARIES,
    Affect,
    Emotion,
    EmotionError,
    UnknownEmotion,
    Vocabulary,
    normalised,
    pooled,
)

steady = settings(deadline=None, max_examples=60)  # a busy machine is no failure
shares = st.floats(0, 1)
coordinates = st.floats(-1, 1)
vocabularies = st.sampled_from(VOCABULARIES)


@st.composite
def emotions(draw: st.DrawFn, vocabulary: Vocabulary | None = None) -> Emotion:
    """Labels, mixtures, points and measured emotions, of any intensity."""
    vocabulary = vocabulary or draw(vocabularies)
    intensity = draw(shares)
    if draw(st.booleans()):
        return Emotion.from_affect(Affect(draw(coordinates), draw(coordinates)), vocabulary, intensity)
    weights = draw(
        st.dictionaries(st.sampled_from(vocabulary.labels), st.floats(1e-6, 1e6), min_size=1, max_size=5)
    )
    mixture = Emotion.mixture(weights, vocabulary, intensity)
    if draw(st.booleans()):
        return mixture
    return Emotion.seen(vocabulary, mixture.weights, intensity, Affect(draw(coordinates), draw(coordinates)))


pairs = vocabularies.flatmap(lambda v: st.tuples(emotions(v), emotions(v)))


@steady
@given(emotions())
def test_an_emotion_and_what_it_shows_are_distributions(emotion: Emotion) -> None:
    for one in (emotion, emotion.shown):
        assert math.fsum(one.weights) == pytest.approx(1)
        assert min(one.weights) >= 0
        assert one.top in one.vocabulary.labels


@steady
@given(pairs, shares)
def test_a_blend_stays_a_distribution_between_its_ends(pair: tuple[Emotion, Emotion], t: float) -> None:
    a, b = pair
    blend = a.blend(b, t)
    for x, p, q in zip(blend.shown.weights, a.shown.weights, b.shown.weights, strict=True):
        assert x == pytest.approx((1 - t) * p + t * q, abs=1e-9)
    assert blend.intensity == pytest.approx((1 - t) * a.intensity + t * b.intensity)


@steady
@given(pairs, shares)
def test_a_blend_moves_valence_and_arousal_on_a_straight_line(
    pair: tuple[Emotion, Emotion], t: float
) -> None:
    a, b = (emotion.shown.affect for emotion in pair)
    blend = pair[0].blend(pair[1], t).shown.affect
    assert blend.valence == pytest.approx((1 - t) * a.valence + t * b.valence, abs=1e-9)
    assert blend.arousal == pytest.approx((1 - t) * a.arousal + t * b.arousal, abs=1e-9)


@steady
@given(pairs)
def test_a_blend_starts_and_ends_at_its_ends(pair: tuple[Emotion, Emotion]) -> None:
    a, b = pair
    assert a.blend(b, 0) == a
    assert a.blend(b, 1) == b


@steady
@given(pairs, shares)
def test_blending_there_and_back_is_the_same(pair: tuple[Emotion, Emotion], t: float) -> None:
    a, b = pair
    forth, back = a.blend(b, t).shown, b.blend(a, 1 - t).shown
    assert forth.weights == pytest.approx(back.weights, abs=1e-9)


@steady
@given(st.lists(emotions(FACE8), min_size=1, max_size=4), st.data())
def test_a_pool_does_not_depend_on_the_order(several: list[Emotion], data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.floats(0.01, 1), min_size=len(several), max_size=len(several)))
    order = data.draw(st.permutations(range(len(several))))
    weights = [part / math.fsum(parts) for part in parts]
    one = pooled(several, weights).shown
    other = pooled([several[i] for i in order], [weights[i] for i in order]).shown
    assert one.weights == pytest.approx(other.weights, abs=1e-9)


@steady
@given(st.lists(st.floats(0, 1e308), min_size=1, max_size=28))
def test_weights_of_any_size_become_shares_and_then_stay_as_they_are(weights: list[float]) -> None:
    assume(max(weights) > 0)
    once = normalised(weights)
    assert math.fsum(once) == pytest.approx(1)
    assert normalised(once) == once


@steady
@given(vocabularies, st.data())
def test_every_label_wins_at_its_own_point(vocabulary: Vocabulary, data: st.DataObject) -> None:
    label = data.draw(st.sampled_from(vocabulary.labels))
    pure = Emotion.of(label, vocabulary)
    assert Emotion.from_affect(pure.affect, vocabulary).top == label


@steady
@given(vocabularies, st.text(max_size=30))
def test_any_word_is_a_label_or_is_refused_with_the_labels(vocabulary: Vocabulary, word: str) -> None:
    if vocabulary.knows(word):
        assert vocabulary.resolve(word) in vocabulary.labels
    else:
        with pytest.raises(UnknownEmotion, match=", ".join(vocabulary.labels)):
            vocabulary.resolve(word)


@steady
@given(vocabularies, st.data())
def test_labels_and_aliases_are_found_in_any_case_and_padding(
    vocabulary: Vocabulary, data: st.DataObject
) -> None:
    word = data.draw(st.sampled_from([*vocabulary.labels, *vocabulary.aliases]))
    assert vocabulary.resolve(f"  {word.upper()} ") == vocabulary.resolve(word)


@steady
@given(vocabularies, st.data())
def test_a_letter_forgotten_still_leads_to_a_suggestion(vocabulary: Vocabulary, data: st.DataObject) -> None:
    label = data.draw(st.sampled_from(vocabulary.labels))
    gap = data.draw(st.integers(1, len(label) - 1))
    slip = label[:gap] + label[gap + 1 :]
    if not vocabulary.knows(slip):
        with pytest.raises(UnknownEmotion, match=r"Did you mean|It is one of|Use one"):
            vocabulary.resolve(slip)


@steady
@given(st.floats(), st.floats())
def test_a_point_off_the_plane_is_refused(valence: float, arousal: float) -> None:
    if -1 <= valence <= 1 and -1 <= arousal <= 1:
        assert Affect(valence, arousal).valence == valence
    else:
        with pytest.raises(EmotionError, match="between -1 and 1"):
            Affect(valence, arousal)
