"""Triangles in the plane: what covers a node, and the maps between them."""

import numpy as np
import pytest

from pipelines.portrait.triangles import affine, cover, doubled_area


def planar(corners: np.ndarray) -> np.ndarray:
    """Triangles (N, 3, 2) as (2, 3, N)."""
    return np.ascontiguousarray(corners.transpose(2, 1, 0))


def inside(corners: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Which nodes a triangle (3, 2) covers by its half-planes, and which lie too near to an edge to say."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    signed = []
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        signed.append(((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / np.hypot(*(b - a)))
    distances = np.stack(signed)
    covered = np.logical_or((distances >= 0).all(axis=0), (distances <= 0).all(axis=0))
    return covered, np.abs(distances).min(axis=0) < 1e-3


def test_the_last_of_the_triangles_over_a_node_is_found_also_beyond_the_grid() -> None:
    corners = np.random.default_rng(0).uniform(-9, 45, (60, 3, 2)).astype(np.float32)
    expected, unsure = np.zeros((38, 40), int), np.zeros((38, 40), bool)
    for k, triangle in enumerate(corners.astype(np.float64)):
        covered, near = inside(triangle, 40, 38)
        expected[covered] = k + 1
        unsure |= near
    assert ((cover(planar(corners), 40, 38) == expected) | unsure).all()
    assert unsure.mean() < 0.05


def test_neighbours_leave_no_node_between_them() -> None:
    generator = np.random.default_rng(1)
    rim = 20 + 17 * np.stack(
        [np.cos(np.linspace(0, 6.2831853, 24)), np.sin(np.linspace(0, 6.2831853, 24))], axis=1
    )
    for _ in range(20):
        centre = np.broadcast_to(generator.uniform(15, 25, 2), rim[:-1].shape)
        fan = np.stack([centre, rim[:-1], rim[1:]], axis=1).astype(np.float32)
        y, x = np.mgrid[:41, :41]
        assert (cover(planar(fan), 41, 41)[np.hypot(x - 20, y - 20) < 16] > 0).all()


def test_a_triangle_without_area_covers_a_line_at_most() -> None:
    flat = np.array([[[2, 3], [9, 3], [5, 3]], [[4, 1], [4, 1], [4, 1]]], np.float32)
    assert (cover(planar(flat), 12, 6) > 0).sum() <= 9
    assert (cover(np.zeros((2, 3, 0), np.float32), 4, 3) == 0).all()


def test_an_affine_map_takes_the_given_values_at_the_corners() -> None:
    generator = np.random.default_rng(2)
    corners, values = generator.uniform(0, 30, (2, 50, 3, 2))
    maps, area = affine(planar(corners), planar(values))
    at = np.concatenate([corners, np.ones((50, 3, 1))], axis=2)
    found = np.einsum("nkc,acn->nka", at, maps)
    assert found == pytest.approx(values, abs=1e-6)
    assert area == pytest.approx(doubled_area(planar(corners)))
