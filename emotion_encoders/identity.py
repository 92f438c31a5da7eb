"""Whose face it is: an embedding by a published network, read from the TensorFlow.js format and run in torch.

It measures whether a portrait stays itself through an expression, and never makes pixels. The network that
weights.lock names is MobileFace (github.com/becauseofAI/MobileFace, MIT); any other convolutional network of
the same few operations can be read as well.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 112
# Where eyes, nose and mouth corners lie in the crop: the template of ArcFace (Deng et al. 2019).
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
EYES = ((33, 133), (362, 263))  # corners of the eye on the picture's left, on its right
NOSE, MOUTH = 4, (61, 291)


class IdentityError(ValueError):
    """A file that is no network which can be run; the message is a sentence."""


def identity_crop(picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The face at landmarks (468 or 478, 2 or more) of a picture (H, W, 3) uint8, upright, (112, 112, 3)."""
    points = landmarks[:, :2].astype(np.float64)
    five = np.stack([*(points[list(eye)].mean(axis=0) for eye in EYES), points[NOSE], *points[list(MOUTH)]])
    matrix = _similarity(five, TEMPLATE)
    return cv2.warpAffine(
        picture, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """How alike two embeddings are: 1 for the same, about 0 for two people."""
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


@dataclass(frozen=True)
class _Node:
    name: str
    op: str
    inputs: tuple[str, ...]
    stride: int
    groups: bool


class IdentityEncoder:
    """A network from aligned faces to embeddings."""

    def __init__(self, nodes: Sequence[_Node], constants: Mapping[str, Tensor], name: str) -> None:
        self._nodes, self._constants, self.name = tuple(nodes), dict(constants), name

    @staticmethod
    def load(folder: Path) -> IdentityEncoder:
        """Reads the one graph model in a folder; IdentityError if it cannot be run."""
        found = sorted(folder.glob("*.json"))
        if len(found) != 1:
            raise IdentityError(f"'{folder}' holds {len(found)} .json files; a TensorFlow.js model has one.")
        try:
            model = json.loads(found[0].read_text(encoding="utf-8"))
            listed, manifest = model["modelTopology"]["node"], model["weightsManifest"]
        except (ValueError, KeyError, TypeError):
            raise IdentityError(f"'{found[0]}' is no TensorFlow.js graph model.") from None
        constants = {}
        for group in manifest:
            data = b"".join((folder / Path(path).name).read_bytes() for path in group["paths"])
            constants.update(_tensors(data, group["weights"], found[0]))
        return IdentityEncoder(_ordered(listed, found[0]), constants, found[0].stem)

    @torch.inference_mode()
    def embed(self, crops: np.ndarray) -> np.ndarray:
        """Embeddings (N, D) float32 of length 1 of aligned faces (N, 112, 112, 3) uint8 RGB."""
        if crops.ndim != 4 or crops.shape[1:] != (SIDE, SIDE, 3) or crops.dtype != np.uint8:
            came = f"{crops.shape} {crops.dtype}"
            raise ValueError(f"Crops {came} came; (N, {SIDE}, {SIDE}, 3) uint8 is needed.")
        values: dict[str, Tensor] = dict(self._constants)
        last = torch.from_numpy(crops).to(torch.float32)
        for node in self._nodes:
            if node.op == "Placeholder":
                values[node.name] = last
                continue
            last = OPERATIONS[node.op](node, *(values[name] for name in node.inputs))
            values[node.name] = last
        return F.normalize(last.reshape(len(crops), -1)).numpy()


def _tensors(data: bytes, weights: Sequence[Mapping[str, Any]], path: Path) -> dict[str, Tensor]:  # Any: JSON
    tensors, start = {}, 0
    for row in weights:
        kind = {"float32": np.float32, "int32": np.int32}.get(row["dtype"])
        if kind is None or "quantization" in row:
            raise IdentityError(f"'{path}': weights of type {row['dtype']} or quantised ones are not read.")
        count = int(np.prod(row["shape"], dtype=int))
        end = start + 4 * count
        if end > len(data):
            raise IdentityError(f"'{path}': its weights end before {row['name']}: fetch the file again.")
        array = np.frombuffer(data[start:end], kind).reshape(row["shape"]).copy()
        tensors[row["name"]], start = torch.from_numpy(array), end
    return tensors


def _ordered(listed: Sequence[Mapping[str, Any]], path: Path) -> list[_Node]:  # Any: JSON
    """The nodes that compute something, in the order of the file, which has inputs before their users."""
    nodes = []
    for row in listed:
        if row["op"] in ("Const", "Identity"):
            continue
        attributes = row.get("attr", {})
        padding = base64.b64decode(attributes.get("padding", {}).get("s", "")).decode()
        if row["op"] not in OPERATIONS or padding not in ("", "VALID"):
            what = f"padding {padding!r}" if row["op"] in OPERATIONS else f"operation {row['op']!r}"
            raise IdentityError(f"'{path}' uses the {what}, which is not known here.")
        strides = attributes.get("strides", {}).get("list", {}).get("i", ["1", "1", "1", "1"])
        depthwise = row["op"] == "DepthwiseConv2dNative"
        nodes.append(_Node(row["name"], row["op"], tuple(row.get("input", ())), int(strides[1]), depthwise))
    return nodes


def _convolve(node: _Node, x: Tensor, weight: Tensor) -> Tensor:
    """Convolution of (N, H, W, C) by a kernel (h, w, in, out), or (h, w, C, multiplier) where depthwise."""
    height, width, channels, last = weight.shape
    if node.groups:
        kernel = weight.permute(2, 3, 0, 1).reshape(channels * last, 1, height, width)
    else:
        kernel = weight.permute(3, 2, 0, 1)
    groups = channels if node.groups else 1
    return F.conv2d(x.permute(0, 3, 1, 2), kernel, stride=node.stride, groups=groups).permute(0, 2, 3, 1)


def _pad(_: _Node, x: Tensor, paddings: Tensor) -> Tensor:
    return F.pad(x, [int(value) for pair in reversed(paddings.tolist()) for value in pair])


OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "Placeholder": lambda _, x: x,
    "Conv2D": _convolve,
    "DepthwiseConv2dNative": _convolve,
    "Pad": _pad,
    "AddV2": lambda _, a, b: a + b,
    "Sub": lambda _, a, b: a - b,
    "Mul": lambda _, a, b: a * b,
    "Maximum": lambda _, a, b: torch.maximum(a, b),
    "Minimum": lambda _, a, b: torch.minimum(a, b),
    "MatMul": lambda _, a, b: a @ b,
    "Reshape": lambda _, x, shape: x.reshape(shape.tolist()),
}


def _similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The turn, scale and shift (2, 3) that carry points (N, 2) closest to others (Umeyama 1991)."""
    centre, goal = source.mean(axis=0), target.mean(axis=0)
    a, b = source - centre, target - goal
    u, singular, vt = np.linalg.svd(b.T @ a)
    sign = np.array([1.0, np.sign(np.linalg.det(u @ vt))])
    turn = (u * sign) @ vt * (singular * sign).sum() / (a**2).sum()
    return np.column_stack([turn, goal - turn @ centre])
