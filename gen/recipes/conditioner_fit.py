"""Contrastive alignment of the senses, and how well an emotion is found by a query from another sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import torch
from torch import Tensor

from emotion_encoders.emotion import FACE8, GOEMOTIONS28, MIKELS8, Emotion
from emotion_encoders.mapping import translate
from emotion_encoders.shared_space import SENSES, Sense, SharedSpace, likeness, retrieve
from gen.recipes.conditioner_data import Sightings, gathered

LABEL = "label"  # the sense of those who write down what they want
RESAMPLES = 2000
NEAREST = 10


@dataclass(frozen=True)
class Plan:
    """How the space is learned."""

    steps: int = 600
    each: int = 8  # sightings of each label and sense in a batch
    rate: float = 3e-3
    temperature: float = 0.1  # of the contrast
    stay: float = 0.5  # weight of staying where labels and corrections began
    seed: int = 0


def labels(seed: int, *, each: int = 40) -> Sightings:
    """What people write down: every label of every vocabulary that means one of FACE8, at some intensity."""
    chance = np.random.default_rng(seed)
    found: list[tuple[Emotion, str, int]] = []
    for vocabulary in (FACE8, MIKELS8, GOEMOTIONS28):
        for label in vocabulary.labels:
            face = translate(Emotion.of(label, vocabulary), FACE8).emotion.top
            for intensity in chance.uniform(0.6, 1.0, each):
                found.append((Emotion.of(label, vocabulary, float(intensity)), face, len(found)))
    return gathered(found)


def fit(space: SharedSpace, learned: Mapping[str, Sightings], plan: Plan) -> float:
    """Draws what was the same emotion together and the rest apart; returns the last loss.

    Each sense asks each other sense: the chance that a draw among the answers, by nearness, is of the same
    emotion is to be high (supervised contrast, Khosla et al. 2020, over pairs of senses).
    """
    generator = torch.Generator().manual_seed(plan.seed)
    start = space.points.detach().clone()
    optimiser = torch.optim.AdamW(space.parameters(), lr=plan.rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, plan.steps)
    loss = torch.zeros(())
    for _ in range(plan.steps):
        drawn = {name: balanced(found, plan.each, generator) for name, found in learned.items()}
        places = {name: place(space, name, part) for name, part in drawn.items()}
        contrasts = [
            contrast(places[a], drawn[a].labels, places[b], drawn[b].labels, plan.temperature)
            for a, b in permutations(places, 2)
        ]
        strayed = (space.points - start).square().sum(1).mean()
        strayed = strayed + sum(changed(space, name, part) for name, part in drawn.items())
        loss = torch.stack(contrasts).mean() + plan.stay * strayed
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return float(loss.detach())


def place(space: SharedSpace, name: str, found: Sightings) -> Tensor:
    """Where sightings of a sense lie, (N, dim)."""
    return space(found.features, sense_named(name))


def sense_named(name: str) -> Sense | None:
    return next((sense for sense in SENSES if sense == name), None)


def changed(space: SharedSpace, name: str, found: Sightings) -> Tensor:
    """How far a correction moves what it corrects."""
    sense = sense_named(name)
    if sense is None:
        return torch.zeros(())
    return (space.senses[sense](found.features) - found.features).square().sum(1).mean()


def contrast(
    asking: Tensor, asked_for: Tensor, answers: Tensor, answered: Tensor, temperature: float
) -> Tensor:
    """Minus the log of the chance to draw the right emotion, averaged over questions that have an answer."""
    nearness = likeness(asking, answers) / temperature
    right = asked_for[:, None] == answered[None]
    log_chance = nearness.masked_fill(~right, -torch.inf).logsumexp(1) - nearness.logsumexp(1)
    return -log_chance[right.any(1)].mean()


def balanced(found: Sightings, each: int, generator: torch.Generator) -> Sightings:
    """As many of each label, drawn with replacement."""
    rows = []
    for label in found.labels.unique():
        among = (found.labels == label).nonzero()[:, 0]
        rows.append(among[torch.randint(len(among), (each,), generator=generator)])
    return found.where(torch.cat(rows))


@dataclass(frozen=True)
class Retrieval:
    """How often the likeliest of another sense shows the emotion of the query; all emotions count alike."""

    asking: str
    answering: str
    found: float  # by the likeliest one
    among: float  # share of the NEAREST likeliest: one answer to many queries may be right by luck
    interval: tuple[float, float]  # 95 %, over queries drawn by speaker or input
    weaker: float  # accuracy of the weaker encoder on the same inputs and labels; what is written is certain
    emotions: int

    @property
    def share(self) -> float:
        """Of the weaker modality's own accuracy."""
        return self.found / self.weaker

    def __str__(self) -> str:
        low, high = self.interval
        found = f"{self.found:.3f} [{low:.3f}, {high:.3f}]"
        who = f"{self.asking} to {self.answering}"
        numbers = f"{self.among:.3f} | {self.weaker:.3f} | {self.share:.2f} | {self.emotions}"
        return f"| {who} | {found} | {numbers} |"


@torch.no_grad()
def retrievals(space: SharedSpace, measured: Mapping[str, Sightings], *, least: int = 10) -> list[Retrieval]:
    """Every sense asks every other about the emotions that both have at least so often."""
    results = []
    for asking, answering in permutations(measured, 2):
        a, b = measured[asking], measured[answering]
        counts = [torch.bincount(one.labels, minlength=len(FACE8.labels)) for one in (a, b)]
        shared = (torch.minimum(*counts) >= least).nonzero()[:, 0]
        a, b = (one.where(torch.isin(one.labels, shared)) for one in (a, b))
        likeliest = retrieve(place(space, asking, a), place(space, answering, b), k=NEAREST)
        right = (b.labels[likeliest] == a.labels[:, None]).double()
        own = [_accuracy(one, shared) for name, one in ((asking, a), (answering, b)) if name != LABEL]
        results.append(
            Retrieval(
                asking,
                answering,
                found=_even(right[:, 0], a.labels),
                among=_even(right.mean(1), a.labels),
                interval=_interval(right[:, 0], a),
                weaker=min(own),
                emotions=len(shared),
            )
        )
    return results


def _accuracy(found: Sightings, shared: Tensor) -> float:
    """Mean recall of the encoder itself among these emotions."""
    said = shared[found.features[:, shared].argmax(1)]
    return _even((said == found.labels).double(), found.labels)


def _even(values: Tensor, labels: Tensor) -> float:
    return float(torch.stack([values[labels == label].mean() for label in labels.unique()]).mean())


def _interval(right: Tensor, found: Sightings, *, seed: int = 0) -> tuple[float, float]:
    """Whole groups drawn with replacement: sums and counts by group and label, then means over labels."""
    groups, group = found.groups.unique(return_inverse=True)
    count = len(FACE8.labels)
    cell = group * count + found.labels
    hits, tries = torch.zeros(2, len(groups) * count, dtype=torch.float64)
    hits.index_add_(0, cell, right)
    tries.index_add_(0, cell, torch.ones_like(right))
    chance = np.random.default_rng(seed)
    weights = chance.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), RESAMPLES)
    drawn = torch.from_numpy(weights).double()
    hits, tries = drawn @ hits.view(-1, count), drawn @ tries.view(-1, count)
    means = torch.where(tries > 0, hits / tries.clamp(min=1), torch.nan).nanmean(1)
    low, high = np.quantile(means.numpy(), [0.025, 0.975])
    return float(low), float(high)
