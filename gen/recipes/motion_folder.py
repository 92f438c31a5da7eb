"""What `gen.train motion` does: a folder of videos in, weights and a card with what they are worth out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from gen.atomic import write_text
from gen.recipes.ferplus import DataError
from gen.recipes.motion_distance import distance, signals_of, windows_of
from gen.recipes.motion_examples import Example
from gen.recipes.motion_fit import Schedule, batch_loss
from gen.recipes.motion_run import fingerprint, told, train, write_model
from gen.recipes.motion_videos import Split, VideosError, as_motion, card, examples_of
from pipelines.portrait.motion_model import FPS, Conditions, MotionModel, MotionModelError, Size

WEIGHTS, CARD, TRACKED = "motion.safetensors", "motion.md", "tracked"
TRIALS = 8  # batches in which the loss on held-out videos is measured


class Asked(Protocol):
    """The fields of `gen.train.Motion`."""

    @property
    def data(self) -> Path: ...
    @property
    def out(self) -> Path: ...
    @property
    def base(self) -> Path | None: ...
    @property
    def steps(self) -> int: ...
    @property
    def minutes(self) -> float: ...
    @property
    def seed(self) -> int: ...


def train_folder(asked: Asked, *, tell: Callable[[str], None], done: Callable[[str], None]) -> int:
    """Tracks, trains, measures and writes; 0 done, 1 not yet or not at all, 2 a wrong request."""
    if asked.steps < 1 or asked.minutes <= 0:
        tell(
            f"{asked.steps} steps in {asked.minutes:g} minutes came; at least 1, in more than 0, are needed."
        )
        return 2
    torch.set_num_threads(1)
    try:
        start = None if asked.base is None else MotionModel.load(asked.base)
        asked.out.mkdir(parents=True, exist_ok=True)
        split = examples_of(asked.data, asked.out / TRACKED, tell)
        schedule = Schedule(steps=asked.steps, seed=asked.seed)
        outcome = train(split.learned, schedule, asked.out, start=start, minutes=asked.minutes, tell=tell)
    except (VideosError, MotionModelError, DataError) as error:
        tell(str(error))
        return 2
    except OSError as error:
        tell(f"'{asked.out}' cannot be written to ({error}); choose another folder with -o.")
        return 1
    if not outcome.is_complete:
        tell(f"Time is up at step {outcome.step} of {asked.steps}: run it again to go on.")
        return 1
    before = start or MotionModel(Size(), seed=asked.seed)
    results = measured(before, outcome.model, split, schedule)
    for line in results:
        tell(line)
    facts = told(schedule, outcome) | {"data": fingerprint(split.learned)}
    write_model(asked.out / WEIGHTS, outcome.model, **facts)
    write_text(asked.out / CARD, card(dict(facts), split, results))
    done(str(asked.out / WEIGHTS))
    return 0


def measured(before: MotionModel, after: MotionModel, split: Split, schedule: Schedule) -> tuple[str, ...]:
    """What training was worth on the held-out videos, as sentences."""
    if not split.held_out:
        return ("Fewer than five videos: nothing was held out, so nothing is known about other people.",)
    losses = [_loss(model, split.held_out, schedule) for model in (before, after)]
    lines = [f"loss on {len(split.held_out)} held-out videos: {losses[0]:.3f} before, {losses[1]:.3f} after"]
    real = [_windows(example.moves) for example in split.held_out]
    learned = [_windows(example.moves) for example in split.learned]
    if min(sum(map(len, real)), sum(map(len, learned))) < 2:
        return (*lines, "The videos are too short for a distance between distributions.")
    scale = np.maximum(np.concatenate(learned).std(axis=0), 1e-6)
    made = [_windows(_sampled(after, example, seed)) for seed, example in enumerate(split.held_out)]
    ours, ceiling = distance(made, real, scale), distance(learned, real, scale)
    return (
        *lines,
        f"Fréchet distance to the held-out videos over windows of two seconds, brows, lids and head: {ours} "
        f"(n = {ours.windows}); the videos learned from: {ceiling} (n = {ceiling.windows})",
    )


@torch.no_grad()
def _loss(model: MotionModel, examples: Sequence[Example], schedule: Schedule) -> float:
    chance = np.full(len(examples), 1 / len(examples))
    losses = [float(batch_loss(model.eval(), examples, chance, schedule, -1 - k)) for k in range(TRIALS)]
    return float(np.mean(losses))


def _sampled(model: MotionModel, example: Example, seed: int) -> np.ndarray:
    voice = None if example.voice is None else torch.from_numpy(example.voice)
    return model.sample(Conditions(voice, example.track), len(example.moves), seed=seed).numpy()


def _windows(frames: np.ndarray) -> np.ndarray:
    motion = as_motion(frames)
    signals = np.concatenate(
        [signals_of(motion.coefficients)[:, :-2], motion.head.astype(np.float64)], axis=1
    )
    return windows_of(signals, FPS, levels=False)
