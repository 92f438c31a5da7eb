"""The corpora that the text encoder learns from: read, cleaned, split into learning, held back and dev."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion_encoders.emotion import GOEMOTIONS28
from emotion_encoders.text_model import DIALOGUE
from emotion_encoders.wordpieces import readable

ISEAR = ("joy", "fear", "anger", "sadness", "disgust", "shame", "guilt")
HELD = 0.08  # of a training split: thresholds and calibration come from it, the network never sees it


class DataError(ValueError):
    """Training data that are missing or not what they should be, said in one sentence."""


@dataclass(frozen=True)
class Corpus:
    """Texts and what each head should read from them, row by row."""

    task: str
    texts: tuple[str, ...]
    targets: np.ndarray  # (N, k) float32; NaN: not known

    def __len__(self) -> int:
        return len(self.texts)

    def rows(self, kept: Iterable[bool]) -> Corpus:
        chosen = np.flatnonzero(np.fromiter(kept, bool, len(self)))
        return Corpus(self.task, tuple(self.texts[i] for i in chosen), self.targets[chosen])


@dataclass(frozen=True)
class Material:
    """One corpus in its three parts."""

    learning: Corpus
    held: Corpus
    dev: Corpus


def read(data: Path) -> dict[str, Material]:
    """Every corpus under `data`/text."""
    folder = data / "text"
    goemotions, meld = folder / "goemotions" / "original", folder / "meld"
    sentences = _emobank(folder / "emobank" / "emobank.csv.gz")
    return {
        "goemotions": _parts(
            _goemotions(goemotions / "train.tsv.gz"), _goemotions(goemotions / "dev.tsv.gz")
        ),
        "dialogue": _parts(_meld(meld / "train_sent_emo.csv.gz"), _meld(meld / "dev_sent_emo.csv.gz")),
        "affect": _parts(sentences["train"], sentences["dev"]),
        "polarity": _parts(_sst2(folder / "sst2" / "train.tsv.gz"), _sst2(folder / "sst2" / "dev.tsv.gz")),
        "isear": _parts(_isear(folder / "isear" / "isear.csv.gz"), None),
        "words": _parts(_warriner(folder / "warriner_vad" / "warriner_vad_means.csv.gz"), None),
    }


def _parts(train: Corpus, dev: Corpus | None) -> Material:
    """Holds back a share chosen by the text itself; sentences of train that are in dev too are left out."""
    dev = dev or train.rows([False] * len(train))
    seen = {text for text in dev.texts if len(text.split()) > 3}  # "What?" is in every dialogue
    train = train.rows(text not in seen for text in train.texts)
    held = [_share(text) < HELD for text in train.texts]
    return Material(train.rows(not h for h in held), train.rows(held), dev)


def _share(text: str) -> float:
    return int(hashlib.sha256(text.casefold().encode()).hexdigest()[:8], 16) / 2**32


def _text(path: Path) -> str:
    if not path.is_file():
        raise DataError(f"There is no {path.name} in {path.parent}; give as --data what holds text/.")
    return gzip.decompress(path.read_bytes()).decode("utf-8", "replace")


def _table(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(_text(path), newline=""), delimiter=delimiter))


def _corpus(task: str, texts: Iterable[str], targets: Iterable[object]) -> Corpus:
    cleaned = tuple(readable(text) for text in texts)
    corpus = Corpus(task, cleaned, np.asarray(list(targets), np.float32))
    return corpus.rows(bool(text) for text in cleaned)


def _one_hot(index: int, width: int) -> list[float]:
    return [float(i == index) for i in range(width)]


def _goemotions(path: Path) -> Corpus:
    """Demszky et al. 2020: a comment, its labels' numbers, its name."""
    rows = [line.split("\t") for line in _text(path).split("\n") if line]
    width = len(GOEMOTIONS28.labels)
    labels = [{int(number) for number in row[1].split(",")} for row in rows]
    return _corpus(
        "goemotions", (row[0] for row in rows), [[float(i in held) for i in range(width)] for held in labels]
    )


def _meld(path: Path) -> Corpus:
    """Poria et al. 2019: lines of dialogue with one emotion each."""
    rows = _table(path)
    targets = [_one_hot(DIALOGUE.index(row["Emotion"]), len(DIALOGUE)) for row in rows]
    return _corpus("dialogue", (row["Utterance"] for row in rows), targets)


def _emobank(path: Path) -> dict[str, Corpus]:
    """Buechel & Hahn 2017: sentences with valence, arousal and dominance from 1 to 5."""
    rows = _table(path)
    found = {}
    for split in ("train", "dev"):
        part = [row for row in rows if row["split"] == split]
        targets = [[float(row[name]) for name in "VAD"] for row in part]
        found[split] = _corpus("affect", (row["text"] for row in part), targets)
    return found


def _sst2(path: Path) -> Corpus:
    """Socher et al. 2013: sentences of film reviews, 1 if positive."""
    rows = [line.rsplit("\t", 1) for line in _text(path).split("\n") if line]
    return _corpus("polarity", (row[0] for row in rows), [[float(row[1])] for row in rows])


def _isear(path: Path) -> Corpus:
    """Scherer & Wallbott 1994: situations in which people felt an emotion, told by themselves."""
    rows = [row for row in _table(path, "|") if not row["SIT"].lower().startswith(("[ no", "no response"))]
    targets = [_one_hot(ISEAR.index(row["Field1"]), len(ISEAR)) for row in rows]
    # In the file a broken line reads "á" followed by a newline.
    return _corpus("isear", (row["SIT"].replace("á", " ") for row in rows), targets)


def _warriner(path: Path) -> Corpus:
    """Warriner et al. 2013: words with valence, arousal and dominance from 1 to 9."""
    rows = _table(path)
    targets = [[float(row[f"{name}.Mean.Sum"]) for name in "VAD"] for row in rows]
    return _corpus("words", (row["Word"] for row in rows), targets)
