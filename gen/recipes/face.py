"""How emotion_encoders/face.safetensors was made: python -m gen.recipes.face --data DIR."""

from __future__ import annotations

import sys

from emotion_encoders.face import ARCHITECTURE, FaceNetwork
from gen.recipes.fitting import Schedule
from gen.recipes.recogniser import Recipe, run

RECIPE = Recipe(
    owner="face",
    architecture=ARCHITECTURE,
    make=FaceNetwork,
    schedule=Schedule(steps=11_000, horizon=11_000, cool_down=2_500, seed=1),
    summary="The face recogniser that steering may look at: a small pre-activation residual network.",
)

if __name__ == "__main__":
    sys.exit(run(RECIPE))
