"""The recipe of the lip network: lines whose sounds are known, their mouths, a training that resumes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gen.recipes import lips_espeak
from gen.recipes.lips_aligned import SENTENCES, features, laid, warped
from gen.recipes.lips_corpus import ARPABET, SILENCE, Sound, Spoken, by_espeak, say_with_flite, segments
from gen.recipes.lips_fit import (
    paused,
)
from gen.recipes.lips_score import closures, rests
from gen.recipes.lips_targets import curves, effort, signs
from gen.recipes.lips_words import TONGUES, line
from pipelines.portrait.lips import CURVES, MELS, RATE, STEPS

SAID = list("kæt_pimufasiwə")


def sounds(said: list[str] = SAID, seconds: float = 0.12) -> list[Sound]:
    return [Sound(sign, k * seconds, (k + 1) * seconds) for k, sign in enumerate(said)]


def mouth(said: list[str] = SAID, seconds: float = 0.12) -> dict[str, np.ndarray]:
    steps = round(len(said) * seconds * STEPS)
    return dict(zip(CURVES, curves(sounds(said, seconds), np.ones(steps)).T, strict=True))


def in_the_middle_of(said: str, name: str, sign: int, seconds: float = 0.12) -> float:
    return float(mouth(said.split(), seconds)[name][round((sign + 0.5) * seconds * STEPS)])


# What a mouth is taught.


def test_every_curve_is_a_share() -> None:
    for curve in mouth().values():
        assert 0 <= curve.min() <= curve.max() <= 1


@pytest.mark.parametrize("sign", ["p", "b", "m"])
def test_lips_meet_on_p_b_and_m(sign: str) -> None:
    assert in_the_middle_of(f"a {sign} a", "seal", 1) == pytest.approx(1)
    assert in_the_middle_of(f"a {sign} a", "opening", 1) < 0.02
    assert in_the_middle_of(f"a {sign} a", "jaw", 1) > 0.2  # the jaw need not close


def test_lips_open_for_a_more_than_for_i_and_more_than_for_u() -> None:
    a, i, u = (in_the_middle_of(f"t {vowel} t", "opening", 1) for vowel in "aiu")
    assert a > i + 0.2 > u + 0.3


def test_the_lower_lip_touches_the_teeth_on_f() -> None:
    assert in_the_middle_of("a f a", "tuck", 1) == pytest.approx(1)
    assert in_the_middle_of("a s a", "tuck", 1) < 0.01


def test_the_jaw_is_high_for_s_while_the_lips_stay_apart() -> None:
    jaw, opening = (in_the_middle_of("a s a", name, 1) for name in ("jaw", "opening"))
    assert jaw < 0.35 < opening


def test_a_consonant_takes_the_lips_of_its_vowel() -> None:
    rounded, spread = (in_the_middle_of(f"a k {vowel} k", "rounding", 1) for vowel in "ui")
    assert rounded > spread + 0.2


def test_rounding_is_prepared_for_longer_than_it_is_kept() -> None:
    rounding = mouth(list("hhhuhhh"), 0.1)["rounding"]
    assert rounding[20] > rounding[50] + 0.02


def test_short_vowels_do_not_reach_their_targets() -> None:
    slow, fast = (in_the_middle_of("t a t", "opening", 1, seconds) for seconds in (0.25, 0.06))
    assert slow > fast + 0.1


def test_a_loud_syllable_opens_further() -> None:
    loud = curves(sounds(["t", "a", "t"]), np.ones(36))[18]
    soft = curves(sounds(["t", "a", "t"]), np.zeros(36))[18]
    assert loud[CURVES.index("opening")] > 1.3 * soft[CURVES.index("opening")]
    assert loud[CURVES.index("rounding")] == soft[CURVES.index("rounding")]


def test_a_mouth_at_rest_is_shut_and_still() -> None:
    rest = curves([Sound(SILENCE, 0, 1.0), Sound("a", 1.0, 1.2), Sound(SILENCE, 1.2, 2.5)], np.ones(250))
    assert np.abs(rest[:60]).max() < 0.03
    assert np.abs(rest[190:]).max() < 0.03


def test_effort_is_highest_where_it_is_loudest() -> None:
    power = np.ones((100, MELS))
    power[40:60] *= 1000
    assert effort(power)[50] > 0.9
    assert effort(power)[0] < 0.05


@pytest.mark.parametrize(
    ("sign", "parts"),
    [("aɪ", "aɪ"), ("tʃ", "tʃ"), ("iː", "i"), ("ɛ̃", "ɛ"), ("ʲ", "j"), ("?", "h"), ("_", "_")],
)
def test_sounds_are_made_of_simple_parts(sign: str, parts: str) -> None:
    found = signs(Sound(sign, 0.0, 0.1))
    assert "".join(part.sign for part in found) == parts
    assert found[0].start == 0.0
    assert found[-1].end == pytest.approx(0.1)


def test_every_sound_of_flite_has_a_mouth() -> None:
    for sign in ARPABET.values():
        assert [part.sign for part in signs(Sound(sign, 0, 1))] != ["h"] or sign == "h"


# Lines and voices.


@pytest.mark.parametrize("tongue", TONGUES)
def test_lines_are_many_and_come_again_with_their_seed(tongue: str) -> None:
    random = np.random.default_rng(4)
    lines = [line(tongue, random) for _ in range(20)]
    assert len(set(lines)) == 20
    assert lines[0] == line(tongue, np.random.default_rng(4))
    assert all(said.endswith(".") and "-" not in said for said in lines)


def test_flites_list_of_sounds_is_read() -> None:
    told = segments("pau:0.193 b:0.224 aa:0.435 pau:0.6 ")
    assert told == (
        Sound("_", 0, 0.193),
        Sound("b", 0.193, 0.224),
        Sound("ɑ", 0.224, 0.435),
        Sound("_", 0.435, 0.6),
    )


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_flite_says_a_line_and_when() -> None:
    spoken = say_with_flite("Bob made my mop.", "slt")
    assert "".join(sound.sign for sound in spoken.sounds if sound.sign in "bmp") == "bbmmmp"
    assert spoken.sounds[-1].end == pytest.approx(len(spoken.waveform) / RATE, abs=0.05)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_espeak_says_lines_in_many_tongues_and_when() -> None:
    spoken = by_espeak(6, np.random.default_rng(0))
    assert len(spoken) == 6
    assert len({one.voice for one in spoken}) == 6
    for one in spoken:
        edges = [sound.start for sound in one.sounds] + [one.sounds[-1].end]
        assert edges == sorted(edges)
        assert edges[-1] == pytest.approx(len(one.waveform) / RATE, abs=1e-3)
        assert sum(sound.sign in "pbm" for sound in one.sounds)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_a_voice_that_is_not_installed_is_left_out(tmp_path: Path) -> None:
    asked = [{"voice": "no such voice", "text": "a", "words_a_minute": 170, "pitch": 50}]
    (tmp_path / "lines.json").write_text(json.dumps(asked))
    subprocess.run([sys.executable, lips_espeak.__file__, str(tmp_path)], check=True)
    assert not list(tmp_path.glob("*.wav"))


def test_silence_around_a_line_is_one_silence() -> None:
    spoken = Spoken(
        np.zeros(RATE, np.float32), (Sound("_", 0, 0.2), Sound("a", 0.2, 0.9), Sound("_", 0.9, 1)), "x"
    )
    around = paused(spoken, 0.5, 0.3)
    assert [sound.sign for sound in around] == ["_", "a", "_"]
    np.testing.assert_allclose(
        [(sound.start, sound.end) for sound in around], [(0, 0.7), (0.7, 1.4), (1.4, 1.8)]
    )


# Real voices, aligned.


def test_a_stretched_line_is_warped_onto_its_original() -> None:
    original = np.cumsum(np.random.default_rng(0).standard_normal((40, 5)), axis=0)
    cost, way = warped(np.repeat(original, 2, axis=0), original)
    assert cost < 1e-9
    np.testing.assert_allclose(way, 2 * np.arange(40), atol=1)


def test_states_are_laid_where_they_fit() -> None:
    means = np.array([[0.0], [5.0], [-5.0], [0.0]])
    told = np.repeat(means[:, 0], [10, 4, 7, 12])[:, None] + 0.1 * np.random.default_rng(0).standard_normal(
        (33, 1)
    )
    way = laid(told, means, np.full((4, 1), 0.1))
    np.testing.assert_array_equal(np.bincount(way), [10, 4, 7, 12])


def test_features_do_not_hang_on_the_level() -> None:
    sound = np.random.default_rng(0).standard_normal(RATE).astype(np.float32) * np.linspace(
        0, 1, RATE, dtype=np.float32
    )
    np.testing.assert_allclose(features(sound)[0], features(0.1 * sound)[0], atol=0.01)
    assert len(SENTENCES) == 2


# What is measured.


def test_closed_lips_count_within_the_sound_only() -> None:
    gap = np.full(50, 0.1)
    gap[12:14] = 0.0  # 0.48 to 0.52 s
    assert closures(gap, [Sound("m", 0.45, 0.55)]) == [True]
    assert closures(gap, [Sound("m", 0.6, 0.7)]) == [False]
    assert closures(gap, [Sound("a", 0.45, 0.55)]) == []


def test_rest_is_what_lies_apart_from_speech() -> None:
    quiet, loud = rests(np.arange(100.0), [Sound("_", 0, 2), Sound("a", 2, 3), Sound("_", 3, 4)])
    assert quiet.max() < 100
    assert set(quiet).isdisjoint(range(41, 84))
    assert set(loud) == set(range(50, 75))
