"""How emotion_encoders/conditioner.safetensors was made: python -m gen.recipes.conditioner --data DIR."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file, save_file

from emotion_encoders.emotion import FACE8
from emotion_encoders.shared_space import SharedSpace
from gen.atomic import replacing, write_text
from gen.recipes import conditioner_data as material
from gen.recipes.conditioner_data import Sightings
from gen.recipes.conditioner_fit import LABEL, NEAREST, Plan, Retrieval, fit, labels, retrievals
from gen.recipes.speech import learnt
from gen.recipes.speech_data import FOLDS, DataError
from gen.recipes.speech_fit import Plan as SpeechPlan
from gen.weights import local_path

if TYPE_CHECKING:
    from emotion_encoders.speech import SpeechEncoder

ROOT = Path(__file__).parents[2]
LEARN_SHARE = 2  # of the speakers every second is learned from, the others are measured on
VOICES = (
    "every second speaker of RAVDESS and nEMO; the other speakers, each heard by the network of the speech "
    "recipe that had not heard him"
)


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m gen.recipes.conditioner", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the training data")
    parser.add_argument("--steps", type=int, default=Plan.steps, help="length of the schedule")
    parser.add_argument("--seed", type=int, default=Plan.seed, help="decides all that chance decides")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument(
        "--seen",
        type=Path,
        default=Path("out/conditioner-seen.safetensors"),
        help="what the encoders saw is kept here; if it is there, it is read and they are not asked again",
    )
    parser.add_argument(
        "--speech",
        type=Path,
        default=Path("out/speech"),
        help="working folder of the speech recipe: its folds hear the speakers new to them",
    )
    weights = ROOT / "emotion_encoders" / "conditioner.safetensors"
    parser.add_argument("--out", type=Path, default=weights, help="the weights")
    card = ROOT / "docs" / "cards" / "conditioner.md"
    parser.add_argument("--card", type=Path, default=card, help="the card")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    asked = options(arguments)
    torch.set_num_threads(asked.threads)
    try:
        seen = gathered(asked.data, asked.seen, asked.speech)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    plan = Plan(steps=asked.steps, seed=asked.seed)
    learned, measured = split(seen, plan.seed)
    for name in learned:
        print(f"{name}: {len(learned[name]):,} to learn from, {len(measured[name]):,} to measure on")

    space = SharedSpace()
    before = retrievals(space.eval(), measured)
    fit(space.train(), learned, plan)
    after = retrievals(space.eval(), measured)
    least = min(result.share for result in after)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(asked.out) as part:
        space.save(part, name="conditioner", seed=plan.seed, steps=plan.steps, least_share=round(least, 4))
    asked.card.parent.mkdir(parents=True, exist_ok=True)
    write_text(asked.card, card(before, after, learned, measured, plan, asked.out))
    print(table(after))
    return 0


def gathered(data: Path, cache: Path, speech: Path) -> dict[str, Sightings]:
    """What every encoder saw: asked once, then kept."""
    if cache.is_file():
        return material.from_tensors(load_file(cache))
    from emotion_encoders.face import FaceRecogniser
    from emotion_encoders.text import TextEncoder

    held, dev = material.texts(data, TextEncoder.load(local_path("text")))
    face_held, validation = material.faces(data, FaceRecogniser.load(local_path("face")))
    seen = {
        "text.learn": held,
        "text.measure": dev,
        "face.learn": face_held,
        "face.measure": validation,
        "voice": material.voices(data, folds(speech)),
    }
    cache.parent.mkdir(parents=True, exist_ok=True)
    with replacing(cache) as part:
        save_file(material.tensors(seen), part)
    return seen


def folds(work: Path) -> list[SpeechEncoder]:
    """The speech encoder as each fold of its recipe left it."""
    from emotion_encoders.speech import SpeechEncoder

    facts = SpeechEncoder.load(local_path("speech")).facts
    plan = SpeechPlan(seed=facts.seed, steps=facts.steps)
    networks = [learnt(work, fold, plan) for fold in range(FOLDS)]
    missing = [str(fold) for fold, network in enumerate(networks) if network is None]
    if missing:
        told = f"{work} lacks the networks of fold {', '.join(missing)}"
        raise DataError(f"{told}: run python -m gen.recipes.speech --data DIR --work {work} first.")
    return [SpeechEncoder(network, facts) for network in networks if network is not None]


def split(seen: Mapping[str, Sightings], seed: int) -> tuple[dict[str, Sightings], dict[str, Sightings]]:
    """What is learned from and what is measured on; no sentence, photograph or speaker is in both."""
    speakers = seen["voice"].groups % LEARN_SHARE == 0
    learned = {
        "text": seen["text.learn"],
        "voice": seen["voice"].where(speakers),
        "face": seen["face.learn"],
        LABEL: labels(seed),
    }
    measured = {
        "text": seen["text.measure"],
        "voice": seen["voice"].where(~speakers),
        "face": seen["face.measure"],
        LABEL: labels(seed + 1, each=10),
    }
    return learned, measured


def table(results: Sequence[Retrieval]) -> str:
    names = ("query to answer", "right emotion", f"of {NEAREST}", "weaker encoder", "share of it", "emotions")
    head = f"| {' | '.join(names)} |\n{'|---' * len(names)}|"
    return "\n".join([head, *(str(result) for result in results)])


def card(
    before: Sequence[Retrieval],
    after: Sequence[Retrieval],
    learned: Mapping[str, Sightings],
    measured: Mapping[str, Sightings],
    plan: Plan,
    weights: Path,
) -> str:
    """The page that says what the weights are, where they come from and how far to trust them."""
    sizes = "; ".join(f"{name} {len(learned[name]):,} and {len(measured[name]):,}" for name in learned)
    rows = {
        "learned from and measured on": f"{sizes}. Text: sentences of GoEmotions, MELD and ISEAR that the "
        "text encoder's training held back; dev. Face: faces that the recogniser's training held back; "
        f"FERPlus validation. Voice: {VOICES}. Label: all labels of all vocabularies, at intensities from .6",
        "schedule": f"seed {plan.seed}, {plan.steps:,} steps of AdamW {plan.rate}, {plan.each} of each "
        f"emotion and sense; contrast at temperature {plan.temperature}, staying weighs {plan.stay}",
        "made by": "`python -m gen.recipes.conditioner --data DIR`",
        "sha256": f"`{hashlib.sha256(weights.read_bytes()).hexdigest()}`",
        "licence": "research only, as the data of the encoders that it was fitted to",
    }
    about = "\n".join(f"| {name} | {text} |" for name, text in rows.items())
    return f"""# conditioner

The shared space of text, voice, face and label: 32 labels as points, planes of affect around them, and a
correction for each sense. It conditions generators and finds an emotion by a query from another sense.

| | |
|---|---|
{about}

How often the likeliest answer shows the emotion of the query (with a 95 % interval over queries, voices by
speaker), and how many of the {NEAREST} likeliest do; of the {len(FACE8.labels)} emotions those count, all
alike, that both senses were measured on. "Weaker encoder" is the lower mean recall of the two on the same
inputs, "share" the first number over it.

{table(after)}

Before anything was learned, when labels lie where the tables of `mapping.py` and of affects put them:

{table(before)}
"""


if __name__ == "__main__":
    sys.exit(main())
