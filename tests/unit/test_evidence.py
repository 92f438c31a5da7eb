"""Evidence and its fusion: weighting, missing sources, contradiction."""

import pytest

from emotion_encoders.emotion import FACE8, GOEMOTIONS28, MIKELS8, Affect, Emotion, EmotionError
from emotion_encoders.evidence import EmotionConflict, Evidence, Modality, fuse
from emotion_encoders.track import EmotionTrack


def saw(
    text: str, modality: Modality = "voice", confidence: float = 0.8, *, learned: bool = False
) -> Evidence:
    return Evidence(EmotionTrack.parse(text), modality, confidence, f"{modality}-v1", learned)


def test_one_source_is_taken_as_it_is() -> None:
    voice = saw("0:anger 1:fear")
    fusion = fuse([None, voice, None])
    assert fusion.evidence == voice
    assert fusion.conflict is None
    assert fusion.reason == "from voice (0.80)"


def test_sources_count_by_their_confidence() -> None:
    fusion = fuse([saw("anger", confidence=0.6), saw("fear", "face", 0.2)])
    assert fusion.evidence.track.at(0).probability("anger") == pytest.approx(0.75)
    assert fusion.evidence.modality == "fused"
    assert fusion.evidence.weights == "voice-v1 + face-v1"
    assert fusion.evidence.confidence == pytest.approx(0.5)


def test_fusion_follows_every_source_over_time() -> None:
    fusion = fuse([saw("0:neutral 2:anger", confidence=0.4), saw("0:neutral 1:anger", "text", 0.4)])
    shown = [fusion.evidence.track.at(t).shown.probability("anger") for t in (0, 0.5, 1, 2)]
    assert shown == pytest.approx([0, 0.375, 0.75, 1])


@pytest.mark.parametrize("nothing", [[], [None], [saw("anger", confidence=0)]])
def test_nothing_seen_is_refused(nothing: list[Evidence | None]) -> None:
    with pytest.raises(EmotionError, match="Nothing was seen or heard"):
        fuse(nothing)


def test_sources_of_other_vocabularies_are_translated_and_lose_confidence_with_what_is_lost() -> None:
    text = Evidence(EmotionTrack.constant(Emotion.of("grief", GOEMOTIONS28)), "text", 0.9, "text-v1")
    assert fuse([text]).evidence.track.at(0).top == "sadness"
    face = saw("anger*.75+contempt*.25", "face", 0.8)
    assert fuse([face], vocabulary=MIKELS8).evidence.confidence == pytest.approx(0.6)


def test_a_contradiction_is_reported_and_blended() -> None:
    fusion = fuse([saw("anger"), saw("happiness", "text")])
    assert fusion.conflict is not None
    assert fusion.conflict.between == ("voice", "text")
    assert fusion.conflict.divergence == pytest.approx(1)
    assert fusion.evidence.track.at(0).probability("anger") == pytest.approx(0.5)
    assert "blended" in fusion.reason


@pytest.mark.parametrize(("policy", "top"), [("voice", "anger"), ("text", "happiness")])
def test_in_a_contradiction_the_policy_decides(policy: str, top: str) -> None:
    fusion = fuse([saw("anger"), saw("happiness", "text")], policy=policy)  # pyright: ignore[reportArgumentType] - a parametrised str
    assert fusion.evidence.track.at(0).probability(top) == 1
    assert f"the {policy} was followed" in fusion.reason


def test_a_contradiction_can_be_asked_about() -> None:
    with pytest.raises(EmotionConflict) as asked:
        fuse([saw("anger"), saw("happiness", "text", 0.7)], policy="ask")
    assert str(asked.value) == (
        "The sources contradict each other: voice starts with anger (confidence 0.80), text starts with "
        "happiness (confidence 0.70). Choose one of them, or 'blend'."
    )


def test_a_policy_for_a_source_that_is_missing_blends_the_others() -> None:
    fusion = fuse([saw("anger", "face"), saw("happiness", "text")], policy="voice")
    assert fusion.evidence.track.at(0).probability("anger") == pytest.approx(0.5)


def test_a_source_that_agrees_is_kept_beside_the_one_followed() -> None:
    fusion = fuse([saw("anger"), saw("anger", "face"), saw("happiness", "text")], policy="voice")
    assert fusion.evidence.weights == "voice-v1 + face-v1"


@pytest.mark.parametrize(
    "others",
    [
        [saw("neutral"), saw("happiness", "text")],  # who is neutral contradicts nobody
        [saw("anger@.2"), saw("happiness", "text")],
        [saw("anger", confidence=0.3), saw("happiness", "text")],  # who is unsure neither
        [saw("anger"), saw("anger*.7+fear*.3", "text")],
    ],
)
def test_there_is_no_contradiction_between_the_neutral_the_unsure_and_the_alike(
    others: list[Evidence],
) -> None:
    assert fuse(others, policy="ask").conflict is None


def test_a_measured_affect_counts_twice_as_much_as_one_that_was_looked_up() -> None:
    measured = Emotion.seen(FACE8, Emotion.of("anger").weights, affect=Affect(-0.9, 0.1))
    voice = Evidence(EmotionTrack.constant(measured), "voice", 0.5, "voice-v1", affect_learned=True)
    fusion = fuse([voice, saw("anger", "text", 0.5)])
    assert fusion.evidence.affect_learned
    affect = fusion.evidence.track.at(0).affect
    looked_up = Emotion.of("anger").affect
    assert affect.valence == pytest.approx((2 * -0.9 + looked_up.valence) / 3)
    assert affect.arousal == pytest.approx((2 * 0.1 + looked_up.arousal) / 3)


def test_evidence_checks_itself() -> None:
    with pytest.raises(EmotionError, match=r"Confidence is 1\.5"):
        saw("anger", confidence=1.5)
    with pytest.raises(EmotionError, match="'smell' is not a modality; use text, voice"):
        saw("anger", "smell")  # pyright: ignore[reportArgumentType] - it must fail
    with pytest.raises(EmotionError, match="'guess' is not a policy"):
        fuse([saw("anger")], policy="guess")  # pyright: ignore[reportArgumentType] - it must fail
