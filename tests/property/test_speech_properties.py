"""Whatever finite sound comes, at whatever level and rate, the speech encoder has a defined answer."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_encoders import speech as module
from emotion_encoders.prosody import prosody
from emotion_encoders.speech import SpeechEncoder

ENCODER = SpeechEncoder.load(Path(module.__file__).with_suffix(".safetensors"))
RATES = st.sampled_from((4_000, 8_000, 11_025, 16_000, 44_100, 96_000))


@st.composite
def sounds(draw: st.DrawFn) -> tuple[np.ndarray, int]:
    """Buzz, noise and silence of up to two seconds, one after another, at a chance level."""
    rate = draw(RATES)
    random = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    parts = [np.zeros(draw(st.integers(0, 50)))]
    for kind in draw(st.lists(st.sampled_from(("buzz", "noise", "silence")), max_size=4)):
        samples = int(rate * draw(st.floats(0.01, 0.5)))
        phase = 2 * np.pi * draw(st.floats(50, 600)) * np.arange(samples) / rate
        parts.append({
            "buzz": sum(np.sin(k * phase) for k in range(1, 5)),
            "noise": random.standard_normal(samples),
            "silence": np.zeros(samples),
        }[kind])  # fmt: skip
    level = 10 ** draw(st.floats(-8, 2))
    return (level * np.concatenate(parts)).astype(np.float32), rate


@settings(max_examples=40, deadline=None)
@given(sounds())
def test_any_sound_has_a_track_and_a_hearing(sound: tuple[np.ndarray, int]) -> None:
    evidence, hearing = ENCODER.encode(*sound), ENCODER.listen(*sound)
    assert 0 <= evidence.confidence <= 1
    assert sum(hearing.heard.values()) == pytest.approx(1, abs=1e-5)
    assert all(k.seconds <= len(sound[0]) / sound[1] + 1e-6 for k in evidence.track.keyframes)


@settings(max_examples=40, deadline=None)
@given(sounds())
def test_any_sound_has_prosody_within_its_ranges(sound: tuple[np.ndarray, int]) -> None:
    heard = prosody(*sound)
    assert np.isfinite(heard.loudness).all()
    assert ((heard.voiced >= 0) & (heard.voiced <= 1)).all()
    pitch = heard.pitch[~np.isnan(heard.pitch)]
    assert ((pitch > 50) & (pitch < 600)).all()
    assert (heard.rate >= 0).all()
