"""Measures who decides when words and a voice are fused: python -m gen.recipes.fusion --data DIR.

Sentences of the text encoder's dev sets are paired by chance with recordings of speakers that the voice's
network had not heard (the speech recipe's folds): once with the same true emotion, once with another. Nothing
is trained.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion_encoders.emotion import FACE8, Emotion
from emotion_encoders.evidence import Evidence, Modality, decisiveness, fuse
from emotion_encoders.track import EmotionTrack
from gen.recipes.conditioner import gathered
from gen.recipes.conditioner_data import Sightings
from gen.recipes.measuring import bootstrap_interval

PAIRS = 1500  # of each kind


@dataclass(frozen=True)
class Pair:
    """One sentence and one voice, and what was really felt in each."""

    words: Evidence
    voice: Evidence
    said: str
    meant: str

    @property
    def fused(self) -> str:
        """The emotion that the fusion puts first."""
        return fuse([self.words, self.voice]).evidence.track.at(0).top


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m gen.recipes.fusion", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the training data")
    parser.add_argument("--seen", type=Path, default=Path("out/conditioner-seen.safetensors"))
    parser.add_argument("--speech", type=Path, default=Path("out/speech"))
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    try:
        seen = gathered(asked.data, asked.seen, asked.speech)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    words, voices = seen["text.measure"], seen["voice"]
    alike = list(pairs(words, voices, PAIRS, same=True, seed=asked.seed))
    apart = list(pairs(words, voices, PAIRS, same=False, seed=asked.seed))
    print(report(alike, apart))
    return 0


def pairs(words: Sightings, voices: Sightings, count: int, *, same: bool, seed: int) -> Iterator[Pair]:
    """Chance pairs with the same or with different true emotions, every emotion as often as it can be."""
    random = np.random.default_rng((seed, same))
    by_label = {
        name: [np.flatnonzero(sense.labels.numpy() == label) for label in range(len(FACE8.labels))]
        for name, sense in (("words", words), ("voice", voices))
    }
    shared = [i for i in range(len(FACE8.labels)) if len(by_label["words"][i]) and len(by_label["voice"][i])]
    for _ in range(count):
        said = int(random.choice(shared))
        meant = said if same else int(random.choice([label for label in shared if label != said]))
        yield Pair(
            _evidence(words, int(random.choice(by_label["words"][said])), "text"),
            _evidence(voices, int(random.choice(by_label["voice"][meant])), "voice"),
            FACE8.labels[said],
            FACE8.labels[meant],
        )


def _evidence(sense: Sightings, row: int, modality: Modality) -> Evidence:
    emotion = Emotion.seen(FACE8, sense.features[row, : len(FACE8.labels)].tolist())
    return Evidence(EmotionTrack.constant(emotion), modality, min(1.0, max(emotion.weights)), modality)


def report(alike: list[Pair], apart: list[Pair]) -> str:
    """The table: who is right alone and together, whom the fusion follows, how many bits each moves it by."""
    single = {
        "words alone": [pair.words.track.at(0).top == pair.said for pair in alike],
        "voice alone": [pair.voice.track.at(0).top == pair.said for pair in alike],
        "fused": [pair.fused == pair.said for pair in alike],
    }
    contradicted = {
        "the words": [pair.fused == pair.said for pair in apart],
        "the voice": [pair.fused == pair.meant for pair in apart],
        "neither": [pair.fused not in (pair.said, pair.meant) for pair in apart],
    }
    shifts = [decisiveness([pair.words, pair.voice]) for pair in (*alike, *apart)]
    noticed = [fuse([pair.words, pair.voice]).conflict is not None for pair in apart]
    false_alarm = [fuse([pair.words, pair.voice]).conflict is not None for pair in alike]
    lines = [f"| {len(alike):,} pairs of one emotion: right | |", "|---|---|"]
    lines += [f"| {name} | {_share(found)} |" for name, found in single.items()]
    lines += [f"| **{len(apart):,} pairs that contradict each other: the fusion follows** | |"]
    lines += [f"| {name} | {_share(found)} |" for name, found in contradicted.items()]
    lines += [f"| conflict reported, where there is one | {_share(noticed)} |"]
    lines += [f"| conflict reported, where there is none | {_share(false_alarm)} |"]
    lines += [
        f"| bits that the words move the fusion by | {np.mean([shift['text'] for shift in shifts]):.3f} |",
        f"| bits that the voice moves it by | {np.mean([shift['voice'] for shift in shifts]):.3f} |",
    ]
    return "\n".join(lines)


def _share(found: list[bool]) -> str:
    right = np.array(found)
    low, high = bootstrap_interval(right)
    return f"{right.mean():.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    sys.exit(main())
