"""What holds for every fusion: the order does not matter, and each moment is the average of that moment."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_encoders.emotion import FACE8, Affect, Emotion, pooled
from emotion_encoders.evidence import Evidence, fuse
from emotion_encoders.track import EmotionTrack, Keyframe

steady = settings(deadline=None, max_examples=60)  # a busy machine is no failure
shares = st.floats(0, 1)


@st.composite
def sources(draw: st.DrawFn) -> Evidence:
    times = sorted(draw(st.lists(st.integers(0, 80), min_size=1, max_size=4, unique=True)))
    keyframes: list[Keyframe] = []
    for t in times:
        point = Affect(draw(st.floats(-1, 1)), draw(st.floats(-1, 1)))
        keyframes.append(Keyframe(t / 8, Emotion.from_affect(point, FACE8, draw(shares))))
    modality = draw(st.sampled_from(("text", "voice", "face")))
    return Evidence(EmotionTrack(tuple(keyframes)), modality, draw(st.floats(0.05, 1)), "weights")


several = st.lists(sources(), min_size=1, max_size=4)


@steady
@given(several, st.floats(0, 12))
def test_at_every_moment_the_fusion_is_the_average_of_what_the_sources_show(
    found: list[Evidence], seconds: float
) -> None:
    total = math.fsum(source.confidence for source in found)
    average = pooled([s.track.at(seconds) for s in found], [s.confidence / total for s in found]).shown
    fused = fuse(found).evidence.track.at(seconds).shown
    assert fused.weights == pytest.approx(average.weights, abs=1e-9)


@steady
@given(several, st.data())
def test_the_order_of_the_sources_does_not_matter(found: list[Evidence], data: st.DataObject) -> None:
    other = data.draw(st.permutations(found))
    seconds = data.draw(st.floats(0, 12))
    one, two = (fuse(order).evidence.track.at(seconds).shown for order in (found, other))
    assert one.weights == pytest.approx(two.weights, abs=1e-9)


@steady
@given(several)
def test_confidence_stays_between_the_least_and_the_most_confident(found: list[Evidence]) -> None:
    confidences = [source.confidence for source in found]
    fused = fuse(found).evidence.confidence
    assert min(confidences) - 1e-9 <= fused <= max(confidences) + 1e-9


@steady
@given(several, st.lists(st.none(), max_size=3))
def test_missing_sources_change_nothing(found: list[Evidence], missing: list[None]) -> None:
    assert fuse([*missing, *found]) == fuse(found)
