"""How emotion_encoders/speech.safetensors was made: python -m gen.recipes.speech --data DIR."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open

from emotion_encoders.speech_network import SpeechNetwork
from gen.recipes.fitting import write_tensors
from gen.recipes.speech_card import finish
from gen.recipes.speech_curves import guise
from gen.recipes.speech_data import FOLDS, Clip, DataError, read
from gen.recipes.speech_fit import Material, Plan, fit
from gen.recipes.speech_measure import Predictions, joined, predictions
from gen.recipes.speech_sounds import MEASURED, TAUGHT

ROOT = Path(__file__).parents[2]
EVERY = 200  # steps between two lines of progress
WHOLE = FOLDS  # the "fold" that holds nobody back: the network that is bundled


@dataclass(frozen=True)
class Asked:
    """The command line."""

    data: Path
    work: Path
    minutes: float
    workers: int
    plan: Plan
    out: Path
    card: Path


def main(arguments: list[str] | None = None) -> int:
    asked = options(arguments)
    deadline = time.monotonic() + 60 * asked.minutes
    try:
        clips = read(asked.data)
    except DataError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{len(clips):,} clips; what is done is kept in {asked.work}", file=sys.stderr)
    stages: tuple[list[Callable[[], object]], ...] = (
        [partial(prepare, name, clips, asked.work) for name in TAUGHT],
        [
            *(partial(learn, fold, clips, asked.plan, asked.work) for fold in range(FOLDS + 1)),
            *(partial(prepare, name, clips, asked.work) for name in MEASURED),
        ],
        [partial(hear, fold, clips, asked.plan, asked.work) for fold in range(FOLDS)],
    )
    results: list[object] = []
    for stage in stages:
        results = done(stage, asked.workers, deadline)
        if len(results) < len(stage):
            print("The time is up; go on with the same command.", file=sys.stderr)
            return 1
    heard = joined([result for result in results if isinstance(result, Predictions)])
    network = learnt(asked.work, WHOLE, asked.plan)
    if network is None:
        raise DataError(f"The network in {asked.work} is gone; run the same command again.")
    print(finish(network, heard, clips, asked.plan, out=asked.out, card=asked.card))
    return 0


def options(arguments: list[str] | None) -> Asked:
    parser = argparse.ArgumentParser(prog="python -m gen.recipes.speech", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the training data")
    parser.add_argument(
        "--work", type=Path, default=Path("out/speech"), help="folder for what can be resumed"
    )
    parser.add_argument("--minutes", type=float, default=90.0, help="begin nothing new after so long")
    parser.add_argument("--workers", type=int, default=2, help="processes, of one thread each")
    parser.add_argument("--seed", type=int, default=Plan.seed, help="decides all that chance decides")
    parser.add_argument("--steps", type=int, default=Plan.steps, help="of each network")
    parser.add_argument("--out", type=Path, default=ROOT / "emotion_encoders" / "speech.safetensors")
    parser.add_argument("--card", type=Path, default=ROOT / "docs" / "cards" / "speech.md")
    found = parser.parse_args(arguments)
    return Asked(
        data=found.data,
        work=found.work,
        minutes=found.minutes,
        workers=found.workers,
        plan=Plan(seed=found.seed, steps=found.steps),
        out=found.out,
        card=found.card,
    )


def done(tasks: Iterable[Callable[[], object]], workers: int, deadline: float) -> list[object]:
    """The results of the tasks in order, so far as they could begin before the deadline."""
    futures: list[Future[object]] = []
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        workers, mp_context=spawn, initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:
        for task in tasks:
            running = [future for future in futures if not future.done()]
            if len(running) >= workers:
                wait(running, return_when=FIRST_COMPLETED)
            if time.monotonic() > deadline:
                break
            futures.append(pool.submit(task))
    return [future.result() for future in futures]


def prepare(name: str, clips: list[Clip], work: Path) -> None:
    """Makes sure that the curves of a guise are in the working folder."""
    guise(name, clips, work)


def learn(fold: int, clips: list[Clip], plan: Plan, work: Path) -> None:
    """Trains the network that has not heard the speakers of a fold, unless it is there already."""
    if learnt(work, fold, plan) is not None:
        return
    material = Material.of([guise(name, clips, work) for name in TAUGHT], clips)
    chosen = np.flatnonzero([clip.fold != fold for clip in clips])
    began, recent = time.monotonic(), 0.0
    for step, loss, averaged in fit(material, chosen, plan):
        recent += loss
        if step % EVERY == 0:
            pace = step / (time.monotonic() - began)
            left = (plan.steps - step) / pace / 60
            print(
                f"fold {fold}: step {step}/{plan.steps}  loss {recent / EVERY:.3f}  {left:.1f} min left",
                file=sys.stderr,
                flush=True,
            )
            recent = 0.0
        if step == plan.steps:
            write_tensors(_path(work, fold), averaged.state_dict(), {"plan": _key(plan)})


def learnt(work: Path, fold: int, plan: Plan) -> SpeechNetwork | None:
    """The network of a fold, if it was learnt by this plan."""
    path = _path(work, fold)
    if not path.is_file():
        return None
    with safe_open(path, framework="pt") as file:
        if (file.metadata() or {}).get("plan") != _key(plan):
            return None
        network = SpeechNetwork().eval()
        network.load_state_dict({key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118 - not a dict
    return network


def hear(fold: int, clips: list[Clip], plan: Plan, work: Path) -> Predictions:
    """What a fold's network makes of the speakers it has not heard."""
    network = learnt(work, fold, plan)
    if network is None:
        raise DataError(f"The network of fold {fold} in {work} is gone; run the same command again.")
    chosen = np.flatnonzero([clip.fold == fold for clip in clips])
    return predictions(network, {name: guise(name, clips, work) for name in ("clean", *MEASURED)}, chosen)


def _path(work: Path, fold: int) -> Path:
    return work / ("whole.safetensors" if fold == WHOLE else f"fold-{fold}.safetensors")


def _key(plan: Plan) -> str:
    return json.dumps(asdict(plan))


if __name__ == "__main__":
    sys.exit(main())
