"""What holds for every track: its text reads back to it, and time moves along it without jumps."""

import contextlib
import math
import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emotion_encoders.emotion import FACE8, MIKELS8, VOCABULARIES, Affect, Emotion, EmotionError, Vocabulary
from emotion_encoders.track import LONGEST_SECONDS, EmotionTrack, Keyframe

steady = settings(deadline=None, max_examples=60)  # a busy machine is no failure
shares = st.floats(0, 1)
coordinates = st.floats(-1, 1)
moments = st.floats(0, LONGEST_SECONDS)


@st.composite
def written_emotions(draw: st.DrawFn, vocabulary: Vocabulary) -> Emotion:
    """Every emotion that the notation can write."""
    intensity = draw(shares)
    if draw(st.booleans()):
        return Emotion.from_affect(Affect(draw(coordinates), draw(coordinates)), vocabulary, intensity)
    weights = draw(
        st.dictionaries(st.sampled_from(vocabulary.labels), st.floats(1e-300, 1e300), min_size=1, max_size=8)
    )
    return Emotion.mixture(weights, vocabulary, intensity)


@st.composite
def tracks(draw: st.DrawFn, own: Vocabulary | None = None) -> EmotionTrack:
    vocabulary = own or draw(st.sampled_from(VOCABULARIES))
    times = sorted(draw(st.lists(moments, min_size=1, max_size=5, unique=True)))
    return EmotionTrack(tuple(Keyframe(t, draw(written_emotions(vocabulary))) for t in times))


@steady
@given(tracks())
@example(EmotionTrack.constant(Emotion.of("happiness", intensity=0)))
@example(EmotionTrack.constant(Emotion.from_affect(Affect(0, 0), MIKELS8)))
@example(EmotionTrack((Keyframe(5e-324, Emotion.from_affect(Affect(-1e-300, 0.1 + 0.2), FACE8)),)))
def test_text_reads_back_to_exactly_the_same_track(track: EmotionTrack) -> None:
    assert EmotionTrack.parse(str(track)) == track


@steady
@given(tracks())
def test_text_without_the_own_vocabulary_reads_back_where_it_is_the_own(track: EmotionTrack) -> None:
    text = track.text(track.vocabulary)
    assert "/" not in text
    assert EmotionTrack.parse(text, track.vocabulary) == track


@steady
@given(tracks(), st.sampled_from(VOCABULARIES), st.sampled_from(VOCABULARIES))
def test_text_for_any_job_reads_back_in_that_job(
    track: EmotionTrack, own: Vocabulary, other: Vocabulary
) -> None:
    assert EmotionTrack.parse(track.text(own), own) == track
    if track.vocabulary != own:
        assert EmotionTrack.parse(track.text(own), other) == track


@steady
@given(tracks())
def test_a_track_passes_through_its_keys(track: EmotionTrack) -> None:
    for keyframe in track.keyframes:
        assert track.at(keyframe.seconds) == keyframe.emotion


@steady
@given(tracks(), st.floats(-10, 2 * LONGEST_SECONDS))
def test_at_every_moment_a_track_shows_a_distribution(track: EmotionTrack, seconds: float) -> None:
    shown = track.at(seconds).shown
    assert math.fsum(shown.weights) == pytest.approx(1)
    assert min(shown.weights) >= 0


@steady
@given(tracks(), st.floats(0.01, 100))
def test_the_ends_hold(track: EmotionTrack, further: float) -> None:
    first, last = track.keyframes[0], track.keyframes[-1]
    assert track.at(first.seconds - further) == first.emotion
    assert track.at(last.seconds + further) == last.emotion


@steady
@given(tracks(FACE8), st.integers(0, 30), st.integers(1, 60))
def test_doubling_the_frame_rate_keeps_the_shared_frames(track: EmotionTrack, n: int, fps: int) -> None:
    assert track.per_frame(2 * n, 2 * fps)[::2] == track.per_frame(n, fps)


@steady
@given(tracks(FACE8), st.integers(0, 20), st.floats(1, 120))
def test_frame_i_lies_at_i_over_fps(track: EmotionTrack, n: int, fps: float) -> None:
    assert track.per_frame(n, fps) == [track.at(i / fps) for i in range(n)]


@steady
@given(tracks(FACE8), st.data())
def test_a_key_put_where_the_track_already_is_changes_nothing_shown(
    track: EmotionTrack, data: st.DataObject
) -> None:
    last = track.keyframes[-1].seconds
    new = data.draw(st.floats(0, last))
    keys = {k.seconds: k for k in track.keyframes} | {new: Keyframe(new, track.at(new))}
    refined = EmotionTrack(tuple(keys[seconds] for seconds in sorted(keys)))
    for seconds in data.draw(st.lists(st.floats(0, last), max_size=5)):
        assert refined.at(seconds).shown.weights == pytest.approx(track.at(seconds).shown.weights, abs=1e-6)


notation = st.text(st.sampled_from(string.digits + " .:@*+-/(),eavhpy"), max_size=40)


@steady
@given(st.one_of(st.text(max_size=40), notation, st.from_regex(r"\A[0-9.]{1,4}:(happy|va\(.,.\))@.{0,5}\Z")))
def test_any_text_is_a_track_or_is_refused_as_no_emotion(text: str) -> None:
    with contextlib.suppress(EmotionError):  # any other error fails the test
        track = EmotionTrack.parse(text)
        assert EmotionTrack.parse(str(track)) == track
