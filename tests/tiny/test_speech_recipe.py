"""The speech recipe runs from files to weights and card on a corpus made here."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotion_encoders.speech import SpeechEncoder
from gen.recipes.speech import WHOLE, hear, learn, learnt, main, options
from gen.recipes.speech_card import finish
from gen.recipes.speech_data import FOLDS, Clip, read
from gen.recipes.speech_fit import Plan
from gen.recipes.speech_measure import joined

RATE = 16_000
PLAN = Plan(steps=2, batch=16)


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short buzzes with the names of the corpora: one for every speaker and label."""
    data = tmp_path_factory.mktemp("data")
    nemo = ("anger", "fear", "happiness", "neutral", "sadness", "surprised")
    names = [
        f"ravdess_speech_16k/03-01-{e:02}-01-01-01-{a:02}" for e in range(1, 9) for a in (1, 5, 9, 13, 17)
    ]
    names += [f"nemo_pl_16k/{s}0_{e}_1" for s in "ABCDEFGHI" for e in nemo]
    names += [
        f"urdu_ser_16k/{e}/SM{s}_F1" for e in ("Angry", "Happy", "Neutral", "Sad") for s in range(FOLDS)
    ]
    random = np.random.default_rng(0)
    for name in names:
        path = data / f"{name}.opus"
        path.parent.mkdir(parents=True, exist_ok=True)
        phase = 2 * np.pi * random.uniform(100, 300) * np.arange(RATE * 2 // 5) / RATE
        wave = sum(np.sin(k * phase) / k for k in range(1, 6)) * np.hanning(RATE * 2 // 5)
        soundfile.write(path, 0.2 * wave, RATE, format="OGG", subtype="OPUS")
    return data


@pytest.fixture(scope="module")
def clips(corpora: Path) -> list[Clip]:
    return read(corpora)


@pytest.fixture(scope="module")
def work(clips: list[Clip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two folds and the whole have been learned."""
    work = tmp_path_factory.mktemp("work")
    for fold in (0, 1, WHOLE):
        learn(fold, clips, PLAN, work)
    return work


def test_every_fold_is_learned_heard_and_told_of(clips: list[Clip], work: Path, tmp_path: Path) -> None:
    heard = joined([hear(fold, clips, PLAN, work) for fold in (0, 1)])
    assert {clips[i].fold for i in heard.clips} == {0, 1}

    network = learnt(work, WHOLE, PLAN)
    assert network is not None
    told = finish(network, heard, clips, PLAN, out=tmp_path / "s.safetensors", card=tmp_path / "s.md")
    encoder = SpeechEncoder.load(tmp_path / "s.safetensors")
    assert "ravdess unweighted accuracy" in told
    assert encoder.facts.results["nemo unweighted accuracy"] >= 0
    assert encoder.facts.temperature > 0
    assert "nEMO, each of nine speakers" in (tmp_path / "s.md").read_text("utf-8")


def test_a_network_that_is_there_is_not_learned_again(clips: list[Clip], work: Path) -> None:
    before = (work / "fold-0.safetensors").stat().st_mtime_ns
    learn(0, clips, PLAN, work)
    assert (work / "fold-0.safetensors").stat().st_mtime_ns == before


def test_a_network_of_another_plan_does_not_count(work: Path) -> None:
    assert learnt(work, 0, Plan(steps=3)) is None


def test_when_the_time_is_up_the_same_command_goes_on(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--data", str(corpora), "--work", str(tmp_path), "--minutes", "0"]
    assert main(arguments) == 1
    assert "go on with the same command" in capsys.readouterr().err


def test_missing_data_are_a_sentence_and_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path)]) == 2
    assert "There are no clips in" in capsys.readouterr().err


def test_the_command_line_makes_the_plan(tmp_path: Path) -> None:
    asked = options(["--data", str(tmp_path), "--seed", "7", "--steps", "9"])
    assert (asked.plan.seed, asked.plan.steps) == (7, 9)
