"""How emotion_encoders/judge.safetensors was made: python -m gen.recipes.judge --data DIR."""

from __future__ import annotations

import sys

from emotion_encoders.judge import ARCHITECTURE, JudgeNetwork
from gen.recipes.fitting import Schedule
from gen.recipes.recogniser import Recipe, run

RECIPE = Recipe(
    owner="judge",
    architecture=ARCHITECTURE,
    make=JudgeNetwork,
    schedule=Schedule(steps=6_500, horizon=14_000, cool_down=1_500, seed=2, mixup=0.4),
    summary="The judge, which scores and never conditions: plain convolutions, on a third of the faces.",
)

if __name__ == "__main__":
    sys.exit(run(RECIPE))
