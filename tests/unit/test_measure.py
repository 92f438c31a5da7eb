"""The arithmetic of evaluation, on numbers whose answers are known."""

import numpy as np
import pytest

from gen.measure import Cell, Table, clustered, rank_correlation, ranks, summarise

LABELS = ("neutral", "happiness", "anger")


def table(seen: dict[tuple[str, str, float], tuple[float, ...] | None]) -> Table:
    return Table(LABELS, {key: Cell(*key, value) for key, value in seen.items()})


def perfect(portraits: tuple[str, ...]) -> Table:
    cells: dict[tuple[str, str, float], tuple[float, ...] | None] = {}
    for portrait in portraits:
        cells[portrait, "neutral", 1.0] = (1.0, 0.0, 0.0)
        for value in (0.5, 1.0):
            cells[portrait, "happiness", value] = (1 - value, value, 0.0)
            cells[portrait, "anger", value] = (1 - value, 0.0, value)
    return table(cells)


def test_equal_values_share_their_rank() -> None:
    assert ranks([3, 1, 3, 2]).tolist() == [2.5, 0, 2.5, 1]


@pytest.mark.parametrize(
    ("seen", "expected"), [([1, 2, 3, 9], 1.0), ([9, 3, 2, 1], -1.0), ([5, 5, 5, 5], 0.0)]
)
def test_rank_correlation_sees_order_only(seen: list[float], expected: float) -> None:
    assert rank_correlation([0, 1, 2, 3], seen) == pytest.approx(expected)


def test_rank_correlation_is_spearmans() -> None:
    assert rank_correlation([1, 2, 3, 4, 5], [2, 1, 4, 3, 5]) == pytest.approx(0.8)


def test_nothing_to_measure_is_none_and_not_zero() -> None:
    assert clustered({}) is None


def test_portraits_that_agree_leave_no_interval() -> None:
    estimate = clustered({"a": [0.5, 0.5], "b": [0.5]})
    assert estimate is not None
    assert (estimate.mean, estimate.low, estimate.high, estimate.n, estimate.clusters) == (
        0.5,
        0.5,
        0.5,
        3,
        2,
    )


def test_clusters_that_disagree_widen_the_interval_beyond_that_of_single_values() -> None:
    values = np.repeat([0.0, 1.0], 50)
    together = clustered({"a": values[:50].tolist(), "b": values[50:].tolist()})
    apart = clustered({str(i): [float(v)] for i, v in enumerate(values)})
    assert together is not None
    assert apart is not None
    assert (together.low, together.high) == (0.0, 1.0)
    assert apart.high - apart.low < 0.3


def test_a_perfect_performance_rises_by_one_and_its_wrong_labels_by_nothing() -> None:
    result = summarise(
        perfect(("a", "b")), ("a", "b"), ("happiness", "anger"), (0.0, 0.5, 1.0), ("happiness",)
    )
    assert result.rise is not None
    assert result.floor is not None
    assert result.intensity is not None
    assert (result.rise.mean, result.floor.mean, result.intensity.mean) == (1.0, 0.0, 1.0)
    assert result.worst == ("happiness", 1.0)
    assert result.confusion["anger"] == {"anger": 2}


def test_a_portrait_that_does_not_track_counts_as_a_miss() -> None:
    result = summarise(
        perfect(("a",)), ("a", "robot"), ("happiness", "anger"), (0.0, 0.5, 1.0), ("happiness",)
    )
    assert result.rise is not None
    assert result.intensity is not None
    assert (result.rise.mean, result.rise.clusters, result.intensity.mean) == (0.5, 2, 0.5)
    assert result.confusion["happiness"] == {"happiness": 1, "no face": 1}


def test_a_clip_without_a_face_rises_by_nothing() -> None:
    cells = dict(perfect(("a",)).cells)
    cells["a", "anger", 1.0] = Cell("a", "anger", 1.0, None)
    assert Table(LABELS, cells).rise("a", "anger") == 0.0


def test_the_rise_is_over_the_portraits_own_neutral_clip() -> None:
    smiling = table({("a", "neutral", 1.0): (0.4, 0.6, 0.0), ("a", "happiness", 1.0): (0.1, 0.9, 0.0)})
    assert smiling.rise("a", "happiness") == pytest.approx(0.3)
