"""The names and the order of the ARKit coefficients."""

import pytest

from pipelines.portrait.arkit import ARKIT, columns, index


def test_there_are_52_different_names() -> None:
    assert len(ARKIT) == len(set(ARKIT)) == 52


def test_the_order_is_that_of_livelink_face() -> None:
    assert ARKIT[0] == "eyeBlinkLeft"
    assert ARKIT[7] == "eyeBlinkRight"
    assert ARKIT[17] == "jawOpen"
    assert ARKIT[41] == "browDownLeft"
    assert ARKIT[-1] == "tongueOut"


def test_index_is_the_inverse_of_the_order() -> None:
    assert [index(name) for name in ARKIT] == list(range(52))


def test_a_wrong_name_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="'browUp' is no ARKit coefficient"):
        index("browUp")


def test_columns_gives_both_sides_of_a_pair_and_the_one_of_a_single() -> None:
    assert columns("mouthSmile") == (index("mouthSmileLeft"), index("mouthSmileRight"))
    assert columns("mouthSmileLeft") == (index("mouthSmileLeft"),)
    assert columns("jawOpen") == (17,)
