"""How a face and a head waver: as measured, at any frame rate, the same for the same seed."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from pipelines.portrait.expression import LABELS
from pipelines.portrait.life import LIVELY, MANNERS, Life, manners_of

LIFE = Life.bundled()


def felt(manner: str, frames: int) -> np.ndarray:
    manners = np.zeros((frames, len(MANNERS)))
    manners[:, MANNERS.index(manner)] = 1
    return manners


def drawn(manner: str = "anger", *, seed: int = 0, frames: int = 900, fps: float = 30.0) -> np.ndarray:
    return LIFE.face(np.random.default_rng(seed), felt(manner, frames), fps)


@pytest.mark.parametrize("manner", MANNERS)
def test_a_face_has_the_measured_mean_and_stays_within_bounds(manner: str) -> None:
    faces = np.concatenate([drawn(manner, seed=seed, frames=1800) for seed in range(4)])
    assert faces.min() >= 0
    assert faces.max() <= 1
    np.testing.assert_allclose(faces.mean(axis=0), LIFE.rest[MANNERS.index(manner)], atol=0.06)


def test_the_same_seed_draws_the_same_face() -> None:
    np.testing.assert_array_equal(drawn(seed=4), drawn(seed=4))
    assert not np.allclose(drawn(seed=4), drawn(seed=5))


def test_a_longer_clip_begins_as_a_shorter_one() -> None:
    np.testing.assert_allclose(drawn(frames=900)[:400], drawn(frames=400), atol=1e-6)


@pytest.mark.parametrize("fps", [12.0, 25.0, 60.0])
def test_the_frame_rate_shows_the_same_moments(fps: float) -> None:
    count = round(20 * fps)
    at = np.arange(count) / fps
    reference = drawn(frames=660)
    for column, curve in enumerate(drawn(frames=count, fps=fps).T):
        known = np.interp(at, np.arange(660) / 30, reference[:, column])
        assert np.abs(curve - known).mean() < 0.03


def test_both_sides_of_a_face_go_together() -> None:
    face = drawn(frames=3000)
    assert np.corrcoef(face[:, 0], face[:, 1])[0, 1] > 0.5  # browDownLeft, browDownRight


def test_the_angry_move_more_than_those_at_rest() -> None:
    assert drawn("anger").std(axis=0).mean() > 2 * drawn("neutral").std(axis=0).mean()


def test_a_head_sways_by_degrees_and_drifts_nowhere() -> None:
    heads = np.concatenate([LIFE.head(np.random.default_rng(seed), 1500, 25.0) for seed in range(8)])
    turns = np.degrees(heads[:, :3])
    assert (turns.std(axis=0) > 0.3).all()
    assert (turns.std(axis=0) < 3).all()
    assert np.abs(turns.mean(axis=0)).max() < 0.5


def test_manners_always_add_up_and_half_an_emotion_has_all_of_its_manner() -> None:
    shares = np.zeros((3, len(LABELS)))
    shares[1, LABELS.index("anger")] = 0.25
    shares[2, LABELS.index("anger")] = 0.5
    manners = manners_of(shares, LABELS)
    np.testing.assert_allclose(manners.sum(axis=1), 1)
    np.testing.assert_allclose(manners[:, MANNERS.index("anger")], [0, 0.5, 1])


def test_the_afraid_look_around_more_and_blink_less_than_the_sad() -> None:
    afraid, sad = (LIFE.looks(felt(manner, 1)) for manner in ("fear", "sadness"))
    assert afraid.at("away", 0, 25) > sad.at("away", 0, 25)
    assert afraid.at("blinks", 0, 25) < sad.at("blinks", 0, 25)


def test_numbers_of_another_kind_are_refused(tmp_path: Path) -> None:
    tensors = {name: np.asarray(getattr(LIFE, name), np.float32) for name in Life.__dataclass_fields__}
    path = tmp_path / "life.safetensors"
    save_file(tensors | {"values": tensors["values"][:2]}, path)
    with pytest.raises(ValueError, match="make it anew with its recipe"):
        Life.load(path)
    assert len(LIVELY) == tensors["values"].shape[1]
