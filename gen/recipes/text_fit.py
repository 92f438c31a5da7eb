"""The training of the text encoder: one network, several corpora in turn, a fixed plan, exact resuming."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor, nn

from emotion_encoders.text_model import HEADS, TextNetwork
from emotion_encoders.wordpieces import WordPieces
from gen.recipes.fitting import write_tensors
from gen.recipes.text_data import ISEAR, Corpus, DataError
from gen.recipes.text_pairs import parts

LONGEST = 48  # pieces of a text in training, start and end included
# Heads that only teach: they are left out of the bundled file.
TEACHING = {"isear": len(ISEAR)}


@dataclass(frozen=True)
class Plan:
    """Everything that decides what is learned; with the seed, the whole of it."""

    seed: int = 1
    passes: Mapping[str, float] = field(
        default_factory=lambda: {
            "goemotions": 3.0, "dialogue": 3.0, "affect": 4.0, "polarity": 2.0, "isear": 1.0, "words": 1.5,
            "pairs": 1.0, "glossary": 4.0,
        }
    )  # fmt: skip
    late: Mapping[str, float] = field(
        default_factory=lambda: {"glossary": 0.5}
    )  # first share of the run without it
    tokens: int = 1200  # of a batch
    rate: float = 1.5e-4
    head_rate: float = 6e-4
    layer_decay: float = 0.9  # of the rate, from each layer to the one below
    warm_up: float = 0.05  # share of the steps
    decay: float = 0.01
    rare: float = 0.02  # a label rarer than this is seen more often, by the root of the ratio
    most: float = 3.0  # times, at most

    def factor_at(self, step: int, steps: int) -> float:
        """The rate rises in a straight line and falls in one."""
        rising = (step + 1) / max(1, round(self.warm_up * steps))
        return min(rising, (steps - step) / (steps * (1 - self.warm_up)), 1.0)


@dataclass(frozen=True)
class Batch:
    """Rows of one corpus."""

    task: str
    rows: np.ndarray


@dataclass
class State:
    """What must be saved to go on exactly where training stopped."""

    network: TextNetwork
    optimiser: torch.optim.AdamW
    step: int = 0


def begin(network: TextNetwork, plan: Plan) -> State:
    """The optimiser: word pieces rest (most are never seen), lower layers move less, heads move most."""
    network.pieces.requires_grad_(False)
    groups: list[dict[str, object]] = []
    depth = len(network.layers)
    stages: list[tuple[float, nn.Module]] = [(plan.head_rate, network.heads)]
    stages += [
        (plan.rate * plan.layer_decay ** (depth - 1 - i), layer) for i, layer in enumerate(network.layers)
    ]
    stages += [(plan.rate * plan.layer_decay**depth, module) for module in (network.norm, network.positions)]
    for rate, module in stages:
        matrices = [p for p in module.parameters() if p.ndim > 1]
        vectors = [p for p in module.parameters() if p.ndim <= 1]
        groups += [{"params": matrices, "rate": rate, "weight_decay": plan.decay}] if matrices else []
        groups += [{"params": vectors, "rate": rate, "weight_decay": 0.0}] if vectors else []
    return State(network, torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98), fused=True))


class Feed:
    """The texts of all corpora as pieces, and the order of the batches of the whole run."""

    def __init__(self, corpora: Mapping[str, Corpus], pieces: WordPieces, plan: Plan) -> None:
        self.corpora, self.plan = corpora, plan
        self.ids = {name: framed(pieces, corpus.texts) for name, corpus in corpora.items()}
        self.batches = self._order()

    def _order(self) -> list[Batch]:
        placed: list[tuple[float, Batch]] = []
        for number, (name, corpus) in enumerate(self.corpora.items()):
            random = np.random.default_rng((self.plan.seed, number))
            drawn = self._drawn(corpus, self.plan.passes[name], random)
            lengths = np.array([len(self.ids[name][row]) for row in drawn])
            batches: list[Batch] = []
            # Texts of about the same length lie together, within stretches that are short against a pass.
            for stretch in np.array_split(np.arange(len(drawn)), max(1, len(drawn) // 4000)):
                rows = stretch[np.argsort(lengths[stretch], kind="stable")]
                batches += [Batch(name, drawn[part]) for part in _split(rows, lengths, self.plan.tokens)]
            places = (np.arange(len(batches)) + random.random(len(batches))) / len(batches)
            per_stretch = max(1, len(batches) * 4000 // max(1, len(drawn)))
            mixed = np.concatenate(
                [
                    random.permutation(part)
                    for part in np.array_split(np.arange(len(batches)), max(1, len(batches) // per_stretch))
                ]
            )
            late = self.plan.late.get(name, 0.0)
            placed += [
                (late + (1 - late) * float(place), batches[i]) for place, i in zip(places, mixed, strict=True)
            ]
        return [batch for _, batch in sorted(placed, key=lambda pair: pair[0])]

    def _drawn(self, corpus: Corpus, passes: float, random: np.random.Generator) -> np.ndarray:
        """Rows for all passes; rows with a rare label come more often (Gupta et al. 2019)."""
        repeats = np.ones(len(corpus))
        if corpus.task == "goemotions":
            frequency = corpus.targets.mean(0)
            wanted = np.clip(np.sqrt(self.plan.rare / frequency), 1.0, self.plan.most)
            repeats = np.where(corpus.targets > 0, wanted, 1.0).max(1)
        whole, rest = divmod(passes, 1)
        drawn = []
        for share in [1.0] * int(whole) + ([rest] if rest else []):
            times = np.floor(repeats * share + random.random(len(corpus))).astype(int)
            drawn.append(random.permutation(np.repeat(np.arange(len(corpus)), times)))
        return np.concatenate(drawn)

    def tensors(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        ids, mask = padded([self.ids[batch.task][row] for row in batch.rows])
        return ids, mask, torch.from_numpy(self.corpora[batch.task].targets[batch.rows])


def _split(rows: np.ndarray, lengths: np.ndarray, tokens: int) -> Iterator[np.ndarray]:
    start = 0
    while start < len(rows):
        size = max(8, tokens // max(1, int(lengths[rows[min(start + tokens // 16, len(rows) - 1)]])))
        yield rows[start : start + size]
        start += size


def framed(pieces: WordPieces, texts: Sequence[str], longest: int = LONGEST) -> list[list[int]]:
    """Pieces between start and end, cut to the longest that is learned from."""
    return [[pieces.start, *ids[: longest - 2], pieces.end] for ids in pieces.ids(texts)]


def padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    longest = max(len(row) for row in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.bool)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
        mask[number, : len(row)] = True
    return ids, mask


def loss_of(task: str, read: Mapping[str, Tensor], targets: Tensor) -> Tensor:
    """What a batch of one corpus asks of the heads."""
    match task:
        case "goemotions":
            return (
                0.5 * F.binary_cross_entropy_with_logits(read[task], targets, reduction="none").sum(1).mean()
            )
        case "dialogue" | "isear":
            return F.cross_entropy(read[task], targets, label_smoothing=0.05)
        case "affect":
            return (read["affect"] - targets).square().mul(torch.tensor([1.0, 1.0, 0.5])).mean()
        case "words":
            return 0.5 * (read["affect"] - targets).square().mul(torch.tensor([1.0, 1.0, 0.5])).mean()
        case "polarity":
            return F.binary_cross_entropy_with_logits(read[task], 0.95 * targets + 0.025)
    labels, line, positive, point = (torch.from_numpy(part) for part in parts(targets.numpy()))
    known = positive.isfinite()
    said = F.binary_cross_entropy_with_logits(read["polarity"], positive.nan_to_num(0.5), reduction="none")
    return (
        0.25 * F.binary_cross_entropy_with_logits(read["goemotions"], labels, reduction="none").sum(1).mean()
        + 0.25 * F.cross_entropy(read["dialogue"], line)
        + 0.5 * (said * known).mean()
        + 0.25 * (read["affect"][:, :2] - point / 0.4).square().mean()
    )


def fit(state: State, feed: Feed, plan: Plan, *, deadline: float) -> Iterator[tuple[str, float]]:
    """Trains to the plan's end or the deadline (time.monotonic), giving corpus and loss after every step."""
    network, steps = state.network, len(feed.batches)
    network.train()
    while state.step < steps and time.monotonic() < deadline:
        batch = feed.batches[state.step]
        ids, mask, targets = feed.tensors(batch)
        for group in state.optimiser.param_groups:
            group["lr"] = group["rate"] * plan.factor_at(state.step, steps)
        # Dropout draws from the global generator, so that is set anew for each step: resuming is exact.
        torch.default_generator.manual_seed(plan.seed * 1_000_003 + state.step)
        with torch.autocast("cpu", torch.bfloat16):
            features = network.features(ids, mask)
        features = F.dropout(features, 0.1)
        loss = loss_of(batch.task, {name: head(features) for name, head in network.heads.items()}, targets)
        state.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in network.parameters() if p.grad is not None], 1.0)
        state.optimiser.step()
        state.step += 1
        yield batch.task, float(loss.detach())


def save_checkpoint(path: Path, state: State, plan: Plan) -> None:
    tensors = {f"network.{key}": value for key, value in state.network.state_dict().items()}
    for index, slot in state.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{key}": value for key, value in slot.items()}
    write_tensors(path, tensors, {"step": str(state.step), "plan": json.dumps(asdict(plan))})


def load_checkpoint(path: Path, state: State, plan: Plan) -> None:
    """Puts a saved state back, refusing one that was made under another plan."""
    if not path.is_file():
        raise DataError(f"There is no checkpoint at {path}; leave out --resume to begin anew.")
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        if json.loads(metadata.get("plan", "{}")) != asdict(plan):
            raise DataError(f"{path} was made with {metadata.get('plan')}; resume with the same options.")
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    state.network.load_state_dict(
        {k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")}
    )
    saved = state.optimiser.state_dict()
    for key, value in tensors.items():
        if key.startswith("optimiser."):
            _, index, name = key.split(".")
            saved["state"].setdefault(int(index), {})[name] = value
    state.optimiser.load_state_dict(saved)
    state.step = int(metadata["step"])


def all_heads() -> dict[str, int]:
    """The heads that learn together with the encoder; "spoken" is fitted to the finished one."""
    return {**{name: width for name, width in HEADS.items() if name != "spoken"}, **TEACHING}
