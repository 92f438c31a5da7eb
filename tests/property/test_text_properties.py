"""What holds for every text: a defined reading, made of shares and points that lie where they must."""

import math
from functools import cache
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import emotion_encoders
from emotion_encoders.text import Reading, TextEncoder
from emotion_encoders.transcript import clauses
from emotion_encoders.wordpieces import readable

steady = settings(deadline=None, max_examples=40)  # a busy machine is no failure
texts = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from(["I", "you", "not", "happy", "sad", "but", "why", "?", "!", "😂", "是", "don't"]),
        max_size=12,
    ).map(" ".join),
)


@cache
def encoder() -> TextEncoder:
    return TextEncoder.load(Path(emotion_encoders.__path__[0]) / "text.safetensors")


def defined(reading: Reading) -> bool:
    chances = [*reading.goemotions28.values(), reading.polarity, reading.confidence]
    points = (reading.valence, reading.arousal, reading.dominance)
    return all(0 <= chance <= 1 for chance in chances) and all(-1 <= point <= 1 for point in points)


@steady
@given(st.lists(texts, max_size=4))
def test_any_texts_have_as_many_defined_readings(found: list[str]) -> None:
    readings = encoder().read(found)
    assert len(readings) == len(found)
    for text, reading in zip(found, readings, strict=True):
        assert defined(reading)
        assert math.isclose(math.fsum(reading.face8.weights), 1, abs_tol=1e-9)
        assert readable(text) or reading.confidence == 0


@steady
@given(st.text(max_size=200))
def test_readable_text_stays_as_it_is(text: str) -> None:
    once = readable(text)
    assert readable(once) == once


@steady
@given(st.lists(st.tuples(st.text(max_size=8), st.integers(0, 5), st.integers(0, 5)), max_size=20))
def test_clauses_keep_every_word_in_order(parts: list[tuple[str, int, int]]) -> None:
    words, now = [], 0.0
    for text, gap, length in parts:
        start = now + gap / 8
        now = start + length / 8
        words.append((text, start, now))
    found = clauses(words)
    assert " ".join(clause.text for clause in found) == " ".join(word for word, _, _ in words)
    assert all(a.end <= b.start for a, b in pairwise(found))


@steady
@given(st.lists(st.tuples(texts, st.integers(0, 9)), min_size=1, max_size=6))
def test_a_transcript_is_a_track_from_its_first_word(parts: list[tuple[str, int]]) -> None:
    words, now = [], 0.5
    for text, length in parts:
        words.append((text, now, now + length / 4))
        now += length / 4
    seen = encoder().encode(words)
    assert seen.track.keyframes[0].seconds == 0.5
    assert 0 <= seen.confidence <= 1
