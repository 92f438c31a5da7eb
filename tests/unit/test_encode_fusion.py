"""What the encode command adds to fusion: explicit wishes, and how much each modality decides."""

import pytest

from emotion_encoders.emotion import MIKELS8
from emotion_encoders.evidence import Evidence, Modality, decisiveness, fuse
from emotion_encoders.track import EmotionTrack


def saw(text: str, modality: Modality = "voice", confidence: float = 0.8) -> Evidence:
    return Evidence(EmotionTrack.parse(text), modality, confidence, f"{modality}-v1")


def test_an_explicit_wish_goes_before_all_evidence() -> None:
    fusion = fuse([saw("anger"), saw("fear", "text")], policy="ask", wish=EmotionTrack.parse("happiness@.4"))
    assert str(fusion.evidence.track) == "happiness@0.4"
    assert fusion.evidence.confidence == 1
    assert fusion.reason == "asked for, which goes before voice (0.80), text (0.80)"


def test_an_explicit_wish_needs_no_evidence_and_is_translated() -> None:
    fusion = fuse([], wish=EmotionTrack.parse("anger"), vocabulary=MIKELS8)
    assert (fusion.evidence.track.at(0).top, fusion.evidence.track.vocabulary) == ("anger", MIKELS8)
    assert fusion.reason == "asked for, which goes before all else"


def test_who_is_alone_decides_everything() -> None:
    assert decisiveness([saw("anger"), None]) == {"voice": 1.0}
    assert decisiveness([saw("anger"), saw("fear", confidence=0.2)]) == {"voice": 1.0}


def test_who_says_what_the_others_say_decides_nothing() -> None:
    found = decisiveness([saw("anger"), saw("anger", "face"), saw("anger", "text")])
    assert found == {"voice": 0, "face": 0, "text": 0}


def test_the_surer_of_two_that_differ_decides_more() -> None:
    found = decisiveness([saw("anger", confidence=0.9), saw("happiness", "text", 0.3)])
    assert 0 < found["text"] < found["voice"] < 1


def test_who_is_not_followed_decides_nothing() -> None:
    found = decisiveness([saw("anger"), saw("happiness", "text")], policy="voice")
    assert found["text"] == 0
    assert found["voice"] == pytest.approx(1)


def test_a_question_is_not_asked_to_measure_who_decides() -> None:
    sources = [saw("anger"), saw("happiness", "text")]
    assert decisiveness(sources, policy="ask") == decisiveness(sources)


def test_nobody_decides_where_nothing_is_felt() -> None:
    assert decisiveness([saw("anger", confidence=0)]) == {}
