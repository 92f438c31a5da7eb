"""The curves that the network sees keep how something is said, and lose level, microphone and silence."""

import numpy as np
import pytest
import torch

from emotion_encoders.curves import BANDS, PACE, WIDTH, curves, network_input, raw_curves
from emotion_encoders.spectrum import STEPS, measured
from emotion_encoders.waveform import RATE, prepared

SECONDS = 3


@pytest.fixture
def babbling() -> torch.Tensor:
    """A buzz whose pitch and level wander, in a little noise, between two silences."""
    time = np.arange(SECONDS * RATE) / RATE
    phase = 2 * np.pi * np.cumsum(150 + 40 * np.sin(2 * np.pi * 0.7 * time)) / RATE
    wave = sum(np.sin(k * phase) / k for k in range(1, 12)) * (0.1 + np.sin(2 * np.pi * 2 * time) ** 2)
    wave = 0.1 * wave + 1e-4 * np.random.default_rng(0).standard_normal(len(time))
    return prepared(np.pad(wave, RATE).astype(np.float32), RATE)


def test_there_are_fifty_steps_a_second(babbling: torch.Tensor) -> None:
    frames = measured(babbling)
    clip = curves(frames)
    assert len(frames) == (SECONDS + 2) * STEPS + 1
    assert tuple(clip.values.shape) == ((SECONDS + 2) * PACE + 1, WIDTH)


def test_the_level_is_gone(babbling: torch.Tensor) -> None:
    usual, quiet = curves(measured(babbling)), curves(measured(0.1 * babbling))
    both = usual.active & quiet.active
    assert float(both.sum()) > 0.9 * float(usual.active.sum())
    torch.testing.assert_close(quiet.values[both], usual.values[both], atol=0.1, rtol=0)


def test_the_microphone_is_gone_from_the_bands() -> None:
    raw = torch.randn(1, 200, WIDTH)
    active = torch.ones(1, 200, dtype=torch.bool)
    response = torch.zeros(WIDTH)
    response[:BANDS] = torch.linspace(-20, 20, BANDS)
    usual, coloured = network_input(raw, active), network_input(raw + response, active)
    torch.testing.assert_close(coloured, usual, atol=1e-4, rtol=0)


def test_silence_far_from_speech_is_blank(babbling: torch.Tensor) -> None:
    clip = curves(measured(babbling))
    assert not clip.values[: PACE // 2].any()
    assert not clip.values[-PACE // 2 :].any()
    assert clip.active[PACE + 10 : -PACE - 10].float().mean() > 0.5


def test_somebody_speaks_between_the_silences_only(babbling: torch.Tensor) -> None:
    active = measured(babbling).active
    assert not active[: STEPS - 5].any()
    assert not active[-STEPS + 5 :].any()


def test_curves_are_finite_even_of_silence() -> None:
    for sound in (torch.zeros(RATE), torch.zeros(1), torch.full((RATE,), 1e-12)):
        assert bool(torch.isfinite(curves(measured(sound)).values).all())


def test_no_sound_has_no_curves() -> None:
    assert tuple(raw_curves(measured(torch.zeros(0))).shape) == (0, WIDTH)
