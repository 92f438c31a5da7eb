"""What holds for every agreement: bounds, symmetry, and that a perfect clip is perfect."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_encoders.agreement import agree, ccc, divergence, wanted_probability
from emotion_encoders.emotion import FACE8, Emotion
from emotion_encoders.track import EmotionTrack, Keyframe

steady = settings(deadline=None, max_examples=60)  # a busy machine is no failure
emotions = st.builds(
    lambda weights, intensity: Emotion.mixture(weights, FACE8, intensity),
    st.dictionaries(st.sampled_from(FACE8.labels), st.floats(0.01, 1), min_size=1, max_size=4),
    st.floats(0, 1),
)
signals = st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=2, max_size=20)


@st.composite
def tracks(draw: st.DrawFn) -> EmotionTrack:
    times = sorted(draw(st.lists(st.integers(0, 40), min_size=1, max_size=4, unique=True)))
    return EmotionTrack(tuple(Keyframe(t / 20, draw(emotions)) for t in times))


@steady
@given(emotions, emotions)
def test_divergence_is_symmetric_and_within_one_bit(a: Emotion, b: Emotion) -> None:
    assert 0 <= divergence(a, b) <= 1
    assert divergence(a, b) == pytest.approx(divergence(b, a), abs=1e-12)
    assert divergence(a, a) == pytest.approx(0, abs=1e-12)


@steady
@given(emotions, emotions)
def test_the_wanted_probability_is_a_probability(asked: Emotion, seen: Emotion) -> None:
    assert 0 <= wanted_probability(asked, seen) <= 1 + 1e-12


@steady
@given(signals)
def test_concordance_is_symmetric_and_within_its_bounds(pairs: list[tuple[float, float]]) -> None:
    x, y = [a for a, _ in pairs], [b for _, b in pairs]
    value = ccc(x, y)
    if value is not None:
        assert -1 - 1e-9 <= value <= 1 + 1e-9
        assert ccc(y, x) == pytest.approx(value)


@steady
@given(tracks(), st.lists(st.none() | emotions, max_size=12), st.sampled_from([10.0, 25.0, 29.97]))
def test_every_number_is_within_its_bounds_or_unknown(
    asked: EmotionTrack, seen: list[Emotion | None], fps: float
) -> None:
    result = agree(asked, seen, fps)
    assert result.frames == len(seen)
    assert result.faces_found == sum(emotion is not None for emotion in seen)
    assert (result.top1 is None) == (result.probability is None) == (result.faces_found == 0)
    for share in (result.top1, result.probability, result.divergence):
        assert share is None or 0 <= share <= 1 + 1e-9
    assert result.lag_seconds is None or abs(result.lag_seconds) <= 1 + 1e-9


@steady
@given(tracks())
def test_a_clip_that_shows_what_was_asked_agrees_fully(asked: EmotionTrack) -> None:
    result = agree(asked, [emotion.shown for emotion in asked.per_frame(20, 20)], 20)
    assert result.top1 == 1
    assert result.divergence == pytest.approx(0, abs=1e-9)
    assert result.valence_ccc is None or result.valence_ccc == pytest.approx(1)
    assert result.lag_seconds in (None, 0.0)
