"""The card of the lip network: what it learned from, and how well it hears on voices it never met."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from gen.recipes.lips_fit import Schedule
from gen.recipes.lips_score import MARGIN, Score
from pipelines.portrait.lips import AHEAD, CURVES, MELS, PAST, STEPS, LipNetwork

HEARD = "opening, jaw, rounding, spread, seal (p, b, m), tuck (f, v) and whether somebody speaks"


def card(
    weights: Path, scores: Mapping[str, Score], schedule: Schedule, *, hours: float, tongues: int
) -> str:
    """The text of docs/cards/lips.md, for weights that learned from so many hours in so many tongues."""
    parameters = sum(tensor.size for tensor in LipNetwork.load(weights).tensors.values())
    learned = f"{hours:.1f} hours of made-up words in {tongues} tongues and of English words in any order"
    facts = {
        "hears": f"{MELS} mel bands in dB, {STEPS} times a second, relative to the recording's loud moments",
        "tells": f"{HEARD}; each in [0, 1]",
        "latency": f"{AHEAD / STEPS:.1f} s; what came up to {PAST / STEPS:.2f} s before still counts",
        "network": f"six causal dilated convolutions, {parameters:,} parameters, fp16 on disk, NumPy",
        "learned from": f"{learned}, said by espeak-ng and flite, which tell when each sound begins",
        "targets": "dominance functions (Cohen & Massaro 1993), jaw and lips apart: `lips_targets.py`",
        "heard through": "rooms, microphones, telephones, hiss, hum, knocks, music, babble, other sizes",
        "schedule": f"seed {schedule.seed}, {schedule.steps:,} steps of {schedule.batch} x 3 s, AdamW",
        "made by": "`python -m gen.recipes.lips`",
        "sha256": f"`{hashlib.sha256(weights.read_bytes()).hexdigest()}`",
        "licence": "the project's own: nothing but synthesised speech was learned from",
    }
    names = ("lines", *CURVES, "lips met on p, b, m", "still in silence")
    rows = [
        "# lips",
        "",
        "A small network that hears what a mouth does, for the portrait engine.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {fact} |" for name, fact in facts.items()),
        "",
        "Correlation of each curve with the taught one, on voices that were not learned from; on how many p,",
        "b and m the performed lips meet (a gap under a tenth of a vowel's, up to half a frame away);",
        f"deviation of the lips' gap in silence, {MARGIN} s from speech, as a share of that in speech.",
        "",
        "| " + " | ".join(("voice", *names)) + " |",
        "|---" * (len(names) + 1) + "|",
        *(_row(voice, score) for voice, score in scores.items()),
        "",
        "The taught mouth is a model of how sounds move lips, not a recording of lips. How lips made from it",
        "compare with real ones is measured by `python -m gen.recipes.lips_measure`, on videos that the",
        "network did not learn from.",
        "",
    ]
    return "\n".join(rows)


def _row(voice: str, score: Score) -> str:
    heard = [f"{score.correlations[name]:.2f}" if name in score.correlations else "" for name in CURVES]
    met = f"{score.shut:.0%} of {score.bilabials}"
    return f"| {voice} | {score.lines} | {' | '.join(heard)} | {met} | {score.stillness:.1%} |"
