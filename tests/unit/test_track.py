"""Tracks and their notation: what is read, what is written, what is refused and with which words."""

import math
import time

import pytest

from emotion_encoders.emotion import FACE8, MIKELS8, Affect, Emotion, EmotionError, UnknownEmotion
from emotion_encoders.track import LONGEST_TEXT, EmotionTrack, Keyframe


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("happiness", "happiness"),
        ("Happy@.5", "happiness@0.5"),
        ("0:happy", "happiness"),
        ("2:happy", "2:happiness"),
        ("  0:neutral   1.5:happiness@0.8\n3:happiness*.7+surprise*.3  4:va(-0.6,0.7) ",
         "0:neutral 1.5:happiness@0.8 3:happiness*0.7+surprise*0.3 4:va(-0.6,0.7)"),
        ("mikels8/awe*.7+fear*.3@.8", "mikels8/awe*0.7+fear*0.3@0.8"),
        ("happiness+surprise", "happiness*0.5+surprise*0.5"),
        ("surprise*2+happiness*6", "happiness*0.75+surprise*0.25"),
        ("face8/anger", "anger"),
        ("VA( -0.6 , 0.7 )@.25", "va(-0.6,0.7)@0.25"),
        ("mikels8/va(0,-0.5)", "mikels8/va(0,-0.5)"),
        ("anger@0", "anger@0"),
        ("-0:anger", "anger"),
        ("1e1:anger", "10:anger"),
        ("anger*1e+2+fear*3e2", "fear*0.75+anger*0.25"),
        ("goemotions28/remorse", "goemotions28/remorse"),
        ("0:anger@1 1:anger@1.0", "0:anger 1:anger"),
        ("anger*3", "anger"),
        ("anger*.9999999999999999", "anger*0.9999999999999999"),
    ],
)  # fmt: skip
def test_the_notation_is_read_and_written_shortest(text: str, written: str) -> None:
    assert str(EmotionTrack.parse(text)) == written
    assert EmotionTrack.parse(written) == EmotionTrack.parse(text)


def test_labels_without_a_vocabulary_belong_to_the_job_s() -> None:
    track = EmotionTrack.parse("0:awe 1:fear", MIKELS8)
    assert track.vocabulary == MIKELS8
    assert str(track) == "0:mikels8/awe 1:mikels8/fear"
    assert track.text(MIKELS8) == "0:awe 1:fear"


def test_a_bare_emotion_holds_for_the_whole_clip() -> None:
    track = EmotionTrack.parse("anger@.5")
    assert track == EmotionTrack.constant(Emotion.of("anger", intensity=0.5))
    assert {track.at(seconds) for seconds in (0, 1, 3600)} == {Emotion.of("anger", intensity=0.5)}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The track is empty"),
        (" \n ", "The track is empty"),
        ("auto", "'auto' is not a track but the request"),
        ("0:AUTO", "'auto' is not a track but the request"),
        ("0:neutral 0:anger", "keyframe 2 at 0 s follows one at 0 s"),
        ("0:neutral 2:fear 1:anger", "keyframe 3 at 1 s follows one at 2 s"),
        ("-1:anger", "The time is -1.0 s; it must lie between 0 and 86400 s"),
        ("1e9:anger", "it must lie between 0 and 86400 s"),
        ("nan:anger", "The time in seconds 'nan' is not a number"),
        ("inf:anger", "The time in seconds 'inf' is not a number"),
        ("1_0:anger", "The time in seconds '1_0' is not a number"),
        ("1:30:anger", "The time in seconds '1:30' is not a number"),
        (":anger", "The time in seconds '' is not a number"),
        ("1" * 400 + ":anger", "is not a number"),
        ("happy sad", "Keyframe 1 ('happy', at character 1): It has no time"),
        ("0:happy sad", "Keyframe 2 ('sad', at character 9): It has no time"),
        ("0:", "The emotion is missing; use one of neutral, happiness"),
        ("@.5", "The emotion is missing"),
        ("anger@", "The intensity '' is not a number"),
        ("anger@1.5", "Intensity is 1.5; it must lie between 0 and 1"),
        ("anger@-0.5", "Intensity is -0.5; it must lie between 0 and 1"),
        ("anger@nan", "The intensity 'nan' is not a number"),
        ("anger*0", "The weight of 'anger' is 0.0; it must be a number above 0"),
        ("anger*-1+fear", "The weight of 'anger' is -1.0; it must be a number above 0"),
        ("anger*+fear", "The weight of 'anger' '' is not a number"),
        ("anger+mad", "'anger' is named twice"),
        ("anger++fear", "'' is not an emotion"),
        ("va(1.5,0)", "Valence is 1.5; it must lie between -1 and 1"),
        ("va(0,-2)", "Arousal is -2.0; it must lie between -1 and 1"),
        ("va(0.5)", "write va(VALENCE,AROUSAL), such as va(-0.6,0.7)"),
        ("va(a,b)", "The valence 'a' is not a number"),
        ("va(0,0)+anger", "'va(0,0)+anger' is not a point"),
        ("ekman/anger", "'ekman' is not a vocabulary; there are face8, mikels8, goemotions28"),
        ("mikels8/happiness", "'happiness' is not an emotion of 'mikels8'"),
        ("0:anger 1:mikels8/awe", "but face8 and mikels8 came"),
        ("x" * (LONGEST_TEXT + 1), "at most 10000 are read"),
    ],
)  # fmt: skip
def test_what_is_not_a_track_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(EmotionError) as refused:
        EmotionTrack.parse(text)
    assert sentence in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_mistake_in_a_longer_track_is_located() -> None:
    with pytest.raises(UnknownEmotion) as refused:
        EmotionTrack.parse("0:neutral 1.5:suprise")
    assert str(refused.value).startswith("Keyframe 2 ('1.5:suprise', at character 11): 'suprise' is not an")
    assert str(refused.value).endswith("Did you mean 'surprise'?")


def test_a_lone_misspelt_emotion_is_refused_without_a_position() -> None:
    with pytest.raises(UnknownEmotion, match=r"\A'suprise' is not an emotion"):
        EmotionTrack.parse("suprise")


@pytest.mark.parametrize("text", ["(" * 9_999, "va(" * 3_000, "+" * 9_999, "0:a " * 2_500, "1:" * 4_999])
def test_long_nonsense_is_refused_quickly(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(EmotionError):
        EmotionTrack.parse(text)
    assert time.perf_counter() - start < 1


def test_a_track_without_keyframes_is_refused() -> None:
    with pytest.raises(EmotionError, match="needs an emotion"):
        EmotionTrack(())


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf])
def test_a_keyframe_at_no_moment_of_a_clip_is_refused(seconds: float) -> None:
    with pytest.raises(EmotionError, match="The time is"):
        Keyframe(seconds, Emotion.of("anger"))


def test_between_keys_what_is_shown_moves_on_a_straight_line() -> None:
    track = EmotionTrack.parse("0:neutral 2:happiness@0.8")
    middle = track.at(1)
    assert middle.shown.probability("happiness") == pytest.approx(0.4)
    assert middle.shown.probability("neutral") == pytest.approx(0.6)


def test_rising_intensity_keeps_the_emotion() -> None:
    track = EmotionTrack.parse("0:anger@0 1:anger")
    assert track.at(0.25) == Emotion.of("anger", intensity=0.25)


def test_affect_moves_on_a_straight_line_between_points() -> None:
    track = EmotionTrack.parse("0:va(-1,0) 1:va(0,1)")
    affect = track.at(0.5).affect
    assert (affect.valence, affect.arousal) == pytest.approx((-0.5, 0.5))


def test_frames_are_sampled_at_their_times() -> None:
    track = EmotionTrack.parse("0:neutral 1:anger")
    assert track.per_frame(0, 25) == []
    assert track.per_frame(3, 2) == [track.at(0), track.at(0.5), track.at(1)]


@pytest.mark.parametrize(("n", "fps"), [(-1, 25), (5, 0), (5, -1), (5, math.nan), (5, math.inf)])
def test_frames_that_cannot_be_are_refused(n: int, fps: float) -> None:
    with pytest.raises(EmotionError, match="fps above 0"):
        EmotionTrack.parse("anger").per_frame(n, fps)


def test_the_moment_nan_is_refused() -> None:
    with pytest.raises(EmotionError, match="not a number"):
        EmotionTrack.parse("anger").at(math.nan)


def test_an_affect_measured_apart_from_the_labels_is_written_as_labels() -> None:
    measured = Emotion.seen(FACE8, Emotion.of("anger").weights, affect=Affect(0.1, 0.1))
    assert str(EmotionTrack.constant(measured)) == "anger"
