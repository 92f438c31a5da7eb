"""The recognisers' own recipe at tiny size, and what both see in a public-domain smile."""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

import emotion_encoders
from emotion_encoders.alignment import face_crop
from emotion_encoders.emotion import FACE8
from emotion_encoders.face import FaceNetwork, FaceRecogniser
from emotion_encoders.judge import Judge, JudgeNetwork
from gen.recipes import ferplus
from gen.recipes.augment import augmented
from gen.recipes.ferplus import DataError
from gen.recipes.fitting import (
    Examples,
    Schedule,
    State,
    begin,
    fit,
    load_checkpoint,
    picked_at,
    sampling_weights,
    save_checkpoint,
    write_tensors,
)
from gen.recipes.judge import RECIPE
from gen.recipes.measuring import expected_calibration_error, fit_temperature, measure
from gen.recipes.recogniser import run

HERE = Path(emotion_encoders.__path__[0])
SCHEDULE = Schedule(steps=6, horizon=12, cool_down=2, seed=3, batch=8, warm_up=2)
Make = Callable[[], nn.Module]


def small_face() -> nn.Module:
    return FaceNetwork(stem=8, widths=(8, 16), blocks=1)


def small_judge() -> nn.Module:
    return JudgeNetwork(widths=(8, 16), depths=(1, 1))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def examples() -> Examples:
    """Two kinds of picture that any recogniser can tell apart: bright above, bright below."""
    random = np.random.default_rng(0)
    images = random.integers(0, 60, (48, 48, 48)).astype(np.uint8)
    images[::2, :24] += 180
    images[1::2, 24:] += 180
    targets = np.zeros((48, 8), np.float32)
    targets[::2, 1], targets[1::2, 2] = 1, 1
    return Examples(images, targets, mean=0.4, std=0.3)


def trained(make: Make, examples: Examples, schedule: Schedule) -> State:
    state = begin(make, schedule)
    list(fit(state, examples, schedule, deadline=time.monotonic() + 60))
    return state


def write_ferplus(folder: Path, *, n: int) -> None:
    """A data folder of random pictures, every fifth for validation, with unanimous votes."""
    random = np.random.default_rng(0)
    coded = []
    for coarse in random.integers(0, 256, (n, 8, 8)).astype(np.uint8):
        buffer = BytesIO()
        Image.fromarray(coarse).resize((48, 48)).save(buffer, "webp", lossless=True)
        coded.append(buffer.getvalue())
    path = folder / ferplus.FILE
    path.parent.mkdir()
    np.savez(
        path,
        webp=np.frombuffer(b"".join(coded), np.uint8),
        offsets=np.cumsum([0, *map(len, coded)]),
        votes=10 * np.eye(10, dtype=np.uint8)[random.integers(0, 8, n)],
        split=(np.arange(n) % 5 == 0).astype(np.uint8),
        vote_names=np.array(ferplus.VOTES),
    )


@pytest.fixture(scope="module")
def smile() -> np.ndarray:
    """The crop of NASA's astronaut portrait, which scikit-image carries."""
    from pipelines.portrait.tracker import FaceTracker

    photo = skimage.data.astronaut()
    with FaceTracker() as tracker:
        [mesh] = tracker.find(photo)
    return face_crop(photo, mesh)


@pytest.mark.parametrize(("kind", "file"), [(FaceRecogniser, "face"), (Judge, "judge")])
def test_both_see_happiness_in_the_astronauts_smile(
    kind: type[FaceRecogniser] | type[Judge], file: str, smile: np.ndarray
) -> None:
    evidence = kind.load(HERE / f"{file}.safetensors").encode(smile[None], [0.0])
    emotion = evidence.track.at(0)
    assert emotion.top == "happiness"
    assert emotion.probability("happiness") > 0.8
    assert emotion.affect.valence > 0


@pytest.mark.parametrize("make", [small_face, small_judge])
def test_a_short_schedule_learns_to_tell_two_pictures_apart(make: Make, examples: Examples) -> None:
    schedule = replace(SCHEDULE, steps=60, horizon=80, cool_down=20, average=0.9)
    state = begin(make, schedule)
    losses = list(fit(state, examples, schedule, deadline=time.monotonic() + 60))
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:5])
    with torch.inference_mode():
        seen = state.averaged((torch.from_numpy(examples.images)[:, None] / 255 - 0.4) / 0.3).argmax(dim=1)
    assert float((seen.numpy() == examples.targets.argmax(axis=1)).mean()) > 0.9


@pytest.mark.parametrize("make", [small_face, small_judge])
def test_the_same_seed_learns_the_same_weights(make: Make, examples: Examples) -> None:
    first, second = (trained(make, examples, SCHEDULE).averaged.state_dict() for _ in range(2))
    other = trained(make, examples, replace(SCHEDULE, seed=4)).averaged.state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


def test_stopping_and_resuming_changes_nothing(examples: Examples, tmp_path: Path) -> None:
    whole = trained(small_face, examples, SCHEDULE)

    stopped = begin(small_face, SCHEDULE)
    steps = fit(stopped, examples, SCHEDULE, deadline=time.monotonic() + 60)
    for _ in range(3):
        next(steps)
    save_checkpoint(tmp_path / "checkpoint.safetensors", stopped, SCHEDULE)

    resumed = begin(small_face, SCHEDULE)
    load_checkpoint(tmp_path / "checkpoint.safetensors", resumed, SCHEDULE)
    assert resumed.step == 3
    list(fit(resumed, examples, SCHEDULE, deadline=time.monotonic() + 60))
    for part, again in ((whole.network, resumed.network), (whole.averaged, resumed.averaged)):
        other = again.state_dict()
        assert all(torch.equal(value, other[key]) for key, value in part.state_dict().items())


def test_a_checkpoint_of_another_schedule_is_refused(examples: Examples, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, trained(small_judge, examples, SCHEDULE), SCHEDULE)
    other = replace(SCHEDULE, seed=9)
    with pytest.raises(DataError, match="resume with the same options"):
        load_checkpoint(path, begin(small_judge, other), other)


def test_equal_weights_are_written_as_equal_files(tmp_path: Path) -> None:
    tensors = small_judge().state_dict()
    metadata = {f"fact {n}": str(n) for n in range(20)}
    for n in range(4):
        write_tensors(tmp_path / f"{n}.safetensors", tensors, metadata)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    read = load_file(tmp_path / "0.safetensors")
    assert all(torch.equal(read[key], value) for key, value in tensors.items())
    with safe_open(tmp_path / "0.safetensors", framework="pt") as file:
        assert file.metadata() == metadata


def test_time_that_is_up_stops_the_training(examples: Examples) -> None:
    state = begin(small_judge, SCHEDULE)
    assert list(fit(state, examples, SCHEDULE, deadline=time.monotonic() - 1)) == []
    assert state.step == 0


def test_the_rate_warms_up_falls_and_ends_near_zero() -> None:
    schedule = Schedule(steps=1000, horizon=2000, cool_down=400, seed=0, warm_up=100, rate=0.1)
    rates = [schedule.rate_at(step) for step in range(1000)]
    assert max(rates) == pytest.approx(0.1, rel=0.02)
    assert int(np.argmax(rates)) in range(99, 102)
    assert rates[599] > 0.08
    assert rates[999] < 0.001
    assert all(later < earlier for earlier, later in pairwise(rates[101:]))


def test_rare_emotions_are_drawn_more_often_than_they_occur() -> None:
    targets = np.zeros((1000, 8), np.float32)
    targets[:950, 0], targets[950:, 4] = 1, 1
    schedule = Schedule(steps=100, horizon=100, cool_down=10, seed=0, batch=100)
    picked = np.concatenate([picked_at(s, sampling_weights(targets, 0.3), schedule) for s in range(10)])
    assert 0.08 < float((picked >= 950).mean()) < 0.2
    plain = np.concatenate([picked_at(s, sampling_weights(targets, 0.0), schedule) for s in range(10)])
    assert sorted(plain.tolist()) == list(range(1000))


def test_augmenting_keeps_kind_and_seed_but_not_pixels(examples: Examples) -> None:
    first, again = (augmented(examples.images, np.random.default_rng(5)) for _ in range(2))
    assert (first.shape, first.dtype) == (examples.images.shape, np.uint8)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, augmented(examples.images, np.random.default_rng(6)))


def test_a_recipe_writes_weights_that_load_and_a_card(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_ferplus(tmp_path, n=300)
    out, card = tmp_path / "judge.safetensors", tmp_path / "judge.md"
    recipe = replace(RECIPE, schedule=replace(RECIPE.schedule, batch=16))
    arguments = ["--data", str(tmp_path), "--steps", "2", "--out", str(out), "--card", str(card)]
    assert run(recipe, [*arguments, "--checkpoint", str(tmp_path / "checkpoint.safetensors")]) == 0

    judge = Judge.load(out)
    assert (judge.facts.steps, judge.facts.seed, judge.n) == (2, RECIPE.schedule.seed, 60)
    text = card.read_text("utf-8")
    assert hashlib.sha256(out.read_bytes()).hexdigest() in text
    assert "research only" in text
    printed = capsys.readouterr().out
    assert all(f"| {label} |" in printed for label in FACE8.labels)


def test_a_recipe_without_enough_data_ends_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(RECIPE, ["--data", str(tmp_path)]) == 2
    assert "give the folder that holds it" in capsys.readouterr().err
    write_ferplus(tmp_path, n=20)
    assert run(RECIPE, ["--data", str(tmp_path)]) == 2
    assert "are too few" in capsys.readouterr().err


def test_the_fitted_temperature_undoes_a_scale() -> None:
    random = np.random.default_rng(0)
    logits = torch.from_numpy(random.normal(0, 2, (4000, 8)))
    truth = np.array([random.choice(8, p=row) for row in logits.softmax(dim=1).numpy()])
    assert fit_temperature(logits * 3, truth) == pytest.approx(3, rel=0.1)


def test_calibration_error_is_the_gap_between_saying_and_being_right() -> None:
    confidence = np.array([0.9] * 10 + [0.5] * 10)
    right = np.array([True] * 9 + [False] + [True] * 5 + [False] * 5)
    assert expected_calibration_error(confidence, right) == pytest.approx(0, abs=1e-9)
    assert expected_calibration_error(confidence, np.zeros(20, bool)) == pytest.approx(0.7)


def test_a_measurement_counts_every_class() -> None:
    probabilities = np.eye(8)[[0, 0, 1, 2]]
    result = measure(probabilities, np.array([0, 1, 1, 2]), FACE8.labels)
    assert result.accuracy == 0.75
    assert result.interval[0] < 0.75 < result.interval[1]
    assert result.recalls["happiness"] == (0.5, 2)
    assert "| fear | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | none seen | 0 |" in result.table()
