"""One embedding space in which the words, the voice, the face and the label of an emotion lie together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from emotion_encoders.emotion import FACE8, VOCABULARIES, Emotion
from emotion_encoders.evidence import Evidence
from emotion_encoders.mapping import translate
from emotion_encoders.vocabulary import AFFECT
from emotion_encoders.weights_file import WeightsError, check_fit, read_weights

Sense = Literal["text", "voice", "face", "scene"]
SENSES: tuple[Sense, ...] = ("text", "voice", "face", "scene")
ARCHITECTURE = "shared-space-1"

LABELS = tuple(AFFECT)  # of all vocabularies together; a label means the same in each
NEUTRAL = LABELS.index("neutral")
FEATURES = len(LABELS) + 2  # the share of every label, then valence and arousal
LEAST_DIM = FEATURES + 8
REACH = 3.0  # a sense can be taught to trust a label e^3 times more or less than its encoder does
AFFECT_REACH = 0.5
AFFECT_SCALE = 0.5  # length of one unit of valence or arousal, where a label has length 1
OWN_SCALE = 0.35  # how far a fine label, such as gratitude, lies from its face, happiness


def features(emotions: Sequence[Emotion]) -> Tensor:
    """What is shown, (N, FEATURES): the share of every label of any vocabulary, and the affect.

    Missing intensity is neutral, also for a vocabulary that has no such label: at intensity 0 all emotions
    are one point, and everything is continuous on the way there.
    """
    rows = torch.zeros(len(emotions), FEATURES)
    for row, emotion in zip(rows, emotions, strict=True):
        for label, weight in zip(emotion.vocabulary.labels, emotion.weights, strict=True):
            row[LABELS.index(label)] += emotion.intensity * weight
        row[NEUTRAL] += 1 - emotion.intensity
        row[-2] = emotion.intensity * emotion.affect.valence
        row[-1] = emotion.intensity * emotion.affect.arousal
    return rows


class Correction(nn.Module):
    """How one sense's shares and affect must be read to mean what the labels mean; at first as they are.

    It multiplies shares and never makes one from nothing, so neutral stays neutral.
    """

    def __init__(self, generator: torch.Generator, hidden: int = 48) -> None:
        super().__init__()
        self.widen = seeded_linear(FEATURES, hidden, generator)
        self.read = nn.Linear(hidden, FEATURES)
        nn.init.zeros_(self.read.weight)
        nn.init.zeros_(self.read.bias)

    def forward(self, x: Tensor) -> Tensor:
        change = torch.tanh(self.read(F.silu(self.widen(x))))
        shares = x[..., :-2] * (REACH * change[..., :-2]).exp()
        shares = shares / shares.sum(-1, keepdim=True)
        felt = 1 - x[..., NEUTRAL, None]
        return torch.cat([shares, x[..., -2:] + AFFECT_REACH * felt * change[..., -2:]], dim=-1)


class SharedSpace(nn.Module):
    """Soft experts: a label is a point and a plane of affect around it; an emotion mixes them by its shares.

    Whatever was seen or asked for lies among the labels. What a sense saw passes its Correction first; a
    label, a mixture, a point of affect or fused evidence is taken at its word.
    """

    def __init__(self, dim: int = 64, *, seed: int = 0) -> None:
        super().__init__()
        if dim < LEAST_DIM:
            raise ValueError(f"{dim} dimensions came; at least {LEAST_DIM} hold every label and the affect.")
        self.dim = dim
        generator = torch.Generator().manual_seed(seed)
        points, plane = _first_places(dim, generator)
        self.points = nn.Parameter(points)  # (labels, dim)
        self.planes = nn.Parameter(plane.repeat(len(LABELS), 1, 1))  # (labels, 2, dim)
        self.senses = nn.ModuleDict({sense: Correction(generator) for sense in SENSES})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a safetensors file made by gen/recipes/conditioner.py; anything else is a WeightsError."""
        metadata, tensors = read_weights(path, lambda metadata, _: metadata)
        found = {key: json.loads(metadata.get(key, "null")) for key in ("architecture", "labels")}
        if found != {"architecture": ARCHITECTURE, "labels": list(LABELS)} or "points" not in tensors:
            raise WeightsError(
                f"{path} is not a {ARCHITECTURE!r} for today's labels; make it with its recipe."
            )
        space = cls(tensors["points"].shape[-1])
        check_fit(path, ARCHITECTURE, space.state_dict(), tensors)
        space.load_state_dict(tensors)
        return space.eval()

    def save(self, path: Path, **facts: object) -> None:
        """Writes the weights, with what is to be known about them."""
        known = {"architecture": ARCHITECTURE, "labels": LABELS, **facts}
        metadata = {key: json.dumps(value) for key, value in known.items()}
        save_file({key: value.contiguous() for key, value in self.state_dict().items()}, path, metadata)

    def forward(self, x: Tensor, sense: Sense | None = None) -> Tensor:
        """Features (..., FEATURES) -> the place of what they say, (..., dim)."""
        if sense is not None:
            x = self.senses[sense](x)
        shares, affect = x[..., :-2], x[..., -2:]
        return shares @ self.points + torch.einsum("...l,...a,lad->...d", shares, affect, self.planes)

    def label(self, emotion: Emotion) -> Tensor:
        """The place of an emotion that is asked for, (dim,)."""
        return self(features([emotion]).to(self.points.device))[0]

    def align(self, evidence: Evidence) -> Tensor:
        """The place of what an encoder saw, all of its moments together, (dim,)."""
        seen = features([keyframe.emotion for keyframe in evidence.track.keyframes]).mean(0)
        return self(seen.to(self.points.device), sense_of(evidence))


def sense_of(evidence: Evidence) -> Sense | None:
    """Whose Correction applies; fused evidence has none."""
    return None if evidence.modality == "fused" else evidence.modality


def likeness(queries: Tensor, gallery: Tensor) -> Tensor:
    """Inner products (Q, G) of places (Q, dim) and (G, dim).

    With labels at right angles this is the chance that both feel the same, moved a little by their affect.
    A cosine would look for what is as undecided as the query; this looks for what the query may mean.
    """
    return queries @ gallery.T


def retrieve(queries: Tensor, gallery: Tensor, *, k: int = 1) -> Tensor:
    """Which k of the gallery most likely feel what each query feels, the likeliest first, (Q, k) indices."""
    if not 1 <= k <= len(gallery):
        raise ValueError(f"{k} of {len(gallery)} places were asked for; ask for 1 up to all of them.")
    return likeness(queries, gallery).topk(k, dim=1).indices


def seeded_linear(width_in: int, width: int, generator: torch.Generator) -> nn.Linear:
    """A layer whose first weights are drawn from `generator`, with zero bias."""
    layer = nn.Linear(width_in, width)
    nn.init.kaiming_uniform_(layer.weight, a=5**0.5, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer


def _first_places(dim: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Where labels lie before anything is learned: near the face they make, in directions of their own."""
    axes = torch.linalg.qr(torch.randn(dim, dim, generator=generator)).Q
    faces, own = axes[: len(FACE8.labels)], axes[len(FACE8.labels) : LEAST_DIM]
    points = []
    for label, direction in zip(LABELS, own, strict=False):
        home = next(vocabulary for vocabulary in VOCABULARIES if label in vocabulary.labels)
        shown = translate(Emotion.of(label, home), FACE8).emotion
        place = torch.tensor(shown.weights) @ faces
        points.append(place if home is FACE8 else F.normalize(place + OWN_SCALE * direction, dim=0))
    return torch.stack(points), AFFECT_SCALE * own[-2:]
