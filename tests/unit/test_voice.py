"""What is heard in a voice, on sounds that are made here."""

from dataclasses import replace

import numpy as np
import pytest
import soxr
from scipy.signal import lfilter

from gen.bundled import SAMPLES
from gen.media import read_sound
from pipelines.portrait.voice import Voice, VoiceError, listen, listen_without_network

RATE = 16_000
LINE = SAMPLES / "line.flac"


def vowel(formants: tuple[float, ...], seconds: float, rate: int = RATE, pitch: float = 120.0) -> np.ndarray:
    """A pulse train through resonances: a vowel as in Klatt 1980, at a speaking level."""
    pulses = np.zeros(round(seconds * rate))
    pulses[:: round(rate / pitch)] = 1.0
    sound = np.asarray(lfilter([1.0], [1.0, -0.97], pulses))
    for formant in formants:
        radius, angle = np.exp(-np.pi * 90 / rate), 2 * np.pi * formant / rate
        sound = np.asarray(lfilter([1.0], [1.0, -2 * radius * np.cos(angle), radius**2], sound))
    fade = np.clip(np.minimum(np.arange(len(sound)), np.arange(len(sound))[::-1]) / (0.03 * rate), 0, 1)
    return 0.3 * sound / np.abs(sound).max() * fade


def silence(seconds: float) -> np.ndarray:
    return 1e-4 * np.random.default_rng(0).standard_normal(round(seconds * RATE))


A, U, I_ = (750.0, 1200.0, 2600.0), (320.0, 700.0, 2300.0), (280.0, 2250.0, 2900.0)
SAY = np.concatenate([silence(0.8), vowel(A, 0.4), vowel(U, 0.4), vowel(I_, 0.4), silence(0.8)])
FRAMES = 70


def heard(sound: np.ndarray = SAY, rate: int = RATE, fps: float = 25.0) -> Voice:
    return listen(sound, rate, frames=round(len(sound) / rate * fps), fps=fps)


def during(curve: np.ndarray, start: float, end: float, fps: float = 25.0) -> float:
    return float(curve[round(start * fps) : round(end * fps)].mean())


def test_there_is_one_value_per_frame() -> None:
    assert heard().frames == FRAMES
    assert listen(SAY, RATE, frames=7, fps=25).frames == 7


def test_an_open_vowel_opens_the_mouth_more_than_a_rounded_one() -> None:
    voice = heard()
    assert during(voice.opening, 0.9, 1.1) > 0.5
    assert during(voice.opening, 0.9, 1.1) > during(voice.opening, 1.3, 1.5) + 0.2


def test_a_rounded_vowel_rounds_the_lips() -> None:
    """The "noon" of a bundled line lies between 1.3 and 1.45 s."""
    sound, rate = read_sound(SAMPLES / "noon.flac")
    rounding = listen(sound, rate, frames=103, fps=25).rounding
    assert during(rounding, 1.3, 1.45) > rounding[rounding > 0].mean() + 0.2


def test_a_front_vowel_spreads_the_lips() -> None:
    voice = heard()
    assert (
        during(voice.spread, 1.7, 1.9)
        > max(during(voice.spread, 0.9, 1.1), during(voice.spread, 1.3, 1.5)) + 0.2
    )


def test_hiss_is_frication_and_not_voice() -> None:
    hiss = 0.05 * np.diff(np.random.default_rng(1).standard_normal(round(0.3 * RATE)))
    voice = heard(np.concatenate([silence(0.5), vowel(A, 0.4), hiss, vowel(A, 0.4), silence(0.5)]))
    assert during(voice.frication, 0.95, 1.1) > during(voice.frication, 0.6, 0.8) + 0.3
    assert during(voice.voiced, 0.95, 1.1) < 0.3 < 0.7 < during(voice.voiced, 0.6, 0.8)


def test_lips_part_before_a_phrase_and_rest_after_it() -> None:
    voice = heard()
    assert during(voice.opening, 0.0, 0.3) < 0.03
    assert 0.1 < during(voice.opening, 0.55, 0.7) < 0.4
    assert during(voice.opening, 2.2, 2.8) < 0.03


def test_a_short_silence_within_a_word_closes_the_lips() -> None:
    voice = heard(np.concatenate([silence(0.5), vowel(A, 0.3), silence(0.1), vowel(A, 0.3), silence(0.5)]))
    assert voice.opening[21] < 0.15
    assert voice.speaking[21] > 0.9


def test_phrases_end_where_a_pause_begins() -> None:
    (end,) = heard().phrase_ends
    assert end == pytest.approx(2.0, abs=0.1)


def test_every_phrase_has_a_stressed_syllable() -> None:
    assert heard().stress.max() > 0.4


@pytest.mark.parametrize("level", [0.0, 1e-5, 1e-4, 0.02, 0.3])
def test_silence_and_steady_noise_leave_the_mouth_alone(level: float) -> None:
    voice = heard(level * np.random.default_rng(2).standard_normal(3 * RATE))
    assert not voice.opening.any()
    assert not voice.speaking.any()
    assert voice.phrase_ends == ()


@pytest.mark.parametrize("gain", [0.02, 3.0])
def test_the_level_of_the_recording_does_not_matter(gain: float) -> None:
    np.testing.assert_allclose(heard(SAY * gain).opening, heard().opening, atol=0.02)


@pytest.mark.parametrize(("rate", "most"), [(8_000, 0.07), (11_025, 0.07), (44_100, 0.02), (48_000, 0.02)])
def test_the_rate_of_the_recording_hardly_matters(rate: int, most: float) -> None:
    sound, own = read_sound(LINE)
    reference = listen(sound, own, frames=96, fps=25)
    other = listen(soxr.resample(sound, own, rate), rate, frames=96, fps=25)
    for name in ("opening", "rounding", "spread", "loudness"):
        assert np.abs(getattr(other, name) - getattr(reference, name)).mean() < most, name


def test_without_the_network_a_telephone_moves_the_same_lips_as_a_studio() -> None:
    sound, own = read_sound(LINE)
    reference = listen_without_network(sound, own, frames=96, fps=25)
    other = listen_without_network(soxr.resample(sound, own, 8_000), 8_000, frames=96, fps=25)
    for name in ("opening", "rounding", "spread", "loudness"):
        assert np.abs(getattr(other, name) - getattr(reference, name)).mean() < 0.02, name


def test_lips_meet_at_the_m_of_a_spoken_line() -> None:
    sound, rate = read_sound(LINE)  # "I just got the letter you sent me, ..."
    voice = listen(sound, rate, frames=96, fps=25)
    assert voice.seal[46:54].max() > 0.9
    assert voice.opening[46:54].min() < 0.02
    assert np.median(voice.seal) < 0.05  # and not everywhere


def test_the_signal_alone_hears_an_open_vowel_too() -> None:
    voice = listen_without_network(SAY, RATE, frames=FRAMES, fps=25.0)
    assert during(voice.opening, 0.9, 1.1) > 0.6
    assert during(voice.jaw, 0.9, 1.1) > 0.6
    assert not voice.tuck.any()


def test_twice_the_frames_pass_through_the_same_values() -> None:
    sound, rate = read_sound(LINE)
    slow, fast = (listen(sound, rate, frames=n, fps=fps) for n, fps in ((90, 25.0), (180, 50.0)))
    np.testing.assert_allclose(fast.opening[::2], slow.opening, atol=1e-12)


def test_sound_that_ends_early_is_followed_by_silence() -> None:
    voice = listen(vowel(A, 0.5), RATE, frames=50, fps=25)
    assert not voice.opening[20:].any()


def test_mouth_openings_of_a_spoken_line_differ() -> None:
    sound, rate = read_sound(LINE)
    opening = listen(sound, rate, frames=96, fps=25).opening
    assert opening.max() > 0.8
    assert (opening[20:80] < 0.2).sum() >= 5  # it also closes


@pytest.mark.parametrize(
    ("sound", "rate", "sentence"),
    [
        (np.zeros(0), 16_000, "0 samples; at 16000 Hz at least 320 are needed"),
        (np.zeros((2, 16_000)), 16_000, "one channel is needed: mix it down"),
        (np.full(16_000, np.nan), 16_000, "no numbers"),
        (np.full(16_000, np.inf), 16_000, "no numbers"),
        (np.zeros(16_000), 10, "10 samples a second; 4,000 to 768,000 are allowed"),
    ],
)
def test_unusable_sound_is_refused_with_a_sentence(sound: np.ndarray, rate: int, sentence: str) -> None:
    with pytest.raises(VoiceError, match=sentence):
        listen(sound, rate, frames=10, fps=25)


def test_a_voice_checks_itself() -> None:
    voice = heard()
    with pytest.raises(ValueError, match="between 0 and 1"):
        replace(voice, stress=voice.stress + 2)
    with pytest.raises(ValueError, match="one length"):
        replace(voice, opening=np.zeros(4))
