"""Resampling keeps tones as they are, loses only what cannot be kept, and joins its blocks exactly."""

import numpy as np
import pytest
import torch

from emotion_encoders import waveform as module
from emotion_encoders.waveform import RATE, prepared, resampled


def tone(hertz: float, rate: int, seconds: float = 1.0) -> torch.Tensor:
    return torch.sin(
        2 * torch.pi * hertz * torch.arange(round(rate * seconds), dtype=torch.float64) / rate
    ).float()


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 24_000, 44_100, 48_000, 96_000, 192_000])
def test_a_tone_stays_that_tone(rate: int) -> None:
    heard = resampled(tone(440, rate), rate, RATE)
    assert len(heard) == RATE
    assert heard[300:-300].numpy() == pytest.approx(tone(440, RATE)[300:-300].numpy(), abs=1e-3)


def test_what_the_lower_rate_cannot_hold_is_gone() -> None:
    assert float(resampled(tone(10_000, 48_000), 48_000, RATE)[300:-300].abs().max()) < 1e-3


def test_blocks_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = torch.from_numpy(np.random.default_rng(0).standard_normal(44_100)).float()
    whole = resampled(sound, 44_100, RATE)
    monkeypatch.setattr(module, "_BLOCK", 4_000)
    torch.testing.assert_close(resampled(sound, 44_100, RATE), whole, atol=1e-5, rtol=0)


def test_an_odd_rate_is_taken_as_near_as_can_be() -> None:
    assert len(resampled(tone(440, 44_056), 44_056, RATE)) == pytest.approx(RATE, abs=2)


def test_the_constant_part_is_taken_out() -> None:
    assert float(prepared(np.full(1000, 0.3, np.float32), RATE).abs().max()) < 1e-6


def test_no_samples_stay_no_samples() -> None:
    assert len(prepared(np.zeros(0, np.float32), 48_000)) == 0
