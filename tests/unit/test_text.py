"""What the bundled text encoder reads from words: minimal pairs, any words, odd input, transcripts."""

import math
import subprocess
import sys
import time
from pathlib import Path

import pytest

import emotion_encoders
from emotion_encoders.emotion import FACE8, GOEMOTIONS28, MIKELS8, EmotionError
from emotion_encoders.evidence import fuse
from emotion_encoders.text import MOST_WINDOWS, Reading, TextEncoder
from emotion_encoders.weights_file import WeightsError

BUNDLED = Path(emotion_encoders.__path__[0]) / "text.safetensors"


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return TextEncoder.load(BUNDLED)


def read(encoder: TextEncoder, text: str) -> Reading:
    return encoder.read([text])[0]


def happy(reading: Reading) -> float:
    return reading.face8.probability("happiness")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I can't wait to see you again!", "happiness"),
        ("My grandfather died last night and I can't stop crying.", "sadness"),
        ("How dare you talk to me like that!", "anger"),
        ("I'm terrified of going down there alone.", "fear"),
        ("Oh my god, I did not expect that at all!", "surprise"),
        ("The train leaves at ten past four.", "neutral"),
    ],
)
def test_a_plain_sentence_is_read_as_what_it_says(encoder: TextEncoder, text: str, label: str) -> None:
    assert read(encoder, text).face8.top == label


# Neither word nor frame of the second and third pair was taught as a pair (gen/recipes/text_pairs.py).
@pytest.mark.parametrize(
    ("said", "denied"),
    [
        ("I am happy", "I am not happy"),
        ("The wedding was a joyous occasion", "The wedding was not a joyous occasion"),
        ("My daughter really enjoys school", "My daughter really doesn't enjoy school"),
        ("This is great", "This is not great"),
    ],
)
def test_a_denied_joy_is_less_happy_and_less_pleasant(encoder: TextEncoder, said: str, denied: str) -> None:
    one, other = encoder.read([said, denied])
    assert happy(one) - happy(other) > 0.3
    assert one.valence - other.valence > 0.3
    assert one.polarity > other.polarity


@pytest.mark.parametrize(
    ("said", "denied", "label"),
    [("I am scared.", "I am not scared.", "fear"), ("We were furious", "We were not furious", "anger")],
)
def test_a_denied_fear_or_anger_is_less_of_it(
    encoder: TextEncoder, said: str, denied: str, label: str
) -> None:
    one, other = encoder.read([said, denied])
    assert one.face8.probability(label) - other.face8.probability(label) > 0.3
    assert other.valence > one.valence


@pytest.mark.parametrize("pair", [("You are happy.", "Are you happy?"), ("He won.", "Did he win?")])
def test_a_question_is_more_curious_than_the_statement(encoder: TextEncoder, pair: tuple[str, str]) -> None:
    told, asked = (reading.goemotions28["curiosity"] for reading in encoder.read(pair))
    assert asked > told + 0.2


@pytest.mark.parametrize(
    "text",
    [
        "I'm happy for you but I will miss you",
        "What a lovely party, though it broke my heart to leave so early.",
    ],
)
def test_mixed_feelings_carry_both(encoder: TextEncoder, text: str) -> None:
    face8 = read(encoder, text).face8
    assert min(face8.probability("happiness"), face8.probability("sadness")) > 0.15


@pytest.mark.parametrize(
    ("words", "sign"),
    [("bittersweet pride", 0), ("schadenfreude", 0), ("saudade", 0), ("heavenly", 1), ("dismal", -1)],
)
def test_any_words_give_a_mixture_and_an_affect(encoder: TextEncoder, words: str, sign: int) -> None:
    reading = read(encoder, words)
    assert 0 < reading.confidence < 1
    assert max(reading.face8.weights) < 0.999
    assert reading.valence * sign >= 0
    assert (reading.valence, reading.arousal) == (reading.face8.affect.valence, reading.face8.affect.arousal)


def test_a_reading_speaks_every_vocabulary_in_its_order(encoder: TextEncoder) -> None:
    reading = read(encoder, "Thank you so much, you saved my day!")
    assert tuple(reading.goemotions28) == GOEMOTIONS28.labels
    assert (reading.face8.vocabulary, reading.mikels8.vocabulary) == (FACE8, MIKELS8)
    assert reading.labels[0] == "gratitude"
    assert all(reading.goemotions28[label] >= encoder.thresholds[label] for label in reading.labels)
    assert reading.weights == encoder.name


def test_emoji_are_read(encoder: TextEncoder) -> None:
    laughing, crying = encoder.read(["that dog 😂", "that dog 😭"])
    assert happy(laughing) > happy(crying)
    assert laughing.valence > crying.valence


@pytest.mark.parametrize("text", ["", "   \n\t ", "\x00\x07\x1b", "\u200b\u200d\ufeff"])
def test_a_text_without_anything_to_read_is_neutral_with_confidence_0(
    encoder: TextEncoder, text: str
) -> None:
    reading = read(encoder, text)
    assert (reading.face8.top, reading.confidence, reading.labels) == ("neutral", 0.0, ())
    assert encoder.encode(text).confidence == 0


@pytest.mark.parametrize(
    "text",
    [
        "今日はとても悲しいです",
        "Я очень рад тебя видеть",
        "لقد فقدت صديقي",
        "!!!",
        "12345",
        "Jestem bardzo szczęśliwy, że cię widzę.",
    ],
)
def test_what_is_not_english_words_gets_a_low_confidence(encoder: TextEncoder, text: str) -> None:
    assert read(encoder, text).confidence < 0.3


@pytest.mark.parametrize(
    "text", ["😂😭🔥", "\x00I am\x07 happy\x1b", "a" * 5000, "😂" * 5000, "\ud800 broken"]
)
def test_odd_text_has_a_defined_answer(encoder: TextEncoder, text: str) -> None:
    reading = read(encoder, text)
    assert 0 <= reading.confidence <= 1
    assert math.isfinite(reading.valence + reading.arousal + reading.dominance)


def test_control_characters_change_nothing(encoder: TextEncoder) -> None:
    assert read(encoder, "I am\x07 hap\u200bpy\x00") == read(encoder, "I am happy")


def test_a_hundred_thousand_characters_take_bounded_time_and_tell_their_mood(encoder: TextEncoder) -> None:
    text = ("I miss her so much, I cried the whole night. " * 2300)[:100_000]
    started = time.process_time()
    reading = read(encoder, text)
    assert time.process_time() - started < 20
    assert reading.face8.top == "sadness"
    assert reading.valence < 0
    assert MOST_WINDOWS <= 64


def test_a_text_reads_the_same_alone_and_among_others(encoder: TextEncoder) -> None:
    texts = ["no", "What a day!", "I never said that I was sad about it, did I? " * 12, ""]
    together = encoder.read(texts)
    for text, other in zip(texts, together, strict=True):
        alone = read(encoder, text)
        assert alone.face8.weights == pytest.approx(other.face8.weights, abs=1e-5)
        assert alone.valence == pytest.approx(other.valence, abs=1e-5)


def test_more_than_a_million_characters_are_refused(encoder: TextEncoder) -> None:
    with pytest.raises(EmotionError, match=r"Text 2 is 1,000,001 characters"):
        encoder.read(["fine", "a" * 1_000_001])


def test_one_bare_text_instead_of_a_list_is_refused(encoder: TextEncoder) -> None:
    with pytest.raises(EmotionError, match=r"\[text\]"):
        encoder.read("I am happy")
    assert encoder.read([]) == []


def test_a_sentence_is_evidence_with_a_learned_affect(encoder: TextEncoder) -> None:
    seen = encoder.encode("I'm so proud of you!")
    assert (seen.modality, seen.affect_learned, seen.weights) == ("text", True, encoder.name)
    assert seen.track.at(0) == seen.track.at(100)
    assert seen.track.at(0).top == "happiness"
    assert fuse([seen, None]).evidence.track.at(0).top == "happiness"


def test_a_transcript_changes_with_its_sentences(encoder: TextEncoder) -> None:
    spoken = "I love this song so much! Then my dog died and I cried for days."
    words = [(word, 0.4 * i, 0.4 * i + 0.35) for i, word in enumerate(spoken.split())]
    seen = encoder.encode(words)
    assert seen.track.at(0.5).top == "happiness"
    assert seen.track.at(5.0).top == "sadness"
    assert 0 < seen.confidence <= 1


def test_a_transcript_without_words_is_neutral_with_confidence_0(encoder: TextEncoder) -> None:
    assert encoder.encode([]).confidence == 0


def test_importing_the_encoder_brings_no_torch() -> None:
    code = (
        "import sys, emotion_encoders.text; print({'torch', 'tokenizers', 'transformers'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_missing_or_broken_weights_are_named_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no weights file"):
        TextEncoder.load(tmp_path / "text.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(BUNDLED.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="not a complete"):
        TextEncoder.load(broken)


def test_the_text_file_fits_the_budget() -> None:
    assert BUNDLED.stat().st_size < 14e6
