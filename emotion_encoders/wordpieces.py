"""Text as word pieces: any words become pieces that are known, emoji become their names."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PAD, UNKNOWN, START, END = SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
REPEATS = 3  # of one emoji in a row; more say no more
NO_LETTERS = 0.25  # how far a text of figures and signs is understood
ENGLISH, FOREIGN = 1.4, 1.9  # pieces a word: up to the first all is understood, from the second on hardly any

# Apostrophes and quotation marks as typewriters have them: other forms are rare in what was learned from.
_PLAIN = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "´": "'", "`": "'", "…": "...", "\u00a0": " "}
)


def readable(text: str) -> str:
    """The same text with emoji spelled out and everything that cannot be read taken away.

    >>> readable("so good 😂\\u200d\\x07")
    'so good (face with tears of joy)'
    """
    pieces: list[str] = []
    last, repeats = "", 0
    for character in text.translate(_PLAIN):
        repeats = repeats + 1 if character == last else 0
        last = character
        if character.isascii() and character.isprintable():
            pieces.append(character)
        else:
            pieces.append(_spelled(character, repeats))
    return " ".join("".join(pieces).split())


def _spelled(character: str, repeats: int) -> str:
    category = unicodedata.category(character)
    if category in ("So", "Sm") and ord(character) >= 0x2190:
        if repeats >= REPEATS:
            return " "
        name = unicodedata.name(character, "").lower()
        return "" if not name or "regional indicator" in name else f" ({name}) "
    if category.startswith("Z") or character in "\t\n\r":
        return " "
    return "" if category[0] in "C" or category in ("Sk", "Mn", "Me") else character


@lru_cache(maxsize=4096)
def is_latin(character: str) -> bool:
    """Whether a letter belongs to the script that was learned from."""
    return unicodedata.name(character, "").startswith(("LATIN", "FULLWIDTH LATIN"))


class WordPieces:
    """A vocabulary of word pieces (Wu et al. 2016) and the splitting of text into them."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = tuple(pieces)
        self._tokenizer = _tokenizer(self.pieces)

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The numbers of the pieces of readable texts, without start and end."""
        return [found.ids for found in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    @property
    def start(self) -> int:
        return self.pieces.index(START)

    @property
    def end(self) -> int:
        return self.pieces.index(END)

    @property
    def unknown(self) -> int:
        return self.pieces.index(UNKNOWN)


def _tokenizer(pieces: Sequence[str]) -> Tokenizer:
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer

    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token=UNKNOWN, max_input_chars_per_word=64))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    return tokenizer


def understood(text: str, ids: Sequence[int], pieces: WordPieces) -> float:
    """How much of a readable text is in the language and script that were learned from, in [0, 1].

    Letters of other scripts and unknown pieces count against it; so do words that break into many pieces:
    English words break into about 1.1, those of other languages into about 2.
    """
    letters = [character for character in text if character.isalpha()]
    if not letters or not ids:
        return NO_LETTERS
    share = sum(map(is_latin, letters)) / len(letters)
    share *= 1 - sum(number == pieces.unknown for number in ids) / len(ids)
    words = sum(not pieces.pieces[number].startswith("##") for number in ids)
    a_word = (len(ids) + 3 * 1.1) / (
        words + 3
    )  # as if three usual words were there too: few words say little
    return share * min(1.0, max(0.1, (FOREIGN - a_word) / (FOREIGN - ENGLISH)))
