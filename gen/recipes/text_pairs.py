"""Sentences made by rule that differ in one thing: said or denied, told or asked, one feeling or two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from emotion_encoders.emotion import GOEMOTIONS28
from emotion_encoders.text_model import DIALOGUE
from emotion_encoders.vocabulary import AFFECT
from gen.recipes.text_data import Corpus

WIDTHS = (
    len(GOEMOTIONS28.labels),
    len(DIALOGUE),
    1,
    2,
)  # goemotions, dialogue, polarity, valence and arousal

# What one says to feel: the label, the emotion of a line of dialogue, and the words.
FEELINGS: tuple[tuple[str, str, str], ...] = (
    (
        "joy",
        "joy",
        "happy glad delighted cheerful joyful pleased content overjoyed elated satisfied blissful",
    ),
    ("excitement", "joy", "excited thrilled eager ecstatic pumped enthusiastic exhilarated"),
    ("amusement", "joy", "amused entertained tickled"),
    ("love", "joy", "in_love enamoured smitten devoted"),
    ("gratitude", "joy", "grateful thankful"),
    ("pride", "joy", "proud triumphant accomplished"),
    ("relief", "joy", "relieved reassured"),
    ("optimism", "joy", "hopeful optimistic confident encouraged"),
    ("admiration", "joy", "impressed awed inspired"),
    ("caring", "joy", "compassionate sympathetic"),
    ("sadness", "sadness", "sad unhappy miserable depressed heartbroken lonely sorrowful gloomy down hurt"),
    ("grief", "sadness", "grieving bereaved mourning inconsolable"),
    ("disappointment", "sadness", "disappointed dissatisfied disheartened discouraged let_down"),
    ("remorse", "sadness", "sorry guilty ashamed remorseful regretful"),
    ("embarrassment", "sadness", "embarrassed humiliated mortified"),
    ("anger", "anger", "angry furious mad enraged outraged livid"),
    ("annoyance", "anger", "annoyed irritated frustrated fed_up bothered"),
    ("disapproval", "anger", "indignant opposed_to_this"),
    ("disgust", "disgust", "disgusted revolted repulsed sickened appalled"),
    ("fear", "fear", "afraid scared terrified frightened horrified"),
    ("nervousness", "fear", "nervous anxious worried tense uneasy stressed"),
    ("surprise", "surprise", "surprised astonished amazed shocked stunned"),
    ("confusion", "surprise", "confused puzzled bewildered baffled"),
    ("curiosity", "surprise", "curious intrigued"),
    ("desire", "joy", "longing_for_it craving_it"),
)
POSITIVE = {
    "joy",
    "excitement",
    "amusement",
    "love",
    "gratitude",
    "pride",
    "relief",
    "optimism",
    "admiration",
}
POSITIVE |= {"caring", "desire", "approval"}
OPEN = {"surprise", "confusion", "curiosity", "realization", "neutral"}  # neither good nor bad

# What is left when a feeling is denied.
DENIED: dict[str, dict[str, float]] = {
    "joy": {"sadness": 0.5, "disappointment": 0.6},
    "excitement": {"disappointment": 0.5, "neutral": 0.3},
    "amusement": {"annoyance": 0.6, "disapproval": 0.3},
    "love": {"sadness": 0.3, "disapproval": 0.4, "neutral": 0.3},
    "gratitude": {"disapproval": 0.5, "annoyance": 0.4},
    "pride": {"disappointment": 0.5, "remorse": 0.3},
    "relief": {"nervousness": 0.5, "disappointment": 0.3},
    "optimism": {"disappointment": 0.5, "nervousness": 0.4, "sadness": 0.3},
    "admiration": {"disapproval": 0.5, "disappointment": 0.5},
    "caring": {"neutral": 0.4, "disapproval": 0.4},
    "desire": {"neutral": 0.5, "disapproval": 0.3},
}
CALM = {"neutral": 0.6, "approval": 0.3, "optimism": 0.2}  # a bad feeling denied

SAID = (
    "I am {}", "I'm {}", "I'm so {}!", "I feel {}", "I feel very {} today.", "She is {}.", "he seems {}",
    "We are really {} about this.", "They were {}", "I've never been so {} in my life", "You look {}", "{}",
    "feeling {}", "It makes me {}.", "I was {} when I heard it.", "My mother is {} again",
)  # fmt: skip
NOT = (
    "I am not {}", "I'm not {}", "I'm not {} at all.", "I don't feel {}", "I do not feel very {} today.",
    "She isn't {}.", "he doesn't seem {}", "We are not {} about this.", "They weren't {}",
    "You don't look {}", "I was never {}", "not {}", "not feeling {}", "It does not make me {}.",
    "I can't say that I'm {}",
    "Nobody is {} about this", "I am anything but {}", "I ain't {}", "I would not be {} about it",
    "hardly {}",
)  # fmt: skip
ASKED = (
    "Are you {}?", "Is she {}?", "Were they {}?", "Why are you {}?", "do you feel {}", "How {} are you?",
    "Aren't you {}?", "What makes you {}?", "Is anybody {} about this?",
)  # fmt: skip

# Clauses that carry a feeling without naming it, to be joined to others.
CLAUSES: dict[str, tuple[str, ...]] = {
    "joy": (
        "I'm happy for you", "I'm glad you got the job", "it was the best day of my life",
        "I had so much fun",
    ),
    "love": ("I love you", "I adore this town", "you mean the world to me"),
    "gratitude": ("thank you for everything", "I appreciate all that you did"),
    "pride": ("I'm proud of what you have done", "we made it to the top", "I finished it all by myself"),
    "excitement": ("I can't wait for the trip", "this is going to be amazing"),
    "relief": ("at least it's over", "thank god everyone is safe"),
    "admiration": ("you did a wonderful job", "the acting was brilliant"),
    "optimism": ("I hope it works out", "things will get better"),
    "sadness": (
        "I will miss you", "I miss my old friends", "I cried all night", "it hurts to say goodbye",
        "I wish you could stay", "my heart is broken",
    ),
    "grief": ("my father passed away", "we lost our dog last week"),
    "disappointment": ("I expected more", "the ending let me down", "nobody came"),
    "remorse": ("I'm sorry that I lied", "I wish I hadn't said that"),
    "anger": ("I hate how they treated you", "how dare they", "I could scream"),
    "annoyance": ("the waiting drives me crazy", "the noise is so annoying"),
    "disgust": ("the food was revolting", "it smelled like rotten eggs"),
    "fear": ("I'm scared of what comes next", "I'm afraid to be alone"),
    "nervousness": ("I'm worried about tomorrow", "my hands were shaking"),
    "surprise": ("I didn't see that coming", "I can't believe it"),
    "confusion": ("I don't understand why", "I have no idea what to do"),
}  # fmt: skip
JOINED = (
    "{}, but {}",
    "{} but {}",
    "{}. Still, {}.",
    "{} and yet {}",
    "{}, even though {}",
    "{}; at the same time {}",
)


@dataclass(frozen=True)
class Pair:
    """One made sentence and what should be read from it."""

    text: str
    labels: dict[str, float]
    line: dict[str, float]  # of DIALOGUE
    positive: float  # NaN: cannot be said
    affect: tuple[float, float]


def pairs(seed: int, mixed: int = 1500) -> Corpus:
    """All pairs, and so many sentences of two feelings."""
    random = np.random.default_rng((seed, 28))
    rows = [*_feelings(), *_mixed(random, mixed)]
    return corpus("pairs", rows)


def corpus(task: str, rows: Sequence[Pair]) -> Corpus:
    """Pairs as texts and targets."""
    return Corpus(task, tuple(row.text for row in rows), np.stack([_target(row) for row in rows]))


def parts(targets: np.ndarray) -> list[np.ndarray]:
    """The columns of a pair's target: goemotions, dialogue, polarity, affect."""
    return np.split(targets, np.cumsum(WIDTHS)[:-1], axis=1)


def _feelings() -> Iterator[Pair]:
    for label, line, words in FEELINGS:
        said = AFFECT[label]
        point = (said.valence, said.arousal)
        good = float("nan") if label in OPEN else float(label in POSITIVE)
        denied = DENIED.get(label, CALM)
        if label in OPEN:
            denied = {"neutral": 0.8}
        denied_line = (
            {"sadness": 0.4, "anger": 0.2, "neutral": 0.4} if good == 1 else {"neutral": 0.7, "joy": 0.3}
        )
        denied_point = (-0.7 * said.valence if label not in OPEN else 0.0, 0.0)
        for word in words.replace("_", "\u00a0").split(" "):
            name = word.replace("\u00a0", " ")
            for frame in SAID:
                yield Pair(frame.format(name), {label: 0.95}, {line: 0.9, "neutral": 0.1}, good, point)
            for frame in NOT:
                yield Pair(frame.format(name), denied, denied_line, 1 - good, denied_point)
            for frame in ASKED:
                asked = {"curiosity": 0.75, label: 0.25, "neutral": 0.2}
                half = (0.25 * point[0], 0.25 * point[1] + 0.1)
                yield Pair(
                    frame.format(name),
                    asked,
                    {"neutral": 0.6, line: 0.2, "surprise": 0.2},
                    float("nan"),
                    half,
                )


def _mixed(random: np.random.Generator, n: int) -> Iterator[Pair]:
    line_of = {label: line for label, line, _ in FEELINGS}
    labels = sorted(CLAUSES)
    for _ in range(n):
        first, second = (labels[i] for i in random.choice(len(labels), 2, replace=False))
        one, other = (str(random.choice(CLAUSES[label])) for label in (first, second))
        text = str(random.choice(JOINED)).format(one, other)
        point = (
            (AFFECT[first].valence + AFFECT[second].valence) / 2,
            (AFFECT[first].arousal + AFFECT[second].arousal) / 2,
        )
        line = {line_of[first]: 0.4}
        line[line_of[second]] = line.get(line_of[second], 0.0) + 0.6
        yield Pair(text, {first: 0.85, second: 0.85}, line, float("nan"), point)


def _target(pair: Pair) -> np.ndarray:
    labels = [pair.labels.get(label, 0.0) for label in GOEMOTIONS28.labels]
    total = sum(pair.line.values())
    line = [pair.line.get(label, 0.0) / total for label in DIALOGUE]
    return np.asarray([*labels, *line, pair.positive, *pair.affect], np.float32)
