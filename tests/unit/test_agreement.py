"""Agreement of the asked and the seen: known answers, and None where nothing could be measured."""

import math

import pytest

from emotion_encoders.agreement import agree, ccc, divergence, wanted_probability
from emotion_encoders.emotion import FACE8, MIKELS8, Affect, Emotion, EmotionError
from emotion_encoders.track import EmotionTrack

FPS = 25
RISING = EmotionTrack.parse("0:neutral 1:neutral 1.4:happiness 2.4:happiness 2.8:neutral 4:neutral")


def test_a_clip_that_shows_exactly_what_was_asked_agrees_fully() -> None:
    seen = list(RISING.per_frame(100, FPS))
    result = agree(RISING, seen, FPS, judge="judge", judge_accuracy=0.8, judge_n=3200)
    assert (result.judge, result.judge_accuracy, result.judge_n) == ("judge", 0.8, 3200)
    assert (result.frames, result.faces_found) == (100, 100)
    assert (result.top1, result.divergence, result.lag_seconds) == (1, 0, 0)
    assert (result.valence_ccc, result.arousal_ccc) == pytest.approx((1, 1))
    assert result.probability is not None
    assert result.probability > 0.9  # below 1 on the ramps, where a mixture meets a mixture


def test_where_no_face_was_found_everything_is_unknown() -> None:
    result = agree(RISING, [None] * 10, FPS)
    assert (result.frames, result.faces_found) == (10, 0)
    measured = [result.top1, result.probability, result.divergence, result.valence_ccc, result.arousal_ccc]
    assert [*measured, result.lag_seconds] == [None] * 6


def test_an_empty_clip_is_unknown_too() -> None:
    assert agree(RISING, [], FPS).top1 is None


def test_frames_without_a_face_are_left_out_of_the_means() -> None:
    result = agree(EmotionTrack.parse("anger"), [Emotion.of("anger"), None, None], FPS)
    assert (result.top1, result.probability, result.faces_found, result.frames) == (1, 1, 1, 3)


def test_the_probability_is_that_of_the_asked_mixture() -> None:
    seen = Emotion.seen(FACE8, [0.5, 0.25, 0, 0.25, 0, 0, 0, 0])
    assert wanted_probability(Emotion.of("happiness"), seen) == 0.25
    assert wanted_probability(Emotion.of("happiness", intensity=0), seen) == 0.5
    assert wanted_probability(Emotion.of("happiness", intensity=0.5), seen) == 0.375
    assert wanted_probability(Emotion.mixture({"happiness": 1, "anger": 1}), seen) == 0.125


def test_at_intensity_zero_neutral_is_wanted() -> None:
    result = agree(EmotionTrack.parse("anger@0"), [Emotion.of("neutral")], FPS)
    assert (result.top1, result.probability, result.divergence) == (1, 1, 0)
    assert agree(EmotionTrack.parse("anger@0"), [Emotion.of("anger")], FPS).probability == 0


def test_without_a_neutral_an_intensity_of_zero_cannot_be_judged() -> None:
    asked = EmotionTrack.parse("awe@0", MIKELS8)
    result = agree(asked, [Emotion.of("awe", MIKELS8)], FPS)
    assert (result.top1, result.probability, result.faces_found) == (None, None, 1)


def test_a_weak_emotion_may_be_seen_by_its_name_or_as_mostly_neutral() -> None:
    seen = [Emotion.of("anger"), Emotion.of("neutral"), Emotion.of("fear"), Emotion.of("sadness")]
    assert agree(EmotionTrack.parse("anger@.3"), seen, FPS).top1 == 0.5
    assert agree(EmotionTrack.parse("anger@.7"), seen, FPS).top1 == 0.25


def test_either_half_of_an_even_mixture_is_a_hit() -> None:
    asked = EmotionTrack.parse("happiness+surprise")
    seen = [Emotion.of("happiness"), Emotion.of("surprise"), Emotion.of("fear"), Emotion.of("neutral")]
    assert agree(asked, seen, FPS).top1 == 0.5


def test_the_divergence_has_its_known_values() -> None:
    anger, fear, both = Emotion.of("anger"), Emotion.of("fear"), Emotion.mixture({"anger": 1, "fear": 1})
    assert divergence(anger, anger) == 0
    assert divergence(anger, fear) == 1
    # Half of KL((1, 0) | (3/4, 1/4)) and half of KL((1/2, 1/2) | (3/4, 1/4)), by hand.
    by_hand = 0.5 * math.log2(4 / 3) + 0.5 * (0.5 * math.log2(2 / 3) + 0.5 * math.log2(2))
    assert divergence(anger, both) == pytest.approx(by_hand)


def test_concordance_has_its_known_values() -> None:
    assert ccc([1, 2, 3], [1, 2, 3]) == 1
    # Mean 2, variance 2/3, covariance 2/3 and a shift of 1: 2 (2/3) / (2/3 + 2/3 + 1).
    assert ccc([1, 2, 3], [2, 3, 4]) == pytest.approx(4 / 7)
    assert ccc([1, 2, 3], [2, 2, 2]) == 0
    assert ccc([2, 2], [2, 2]) is None
    assert ccc([1], [1]) is None
    assert ccc([], []) is None


def test_concordance_with_a_constant_request_is_unknown() -> None:
    result = agree(EmotionTrack.parse("anger"), [Emotion.of("anger"), Emotion.of("fear")], FPS)
    assert result.valence_ccc is None
    assert result.lag_seconds is None


def test_a_request_that_moves_against_a_still_face_has_no_concordance() -> None:
    result = agree(RISING, [Emotion.of("neutral")] * 100, FPS)
    assert result.valence_ccc == 0
    assert result.lag_seconds is None


def test_a_seen_affect_that_was_measured_is_the_one_compared() -> None:
    asked = EmotionTrack.parse("0:va(-1,0) 1:va(1,0)").per_frame(26, FPS)
    seen = [Emotion.seen(FACE8, [1] * 8, affect=Affect(e.affect.valence, 0)) for e in asked]
    result = agree(EmotionTrack.parse("0:va(-1,0) 1:va(1,0)"), seen, FPS)
    assert result.valence_ccc == pytest.approx(1)
    assert result.arousal_ccc is None


@pytest.mark.parametrize("late", [-10, -3, 0, 3, 10])
def test_a_face_that_is_late_or_early_is_told_by_the_lag(late: int) -> None:
    seen = [RISING.at((i - late) / FPS) for i in range(100)]
    assert agree(RISING, seen, FPS).lag_seconds == pytest.approx(late / FPS)


def test_the_lag_is_found_with_faces_missing_and_expressions_weak() -> None:
    weak = [Emotion.of("neutral").blend(RISING.at((i - 5) / FPS), 0.4) for i in range(100)]
    seen = [None if i % 7 == 0 else emotion for i, emotion in enumerate(weak)]
    assert agree(RISING, seen, FPS).lag_seconds == pytest.approx(0.2)


def test_the_lag_of_a_single_rise_is_found() -> None:
    asked = EmotionTrack.parse("0:neutral 1:neutral 1.2:anger")
    seen = [asked.at((i - 4) / FPS) for i in range(75)]
    assert agree(asked, seen, FPS).lag_seconds == pytest.approx(4 / FPS)


def test_a_face_that_does_the_opposite_has_no_lag() -> None:
    asked = EmotionTrack.parse("0:neutral 4:happiness")
    seen = [Emotion.of("happiness").blend(Emotion.of("neutral"), i / 100) for i in range(101)]
    assert agree(asked, seen, FPS).lag_seconds is None


def test_what_was_seen_must_speak_the_vocabulary_of_the_request() -> None:
    with pytest.raises(EmotionError, match="speaks 'mikels8', but 'face8' was seen; translate"):
        agree(EmotionTrack.parse("mikels8/awe"), [Emotion.of("anger")], FPS)
