"""The recipe of the shared space on small made-up senses, whose mistakes are known."""

from pathlib import Path

import pytest
import torch

from emotion_encoders.emotion import FACE8, Emotion
from emotion_encoders.shared_space import SharedSpace
from gen.recipes.conditioner import LABEL, card, split, table
from gen.recipes.conditioner_data import Sightings, from_tensors, gathered, tensors
from gen.recipes.conditioner_fit import Plan, contrast, fit, labels, retrievals

FELT = FACE8.labels[:7]


def sense(seed: int, *, swapped: tuple[str, str] | None = None, count: int = 40) -> Sightings:
    """Unsure guesses around the truth; a swapped pair is a mistake that the sense always makes."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for index in range(7 * count):
        felt = FELT[index % 7]
        seen = felt if swapped is None or felt not in swapped else swapped[1 - swapped.index(felt)]
        scores = torch.rand(8, generator=generator) * 1.5
        scores[FACE8.labels.index(seen)] += 2
        found.append((Emotion.seen(FACE8, scores.softmax(0).tolist()), felt, index // 14))
    return gathered(found)


@pytest.fixture(scope="module")
def seen() -> dict[str, Sightings]:
    confused = ("anger", "disgust")
    return {
        "text.learn": sense(0),
        "text.measure": sense(1),
        "face.learn": sense(2),
        "face.measure": sense(3),
        "voice": sense(4, swapped=confused, count=80),
    }


def test_learning_finds_what_a_sense_always_takes_for_something_else(seen: dict[str, Sightings]) -> None:
    learned, measured = split(seen, 0)
    space = SharedSpace()
    before = {(r.asking, r.answering): r.found for r in retrievals(space, measured)}
    fit(space, learned, Plan(steps=150, each=4, stay=0.1))
    after = {(r.asking, r.answering): r.found for r in retrievals(space, measured)}
    assert before["voice", LABEL] < 0.8
    assert after["voice", LABEL] > before["voice", LABEL] + 0.1
    assert min(after.values()) > 0.8


def test_the_same_seed_learns_the_same(seen: dict[str, Sightings]) -> None:
    learned, _ = split(seen, 0)
    spaces = [SharedSpace(), SharedSpace()]
    losses = [fit(space, learned, Plan(steps=3, each=2)) for space in spaces]
    assert losses[0] == losses[1]
    assert torch.equal(spaces[0].points, spaces[1].points)


def test_nobody_is_learned_from_and_measured_on(seen: dict[str, Sightings]) -> None:
    learned, measured = split(seen, 0)
    assert not set(learned["voice"].groups.tolist()) & set(measured["voice"].groups.tolist())
    assert len(learned["voice"]) + len(measured["voice"]) == len(seen["voice"])


def test_contrast_is_the_chance_of_drawing_the_right_emotion() -> None:
    places = torch.eye(2)
    asked = torch.tensor([0, 1])
    assert float(contrast(places, asked, places, asked, 0.01)) == pytest.approx(0, abs=1e-6)
    evenly = torch.ones(2, 2) / 2**0.5
    assert float(contrast(evenly, asked, evenly, asked, 0.1)) == pytest.approx(torch.log(torch.tensor(2.0)))


def test_perfect_senses_are_found_always_and_numbers_come_with_intervals(seen: dict[str, Sightings]) -> None:
    pure = gathered([(Emotion.of(FELT[i % 7]), FELT[i % 7], i) for i in range(140)])
    for result in retrievals(SharedSpace(), {"text": pure, LABEL: labels(0, each=6)}):
        assert result.found == pytest.approx(1)
        assert result.interval == pytest.approx((1, 1))
        assert result.share == pytest.approx(1)
        assert result.emotions == 7


def test_what_was_seen_is_kept_in_a_file_as_it_was(seen: dict[str, Sightings]) -> None:
    again = from_tensors(tensors(seen))
    assert list(again) == list(seen)
    assert torch.equal(again["voice"].features, seen["voice"].features)


def test_the_card_tells_both_tables(seen: dict[str, Sightings], tmp_path: Path) -> None:
    learned, measured = split(seen, 0)
    space = SharedSpace()
    results = retrievals(space, measured)
    path = tmp_path / "conditioner.safetensors"
    space.save(path)
    text = card(results, results, learned, measured, Plan(), path)
    assert text.count(table(results)) == 2
    assert "voice 280 and 280" in text
