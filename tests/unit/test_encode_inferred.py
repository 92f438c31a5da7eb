"""Inferred tracks are short enough to be written down, and say what the evidence says."""

import pytest

from emotion_encoders.emotion import EmotionError
from emotion_encoders.evidence import Evidence
from emotion_encoders.track import LONGEST_TEXT, EmotionTrack, Keyframe
from gen.inferred import MOST, inferred, is_auto


def heard(text: str, confidence: float = 0.7) -> Evidence:
    return Evidence(EmotionTrack.parse(text), "voice", confidence, "voice-v1")


@pytest.mark.parametrize(("text", "expected"), [("auto", True), (" AUTO ", True), ("anger", False)])
def test_auto_is_recognised(text: str, expected: bool) -> None:
    assert is_auto(text) is expected


def test_a_steady_voice_becomes_one_emotion() -> None:
    track, _ = inferred(
        [heard("0:anger*.6+disgust*.38+fear*.02 0.25:anger*.59+disgust*.39+fear*.02 9:anger*.6+disgust*.4")],
        2.0,
    )
    (keyframe,) = track.keyframes
    assert keyframe.emotion.probability("anger") == pytest.approx(0.7, abs=0.02)  # .6 and .38, squared
    assert keyframe.emotion.probability("disgust") == pytest.approx(0.3, abs=0.02)
    assert keyframe.emotion.probability("fear") == 0


def test_an_unsure_voice_is_decided_for_what_is_heard_most() -> None:
    unsure = heard("anger*.3+disgust*.2+neutral*.14+surprise*.13+sadness*.12+happiness*.11", 0.4)
    shown = inferred([unsure], 2.0)[0].at(0)
    assert shown.top == "anger"
    assert shown.probability("anger") > 0.5


def test_a_voice_that_changes_becomes_a_track_over_the_clip() -> None:
    track, _ = inferred([heard("0:neutral 2:neutral 4:anger 8:anger")], 8.0)
    assert track.at(0).top == "neutral"
    assert track.at(8).probability("anger") == pytest.approx(1)
    assert track.keyframes[-1].seconds == 8.0
    assert len(track.keyframes) < 9


def test_ten_minutes_of_changes_can_still_be_written_down() -> None:
    labels = ("anger*.4+fear*.3+sadness*.2+disgust*.1", "happiness*.4+surprise*.3+neutral*.2+contempt*.1")
    emotions = [EmotionTrack.parse(text).at(0) for text in labels]
    long = EmotionTrack(tuple(Keyframe(i / 4, emotions[i // 8 % 2]) for i in range(2400)))
    track, _ = inferred([Evidence(long, "voice", 0.7, "voice-v1")], 600.0)
    assert len(track.keyframes) <= MOST
    assert len(str(track)) < LONGEST_TEXT
    assert EmotionTrack.parse(str(track)) == track


def test_words_and_voice_are_blended() -> None:
    words = Evidence(EmotionTrack.parse("fear"), "text", 0.7, "text-v1")
    track, reason = inferred([heard("anger"), words], 3.0)
    assert str(track) in ("anger*0.5+fear*0.5", "fear*0.5+anger*0.5")
    assert reason == "voice and text contradict each other; blended by confidence"


def test_the_voice_can_be_followed_against_the_words() -> None:
    words = Evidence(EmotionTrack.parse("fear"), "text", 0.7, "text-v1")
    assert str(inferred([heard("anger"), words], 3.0, policy="voice")[0]) == "anger"
    with pytest.raises(EmotionError, match="contradict each other"):
        inferred([heard("anger"), words], 3.0, policy="ask")


def test_a_voice_in_which_nothing_is_heard_asks_for_a_name() -> None:
    with pytest.raises(EmotionError, match="give an emotion instead of 'auto'"):
        inferred([heard("neutral", 0.0)], 3.0)
