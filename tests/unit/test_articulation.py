"""How lips and jaw make the sounds of a voice."""

from dataclasses import fields

import numpy as np
import pytest

from pipelines.portrait.arkit import ARKIT, columns, index
from pipelines.portrait.articulation import LIP_GAP, VOWEL_GAP, articulate, lip_gap
from pipelines.portrait.voice import Voice

FPS = 25.0
FRAMES = 9
REST, CALM = np.zeros((FRAMES, len(ARKIT))), np.ones(FRAMES)


def voice(**values: float) -> Voice:
    """A voice that holds one sound; what is not told is 0."""
    curves = {
        f.name: np.full(FRAMES, values.get(f.name, 0.0)) for f in fields(Voice) if f.name != "phrase_ends"
    }
    return Voice(**curves, phrase_ends=())


def face(expression: np.ndarray = REST, **values: float) -> np.ndarray:
    return articulate(voice(**values), expression, CALM, FPS)[FRAMES // 2]


def held(name: str, strength: float) -> np.ndarray:
    expression = REST.copy()
    expression[:, list(columns(name))] = strength
    return expression


def test_a_mouth_without_a_sound_does_nothing() -> None:
    assert not face().any()


@pytest.mark.parametrize("jaw", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("opening", [0.0, 0.2, 0.6, 1.0])
def test_the_lips_part_as_far_as_they_are_told_whatever_the_jaw_does(opening: float, jaw: float) -> None:
    gap = lip_gap(face(opening=opening, jaw=jaw)[None])[0]
    assert gap == pytest.approx(VOWEL_GAP * opening, abs=0.004)


def test_a_raised_jaw_leaves_the_parting_to_the_lips() -> None:
    up, down = face(opening=0.35, jaw=0.05), face(opening=0.35, jaw=0.4)
    assert up[index("jawOpen")] < 0.5 * down[index("jawOpen")]
    assert up[index("mouthLowerDownLeft")] > down[index("mouthLowerDownLeft")]


def test_a_lowered_jaw_does_not_open_lips_that_meet() -> None:
    shut = face(jaw=0.6, seal=1.0)
    assert shut[index("jawOpen")] > 0.1
    assert shut[index("mouthClose")] > 0.1
    assert lip_gap(shut[None])[0] < 1e-6


@pytest.mark.parametrize("expression", ["jawOpen", "mouthUpperUp", "mouthFunnel", "mouthSmile"])
def test_lips_meet_through_any_expression(expression: str) -> None:
    assert lip_gap(face(held(expression, 0.5), seal=1.0)[None])[0] < 0.005


def test_an_expression_that_opens_the_mouth_keeps_it_open_between_the_sounds() -> None:
    assert lip_gap(face(held("jawOpen", 0.3))[None])[0] == pytest.approx(0.3 * LIP_GAP["jawOpen"], abs=0.01)


def test_rounded_lips_come_forward_and_pull_a_smile_in() -> None:
    smile = held("mouthSmile", 0.8)
    plain, rounded = face(smile, opening=0.3, jaw=0.3), face(smile, opening=0.3, jaw=0.3, rounding=1.0)
    assert rounded[index("mouthPucker")] > plain[index("mouthPucker")] + 0.3
    assert rounded[index("mouthSmileLeft")] < 0.8 * plain[index("mouthSmileLeft")]


def test_the_lower_lip_goes_under_the_teeth_for_f() -> None:
    assert face(tuck=1.0, opening=0.1)[index("mouthRollLower")] > 0.3


def test_spread_lips_widen() -> None:
    assert face(spread=1.0, opening=0.3)[index("mouthStretchLeft")] > 0.2


def test_the_jaw_is_slower_than_the_lips() -> None:
    blink = np.zeros(25)
    blink[12] = 1.0
    curves = {f.name: np.zeros(25) for f in fields(Voice) if f.name != "phrase_ends"}
    moving = Voice(**{**curves, "opening": blink, "jaw": blink}, phrase_ends=())
    shown = articulate(moving, np.zeros((25, len(ARKIT))), np.ones(25), 50.0)
    assert 0 < shown[11, index("jawOpen")] < shown[12, index("jawOpen")]
    assert lip_gap(shown)[11] < 0.002
