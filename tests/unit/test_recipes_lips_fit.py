"""The training of the lip network: what it is taught of, that it learns, resumes and is packed whole."""

from pathlib import Path

import numpy as np
import pytest
import torch

from gen.recipes.fitting import write_tensors
from gen.recipes.lips_fit import (
    Lines,
    Listener,
    Schedule,
    begin,
    error,
    fit,
    load_checkpoint,
    save_checkpoint,
)
from gen.recipes.lips_noise import noises
from gen.recipes.lips_rooms import Rooms
from pipelines.portrait.lips import AHEAD, CURVES, MELS, RATE, LipNetwork


def some_lines(steps: int = 900) -> Lines:
    """Noise that comes and goes, and a mouth that is open while it is there."""
    random = np.random.default_rng(0)
    there = np.repeat(random.random((steps // 30, 1)) > 0.5, 30, axis=0).astype(np.float32)
    power = ((there + 1e-4) * random.random((steps, MELS))).astype(np.float32)
    return Lines(torch.from_numpy(power), torch.from_numpy(np.repeat(there, len(CURVES), axis=1)))


ROOMS = Rooms(torch.rand((500, MELS), generator=torch.Generator().manual_seed(0)))
SHORT = Schedule(steps=8, batch=3, stretch=60)


def test_rooms_change_every_example_and_silence_some_mouths() -> None:
    dice = torch.Generator().manual_seed(0)
    power, mouths = some_lines().drawn(64, 60, dice)
    heard, told = ROOMS(power, mouths + 0.1, dice)
    assert heard.shape == power.shape
    assert 0 <= float(heard.min()) <= float(heard.max()) <= 1
    silent = (told == 0).all(dim=2).all(dim=1)
    assert 1 <= int(silent.sum()) <= 20
    torch.testing.assert_close(told[~silent], (mouths + 0.1)[~silent])


def test_the_network_is_told_of_the_past() -> None:
    mouths = some_lines().mouth[None, :100]
    told = torch.logit(mouths.clamp(0.01, 0.99))
    late = torch.cat([torch.zeros(1, AHEAD, len(CURVES)), told[:, :-AHEAD]], dim=1)
    assert float(error(late, mouths)) < float(error(told, mouths)) - 0.01


def test_training_lowers_the_loss() -> None:
    schedule = Schedule(steps=120, batch=6, stretch=60, warm_up=5, cool_down=30)
    losses = list(fit(begin(schedule), some_lines(), ROOMS, schedule))
    assert np.mean(losses[-20:]) < 0.85 * np.mean(losses[:20])


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not(tmp_path: Path) -> None:
    straight = begin(SHORT)
    list(fit(straight, some_lines(), ROOMS, SHORT))

    stopped = begin(SHORT)
    for _ in fit(stopped, some_lines(), ROOMS, SHORT):
        if stopped.step == 4:
            break
    save_checkpoint(tmp_path / "half.safetensors", stopped, SHORT)
    resumed = load_checkpoint(tmp_path / "half.safetensors", SHORT)
    assert resumed.step == 4
    list(fit(resumed, some_lines(), ROOMS, SHORT))
    for name, value in straight.network.state_dict().items():
        torch.testing.assert_close(resumed.network.state_dict()[name], value, rtol=0, atol=0)


def test_another_schedule_does_not_go_on(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "begun.safetensors", begin(SHORT), SHORT)
    with pytest.raises(ValueError, match="resume with the same options"):
        load_checkpoint(tmp_path / "begun.safetensors", Schedule(steps=9))


def test_the_packed_network_says_what_the_taught_one_says(tmp_path: Path) -> None:
    network = begin(SHORT).network
    write_tensors(tmp_path / "lips.safetensors", network.packed(), {})
    levels = np.random.default_rng(0).random((150, MELS), np.float32)
    with torch.no_grad():
        told = torch.sigmoid(network(torch.from_numpy(levels)[None]))[0].numpy()
    np.testing.assert_allclose(LipNetwork.load(tmp_path / "lips.safetensors").follow(levels), told, atol=2e-3)


def test_the_bundled_network_is_small() -> None:
    assert sum(tensor.size for tensor in LipNetwork.bundled().tensors.values()) <= 1_000_000
    assert sum(value.numel() for value in Listener().state_dict().values()) <= 1_000_000


def test_noise_of_every_kind_is_equally_loud_and_comes_again() -> None:
    voices = [np.random.default_rng(1).standard_normal(RATE).astype(np.float32)]
    made = noises(6.0, voices, np.random.default_rng(2))
    kinds = made.reshape(-1, 6 * RATE)
    np.testing.assert_allclose(np.sqrt(np.mean(kinds**2, axis=1)), 0.1, rtol=1e-3)
    np.testing.assert_array_equal(made, noises(6.0, voices, np.random.default_rng(2)))
