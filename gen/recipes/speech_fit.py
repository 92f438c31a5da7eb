"""The training of the speech network: curves stretched, warped and masked anew in every batch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from emotion_encoders.curves import BANDS, MEASURES, WIDTH, network_input
from emotion_encoders.speech_network import HEARD, SpeechNetwork
from gen.recipes.speech_curves import Guise
from gen.recipes.speech_data import CORPORA, Clip, allowed


@dataclass(frozen=True)
class Plan:
    """Everything that decides what is learned; with the seed, the whole of it."""

    seed: int = 1
    steps: int = 2600
    batch: int = 64
    rate: float = 3e-3
    warm_up: int = 100
    fall: float = 0.5  # the last share of the steps, in which a straight line takes the rate to zero
    decay: float = 0.05
    average: float = 0.99  # of the exponential moving average that is kept
    smoothing: float = 0.1
    mixup: float = 0.4  # Beta(mixup, mixup), Zhang et al. 2018
    mixup_share: float = 0.5  # of the batches
    shares: tuple[float, ...] = (0.5, 0.44, 0.06)  # of each corpus in a batch
    length: int = 140  # steps of the curves: 2.8 s
    shortest: int = 60
    stretch: float = 0.2  # of time
    warp: float = 0.12  # of the mel axis, as vocal tracts differ in length
    response: float = 4.0  # dB, of a microphone, by each of four cosines over the bands
    strays: float = 0.3  # of the measures behind the bands, from clip to clip

    def rate_at(self, step: int) -> float:
        return self.rate * min(1, (step + 1) / self.warm_up, (self.steps - step) / (self.fall * self.steps))


@dataclass(frozen=True)
class Material:
    """Clips to learn from, with where somebody speaks in each of them, guise by guise."""

    guises: Sequence[Guise]
    spans: Sequence[np.ndarray]  # for each guise (clips, 2): first and last step worth having
    labels: np.ndarray  # (clips,) index in HEARD
    corpora: np.ndarray  # (clips,) index in CORPORA

    @classmethod
    def of(cls, guises: Sequence[Guise], clips: Sequence[Clip]) -> Material:
        return cls(
            guises,
            [_spans(guise) for guise in guises],
            np.array([HEARD.index(clip.label) for clip in clips]),
            np.array([CORPORA.index(clip.corpus) for clip in clips]),
        )


@dataclass(frozen=True)
class Batch:
    """What one step learns from."""

    x: Tensor  # (B, WIDTH, T)
    active: Tensor  # (B, T) bool
    labels: Tensor  # (B,)
    corpora: Tensor  # (B,)


def fit(material: Material, chosen: np.ndarray, plan: Plan) -> Iterator[tuple[int, float, nn.Module]]:
    """Trains on the chosen clips; gives step, loss and the averaged network after every step."""
    network, averaged = begin(plan)
    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": plan.decay}, {"params": vectors, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=plan.rate)
    mine = {c: chosen[material.corpora[chosen] == c] for c in range(len(CORPORA))}
    apart = allowed()

    for step in range(plan.steps):
        random = np.random.default_rng((plan.seed, step))
        batch = drawn(material, mine, plan, random)
        partner, share = _partners(batch, plan, random)
        x = torch.lerp(batch.x[partner], batch.x, share)
        active = batch.active | batch.active[partner] if share < 1 else batch.active

        for group in optimiser.param_groups:
            group["lr"] = plan.rate_at(step)
        with torch.autocast("cpu", torch.bfloat16), torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(int(random.integers(1 << 62)))  # what dropout drops
            logits = network(x, active).float()
        among = apart[batch.corpora]
        loss = share * _loss(logits, batch.labels, among, plan.smoothing)
        if share < 1:
            loss = loss + (1 - share) * _loss(logits, batch.labels[partner], among, plan.smoothing)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        _average(averaged, network, min(plan.average, (step + 1) / (step + 20)))
        yield step + 1, float(loss.detach()), averaged


def begin(plan: Plan) -> tuple[SpeechNetwork, SpeechNetwork]:
    """A fresh network with weights drawn from the seed, and its average."""
    network = SpeechNetwork()
    generator = torch.Generator().manual_seed(plan.seed)
    for name, parameter in network.named_parameters():
        if parameter.ndim > 1:
            bound = 1 / math.sqrt(parameter[0].numel())
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
    averaged = deepcopy(network)
    return network.train(), averaged.requires_grad_(False).eval()


def drawn(material: Material, mine: dict[int, np.ndarray], plan: Plan, random: np.random.Generator) -> Batch:
    """Clips of each corpus by its share, every class as often as every other, each in a chance guise."""
    counts = [round(share * plan.batch) for share in plan.shares]
    picked = np.concatenate(
        [_balanced(mine[corpus], material.labels, count, random) for corpus, count in enumerate(counts)]
    )
    raw, there = _cut(material, picked, plan, random)
    active = there & (raw[..., -1] > 0.5)
    x = network_input(_warped(raw, plan, random), active) * there[..., None]
    return Batch(
        _masked(x, random).transpose(1, 2).contiguous(),
        active,
        torch.from_numpy(material.labels[picked]),
        torch.from_numpy(material.corpora[picked]),
    )


def _balanced(clips: np.ndarray, labels: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    often = np.bincount(labels[clips], minlength=len(HEARD))
    weights = 1 / often[labels[clips]]
    return random.choice(clips, count, p=weights / weights.sum())


def _cut(
    material: Material, picked: np.ndarray, plan: Plan, random: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Stretches (B, T, WIDTH) of clips at a chance tempo, and which steps of them are there."""
    raw = torch.zeros(len(picked), plan.length, WIDTH)
    there = torch.zeros(len(picked), plan.length, dtype=torch.bool)
    for row, clip in enumerate(picked):
        which = int(random.integers(len(material.guises)))
        guise, (first, last) = material.guises[which], material.spans[which][clip]
        tempo = random.uniform(1 - plan.stretch, 1 + plan.stretch)
        whole = max(1, int((last - first) * tempo))
        asked = plan.length if random.random() < 0.6 else random.integers(plan.shortest, plan.length + 1)
        steps = min(int(asked), whole)
        start = random.integers(whole - steps + 1)
        places = np.minimum(((np.arange(steps) + start) / tempo).astype(int), last - first - 1) + first
        raw[row, :steps] = guise.values[int(guise.starts[clip]) + torch.from_numpy(places)].float()
        there[row, :steps] = True
    return raw, there


def _warped(raw: Tensor, plan: Plan, random: np.random.Generator) -> Tensor:
    """Another vocal tract, another microphone, another room's noise."""
    size = len(raw)

    def uniform(low: float, high: float) -> Tensor:
        return torch.from_numpy(random.uniform(low, high, (size, 1)).astype(np.float32))

    place = torch.arange(BANDS) * uniform(1 - plan.warp, 1 + plan.warp) + uniform(-1, 1)
    place = place.clamp(0, BANDS - 1)
    below = place.floor().long()
    above = (below + 1).clamp(max=BANDS - 1)
    part = (place - below)[:, None]
    bands = raw[..., :BANDS]
    bands = (
        torch.gather(bands, 2, below[:, None].expand(-1, raw.shape[1], -1)) * (1 - part)
        + torch.gather(bands, 2, above[:, None].expand(-1, raw.shape[1], -1)) * part
    )

    bands = bands + _response(size, plan, random)
    # Two powers add up; most rooms are far below speech.
    noise = uniform(-60, 0) + torch.where(uniform(0, 1) < 0.4, 0.0, -30.0)
    to_nepers = math.log(10) / 10
    noise = (noise[:, None] + _response(size, plan, random)) * to_nepers
    bands = torch.logaddexp(bands * to_nepers, noise) / to_nepers

    strays = random.normal(0, plan.strays, (size, 1, len(MEASURES)))
    strays[..., -2:] = 0  # voiced and active are facts
    return torch.cat([bands, raw[..., BANDS:] + torch.from_numpy(strays.astype(np.float32))], dim=-1)


def _response(size: int, plan: Plan, random: np.random.Generator) -> Tensor:
    waves = np.cos(np.arange(BANDS)[None] * np.pi * np.arange(1, 5)[:, None] / (BANDS - 1))
    return torch.from_numpy((random.normal(0, plan.response, (size, 4)) @ waves).astype(np.float32))[:, None]


def _masked(x: Tensor, random: np.random.Generator) -> Tensor:
    """SpecAugment (Park et al. 2019): some bands, moments and measures are lost, the first two twice."""
    size, length, _ = x.shape
    keep = torch.ones(size, length, WIDTH)
    for row in range(size):
        for _ in range(2):
            bands, steps = random.integers(6), random.integers(13)
            band, step = random.integers(BANDS - bands), random.integers(length - steps)
            keep[row, :, band : band + bands] = 0
            keep[row, step : step + steps] = 0
        lost = np.flatnonzero(random.random(len(MEASURES)) < 0.1)
        keep[row, :, BANDS + torch.from_numpy(lost)] = 0
    return x * keep


def _partners(batch: Batch, plan: Plan, random: np.random.Generator) -> tuple[Tensor, float]:
    """Whom each clip is mixed with, within its corpus, and its own share."""
    order = np.arange(len(batch.labels))
    if random.random() >= plan.mixup_share:
        return torch.from_numpy(order), 1.0
    corpora = batch.corpora.numpy()
    for corpus in np.unique(corpora):
        order[corpora == corpus] = random.permutation(order[corpora == corpus])
    return torch.from_numpy(order), float(random.beta(plan.mixup, plan.mixup))


def _loss(logits: Tensor, labels: Tensor, among: Tensor, smoothing: float) -> Tensor:
    """Cross-entropy among the labels of each clip's corpus, smoothed evenly over them."""
    log = logits.masked_fill(~among, -1e4).log_softmax(1)
    own = -log.gather(1, labels[:, None])[:, 0]
    even = -(log * among).sum(1) / among.sum(1)
    return ((1 - smoothing) * own + smoothing * even).mean()


@torch.no_grad()
def _average(averaged: nn.Module, network: nn.Module, keep: float) -> None:
    for old, new in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
        if old.dtype.is_floating_point:
            old.lerp_(new, 1 - keep)
        else:
            old.copy_(new)


def _spans(guise: Guise) -> np.ndarray:
    """(clips, 2): from just before the first to just after the last step in which somebody speaks."""
    margin = 6
    active, starts = guise.active.numpy(), guise.starts.numpy()
    spans = np.zeros((len(starts) - 1, 2), int)
    for index, (start, stop) in enumerate(pairwise(starts)):
        where = np.flatnonzero(active[start:stop])
        spans[index] = 0, stop - start
        if len(where):
            spans[index] = max(0, where[0] - margin), min(stop - start, where[-1] + margin + 1)
    return spans
