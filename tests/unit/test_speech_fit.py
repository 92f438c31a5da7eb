"""Training of the speech network: the seed decides everything, and silence and padding decide nothing."""

import numpy as np
import pytest
import torch

from emotion_encoders.curves import WIDTH
from emotion_encoders.speech_network import HEARD, SpeechNetwork
from gen.recipes.speech_curves import Guise
from gen.recipes.speech_data import CORPORA, LABELS
from gen.recipes.speech_fit import Material, Plan, drawn, fit

PLAN = Plan(steps=3, batch=16, length=60, shortest=30)


@pytest.fixture(scope="module")
def material() -> Material:
    """Sixty clips of chance curves, of all corpora and labels."""
    random = np.random.default_rng(0)
    lengths = random.integers(40, 120, 60)
    values = torch.from_numpy(random.standard_normal((lengths.sum(), WIDTH))).half()
    values[:, -2:] = 1
    starts = torch.from_numpy(np.concatenate([[0], np.cumsum(lengths)]))
    guise = Guise(values, starts)
    corpora = np.arange(60) % 3
    names = [LABELS[CORPORA[c]] for c in corpora]
    labels = np.array([HEARD.index(words[(i // 3) % len(words)]) for i, words in enumerate(names)])
    spans = np.stack([np.zeros(60, int), lengths], axis=1)
    return Material([guise, guise], [spans, spans], labels, corpora)


def test_the_same_seed_learns_the_same(material: Material) -> None:
    runs = [[loss for _, loss, _ in fit(material, np.arange(60), PLAN)] for _ in range(2)]
    assert runs[0] == runs[1]


def test_another_seed_learns_something_else(material: Material) -> None:
    one, two = (
        [loss for _, loss, _ in fit(material, np.arange(60), Plan(**{**vars(PLAN), "seed": seed}))]
        for seed in (1, 2)
    )
    assert one != two


def test_a_batch_holds_each_corpus_by_its_share(material: Material) -> None:
    mine = {c: np.flatnonzero(material.corpora == c) for c in range(3)}
    batch = drawn(material, mine, PLAN, np.random.default_rng(0))
    assert np.bincount(batch.corpora).tolist() == [round(16 * share) for share in PLAN.shares]
    assert tuple(batch.x.shape) == (16, WIDTH, PLAN.length)
    assert bool(torch.isfinite(batch.x).all())


def test_no_clip_that_is_held_back_is_drawn(material: Material) -> None:
    chosen = np.arange(0, 60, 2)
    mine = {c: chosen[material.corpora[chosen] == c] for c in range(3)}
    spoilt = Guise(material.guises[0].values.clone(), material.guises[0].starts)
    for clip in range(1, 60, 2):
        spoilt.values[int(spoilt.starts[clip]) : int(spoilt.starts[clip + 1])] = torch.nan
    held = Material([spoilt], material.spans[:1], material.labels, material.corpora)
    for step in range(5):
        assert bool(torch.isfinite(drawn(held, mine, PLAN, np.random.default_rng(step)).x).all())


def test_the_rate_rises_and_falls_to_nothing() -> None:
    plan = Plan(steps=1000, warm_up=100)
    rates = [plan.rate_at(step) for step in range(1000)]
    assert rates[0] < rates[50] < rates[100] == plan.rate == rates[499]
    assert rates[999] < 0.01 * plan.rate


def test_padding_after_a_clip_changes_nothing() -> None:
    network = SpeechNetwork().eval()
    x = torch.randn(1, WIDTH, 100)
    active = torch.ones(1, 100, dtype=torch.bool)
    padded = network(
        torch.nn.functional.pad(x, (0, 300)), torch.nn.functional.pad(active, (0, 300), value=False)
    )
    far = network(
        torch.nn.functional.pad(x, (0, 900)), torch.nn.functional.pad(active, (0, 900), value=False)
    )
    torch.testing.assert_close(padded, far, atol=1e-5, rtol=0)
