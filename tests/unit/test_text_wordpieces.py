"""Text becomes pieces that are known, whatever comes; what is not English is noticed."""

from pathlib import Path

import pytest

import emotion_encoders
from emotion_encoders.text import TextEncoder
from emotion_encoders.wordpieces import SPECIAL, WordPieces, readable, understood


@pytest.fixture(scope="module")
def pieces() -> WordPieces:
    return TextEncoder.load(Path(emotion_encoders.__path__[0]) / "text.safetensors").pieces


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("don’t “go”…", 'don\'t "go"...'),
        ("a\u200bb\x00c", "abc"),
        ("one\ttwo\r\nthree", "one two three"),
        ("❤️", "(heavy black heart)"),
        ("👍🏽", "(thumbs up sign)"),
        ("🇫🇷", ""),
        ("😂" * 9, "(face with tears of joy) (face with tears of joy) (face with tears of joy)"),
        ("naïve café", "naïve café"),
    ],
)
def test_text_is_made_readable(text: str, cleaned: str) -> None:
    assert readable(text) == cleaned


@pytest.mark.parametrize(
    "word", ["happiness", "saudade", "schadenfreude", "xqzjvk", "naïve", "don't", "3.14%"]
)
def test_every_latin_word_splits_into_known_pieces(pieces: WordPieces, word: str) -> None:
    ids = pieces.ids([word])[0]
    assert ids
    assert pieces.unknown not in ids
    joined = "".join(pieces.pieces[number].removeprefix("##") for number in ids)
    assert joined == word.replace("ï", "i")


def test_special_pieces_come_first_and_no_piece_twice(pieces: WordPieces) -> None:
    assert pieces.pieces[:4] == SPECIAL
    assert len(set(pieces.pieces)) == len(pieces.pieces)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("I have never been so happy in my life.", 1.0, 1.0),
        ("Ich bin heute wirklich sehr traurig und allein.", 0.0, 0.6),
        ("今日はとても悲しいです", 0.0, 0.0),
        ("?!?!", 0.25, 0.25),
        ("", 0.25, 0.25),
    ],
)
def test_it_is_noticed_how_much_is_understood(pieces: WordPieces, text: str, low: float, high: float) -> None:
    assert low <= understood(text, pieces.ids([text])[0], pieces) <= high
