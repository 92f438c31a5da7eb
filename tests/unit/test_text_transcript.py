"""Transcripts are cut into clauses where the feeling may change, and odd times are refused in a sentence."""

import math

import pytest

from emotion_encoders.emotion import EmotionError
from emotion_encoders.transcript import Word, clauses


def timed(text: str, step: float = 0.3) -> list[Word]:
    return [(word, step * i, step * i + 0.25) for i, word in enumerate(text.split())]


def test_sentences_are_cut_apart_with_their_times() -> None:
    first, second = clauses(timed("I like it. She does not."))
    assert (first.text, first.start, first.end) == ("I like it.", 0.0, pytest.approx(0.85))
    assert second.text == "She does not."


def test_a_turn_begins_a_clause() -> None:
    found = clauses(timed("I'm happy for you but I will miss you"))
    assert [clause.text for clause in found] == ["I'm happy for you", "but I will miss you"]


def test_a_pause_ends_a_clause_of_some_length() -> None:
    words = [*timed("we went home early"), ("alone", 3.0, 3.4)]
    assert [clause.text for clause in clauses(words)] == ["we went home early", "alone"]


def test_a_short_clause_stays_with_what_follows() -> None:
    assert [clause.text for clause in clauses(timed("Well, I think so"))] == ["Well, I think so"]


def test_no_words_are_no_clauses() -> None:
    assert clauses([]) == []


@pytest.mark.parametrize("times", [(math.nan, 1.0), (-1.0, 1.0), (2.0, 1.0), (0.0, math.inf), (0.0, 1e9)])
def test_impossible_times_are_refused(times: tuple[float, float]) -> None:
    with pytest.raises(EmotionError, match="Word 1"):
        clauses([("hello", *times)])


def test_words_out_of_order_are_refused() -> None:
    with pytest.raises(EmotionError, match="Word 2"):
        clauses([("world", 2.0, 2.4), ("hello", 1.0, 1.4)])
