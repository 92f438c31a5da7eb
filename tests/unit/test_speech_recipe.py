"""The speech recipe keeps speakers apart, adds what noise it says, and measures what it says."""

from pathlib import Path

import numpy as np
import pytest

from emotion_encoders.speech_network import HEARD
from gen.recipes.speech_data import FOLDS, LABELS, Clip, DataError, allowed, read
from gen.recipes.speech_measure import among, calibration, softmax, temperature_of, unweighted
from gen.recipes.speech_sounds import MEASURED, TAUGHT

RATE = 16_000
URDU = ("Angry", "Happy", "Neutral", "Sad")
NEMO = ("anger", "fear", "happiness", "neutral", "sadness", "surprised")


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    """Files with the names of the corpora, without sound."""
    names = [f"ravdess_speech_16k/03-01-{e:02}-01-01-01-{a:02}" for e in range(1, 9) for a in range(1, 21)]
    names += [f"nemo_pl_16k/{s}0_{e}_{n}" for s in "ABCDEFGHI" for e in NEMO for n in (1, 2)]
    names += [f"urdu_ser_16k/{e}/SM{s}_F1_A{e}" for e in URDU for s in range(12)]
    for name in names:
        path = tmp_path / f"{name}.opus"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def clip(label: str, speaker: str, fold: int = 0) -> Clip:
    return Clip(Path("x"), "ravdess", speaker, label, fold)


def speech() -> np.ndarray:
    return 0.1 * np.random.default_rng(1).standard_normal(RATE).astype(np.float32)


def test_no_speaker_is_in_two_folds(corpora: Path) -> None:
    folds: dict[tuple[str, str], set[int]] = {}
    for found in read(corpora):
        folds.setdefault((found.corpus, found.speaker), set()).add(found.fold)
    assert {speaker for speaker, several in folds.items() if len(several) > 1} == set()


def test_each_ravdess_fold_has_four_actors_and_each_nemo_fold_one_speaker(corpora: Path) -> None:
    clips = read(corpora)
    for fold in range(FOLDS):
        actors = {c.speaker for c in clips if c.corpus == "ravdess" and c.fold == fold}
        assert actors == ({f"actor {4 * fold + k}" for k in range(1, 5)} if fold < 5 else set())
        assert len({c.speaker for c in clips if c.corpus == "nemo" and c.fold == fold}) == 1


def test_labels_are_read_from_the_names(corpora: Path) -> None:
    labels = {c.path.stem: c.label for c in read(corpora)}
    assert labels["03-01-02-01-01-01-07"] == "calm"
    assert labels["A0_surprised_1"] == "surprise"
    assert labels["SM3_F1_AHappy"] == "happiness"


def test_a_missing_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no clips in .*ravdess_speech_16k"):
        read(tmp_path)


def test_a_corpus_without_one_of_its_labels_is_refused(corpora: Path) -> None:
    for path in (corpora / "urdu_ser_16k" / "Sad").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="urdu has no clip of sadness"):
        read(corpora)


def test_every_corpus_keeps_to_its_labels() -> None:
    assert [row.sum() for row in allowed().numpy()] == [len(labels) for labels in LABELS.values()]
    best = among(np.eye(8)[[HEARD.index("disgust")]] + np.eye(8)[[HEARD.index("fear")]] / 2, "nemo").argmax()
    assert HEARD[int(best)] == "fear"


@pytest.mark.parametrize("name", [*TAUGHT, *MEASURED])
def test_a_guise_is_finite_sound_and_the_same_each_time(name: str) -> None:
    change = {**TAUGHT, **MEASURED}[name]
    once, again = (change(speech(), np.random.default_rng(3), [speech()]) for _ in range(2))
    assert once.dtype == np.float32
    assert np.isfinite(once).all()
    assert np.array_equal(once, again)


@pytest.mark.parametrize("name", ["white noise, 10 dB", "babble, 10 dB"])
def test_noise_is_ten_decibels_below(name: str) -> None:
    voice = speech()
    noise = MEASURED[name](voice, np.random.default_rng(0), [speech()]) - voice
    assert 10 * np.log10(np.mean(voice**2) / np.mean(noise**2)) == pytest.approx(10, abs=0.2)


def test_8_khz_holds_nothing_above_4_khz() -> None:
    power = np.abs(np.fft.rfft(MEASURED["8 kHz"](speech(), np.random.default_rng(0), []))) ** 2
    assert power[4_100:].sum() < 1e-3 * power.sum()


def test_unweighted_accuracy_is_the_mean_of_recalls() -> None:
    clips = [clip("anger", "a"), clip("anger", "b"), clip("anger", "a"), clip("fear", "b")]
    score = unweighted(["anger", "anger", "fear", "fear"], clips)
    assert score.value == pytest.approx((2 / 3 + 1) / 2)
    assert score.low <= score.value <= score.high
    assert (score.n, score.speakers) == (4, 2)


def test_the_temperature_that_made_the_logits_is_found() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (4000, 8))
    truth = np.array([random.choice(8, p=row) for row in softmax(logits)])
    assert temperature_of([(1.7 * logits, truth)]) == pytest.approx(1.7, rel=0.05)


def test_calibrated_logits_have_a_small_calibration_error() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (3000, 8))
    labels = [HEARD[random.choice(8, p=row)] for row in softmax(logits)]
    clips = [clip(label, f"s{i % 9}", i % 9) for i, label in enumerate(labels)]
    assert calibration(3 * logits, clips, "ravdess", FOLDS) < 0.03
