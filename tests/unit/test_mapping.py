"""Translation between vocabularies: the cited tables, and what they report as lost."""

import pytest

from emotion_encoders.emotion import FACE8, GOEMOTIONS28, MIKELS8, Affect, Emotion, EmotionError, Vocabulary
from emotion_encoders.mapping import translate, translate_track
from emotion_encoders.track import EmotionTrack

EKMAN = {  # the file ekman_mapping.json published with GoEmotions, with FACE8's name for joy
    "anger": "anger annoyance disapproval",
    "disgust": "disgust",
    "fear": "fear nervousness",
    "happiness": "joy amusement approval excitement gratitude love "
    "optimism relief pride admiration desire caring",
    "sadness": "sadness disappointment embarrassment grief remorse",
    "surprise": "surprise realization confusion curiosity",
    "neutral": "neutral",
}


@pytest.mark.parametrize(("face", "words"), EKMAN.items())
def test_goemotions_become_the_published_ekman_groups(face: str, words: str) -> None:
    for word in words.split():
        mapped = translate(Emotion.of(word, GOEMOTIONS28), FACE8)
        assert mapped.emotion.probability(face) == 1
        assert mapped.lost == 0


def test_every_goemotion_has_an_ekman_group() -> None:
    assert sorted(" ".join(EKMAN.values()).split()) == sorted(GOEMOTIONS28.labels)


def test_the_same_vocabulary_needs_no_translation() -> None:
    emotion = Emotion.mixture({"anger": 1, "fear": 2}, intensity=0.3)
    assert translate(emotion, FACE8).emotion is emotion


def test_what_has_no_counterpart_is_reported_and_the_rest_kept() -> None:
    mapped = translate(Emotion.mixture({"anger": 0.5, "surprise": 0.25, "contempt": 0.25}), MIKELS8)
    assert mapped.emotion.probability("anger") == 1
    assert mapped.lost == 0.5
    assert mapped.lost_labels == ("surprise", "contempt")
    assert mapped.spread_labels == ()


def test_when_all_is_lost_the_affect_still_speaks() -> None:
    mapped = translate(Emotion.of("surprise", intensity=0.5), MIKELS8)
    assert mapped.lost == 1
    assert mapped.emotion == Emotion.from_affect(Emotion.of("surprise").affect, MIKELS8, 0.5)


def test_a_label_with_several_counterparts_is_spread_and_reported() -> None:
    mapped = translate(Emotion.of("happiness"), MIKELS8)
    assert mapped.spread_labels == ("happiness",)
    assert mapped.emotion.probability("amusement") == pytest.approx(1 / 3)
    assert mapped.lost == 0


def test_where_there_is_no_neutral_it_becomes_missing_intensity() -> None:
    mapped = translate(Emotion.mixture({"neutral": 0.25, "anger": 0.75}, intensity=0.8), MIKELS8)
    assert mapped.emotion.probability("anger") == 1
    assert mapped.emotion.intensity == pytest.approx(0.6)
    assert mapped.lost == 0
    assert translate(Emotion.of("neutral"), MIKELS8).emotion.intensity == 0


def test_intensity_goes_along() -> None:
    assert translate(Emotion.of("awe", MIKELS8, 0.3), FACE8).emotion.intensity == 0.3


def test_a_point_stays_the_same_point() -> None:
    point = Affect(-0.6, 0.7)
    mapped = translate(Emotion.from_affect(point, FACE8, 0.5), MIKELS8)
    assert mapped.emotion == Emotion.from_affect(point, MIKELS8, 0.5)


def test_valence_and_arousal_are_kept() -> None:
    emotion = Emotion.mixture({"contempt": 1, "anger": 1})
    assert translate(emotion, MIKELS8).emotion.affect == emotion.affect


@pytest.mark.parametrize("to", [GOEMOTIONS28])
@pytest.mark.parametrize("source", [FACE8, MIKELS8])
def test_a_translation_that_nobody_wrote_is_refused(source: Vocabulary, to: Vocabulary) -> None:
    with pytest.raises(EmotionError, match=f"Nothing translates '{source.name}' to 'goemotions28'"):
        translate(Emotion.of("anger", source), to)


def test_a_track_is_translated_key_by_key_and_reports_the_worst() -> None:
    mapped = translate_track(
        EmotionTrack.parse("0:anger 1:contempt*.5+happiness*.5 2:surprise*.1+fear*.9"), MIKELS8
    )
    assert [keyframe.seconds for keyframe in mapped.track.keyframes] == [0, 1, 2]
    assert mapped.track.vocabulary == MIKELS8
    assert mapped.lost == 0.5
    assert mapped.lost_labels == ("contempt", "surprise")
    assert mapped.spread_labels == ("happiness",)
