"""What the lip network hears, on sounds that are made here or come along."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from scipy.signal import lfilter

from gen.media import read_sound
from pipelines.portrait import lips
from pipelines.portrait.lips import AHEAD, CURVES, MELS, RATE, STEPS, LipNetwork, heard, mel_power
from pipelines.portrait.signal import resampled

LINE = Path(__file__).parents[2] / "gen" / "samples" / "line.flac"
NETWORK = LipNetwork.bundled()


def line() -> np.ndarray:
    """ "I just got the letter you sent me, and I read it twice." """
    sound, rate = read_sound(LINE)
    return resampled(sound, rate, RATE)


def told(sound: np.ndarray, name: str) -> np.ndarray:
    return NETWORK(sound)[:, CURVES.index(name)]


def test_a_spoken_line_opens_and_closes_the_mouth() -> None:
    opening = told(line(), "opening")
    assert len(opening) == len(line()) // lips.HOP + 1
    assert opening.max() > 0.35
    assert opening[:15].max() < 0.03
    assert told(line(), "speaking")[60:300].mean() > 0.9


def test_the_lips_meet_at_the_m_and_nowhere_near_as_surely_elsewhere() -> None:
    seal = told(line(), "seal")
    assert seal.max() > 0.4
    assert 1.75 < seal.argmax() / STEPS < 2.25  # "me"
    assert np.median(seal) < 0.05


@pytest.mark.parametrize("level", [0.0, 1e-4, 0.1])
@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
def test_silence_and_noise_are_no_speech(level: float, slope: float) -> None:
    spectrum = np.fft.rfft(np.random.default_rng(3).standard_normal(3 * RATE))
    noise = np.fft.irfft(spectrum / np.maximum(np.fft.rfftfreq(3 * RATE, 1 / RATE), 40) ** slope)
    heard_as = NETWORK(level * noise / noise.std())
    assert heard_as[:, CURVES.index("speaking")].max() < 0.5
    assert heard_as[:, CURVES.index("opening")].max() < 0.2


def test_a_chord_is_no_speech() -> None:
    seconds = np.arange(3 * RATE) / RATE
    notes = [hertz * k for hertz in (220, 277.2, 329.6) for k in range(1, 9)]
    chord = np.sum([np.sin(2 * np.pi * note * seconds) * 220 / note for note in notes], axis=0)
    assert told(0.05 * chord, "speaking").mean() < 0.2


def test_what_is_told_hangs_on_no_more_of_the_future_than_the_wait() -> None:
    levels = np.random.default_rng(0).random((200, MELS), np.float32)
    changed = levels.copy()
    changed[120:] = 0
    before, after = NETWORK.follow(levels), NETWORK.follow(changed)
    np.testing.assert_allclose(before[:120], after[:120], atol=1e-6)
    assert np.abs(before[120:] - after[120:]).max() > 1e-3
    assert AHEAD / STEPS <= 0.1


def test_what_is_told_hangs_on_the_last_seconds_only() -> None:
    levels = np.random.default_rng(0).random((400, MELS), np.float32)
    whole, end = NETWORK.follow(levels), NETWORK.follow(levels[100:])
    np.testing.assert_allclose(whole[100 + lips.PAST :], end[lips.PAST :], atol=1e-5)


def test_long_sounds_in_pieces_are_the_same_as_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = NETWORK(line())
    monkeypatch.setattr(lips, "BLOCK", 97)
    np.testing.assert_allclose(NETWORK(line()), whole, atol=1e-5)


@pytest.mark.parametrize("gain", [0.01, 4.0])
def test_the_level_of_the_recording_does_not_matter(gain: float) -> None:
    np.testing.assert_allclose(NETWORK(gain * line()), NETWORK(line()), atol=0.06)


def test_noise_hardly_changes_what_is_told() -> None:
    clean = line()
    noise = np.random.default_rng(1).standard_normal(len(clean))
    noisy = clean + 0.1 * np.sqrt(np.mean(clean**2)) * noise  # 20 dB
    pairs = (told(clean, "opening"), told(noisy, "opening"))
    assert np.corrcoef(*pairs)[0, 1] > 0.85


def test_a_pure_tone_excites_the_filters_at_its_place() -> None:
    tones = [np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE) for hertz in (150, 600, 2400, 6000)]
    places = [int(mel_power(tone)[50].argmax()) for tone in tones]
    assert places == sorted(set(places))
    assert places[0] < 8
    assert places[-1] > 65


def test_levels_are_measured_from_the_loud_moments() -> None:
    vowel = np.asarray(lfilter([1.0], [1.0, -1.8, 0.9], np.random.default_rng(0).standard_normal(RATE)))
    levels = heard(mel_power(vowel))
    assert 0.7 < levels.max() <= 1
    np.testing.assert_allclose(heard(mel_power(0.1 * vowel)), levels, atol=1e-3)


def test_another_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"enter.weight": np.zeros((MELS, 4), np.float16)}, path)
    with pytest.raises(ValueError, match=r"'other\.safetensors' holds no lip network of this version"):
        LipNetwork.load(path)
