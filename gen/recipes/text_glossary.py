"""Words for feelings, alone and in twos; good and bad things said, denied and asked: all made by rule."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from emotion_encoders.vocabulary import AFFECT
from gen.recipes.text_data import Corpus
from gen.recipes.text_pairs import CALM, FEELINGS, OPEN, POSITIVE, Pair, corpus

# Labels and the nouns that name them; several labels make a mixture. By judgement, after dictionaries.
NOUNS: tuple[tuple[str, str], ...] = (
    ("joy", "joy happiness delight bliss glee cheer jubilation elation merriment gladness euphoria rapture"),
    ("joy relief", "contentment serenity calm peace tranquillity hygge coziness"),
    ("excitement", "excitement thrill anticipation eagerness exhilaration ecstasy enthusiasm"),
    ("amusement", "amusement laughter mirth hilarity silliness playfulness"),
    ("amusement joy annoyance", "schadenfreude gloating"),
    ("love", "love affection tenderness adoration fondness devotion infatuation"),
    ("caring", "compassion sympathy empathy kindness"),
    ("caring sadness", "pity commiseration"),
    ("gratitude", "gratitude thankfulness appreciation"),
    ("pride", "pride triumph accomplishment self-respect"),
    ("pride joy", "naches fiero"),
    ("relief", "relief reassurance respite"),
    ("optimism", "hope optimism faith confidence encouragement"),
    ("admiration", "admiration respect reverence"),
    ("admiration surprise", "awe wonder wonderment"),
    ("desire", "desire longing yearning craving lust"),
    ("desire excitement", "wanderlust fernweh"),
    ("sadness desire love", "saudade hiraeth sehnsucht"),
    ("sadness love", "nostalgia wistfulness"),
    ("sadness desire", "homesickness lovesickness"),
    ("annoyance desire", "envy jealousy covetousness"),
    ("sadness", "sadness sorrow melancholy gloom misery heartbreak loneliness dejection depression blues"),
    ("sadness fear", "despair hopelessness desperation"),
    ("sadness disappointment", "weltschmerz world-weariness despondency"),
    ("joy sadness", "bittersweetness"),
    ("annoyance disappointment", "ennui boredom tedium weariness"),
    ("grief sadness", "grief mourning bereavement"),
    ("disappointment", "disappointment dismay letdown disillusionment"),
    ("remorse", "remorse guilt regret contrition repentance"),
    ("embarrassment remorse", "shame disgrace"),
    ("embarrassment", "embarrassment humiliation awkwardness mortification fremdscham"),
    ("anger", "anger rage fury wrath outrage hatred hostility spite"),
    ("anger sadness", "bitterness resentment"),
    ("annoyance", "annoyance irritation frustration exasperation impatience"),
    ("disapproval anger disgust", "contempt scorn disdain"),
    ("disapproval", "disapproval indignation reproach"),
    ("disgust", "disgust revulsion loathing repugnance nausea"),
    ("fear", "fear terror horror dread panic fright alarm"),
    ("nervousness fear", "angst anxiety apprehension foreboding"),
    ("nervousness", "nervousness worry unease stress tension jitters"),
    ("surprise", "surprise astonishment amazement shock disbelief"),
    ("confusion", "confusion bewilderment puzzlement perplexity"),
    ("curiosity", "curiosity fascination interest"),
    ("realization", "realization insight epiphany"),
)
NAMED = ("{}", "a feeling of {}", "full of {}", "{}!", "I feel nothing but {}.", "there was {} in her voice")
TOGETHER = ("{} and {}", "a mix of {} and {}", "{} mixed with {}", "both {} and {}", "half {}, half {}")

GOOD: tuple[tuple[str, str], ...] = (
    ("admiration", "great wonderful amazing brilliant beautiful excellent lovely fantastic awesome superb"),
    ("approval", "good nice fine decent fair right fun helpful"),
    ("amusement", "funny hilarious amusing entertaining"),
)
BAD: tuple[tuple[str, str], ...] = (
    ("disappointment", "bad awful terrible dreadful poor mediocre boring disappointing sad"),
    ("disgust", "gross revolting nasty disgusting filthy"),
    ("fear", "scary terrifying creepy frightening"),
    ("annoyance", "annoying irritating stupid unfair"),
)
THINGS = (
    "This is {}",
    "It's {}.",
    "The film was really {}",
    "That was {}!",
    "it looks {} to me",
    "The food here is {}.",
)
NO_THINGS = (
    "This is not {}", "It isn't {}.", "The film was not {} at all", "That wasn't {}!",
    "it doesn't look {} to me", "not {}", "The food here is never {}.",
)  # fmt: skip
ASKED_THINGS = ("Is this {}?", "Was the film {}?", "Is the food here {}?")

LIKED: tuple[tuple[str, str], ...] = (
    ("love", "love adore"), ("joy approval", "like enjoy"), ("admiration", "admire respect"),
    ("gratitude admiration", "appreciate"), ("approval", "trust recommend support"),
)  # fmt: skip
DISLIKED: tuple[tuple[str, str], ...] = (
    ("anger", "hate detest"), ("anger disgust", "despise loathe"), ("disapproval", "dislike resent"),
    ("remorse", "regret"), ("fear", "fear dread"), ("annoyance", "mind"),
)  # fmt: skip
VERBS = ("I {} it", "I {} this place.", "We really {} that show", "I {} him so much!")
NO_VERBS = (
    "I don't {} it", "I do not {} this place at all.", "We didn't {} that show", "I never {} it",
    "I can't {} it",
)  # fmt: skip
ASKED_VERBS = ("Do you {} it?", "Did they {} that show?", "Why do you {} him?")
SPOILT = {"disapproval": 0.5, "disappointment": 0.5}


def glossary(seed: int, joined: int = 900) -> Corpus:
    """All of it, and so many feelings joined in twos."""
    random = np.random.default_rng((seed, 29))
    return corpus("glossary", [*_nouns(), *_joined(random, joined), *_told()])


def _nouns() -> Iterator[Pair]:
    for labels, words in NOUNS:
        for word in words.split():
            for frame in NAMED:
                yield _pair(frame.format(word), labels.split())


def _joined(random: np.random.Generator, n: int) -> Iterator[Pair]:
    nouns = [(word, labels.split()) for labels, words in NOUNS for word in words.split()]
    adjectives = [(word.replace("_", " "), [label]) for label, _, words in FEELINGS for word in words.split()]
    for number in range(n):
        second, other = nouns[random.integers(len(nouns))]
        if number % 3 == 0:
            first, one = adjectives[random.integers(len(adjectives))]
            text = f"{first} {second}"
        elif number % 3 == 1:
            first, one = nouns[random.integers(len(nouns))]
            text = str(random.choice(TOGETHER)).format(first, second)
        else:
            first, one = [("bittersweet", ["joy", "sadness"]), ("mixed", ["confusion"]), ("quiet", [])][
                number % 9 // 3
            ]
            text = f"{first} {second}"
        yield _pair(text, [*one, *other])


def _told() -> Iterator[Pair]:
    for good, groups in ((True, GOOD), (False, BAD)):
        for labels, words in groups:
            for word in words.split():
                yield from _said_and_denied(word, labels.split(), good, (THINGS, NO_THINGS, ASKED_THINGS))
    for good, groups in ((True, LIKED), (False, DISLIKED)):
        for labels, words in groups:
            for word in words.split():
                yield from _said_and_denied(word, labels.split(), good, (VERBS, NO_VERBS, ASKED_VERBS))


def _said_and_denied(
    word: str, labels: list[str], good: bool, frames: tuple[tuple[str, ...], ...]
) -> Iterator[Pair]:
    said, denied, asked = frames
    for frame in said:
        yield _pair(frame.format(word), labels)
    line = (
        {"sadness": 0.25, "anger": 0.25, "disgust": 0.1, "neutral": 0.4}
        if good
        else {"neutral": 0.6, "joy": 0.4}
    )
    point = (-0.4, 0.1) if good else (0.3, 0.0)
    for frame in denied:
        yield Pair(frame.format(word), SPOILT if good else CALM, line, float(not good), point)
    for frame in asked:
        wondering = {"curiosity": 0.8, "neutral": 0.25}
        yield Pair(
            frame.format(word), wondering, {"neutral": 0.7, "surprise": 0.3}, float("nan"), (0.05, 0.15)
        )


def _pair(text: str, labels: list[str]) -> Pair:
    lines = {label: line for label, line, _ in FEELINGS} | {"approval": "joy", "realization": "surprise"}
    lines["relief"] = "joy"
    names = list(dict.fromkeys(labels))
    line: dict[str, float] = {}
    for name in names:
        line[lines[name]] = line.get(lines[name], 0.0) + 1 / len(names)
    valued = [float(name in POSITIVE) for name in names if name not in OPEN]
    positive = valued[0] if valued and len(set(valued)) == 1 else float("nan")
    point = tuple(
        float(np.mean([getattr(AFFECT[name], axis) for name in names])) for axis in ("valence", "arousal")
    )
    strength = 0.95 if len(names) == 1 else 0.8
    return Pair(text, dict.fromkeys(names, strength), line, positive, (point[0], point[1]))
