"""The speech encoder hears a voice at any level and rate, nothing in silence, and refuses other things."""

import math
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from emotion_encoders import speech as module
from emotion_encoders.emotion import FACE8
from emotion_encoders.speech import SpeechEncoder
from emotion_encoders.speech_network import HEARD
from emotion_encoders.waveform import SoundError, resampled
from gen.bundled import line

BUNDLED = Path(module.__file__).with_suffix(".safetensors")
RATE = 16_000


@pytest.fixture(scope="module")
def encoder() -> SpeechEncoder:
    return SpeechEncoder.load(BUNDLED)


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    """The spoken line that comes with Mien, at RATE."""
    waveform, rate = soundfile.read(line(), dtype="float32")
    return resampled(torch.from_numpy(waveform), rate, RATE).numpy()


def noise(samples: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(0).standard_normal(samples).astype(np.float32)


def test_a_voice_is_heard_as_a_distribution_over_face8(encoder: SpeechEncoder, voice: np.ndarray) -> None:
    hearing = encoder.listen(voice, RATE)
    assert tuple(hearing.heard) == HEARD
    assert sum(hearing.heard.values()) == pytest.approx(1, abs=1e-5)
    assert hearing.face8.vocabulary == FACE8
    assert hearing.is_voice
    assert hearing.confidence == max(hearing.face8.weights)


def test_calm_counts_as_neutral_and_contempt_is_never_heard(
    encoder: SpeechEncoder, voice: np.ndarray
) -> None:
    hearing = encoder.listen(voice, RATE)
    calm = hearing.heard["neutral"] + hearing.heard["calm"]
    assert hearing.face8.probability("neutral") == pytest.approx(calm, abs=1e-6)
    assert hearing.face8.probability("contempt") == 0


def test_the_track_has_keys_on_quarters_of_a_second(encoder: SpeechEncoder, voice: np.ndarray) -> None:
    evidence = encoder.encode(voice, RATE)
    seconds = [keyframe.seconds for keyframe in evidence.track.keyframes]
    assert evidence.modality == "voice"
    assert len(seconds) > 4
    assert all((4 * second).is_integer() for second in seconds)
    assert 0 <= seconds[0] < seconds[-1] <= len(voice) / RATE


def test_affect_is_said_to_be_derived(encoder: SpeechEncoder, voice: np.ndarray) -> None:
    evidence = encoder.encode(voice, RATE)
    emotion = evidence.track.keyframes[0].emotion
    assert not evidence.affect_learned
    assert emotion.affect == FACE8.affect_of(emotion.weights)


def test_confidence_is_the_mean_of_what_the_windows_show_most(
    encoder: SpeechEncoder, voice: np.ndarray
) -> None:
    evidence = encoder.encode(voice, RATE)
    most = [max(keyframe.emotion.weights) for keyframe in evidence.track.keyframes]
    assert evidence.confidence == pytest.approx(sum(most) / len(most))


@pytest.mark.parametrize("gain", [0.02, 5.0], ids=["quiet", "loud"])
def test_the_level_does_not_matter(encoder: SpeechEncoder, voice: np.ndarray, gain: float) -> None:
    usual, changed = encoder.listen(voice, RATE), encoder.listen(gain * voice, RATE)
    assert list(changed.heard.values()) == pytest.approx(list(usual.heard.values()), abs=0.05)


def test_a_constant_offset_does_not_matter(encoder: SpeechEncoder, voice: np.ndarray) -> None:
    usual, changed = encoder.listen(voice, RATE), encoder.listen(voice + 0.5, RATE)
    assert list(changed.heard.values()) == pytest.approx(list(usual.heard.values()), abs=0.02)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 192_000])
def test_the_sample_rate_does_not_matter(encoder: SpeechEncoder, voice: np.ndarray, rate: int) -> None:
    usual = encoder.listen(voice, RATE)
    changed = encoder.listen(resampled(torch.from_numpy(voice), RATE, rate), rate)
    assert list(changed.heard.values()) == pytest.approx(list(usual.heard.values()), abs=0.12)


def test_arrays_and_tensors_of_any_precision_are_heard_alike(
    encoder: SpeechEncoder, voice: np.ndarray
) -> None:
    assert encoder.listen(torch.from_numpy(voice), RATE) == encoder.listen(voice, RATE)
    assert encoder.listen(voice.astype(np.float64), RATE) == encoder.listen(voice, RATE)


def test_the_waveform_is_left_as_it_was(encoder: SpeechEncoder, voice: np.ndarray) -> None:
    given = voice + 0.1
    before = given.copy()
    encoder.encode(given, RATE)
    assert np.array_equal(given, before)


@pytest.mark.parametrize(
    "waveform",
    [
        np.zeros(0, np.float32),
        np.zeros(1, np.float32),
        np.ones(1, np.float32),
        np.zeros(5 * RATE, np.float32),
        np.full(RATE, 0.7, np.float32),
        1e-7 * noise(RATE),
        noise(3 * RATE),
        np.eye(1, 2 * RATE, RATE, dtype=np.float32)[0],
    ],
    ids=["empty", "one zero", "one sample", "silence", "constant", "faint", "noise", "click"],
)
def test_where_there_is_no_voice_nothing_is_heard(encoder: SpeechEncoder, waveform: np.ndarray) -> None:
    hearing, evidence = encoder.listen(waveform, RATE), encoder.encode(waveform, RATE)
    assert (hearing.confidence, evidence.confidence) == (0, 0)
    assert not hearing.is_voice
    assert hearing.face8.top == evidence.track.at(0).top == "neutral"


def test_pauses_have_no_keys(encoder: SpeechEncoder, voice: np.ndarray) -> None:
    silence = np.zeros(10 * RATE, np.float32)
    evidence = encoder.encode(np.concatenate([voice, silence, voice]), RATE)
    pause = (len(voice) / RATE + 2, len(voice) / RATE + 8)
    assert not [k.seconds for k in evidence.track.keyframes if pause[0] < k.seconds < pause[1]]


def test_a_clipped_voice_is_still_heard(encoder: SpeechEncoder, voice: np.ndarray) -> None:
    assert encoder.listen(np.clip(50 * voice, -1, 1), RATE).is_voice


def test_a_long_recording_is_heard_to_its_end(encoder: SpeechEncoder, voice: np.ndarray) -> None:
    waveform = np.resize(voice, 100 * RATE)
    seconds = [keyframe.seconds for keyframe in encoder.encode(waveform, RATE).track.keyframes]
    assert max(b - a for a, b in pairwise(seconds)) < 3
    assert seconds[-1] > 97


def test_what_is_heard_at_a_moment_does_not_depend_on_what_comes_minutes_later(
    encoder: SpeechEncoder, voice: np.ndarray
) -> None:
    early = np.resize(voice, 60 * RATE)
    late = np.concatenate([early, noise(60 * RATE)])
    alone, followed = encoder.encode(early, RATE).track, encoder.encode(late, RATE).track
    for second in (1.0, 10.0, 25.0):
        assert followed.at(second).weights == pytest.approx(alone.at(second).weights, abs=0.1)


def test_ten_seconds_take_far_less_than_one(encoder: SpeechEncoder, voice: np.ndarray) -> None:
    waveform = np.resize(voice, 10 * RATE)
    encoder.encode(waveform, RATE)
    began = time.perf_counter()
    encoder.encode(waveform, RATE)
    assert time.perf_counter() - began < 1.0


@pytest.mark.parametrize(
    ("waveform", "rate", "says"),
    [
        (np.zeros((2, RATE), np.float32), RATE, "mix it down to mono"),
        (np.zeros(RATE, np.int16), RATE, "between -1 and 1"),
        (np.full(RATE, math.nan, np.float32), RATE, "no numbers"),
        (np.full(RATE, math.inf, np.float32), RATE, "no numbers"),
        (np.zeros(RATE, np.float32), 0, "0 samples a second"),
        (np.zeros(RATE, np.float32), 3_999, "3,999 samples a second"),
        (np.zeros(RATE, np.float32), 1_000_000, "1,000,000 samples a second"),
    ],
    ids=["stereo", "integers", "nan", "infinite", "no rate", "low rate", "high rate"],
)
def test_what_is_no_sound_is_refused_with_a_sentence(
    encoder: SpeechEncoder, waveform: np.ndarray, rate: int, says: str
) -> None:
    for ask in (encoder.listen, encoder.encode, encoder.prosody):
        with pytest.raises(SoundError, match=says):
            ask(waveform, rate)


def test_more_than_four_hours_are_refused_before_anything_is_computed(encoder: SpeechEncoder) -> None:
    endless = torch.zeros(1).expand(4_000 * 3600 * 5)
    with pytest.raises(SoundError, match=r"5\.0 hours"):
        encoder.encode(endless, 4_000)
