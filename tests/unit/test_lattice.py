"""The lattice over a picture."""

import numpy as np
import pytest

from pipelines.portrait.lattice import Lattice


@pytest.mark.parametrize("size", [128, 256, 301, 512, 1024])
def test_what_is_straight_at_the_nodes_is_straight_at_every_pixel(size: int) -> None:
    lattice = Lattice.over(size)
    x = lattice.spread(np.ascontiguousarray(lattice.nodes()[..., 0]))
    assert x.shape == (size, size)
    assert x[7] == pytest.approx(np.arange(size), abs=1e-3)


def test_a_finer_lattice_takes_its_values_from_a_coarser_one() -> None:
    fine = Lattice(301, 2)
    coarse = Lattice(301, 6)
    assert coarse.refine(np.array(coarse.nodes()), fine) == pytest.approx(fine.nodes(), abs=3.01)
    inside = coarse.refine(np.array(coarse.nodes()), fine)[4:-4, 4:-4]
    assert inside == pytest.approx(fine.nodes()[4:-4, 4:-4], abs=1e-3)


def test_values_are_read_between_the_nodes() -> None:
    lattice = Lattice(90, 4)
    points = np.array([[3.3, 8.0], [60.25, 44.5]])
    assert lattice.at(np.array(lattice.nodes()), points) == pytest.approx(points, abs=0.1)
