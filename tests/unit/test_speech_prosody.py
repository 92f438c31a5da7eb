"""Prosody has the pitch, loudness, voicing and pace of sounds whose own are known."""

import numpy as np
import pytest

from emotion_encoders.prosody import Prosody, prosody
from emotion_encoders.waveform import SoundError

RATE = 16_000


def hum(hertz: float | np.ndarray, seconds: float, *, rate: int = RATE, harmonics: int = 8) -> np.ndarray:
    """A buzz with falling harmonics, as of vocal folds; its pitch may glide."""
    samples = round(seconds * rate)
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hertz, samples)) / rate
    waves = [np.sin(k * phase) / k for k in range(1, harmonics + 1)]
    return (0.2 * np.sum(waves, axis=0)).astype(np.float32)


@pytest.mark.parametrize("hertz", [70.0, 110.0, 220.0, 310.0, 450.0])
def test_pitch_is_that_of_the_hum(hertz: float) -> None:
    heard = prosody(hum(hertz, 2), RATE)
    assert heard.pitch[1:-1] == pytest.approx(hertz, rel=0.01)
    assert heard.voiced[1:-1] == pytest.approx(1)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 192_000])
def test_pitch_does_not_depend_on_the_sample_rate(rate: int) -> None:
    assert prosody(hum(150, 2, rate=rate), rate).pitch[1:-1] == pytest.approx(150, rel=0.01)


def test_pitch_follows_a_glide() -> None:
    glide = np.linspace(120, 240, 3 * RATE)
    heard = prosody(hum(glide, 3), RATE)
    assert heard.pitch[2:-2] == pytest.approx(120 + 40 * heard.seconds[2:-2], rel=0.03)


def test_a_full_scale_sine_has_0_db() -> None:
    sine = np.sin(2 * np.pi * 220 * np.arange(RATE) / RATE).astype(np.float32)
    assert prosody(sine, RATE).loudness[1:-1] == pytest.approx(0, abs=0.1)
    assert prosody(0.1 * sine, RATE).loudness[1:-1] == pytest.approx(-20, abs=0.1)


def test_noise_is_loud_but_not_voiced() -> None:
    heard = prosody(0.1 * np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32), RATE)
    assert not heard.silent.any()
    assert heard.voiced.max() < 0.15
    assert np.isnan(heard.pitch).mean() > 0.8


def test_silence_has_no_pitch_no_pace_and_no_level() -> None:
    heard = prosody(np.zeros(RATE, np.float32), RATE)
    assert heard.silent.all()
    assert np.isnan(heard.pitch).all()
    assert not heard.rate.any()


@pytest.mark.parametrize("pace", [3, 5])
def test_the_rate_counts_syllables(pace: int) -> None:
    time = np.arange(6 * RATE) / RATE
    swelling = (0.02 + np.sin(np.pi * pace * time) ** 2).astype(np.float32)
    heard = prosody(swelling * hum(150, 6), RATE)
    assert heard.rate[4:-4] == pytest.approx(pace, abs=0.7)


def test_there_is_a_value_every_quarter_of_a_second_up_to_the_end() -> None:
    heard = prosody(hum(150, 1.6), RATE)
    assert heard.seconds.tolist() == [0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5]


def test_blocks_of_long_sound_join_without_a_seam() -> None:
    heard = prosody(hum(150, 75), RATE)
    assert heard.seconds.tolist() == [k / 4 for k in range(301)]
    assert heard.pitch[1:-1] == pytest.approx(150, rel=0.01)
    assert np.ptp(heard.loudness[1:-1]) < 0.1


def test_no_samples_have_no_values() -> None:
    assert len(prosody(np.zeros(0, np.float32), RATE)) == 0
    assert len(prosody(np.zeros(1, np.float32), RATE)) == 1


def test_curves_of_different_length_are_refused() -> None:
    two, three = np.zeros(2), np.zeros(3)
    with pytest.raises(SoundError, match="differ in shape"):
        Prosody(two, two, three, two, two)
