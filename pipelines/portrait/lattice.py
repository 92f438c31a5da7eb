"""Nodes spread evenly over a picture: smooth maps are worked out on them, then brought to every pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

Array = TypeVar("Array", "np.ndarray", "Tensor")
NODES = 170  # about how many nodes lie along a side: most triangles of a face are wider than a node


@dataclass(frozen=True)
class Lattice:
    """A node in the middle of every `step` x `step` pixels of a square picture, and a rim outside."""

    size: int  # pixels along a side of the picture
    step: int  # pixels from node to node

    @staticmethod
    def over(size: int) -> Lattice:
        """The lattice for a picture of size x size pixels."""
        return Lattice(size, max(1, round(size / NODES)))

    @property
    def count(self) -> int:
        """Nodes along a side, the rim included."""
        return -(-self.size // self.step) + 2

    def axis(self) -> np.ndarray:
        """Where the nodes lie along one side, (count,) float32 pixels."""
        return (np.arange(-1, self.count - 1, dtype=np.float32) + 0.5) * self.step - 0.5

    def nodes(self) -> np.ndarray:
        """Where every node lies, x and y in pixels, (count, count, 2) float32; not to be written to."""
        return _nodes(self)

    def numbered(self, points: Array) -> Array:
        """Places in pixels, an array or a tensor, counted in nodes: 0 is the first node of the rim."""
        return (points + 0.5) / self.step + 0.5

    def refine(self, values: np.ndarray, finer: Lattice) -> np.ndarray:
        """Values at these nodes (count, count, k) float32, brought to the nodes of a finer lattice.

        The finer one's step divides this one's.
        """
        times = self.step // finer.step
        side = self.count * times
        values = cv2.resize(values, (side, side), interpolation=cv2.INTER_LINEAR)
        return values[times - 1 : times - 1 + finer.count, times - 1 : times - 1 + finer.count]

    def at(self, values: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Values at the nodes (count, count, k) float32, interpolated at points (N, 2) in pixels: (N, k)."""
        x, y = self.numbered(points).astype(np.float32).T
        found = cv2.remap(values, x[:, None], y[:, None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return found.reshape(len(points), -1)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """A value at each node, (count, count) float32, brought to every pixel: (size, size)."""
        if self.step > 1:
            side = self.count * self.step
            values = cv2.resize(values, (side, side), interpolation=cv2.INTER_LINEAR)
        return values[self.step : self.step + self.size, self.step : self.step + self.size]


@cache
def _nodes(lattice: Lattice) -> np.ndarray:
    nodes = np.stack(np.meshgrid(lattice.axis(), lattice.axis()), axis=-1)
    nodes.flags.writeable = False
    return nodes
