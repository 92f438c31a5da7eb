"""The last step of the speech recipe: temperatures, measurements, the bundled weights and their card."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from emotion_encoders.curves import BANDS, WIDTH
from emotion_encoders.emotion import FACE8
from emotion_encoders.speech import WINDOW_SECONDS
from emotion_encoders.speech_network import ARCHITECTURE, HEARD, Facts, SpeechNetwork
from gen.recipes.fitting import write_tensors
from gen.recipes.measuring import BINS, expected_calibration_error
from gen.recipes.speech_data import CORPORA, FOLDS, LABELS, RAVDESS_FOLDS, Clip
from gen.recipes.speech_fit import Plan
from gen.recipes.speech_measure import (
    Predictions,
    Score,
    among,
    calibration,
    confusions,
    faces,
    temperature_of,
    unweighted,
)
from gen.recipes.speech_sounds import MEASURED, TAUGHT

NAME = "speech-curves"
LICENCE = "research only: trained on RAVDESS and nEMO (CC BY-NC-SA 4.0) and on URDU (for research only)"
_TITLES: Mapping[str, str] = {
    "ravdess": "RAVDESS, five folds of four unseen actors, 8 labels",
    "nemo": "nEMO, each of nine speakers unheard in turn, 6 labels",
    "urdu": "URDU, nine folds of unheard speakers, 4 labels",
}


@dataclass(frozen=True)
class Results:
    """All that the card tells."""

    temperature: float
    window_temperature: float
    accuracy: Mapping[str, Score]  # corpus -> among its own labels
    ece: Mapping[str, float]  # corpus -> temperatures from the other folds
    # guise -> corpus -> the same clips clean and changed
    changed: Mapping[str, Mapping[str, tuple[Score, Score]]]
    # corpus -> FACE8 as the encoder gives it: accuracy and calibration error; and the same of single windows
    face8: Mapping[str, tuple[Score, float]]
    windows: Mapping[str, tuple[Score, float]]


def finish(
    network: SpeechNetwork, heard: Predictions, clips: Sequence[Clip], plan: Plan, *, out: Path, card: Path
) -> str:
    """Measures the folds, and writes the network that heard everybody, with what the folds foretell of it."""
    results = measured(heard, clips)
    tensors = {k: v.half() if v.dtype == torch.float32 else v for k, v in network.state_dict().items()}
    facts = Facts(
        name=NAME,
        architecture=ARCHITECTURE,
        labels=HEARD,
        temperature=results.temperature,
        window_temperature=results.window_temperature,
        results=flat(results),
        seed=plan.seed,
        steps=plan.steps,
        licence=LICENCE,
    )
    write_tensors(out, tensors, facts.as_metadata())
    card.parent.mkdir(parents=True, exist_ok=True)
    card.write_text(page(results, heard, clips, plan, out), encoding="utf-8")
    return "\n".join(f"{name}: {value}" for name, value in facts.results.items())


def measured(heard: Predictions, clips: Sequence[Clip]) -> Results:
    owners = [clips[i] for i in heard.clips]
    rows = {corpus: np.array([clip.corpus == corpus for clip in owners]) for corpus in CORPORA}
    clean = heard.whole["clean"]
    of = {corpus: [clip for clip in owners if clip.corpus == corpus] for corpus in CORPORA}

    changed = {}
    for name in MEASURED:
        there = ~np.isnan(heard.whole[name][:, 0])
        changed[name] = {}
        for corpus in ("ravdess", "nemo"):
            mine = rows[corpus] & there
            subset = [clip for clip, is_mine in zip(owners, mine, strict=True) if is_mine]
            changed[name][corpus] = (
                _score(clean[mine], subset, corpus),
                _score(heard.whole[name][mine], subset, corpus),
            )

    # The temperatures of the file are of all eight labels and count the corpora with a known protocol alike.
    window_clips = [clips[i] for i in heard.owners]
    window_rows = {corpus: np.array([clip.corpus == corpus for clip in window_clips]) for corpus in CORPORA}
    temperature = temperature_of([(clean[rows[c]], _truth(of[c])) for c in ("ravdess", "nemo")])
    window_temperature = temperature_of(
        [
            (heard.windows[window_rows[c]], _truth([clip for clip in window_clips if clip.corpus == c]))
            for c in ("ravdess", "nemo")
        ]
    )
    return Results(
        temperature=temperature,
        window_temperature=window_temperature,
        accuracy={c: _score(clean[rows[c]], of[c], c) for c in CORPORA},
        ece={c: calibration(clean[rows[c]], of[c], c, FOLDS) for c in CORPORA},
        changed=changed,
        face8={c: _as_given(clean[rows[c]], of[c], temperature) for c in CORPORA},
        windows={
            c: _as_given(
                heard.windows[window_rows[c]],
                [clip for clip in window_clips if clip.corpus == c],
                window_temperature,
            )
            for c in CORPORA
        },
    )


def _score(logits: np.ndarray, clips: Sequence[Clip], corpus: str) -> Score:
    return unweighted([HEARD[i] for i in among(logits, corpus).argmax(1)], clips)


def _as_given(logits: np.ndarray, clips: Sequence[Clip], temperature: float) -> tuple[Score, float]:
    """As the encoder gives it: calm is neutral, no label is ruled out, one temperature for all."""
    merged = [_as_face(clip) for clip in clips]
    probabilities = faces(logits, temperature)
    seen = [FACE8.labels[i] for i in probabilities.argmax(1)]
    right = np.array([label == clip.label for label, clip in zip(seen, merged, strict=True)])
    return unweighted(seen, merged), expected_calibration_error(probabilities.max(1), right)


def _as_face(clip: Clip) -> Clip:
    label = "neutral" if clip.label == "calm" else clip.label
    return Clip(clip.path, clip.corpus, clip.speaker, label, clip.fold)


def _truth(clips: Sequence[Clip]) -> np.ndarray:
    return np.array([HEARD.index(clip.label) for clip in clips])


def flat(results: Results) -> dict[str, float]:
    """The numbers by name, for the file."""
    numbers = {f"{c} unweighted accuracy": results.accuracy[c].value for c in CORPORA}
    numbers |= {f"{c} calibration error": results.ece[c] for c in CORPORA}
    numbers |= {f"{c} face8 unweighted accuracy": results.face8[c][0].value for c in CORPORA}
    for name, by_corpus in results.changed.items():
        numbers |= {f"{c} {name}": changed.value for c, (_, changed) in by_corpus.items()}
    return {name: round(value, 4) for name, value in numbers.items()}


def page(results: Results, heard: Predictions, clips: Sequence[Clip], plan: Plan, weights: Path) -> str:
    """The card."""
    owners = [clips[i] for i in heard.clips]
    clean = heard.whole["clean"]
    tables = "\n\n".join(
        f"{_TITLES[c]}:\n\n"
        + confusions(
            clean[[clip.corpus == c for clip in owners]], [clip for clip in owners if clip.corpus == c], c
        )
        for c in CORPORA
    )
    parameters = sum(p.numel() for p in SpeechNetwork().parameters())
    return f"""# {NAME}

What is felt in a voice, in any language: a track of `FACE8` every quarter of a second over windows of
{WINDOW_SECONDS} s, or one distribution for a clip. Made by `python -m gen.recipes.speech --data DIR` (seed
{plan.seed}). Nothing is known of the speaker but the clip itself. **{LICENCE}.**

| | |
|---|---|
| weights | `emotion_encoders/speech.safetensors`, {weights.stat().st_size:,} bytes, fp16 |
| sha256 | `{hashlib.sha256(weights.read_bytes()).hexdigest()}` |
| network | `{ARCHITECTURE}`, {parameters:,} parameters |
| temperature | {results.temperature} of a clip, {results.window_temperature} of a window |

The network sees {WIDTH} curves, 50 a second: {BANDS} bands of the log-mel spectrogram without their mean over
speech, and loudness, spectral shape, pitch above the clip's median and voice quality. Dilated convolutions,
attentive statistics pooling, one head. The temperatures were fitted on the predictions of the folds below.
Valence and arousal are derived from the distribution by the table of affects, not learned, and
`Evidence.affect_learned` says so.

## Data

| corpus | clips | speakers | labels | licence |
|---|---|---|---|---|
{_data_rows(clips)}

All corpora are learned together by one head over {", ".join(HEARD)}; the loss of a clip is taken among the
labels that its corpus tells apart. Each clip is learned in {len(TAUGHT)} guises ({", ".join(TAUGHT)}: other
tempo and pitch, rooms, noise, microphones, the telephone band and the μ-law), and anew in every batch
stretched, its mel axis warped, filtered, made noisy and masked (`gen/recipes/speech_fit.py`).

## Results

{FOLDS} networks of {plan.steps:,} steps, each without one nEMO speaker, a share of the Urdu speakers and, in
{RAVDESS_FOLDS} of them, four RAVDESS actors; each is measured on those. The bundled network is trained
in the same way on everybody, so nothing here is measured on it. Unweighted accuracy (mean recall over
labels), with 95 % intervals by bootstrap over speakers; calibration error in {BINS} bins.

| protocol | unweighted accuracy | n | speakers | calibration error, temperature from the other folds |
|---|---|---|---|---|
{_accuracy_rows(results)}

As the encoder gives it, with calm counted as neutral, no label ruled out and the file's own temperature:

| corpus | a clip: accuracy | calibration error | one window: accuracy | calibration error |
|---|---|---|---|---|
{_given_rows(results)}

The same clips clean and changed (all of RAVDESS, every fourth of nEMO):

| | RAVDESS clean | changed | nEMO clean | changed |
|---|---|---|---|---|
{_changed_rows(results)}

{tables}

## Limits

Learned from actors, in English and Polish, and from talk shows in Urdu: feelings that people have rather than
act are fainter. Contempt was in no corpus and is never heard. A speaker's usual voice may pass for a feeling,
since nothing but the clip is known of the speaker: the intervals show how speakers differ. A
whispered clip counts as unvoiced, so nothing is heard. Singing, crowds and music with voices were not
measured.
"""


def _data_rows(clips: Sequence[Clip]) -> str:
    licences = {
        "ravdess": "CC BY-NC-SA 4.0 (Livingstone & Russo 2018), actors 1 to 20, speech",
        "nemo": "CC BY-NC-SA 4.0 (Christop 2024), Polish",
        "urdu": "research only (Latif et al. 2018), Urdu",
    }
    rows = []
    for corpus, licence in licences.items():
        mine = [clip for clip in clips if clip.corpus == corpus]
        speakers = len({clip.speaker for clip in mine})
        rows.append(f"| {corpus} | {len(mine):,} | {speakers} | {', '.join(LABELS[corpus])} | {licence} |")
    return "\n".join(rows)


def _accuracy_rows(results: Results) -> str:
    return "\n".join(
        f"| {_TITLES[c]} | {score} | {score.n:,} | {score.speakers} | {results.ece[c]:.3f} |"
        for c, score in results.accuracy.items()
    )


def _given_rows(results: Results) -> str:
    return "\n".join(
        f"| {c} | {results.face8[c][0]} | {results.face8[c][1]:.3f} | {results.windows[c][0]} | "
        f"{results.windows[c][1]:.3f} |"
        for c in CORPORA
    )


def _changed_rows(results: Results) -> str:
    lines = []
    for name, by_corpus in results.changed.items():
        cells = [str(score) for corpus in ("ravdess", "nemo") for score in by_corpus[corpus]]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
