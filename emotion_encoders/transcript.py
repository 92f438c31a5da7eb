"""A transcript with word times, cut into the clauses that are read one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from emotion_encoders.emotion import EmotionError
from emotion_encoders.track import LONGEST_SECONDS

Word = tuple[str, float, float]  # the word, and when it starts and ends in seconds

PAUSE = 0.35  # seconds of silence that end a clause
SHORTEST = 3  # words; a shorter clause joins the one before, unless a sentence ends there
TURNS = frozenset({"but", "however", "although", "though", "yet", "still"})  # the feeling may change here
SENTENCE_ENDS, CLAUSE_ENDS = (".", "!", "?", "…"), (",", ";", ":")


@dataclass(frozen=True)
class Clause:
    """Words that are said in one go."""

    text: str
    start: float
    end: float


def clauses(words: Sequence[Word]) -> list[Clause]:
    """Cuts after sentences, at pauses, and where a long enough clause ends or turns."""
    checked = [_checked(number, word) for number, word in enumerate(words, start=1)]
    for number, (one, other) in enumerate(pairwise(checked), start=2):
        if other[1] < one[1]:
            raise EmotionError(
                f"Word {number} ({other[0]!r}) starts at {other[1]} s, before the word that precedes it; "
                f"give the words in the order in which they are said."
            )
    groups: list[list[Word]] = []
    for word in checked:
        if not groups or _ends(groups[-1], word):
            groups.append([])
        groups[-1].append(word)
    return [_clause(group) for group in groups]


def _clause(group: Sequence[Word]) -> Clause:
    return Clause(" ".join(word for word, _, _ in group), group[0][1], max(end for _, _, end in group))


def _ends(clause: Sequence[Word], following: Word) -> bool:
    word = clause[-1][0].rstrip("\"')")
    if word.endswith(SENTENCE_ENDS):
        return True
    pauses = following[1] - clause[-1][2] >= PAUSE
    turns = following[0].lower().strip(",.") in TURNS
    return len(clause) >= SHORTEST and (pauses or turns or word.endswith(CLAUSE_ENDS))


def _checked(number: int, word: Word) -> Word:
    text, start, end = word
    if not (math.isfinite(start) and math.isfinite(end) and 0 <= start <= end <= LONGEST_SECONDS):
        raise EmotionError(
            f"Word {number} ({text[:40]!r}) lasts from {start} to {end} s; times must be numbers from 0 to "
            f"{LONGEST_SECONDS:.0f}, and a word cannot end before it starts."
        )
    return text, float(start), float(end)
