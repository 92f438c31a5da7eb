"""Openings of lips and lids."""

import numpy as np
import pytest

from pipelines.portrait import opening


def test_a_smooth_edge_passes_through_its_points() -> None:
    points = np.array([[0, 0], [3, 2], [6, 1], [9, 4], [12, 0]], float)
    assert opening.smooth(points)[:: opening.SAMPLES] == pytest.approx(points)


def test_a_mask_covers_the_area_of_its_polygon() -> None:
    square = np.array([[2.5, 2.5], [12.5, 2.5], [12.5, 12.5], [2.5, 12.5]])
    assert opening.mask((20, 20), square, (0, 0), 0).sum() == pytest.approx(100, rel=0.12)
    moved = opening.mask((20, 20), square + 100, (100, 100), 0)
    assert moved == pytest.approx(opening.mask((20, 20), square, (0, 0), 0))


def test_a_polygon_outside_the_box_has_no_patch() -> None:
    far = np.array([[50, 50], [60, 50], [60, 60]])
    assert opening.patch(far, 2, (40, 40, 3)) is None
    assert opening.patch(far, 2, (55, 55)) == (48, 48, 55, 55)


def test_blending_nothing_changes_nothing() -> None:
    canvas = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    before = canvas.copy()
    opening.blend(canvas, opening.plain(np.array([200.0] * 3), (3, 3)), np.zeros((3, 3)))
    assert (canvas == before).all()
    opening.blend(canvas, opening.plain(np.array([200.0] * 3), (3, 3)), np.ones((3, 3)))
    assert (canvas == 200).all()
