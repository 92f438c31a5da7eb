"""How far one photo can follow a performer's head: all the way at first, then less and less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipelines.portrait.motion import Motion

# Up to the first number a photo follows; it never goes beyond the second: the far cheek is not in the photo.
TURN = np.radians([12.0, 20.0])
SHIFT = np.array([0.35, 0.7])  # distances between the outer eye corners: further, hair meets the edge


def within_reach(motion: Motion) -> tuple[Motion, tuple[str, ...]]:
    """The motion as a photo can show it, and what was held back; a motion within reach stays as it is."""
    turn, shift = motion.head[:, :3], motion.head[:, 3:]
    held = np.concatenate([_held(turn, *TURN), _held(shift, *SHIFT)], axis=1).astype(np.float32)
    notes = []
    if np.abs(turn).max() > TURN[0]:
        far, most = np.degrees(np.abs(turn).max()), np.degrees(TURN[1])
        notes.append(
            f"The motion turns the head by up to {far:.0f} degrees; a photo is turned by {most:.0f}."
        )
    if np.abs(shift).max() > SHIFT[0]:
        notes.append(
            f"The motion shifts the head by up to {np.abs(shift).max():.1f} distances between the eyes; "
            f"a photo's is shifted by {SHIFT[1]:g}."
        )
    return (replace(motion, head=held), tuple(notes)) if notes else (motion, ())


def _held(values: NDArray[np.float32], knee: float, most: float) -> NDArray[np.float64]:
    """Values as they are up to the knee, then bent towards the most that is allowed, without a corner."""
    size = np.abs(values).astype(np.float64)
    bent = knee + (most - knee) * np.tanh(np.maximum(size - knee, 0) / (most - knee))
    return np.sign(values) * np.where(size > knee, bent, size)
