"""Makes `pipelines/portrait/lips.safetensors`: a small network that hears what a mouth does.

    python -m gen.recipes.lips [--work DIR] [--resume] [--data DIR]

It learns from speech whose sounds and their times are known, because two free synthesisers made it (espeak-ng
and flite must be installed), and from how sounds move lips according to the literature; no video is learned
from. Some voices and tongues are kept apart to measure it. With --data, a folder that holds
`ravdess_speech_16k`, it is also measured on real emotional voices, aligned to what they say.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from gen.recipes.fitting import write_tensors
from gen.recipes.lips_aligned import aligned
from gen.recipes.lips_card import card
from gen.recipes.lips_corpus import Spoken, by_espeak, by_flite
from gen.recipes.lips_fit import Lines, Schedule, State, begin, fit, load_checkpoint, save_checkpoint, taught
from gen.recipes.lips_noise import noises
from gen.recipes.lips_rooms import Rooms
from gen.recipes.lips_score import Score, scored
from gen.recipes.lips_words import TONGUES
from pipelines.portrait.lips import STEPS, LipNetwork, mel_power

OUTPUT = Path("pipelines/portrait/lips.safetensors")
CARD = Path("docs/cards/lips.md")
SEED = 1
ESPEAK_LINES, FLITE_LINES = 1600, 1200
NOISE_SECONDS = 40.0  # of each kind
HELD_BACK = ("flite awb", "espeak tr", "espeak sv")  # a voice and two tongues that are never learned from
MEASURED_LINES = 150
SAVED_EVERY = 200  # steps
ACTORS = range(1, 21)


@dataclass(frozen=True)
class Corpus:
    """Lines to learn from, lines to measure with, and what the former are heard through."""

    learned: Lines
    kept: list[Spoken]
    rooms: Rooms


def corpus() -> Corpus:
    """Made anew: the same programs and voices give the same corpus."""
    random = np.random.default_rng(SEED)
    spoken = by_espeak(ESPEAK_LINES, random) + list(by_flite(FLITE_LINES, random))
    flite = [line.waveform for line in spoken if line.voice.startswith("flite")]
    noise = torch.from_numpy(mel_power(noises(NOISE_SECONDS, flite[:40], random)))
    kept = [line for line in spoken if line.voice.startswith(HELD_BACK)]
    learned = taught([line for line in spoken if not line.voice.startswith(HELD_BACK)], random)
    return Corpus(learned, kept, Rooms(noise))


def train(state: State, learned: Lines, rooms: Rooms, schedule: Schedule, checkpoint: Path) -> None:
    """Trains to the end, saving on the way."""
    started, mean = time.monotonic(), None
    for loss in fit(state, learned, rooms, schedule):
        mean = loss if mean is None else 0.98 * mean + 0.02 * loss
        if state.step % SAVED_EVERY == 0:
            save_checkpoint(checkpoint, state, schedule)
            spent = time.monotonic() - started
            print(f"step {state.step} of {schedule.steps}  loss {mean:.4f}  {spent:.0f} s", flush=True)


def main() -> int:
    """Trains, measures, writes weights and card."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a folder with ravdess_speech_16k, for measuring only")
    parser.add_argument("--work", type=Path, default=Path("out/lips"), help="where checkpoints go")
    parser.add_argument("--steps", type=int, default=Schedule().steps)
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --work")
    parser.add_argument("--out", type=Path, default=OUTPUT)
    parser.add_argument("--card", type=Path, default=CARD)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    schedule, checkpoint = Schedule(steps=asked.steps, seed=SEED), asked.work / "lips.safetensors"
    state = load_checkpoint(checkpoint, schedule) if asked.resume else begin(schedule)
    material = corpus()
    train(state, material.learned, material.rooms, schedule, checkpoint)

    facts = {"architecture": "lip-tcn", "schedule": json.dumps(asdict(schedule))}
    write_tensors(asked.out, state.network.packed(), facts)
    network = LipNetwork.load(asked.out)
    scores: dict[str, Score] = {}
    for voice in HELD_BACK:
        lines = [line for line in material.kept if line.voice.startswith(voice)][:MEASURED_LINES]
        scores[voice] = scored(network, lines)
    if asked.data is not None:
        real = aligned(asked.data / "ravdess_speech_16k", ACTORS, every=4)
        scores["RAVDESS, real voices"] = scored(network, real)
    hours = len(material.learned.power) / STEPS / 3600
    tongues = len(TONGUES) - sum(voice.startswith("espeak") for voice in HELD_BACK)
    asked.card.write_text(card(asked.out, scores, schedule, hours=hours, tongues=tongues), encoding="utf-8")
    print(asked.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
