"""The story both recogniser recipes tell: read, learn, calibrate, measure, write weights and card."""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from emotion_encoders.emotion import FACE8
from emotion_encoders.recogniser import Facts, load_weights
from gen.recipes import ferplus
from gen.recipes.fitting import (
    Examples,
    Schedule,
    State,
    begin,
    fit,
    load_checkpoint,
    save_checkpoint,
    write_tensors,
)
from gen.recipes.measuring import BINS, Result, fit_temperature, logits_of, measure

LICENCE = "research only: trained on FER2013 photographs, which were collected from the web for research"
SAVE_EVERY = 500  # steps


@dataclass(frozen=True)
class Recipe:
    """What differs between the two recognisers."""

    owner: str  # whose share of the faces: "face" or "judge"
    architecture: str
    make: Callable[[], nn.Module]
    schedule: Schedule
    summary: str  # one sentence for the card


@dataclass(frozen=True)
class Material:
    """What a recipe learns from, calibrates on and is measured on."""

    examples: Examples
    held: ferplus.Faces
    validation: ferplus.Faces
    notes: tuple[str, ...]


def options(recipe: Recipe, arguments: list[str] | None = None) -> argparse.Namespace:
    root = Path(__file__).parents[2]
    parser = argparse.ArgumentParser(prog=f"python -m gen.recipes.{recipe.owner}", description=recipe.summary)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the training data")
    parser.add_argument("--minutes", type=float, default=90.0, help="stop after so long; resume later")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--steps", type=int, default=recipe.schedule.steps, help="length of the schedule")
    parser.add_argument(
        "--seed", type=int, default=recipe.schedule.seed, help="decides all that chance decides"
    )
    parser.add_argument("--resume", type=Path, metavar="CKPT", help="go on from this checkpoint")
    checkpoint = Path("out") / f"{recipe.owner}-checkpoint.safetensors"
    parser.add_argument(
        "--checkpoint", type=Path, default=checkpoint, help="where to save what resuming needs"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=root / "emotion_encoders" / f"{recipe.owner}.safetensors",
        help="the weights",
    )
    parser.add_argument(
        "--card", type=Path, default=root / "docs" / "cards" / f"{recipe.owner}.md", help="the card"
    )
    return parser.parse_args(arguments)


def run(recipe: Recipe, arguments: list[str] | None = None) -> int:
    asked = options(recipe, arguments)
    torch.set_num_threads(asked.threads)
    schedule = replace(recipe.schedule, steps=asked.steps, seed=asked.seed)
    try:
        material = gather(recipe, asked.data)
        check(material, schedule)
        state = begin(recipe.make, schedule)
        if asked.resume:
            load_checkpoint(asked.resume, state, schedule)
    except ferplus.DataError as error:
        print(error, file=sys.stderr)
        return 2
    print("; ".join(material.notes), file=sys.stderr)
    print(
        f"{len(material.examples.images):,} faces to learn from, "
        f"{parameter_count(state.network):,} parameters",
        file=sys.stderr,
    )

    learn(recipe, state, material, schedule, asked)
    facts, result = finish(recipe, state, material, schedule, asked.out)
    asked.card.parent.mkdir(parents=True, exist_ok=True)
    asked.card.write_text(
        card(recipe, facts, result, material, schedule=schedule, weights=asked.out), encoding="utf-8"
    )
    print(f"{result.sentence()}\n{result.table()}")
    if state.step < schedule.steps:
        print(
            f"Stopped at step {state.step} of {schedule.steps}: --resume {asked.checkpoint}", file=sys.stderr
        )
    return 0


def gather(recipe: Recipe, data: Path) -> Material:
    split = ferplus.read(data)
    learning, held = ferplus.hold_back(ferplus.share(split.training, recipe.owner))
    examples = Examples.of(*ferplus.soft_labels(learning))
    return Material(examples, held, split.validation, split.notes)


def check(material: Material, schedule: Schedule) -> None:
    """Refuses data too few to fill one batch, to fit a temperature or to be measured on."""
    learning, held, validation = len(material.examples.images), len(material.held), len(material.validation)
    if learning < schedule.batch or not held or not validation:
        raise ferplus.DataError(
            f"{learning} faces to learn from, {held} to calibrate on and {validation} to measure on are too "
            f"few; at least {schedule.batch}, 1 and 1 are needed: give the whole of FERPlus."
        )


def learn(
    recipe: Recipe, state: State, material: Material, schedule: Schedule, asked: argparse.Namespace
) -> None:
    started, first, recent = time.monotonic(), state.step, 0.0
    for loss in fit(state, material.examples, schedule, deadline=started + 60 * asked.minutes):
        recent += loss
        if state.step % SAVE_EVERY:
            continue
        save_checkpoint(asked.checkpoint, state, schedule)
        # Beside the checkpoint: the bundled file changes once, when the schedule has ended.
        interim = asked.checkpoint.with_name(f"{recipe.owner}-interim.safetensors")
        _, result = finish(recipe, state, material, schedule, interim)
        speed = (state.step - first) / (time.monotonic() - started)
        print(
            f"step {state.step}/{schedule.steps}  loss {recent / SAVE_EVERY:.4f}  {result.sentence()}  "
            f"{speed:.2f} steps/s  {(schedule.steps - state.step) / speed / 60:.1f} min left",
            file=sys.stderr,
            flush=True,
        )
        recent = 0.0
    save_checkpoint(asked.checkpoint, state, schedule)


def finish(
    recipe: Recipe, state: State, material: Material, schedule: Schedule, out: Path
) -> tuple[Facts, Result]:
    """Calibrates on the held slice, measures on validation, and writes the averaged weights as fp16."""
    tensors = {
        key: value.half() if value.dtype == torch.float32 else value
        for key, value in state.averaged.state_dict().items()
    }
    network = recipe.make().eval()
    network.load_state_dict({key: value.float() for key, value in tensors.items()})
    mean, std = material.examples.mean, material.examples.std

    held, truth = ferplus.majority(material.held)
    temperature = fit_temperature(logits_of(network, held, mean, std), truth)
    faces, truth = ferplus.majority(material.validation)
    probabilities = (logits_of(network, faces, mean, std) / temperature).softmax(dim=1)
    result = measure(probabilities.numpy(), truth, FACE8.labels)

    facts = Facts(
        name=f"{recipe.owner}-ferplus",
        architecture=recipe.architecture,
        labels=FACE8.labels,
        input_size=int(faces.images.shape[1]),
        mean=mean,
        std=std,
        temperature=temperature,
        accuracy=round(result.accuracy, 4),
        n=result.n,
        ece=round(result.ece, 4),
        seed=schedule.seed,
        steps=state.step,
        licence=LICENCE,
    )
    write_tensors(out, tensors, facts.as_metadata())
    return facts, result


def by_plurality(recipe: Recipe, material: Material, weights: Path) -> Result:
    """The written weights on every validation face whose most frequent vote is an emotion."""
    network = recipe.make()
    facts = load_weights(network, weights, architecture=recipe.architecture, labels=FACE8.labels)
    faces, truth = ferplus.plurality(material.validation)
    logits = logits_of(network, faces, facts.mean, facts.std) / facts.temperature
    return measure(logits.softmax(dim=1).numpy(), truth, FACE8.labels)


def card(
    recipe: Recipe, facts: Facts, result: Result, material: Material, *, schedule: Schedule, weights: Path
) -> str:
    """The page that says what the weights are, where they come from and how far to trust them."""
    low, high = result.interval
    plain = by_plurality(recipe, material, weights)
    held, _ = ferplus.majority(material.held)
    rows = {
        "accuracy": f"{result.accuracy:.4f} (95 % bootstrap {low:.4f} to {high:.4f}, n = {result.n:,})",
        "by plain argmax": f"{plain.sentence()}: all those of which most votes name an emotion",
        "calibration": f"expected calibration error {result.ece:.4f} in {BINS} bins",
        "measured on": f"FERPlus validation ({len(material.validation):,} faces) by the paper's rule: single "
        "votes dropped, one of the eight emotions above half of all remaining votes",
        "input": f"{facts.input_size} x {facts.input_size} grey from `emotion_encoders.alignment.face_crop`, "
        f"mean {facts.mean}, std {facts.std}; logits averaged over crop and mirror image",
        "temperature": f"{facts.temperature}, fitted by the same rule on {len(held):,} faces of the training "
        "part that were not learned from",
        "learned from": f"{len(material.examples.images):,} FERPlus training faces, votes as soft labels",
        "removed first": "; ".join(material.notes),
        "schedule": f"seed {facts.seed}, {facts.steps:,} of {schedule.steps:,} steps of {schedule.batch}; "
        f"SGD {schedule.rate}, cosine towards step {schedule.horizon:,}, straight to zero over the last "
        f"{schedule.cool_down:,}; averaged weights; mixup {schedule.mixup}; `gen/recipes/augment.py`",
        "network": f"`{facts.architecture}`, {parameter_count(recipe.make()):,} parameters, stored as fp16",
        "made by": f"`python -m gen.recipes.{recipe.owner} --data DIR`; the end of the schedule",
        "sha256": f"`{hashlib.sha256(weights.read_bytes()).hexdigest()}`",
        "licence": f"**{facts.licence}**; votes: MIT (FERPlus, Barsoum et al. 2016)",
    }
    table = "\n".join(f"| {name} | {text} |" for name, text in rows.items())
    return f"""# {facts.name}

{recipe.summary}

| | |
|---|---|
{table}

Rows are the raters' majority, columns what was seen.

{result.table()}

Affect is derived from the distribution, not learned. Contempt, disgust and fear are rare in FERPlus: read
their recalls before trusting them. Faces in FERPlus are photographs found on the web; paintings, drawings
and people unlike those photographed there may be read worse than the numbers above say.
"""


def parameter_count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
