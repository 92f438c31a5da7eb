"""The network behind text.py: a small BERT encoder with one head for each thing that is read from words."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emotion_encoders.emotion import FACE8
from emotion_encoders.weights_file import WeightsError, check_architecture, check_fit, read_weights, stated

ARCHITECTURE = "text-minilm"

# The emotions of a line of dialogue (Poria et al. 2019).
DIALOGUE = ("neutral", "joy", "sadness", "surprise", "fear", "disgust", "anger")

# What is read from a text: the head's name and its width.
HEADS: Mapping[str, int] = {
    "goemotions": 28,  # logits, one for each label of GOEMOTIONS28; several may hold
    "dialogue": 7,  # logits of one label of DIALOGUE
    "affect": 3,  # valence, arousal, dominance in standard deviations of the sentences learned from
    "polarity": 1,  # logit of "positive"
    "spoken": 1,  # logit of "a line of dialogue" rather than a written comment
}


def spoken(line: Sequence[float]) -> list[float]:
    """A distribution over DIALOGUE as one over FACE8; no line is labelled as contempt."""
    shares = dict(zip((FACE8.resolve(label) for label in DIALOGUE), line, strict=True))
    return [shares.get(label, 0.0) for label in FACE8.labels]


@dataclass(frozen=True)
class Shape:
    """The sizes of the encoder."""

    pieces: int
    width: int = 384
    inner: int = 1536
    heads: int = 12
    layers: int = 6
    positions: int = 64


class Layer(nn.Module):
    """Self-attention and a feed-forward step, each added and then normed (Devlin et al. 2019)."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = shape.heads, dropout
        self.qkv = nn.Linear(shape.width, 3 * shape.width)
        self.out = nn.Linear(shape.width, shape.width)
        self.norm1 = nn.LayerNorm(shape.width, eps=1e-12)
        self.widen = nn.Linear(shape.width, shape.inner)
        self.narrow = nn.Linear(shape.inner, shape.width)
        self.norm2 = nn.LayerNorm(shape.width, eps=1e-12)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        rows, length, width = x.shape
        q, k, v = self.qkv(x).view(rows, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        weights = ((q @ k.transpose(-1, -2)) / math.sqrt(width // self.heads) + bias).softmax(-1)
        seen = (F.dropout(weights, dropout, self.training).to(v.dtype) @ v).transpose(1, 2)
        x = self.norm1(x + F.dropout(self.out(seen.reshape(rows, length, width)), dropout, self.training))
        h = self.narrow(F.gelu(self.widen(x)))
        return self.norm2(x + F.dropout(h, dropout, self.training))


class TextNetwork(nn.Module):
    """Word pieces (N, L) and their mask -> what each head reads, {name: (N, width)}."""

    def __init__(self, shape: Shape, *, heads: Mapping[str, int] = HEADS, dropout: float = 0.1) -> None:
        super().__init__()
        self.shape, self.dropout = shape, dropout
        self.pieces = nn.Embedding(shape.pieces, shape.width)
        self.positions = nn.Embedding(shape.positions, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=1e-12)
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))
        self.heads = nn.ModuleDict({name: nn.Linear(2 * shape.width, width) for name, width in heads.items()})

    def features(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The mean over the pieces beside the first piece, (N, 2 * width)."""
        x = self.norm(self.pieces(ids) + self.positions.weight[: ids.shape[1]])
        x = F.dropout(x, self.dropout, self.training)
        bias = torch.where(mask[:, None, None, :], 0.0, -1e4)
        for layer in self.layers:
            x = layer(x, bias)
        x, weight = x.float(), mask[..., None].float()
        return torch.cat([(x * weight).sum(1) / weight.sum(1), x[:, 0]], dim=1)

    def forward(self, ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
        features = self.features(ids, mask)
        return {name: head(features) for name, head in self.heads.items()}


def quantise(weights: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Rows of a matrix as signed codes of `bits`, by eights packed into as many bytes, and their scales."""
    if weights.shape[1] % 8:
        raise ValueError(f"Rows of {weights.shape[1]} weights came; they are packed by eights.")
    top = 2 ** (bits - 1) - 1
    scale = _scale(weights, top)
    codes = (weights / scale.float()).round().clamp(-top, top).long() + top
    words = (codes.reshape(-1, 8) << bits * torch.arange(8)).sum(1, keepdim=True)
    packed = (words >> 8 * torch.arange(bits)) & 255
    return packed.to(torch.uint8).reshape(len(weights), -1), scale


def _scale(weights: Tensor, top: int) -> Tensor:
    """The scale of each row with the least squared error: a few large weights are better cut than heeded."""
    largest = weights.abs().amax(1, keepdim=True)
    best, least = largest, torch.full_like(largest, torch.inf)
    for share in torch.linspace(1.0, 0.5, 26).tolist():
        scale = (largest * share / top).clamp(min=1e-6).half().float()
        error = ((weights / scale).round().clamp(-top, top) * scale - weights).square().sum(1, keepdim=True)
        best, least = torch.where(error < least, scale, best), torch.minimum(error, least)
    return best.half()


def dequantise(packed: Tensor, scale: Tensor, bits: int) -> Tensor:
    """The matrix that quantise() kept, as float32."""
    words = (packed.reshape(-1, bits).long() << 8 * torch.arange(bits)).sum(1, keepdim=True)
    codes = (words >> bits * torch.arange(8)) & (2**bits - 1)
    return (codes.reshape(len(packed), -1) - (2 ** (bits - 1) - 1)).float() * scale.float()


def packed_state(network: TextNetwork, *, bits: int, piece_bits: int) -> dict[str, Tensor]:
    """The network as it is bundled: matrices as codes, all else as fp16."""
    tensors: dict[str, Tensor] = {}
    for name, tensor in network.state_dict().items():
        if name.startswith("heads.") and name.split(".")[1] not in HEADS:
            continue
        if name == "pieces.weight" or (name.startswith("layers.") and tensor.ndim == 2):
            how = piece_bits if name == "pieces.weight" else bits
            tensors[f"{name}.codes{how}"], tensors[f"{name}.scale"] = quantise(tensor, how)
        else:
            tensors[name] = tensor.half()
    return tensors


def unpacked_state(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What packed_state() packed, as float32."""
    state = {}
    for name, tensor in tensors.items():
        matrix, _, how = name.rpartition(".")
        if how.startswith("codes"):
            state[matrix] = dequantise(tensor, tensors[f"{matrix}.scale"], int(how.removeprefix("codes")))
        elif how != "scale":
            state[name] = tensor.float()
    return state


@dataclass(frozen=True)
class Facts:
    """What the weights file says about itself: its sizes, how to calibrate it and how far to trust it."""

    name: str
    architecture: str
    shape: Shape
    pieces: tuple[str, ...] = field(repr=False)  # the word pieces, in the order of their numbers
    slopes: tuple[float, ...]  # of the 28 logits: probability = sigmoid(slope * logit + bias)
    biases: tuple[float, ...]
    thresholds: tuple[float, ...]  # a label of the 28 is said to hold from this probability on
    line_temperature: float  # of the dialogue head
    spoken: tuple[float, float]  # slope and bias: the share of the dialogue head in FACE8, beside the 28
    sharpness: float  # exponent that makes the pool of the two calibrated
    trust: tuple[float, float, float, float]  # confidence from the first share of FACE8, see TextEncoder
    polarity: tuple[float, float]  # slope and bias
    gains: tuple[float, ...]  # of valence, arousal, dominance
    offsets: tuple[float, ...]
    results: Mapping[str, float]  # on the dev splits, see the card
    seed: int
    steps: int
    licence: str

    def as_metadata(self) -> dict[str, str]:
        return {name: json.dumps(value, ensure_ascii=False) for name, value in asdict(self).items()}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], path: Path) -> Facts:
        values = stated(cls, metadata, path)
        return cls(**{**values, "shape": Shape(**values["shape"])})


def load_network(path: Path) -> tuple[TextNetwork, Facts]:
    """Reads a bundled file, refusing anything that is not exactly the weights of this network."""
    facts, tensors = read_weights(path, Facts.from_metadata)
    check_architecture(path, facts.architecture, ARCHITECTURE)
    if len(facts.pieces) != facts.shape.pieces:
        raise WeightsError(
            f"{path} lists {len(facts.pieces)} word pieces, {facts.shape.pieces} were learned; restore it."
        )
    with torch.device("meta"):
        network = TextNetwork(facts.shape)
    state = unpacked_state(tensors)
    check_fit(path, ARCHITECTURE, network.state_dict(), state)
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False), facts
