"""Makes a motion model of what there is: real faces and heads, and the rules on acted speech.

    python -m gen.recipes.motion --data DIR --work DIR [--steps 6000] [--minutes 25]

It goes on from a checkpoint in --work. When the last step is done it writes the weights there, and
`python -m gen.recipes.motion_measure --data DIR --flow WEIGHTS` says
whether they beat the rules on what was held out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from gen.recipes.motion_captures import captures
from gen.recipes.motion_examples import performed, recorded, tracked
from gen.recipes.motion_fit import Schedule
from gen.recipes.motion_heads import heads
from gen.recipes.motion_run import fingerprint, told, train, write_model

STRETCHES = 64  # of acted sentences: about 15 minutes
WEIGHTS = "motion.safetensors"


def main() -> None:
    """Reads --data, trains in --work."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="arkit_capture/, talking_clips/, ravdess_speech_16k/"
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for the checkpoint and the weights")
    parser.add_argument("--steps", type=int, default=6000, help="of training, 8 windows of 6.4 seconds each")
    parser.add_argument(
        "--minutes", type=float, default=25.0, help="after which it stops; run it again to go on"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the weights, the windows and the noise")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    asked.work.mkdir(parents=True, exist_ok=True)
    clips = [(clip.motion, clip.sound, clip.rate) for clip in heads(asked.data) if not clip.is_held_out]
    examples = [
        *recorded([take for take in captures(asked.data) if not take.is_held_out], asked.seed),
        *tracked(clips, asked.seed + 1000),
        *performed(asked.data, STRETCHES, asked.seed + 2000),
    ]
    schedule = Schedule(steps=asked.steps, seed=asked.seed)
    outcome = train(
        examples, schedule, asked.work, minutes=asked.minutes, tell=lambda line: print(line, flush=True)
    )
    if outcome.is_complete:
        facts = told(schedule, outcome) | {"data": fingerprint(examples)}
        write_model(asked.work / WEIGHTS, outcome.model, **facts)
        print(asked.work / WEIGHTS)


if __name__ == "__main__":
    main()
