"""How emotion_encoders/text.safetensors was made: python -m gen.recipes.text --data DIR."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from emotion_encoders.text import TextEncoder
from emotion_encoders.text_model import ARCHITECTURE, Facts, TextNetwork, packed_state, unpacked_state
from emotion_encoders.wordpieces import WordPieces
from gen.recipes.fitting import write_tensors
from gen.recipes.text_calibrate import calibrate, fit_spoken
from gen.recipes.text_card import card
from gen.recipes.text_data import Corpus, DataError, Material, read
from gen.recipes.text_fit import Feed, Plan, State, all_heads, begin, fit, load_checkpoint, save_checkpoint
from gen.recipes.text_glossary import glossary
from gen.recipes.text_measure import Score, measure
from gen.recipes.text_pairs import pairs
from gen.recipes.text_start import PIECE_BITS, chosen_pieces, original_pieces, start

ROOT = Path(__file__).parents[2]
SAVES = 12  # checkpoints over the run
BITS = 5  # of a weight in the bundled file
NAME = "text-minilm"
LICENCE = "research only: trained on ISEAR, SST-2, lines of a television series and word ratings for research"


def main(arguments: list[str] | None = None) -> int:
    asked = options(arguments)
    torch.set_num_threads(asked.threads)
    plan = Plan(seed=asked.seed)
    try:
        material = read(asked.data)
        corpora = learned_from(material, plan.seed)
        texts = (text for corpus in corpora.values() if corpus.task != "glossary" for text in corpus.texts)
        pieces = WordPieces(chosen_pieces(texts, original_pieces()))
        state = begin(started(pieces, corpora, plan), plan)
        if asked.resume:
            load_checkpoint(asked.checkpoint, state, plan)
    except DataError as error:
        print(error, file=sys.stderr)
        return 2
    feed = Feed(corpora, pieces, plan)
    learn(state, feed, plan, asked)
    scores = finish(state, pieces, material, plan, asked)
    steps = len(feed.batches)
    page = card(scores, asked.out, material, plan, steps=state.step, planned=steps, bits=asked.bits)
    asked.card.write_text(page, encoding="utf-8")
    for name, score in scores.items():
        print(f"{name}: {score}")
    if state.step < steps:
        print(f"Stopped at step {state.step} of {steps}: go on with --resume", file=sys.stderr)
    return 0


def options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m gen.recipes.text", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the training data")
    parser.add_argument(
        "--minutes", type=float, default=80.0, help="stop learning after so long; resume later"
    )
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--seed", type=int, default=Plan.seed, help="decides all that chance decides")
    parser.add_argument("--bits", type=int, default=BITS, help="of a weight in the bundled file")
    parser.add_argument("--checkpoint", type=Path, default=Path("out/text-checkpoint.safetensors"))
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    parser.add_argument("--out", type=Path, default=ROOT / "emotion_encoders" / "text.safetensors")
    parser.add_argument("--card", type=Path, default=ROOT / "docs" / "cards" / "text.md")
    return parser.parse_args(arguments)


def learned_from(material: Mapping[str, Material], seed: int) -> dict[str, Corpus]:
    """What the network sees: affect in standard deviations of each corpus, and the made pairs."""
    corpora = {name: parts.learning for name, parts in material.items()}
    for name in ("affect", "words"):
        targets = corpora[name].targets
        scaled = (targets - targets.mean(0)) / targets.std(0)
        corpora[name] = replace(corpora[name], targets=scaled.astype(np.float32))
    return corpora | {"pairs": pairs(seed), "glossary": glossary(seed)}


def started(pieces: WordPieces, corpora: Mapping[str, Corpus], plan: Plan) -> TextNetwork:
    """The published encoder with new heads; that of the 28 begins with how often each label occurs."""
    network = start(pieces.pieces, plan.seed)
    head = network.heads["goemotions"]
    if isinstance(head, nn.Linear):
        head.bias.data = torch.from_numpy(corpora["goemotions"].targets.mean(0)).logit()
    return network


def learn(state: State, feed: Feed, plan: Plan, asked: argparse.Namespace) -> None:
    began, first, steps = time.monotonic(), state.step, len(feed.batches)
    recent: dict[str, list[float]] = {}
    for task, loss in fit(state, feed, plan, deadline=began + 60 * asked.minutes):
        recent.setdefault(task, []).append(loss)
        if state.step % 50 == 0:
            losses = "  ".join(f"{name} {np.mean(values):.3f}" for name, values in sorted(recent.items()))
            speed = (state.step - first) / (time.monotonic() - began)
            left = (steps - state.step) / speed / 60
            print(f"step {state.step}/{steps}  {losses}  {left:.1f} min left", file=sys.stderr, flush=True)
            recent = {}
        if state.step % (steps // SAVES) == 0:
            save_checkpoint(asked.checkpoint, state, plan)
    if state.step > first:
        save_checkpoint(asked.checkpoint, state, plan)


def finish(
    state: State, pieces: WordPieces, material: Mapping[str, Material], plan: Plan, asked: argparse.Namespace
) -> dict[str, Score]:
    """Packs the network, calibrates and measures what was packed, and writes it with its word pieces."""
    packed = packed_state(state.network, bits=asked.bits, piece_bits=PIECE_BITS)
    coarse = TextNetwork(state.network.shape, heads=all_heads()).eval().requires_grad_(False)
    coarse.load_state_dict(unpacked_state(packed), strict=False)  # teaching heads are not packed
    weight, bias = fit_spoken(coarse, pieces, material)
    packed |= {"heads.spoken.weight": weight.half(), "heads.spoken.bias": bias.half()}
    network = TextNetwork(state.network.shape).eval().requires_grad_(False)
    network.load_state_dict(unpacked_state(packed))
    facts = Facts(
        name=NAME,
        architecture=ARCHITECTURE,
        shape=network.shape,
        pieces=pieces.pieces,
        **asdict(calibrate(network, pieces, material)),
        results={},
        seed=plan.seed,
        steps=state.step,
        licence=LICENCE,
    )
    scores = measure(TextEncoder(network, pieces, facts, torch.device("cpu")), material)
    results = {name: round(score.value, 4) for name, score in scores.items()}
    write_tensors(asked.out, packed, replace(facts, results=results).as_metadata())
    return scores


if __name__ == "__main__":
    sys.exit(main())
