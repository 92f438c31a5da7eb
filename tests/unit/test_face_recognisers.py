"""Both recognisers of faces: crops in, distributions and Evidence out, weights not their own refused."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from emotion_encoders import face, judge
from emotion_encoders.emotion import FACE8, EmotionError
from emotion_encoders.face import FaceNetwork, FaceRecogniser
from emotion_encoders.judge import Judge, JudgeNetwork
from emotion_encoders.recogniser import Facts
from emotion_encoders.weights_file import WeightsError

FACTS = Facts(
    name="tiny",
    architecture="",
    labels=FACE8.labels,
    input_size=48,
    mean=0.5,
    std=0.25,
    temperature=0.8,
    accuracy=0.1,
    n=10,
    ece=0.2,
    seed=0,
    steps=0,
    licence="none",
)


@dataclass(frozen=True)
class Kind:
    """One of the two recognisers, and what is expected of its bundled weights."""

    load: Callable[[Path], FaceRecogniser | Judge]
    network: Callable[[], torch.nn.Module]
    architecture: str
    bundled: Path
    name: str
    accuracy: float


FOLDER = Path(face.__file__).parent
FACE = Kind(
    FaceRecogniser.load, FaceNetwork, face.ARCHITECTURE, FOLDER / "face.safetensors", "face-ferplus", 0.82
)
JUDGE = Kind(
    Judge.load, JudgeNetwork, judge.ARCHITECTURE, FOLDER / "judge.safetensors", "judge-ferplus", 0.78
)


@pytest.fixture(scope="module", params=[FACE, JUDGE], ids=["face", "judge"])
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture(scope="module")
def recogniser(kind: Kind) -> FaceRecogniser | Judge:
    return kind.load(kind.bundled)


@pytest.fixture
def crops() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 48, 48)).astype(np.uint8)


@pytest.fixture
def written(tmp_path: Path, kind: Kind) -> Callable[..., Path]:
    """Writes weights of an untrained network, changed as a test wants."""

    def write(change: Callable[[dict[str, torch.Tensor]], object] = lambda _: None, **metadata: str) -> Path:
        tensors = kind.network().state_dict()
        change(tensors)
        path = tmp_path / "weights.safetensors"
        facts = replace(FACTS, architecture=kind.architecture)
        save_file(tensors, path, {**facts.as_metadata(), **metadata})
        return path

    return write


def test_probabilities_are_a_distribution_over_face8(
    recogniser: FaceRecogniser | Judge, crops: np.ndarray
) -> None:
    probabilities = recogniser.probabilities(crops)
    assert recogniser.labels == FACE8.labels
    assert tuple(probabilities.shape) == (5, 8)
    assert bool((probabilities >= 0).all())
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(5))


def test_a_crop_is_seen_alone_as_in_a_batch(recogniser: FaceRecogniser | Judge, crops: np.ndarray) -> None:
    alone = torch.cat([recogniser.probabilities(crop[None]) for crop in crops])
    torch.testing.assert_close(recogniser.probabilities(crops), alone, atol=1e-5, rtol=0)


def test_arrays_and_tensors_are_seen_alike(recogniser: FaceRecogniser | Judge, crops: np.ndarray) -> None:
    assert torch.equal(recogniser.probabilities(crops), recogniser.probabilities(torch.from_numpy(crops)))


def test_a_crop_and_its_mirror_image_show_the_same(
    recogniser: FaceRecogniser | Judge, crops: np.ndarray
) -> None:
    mirrored = recogniser.probabilities(crops[:, :, ::-1])
    torch.testing.assert_close(recogniser.probabilities(crops), mirrored, atol=1e-5, rtol=0)


def test_no_crops_give_no_rows(recogniser: FaceRecogniser | Judge) -> None:
    assert tuple(recogniser.probabilities(np.zeros((0, 48, 48), np.uint8)).shape) == (0, 8)


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((1, 64, 64), np.uint8), np.zeros((48, 48), np.uint8), np.zeros((1, 48, 48), np.float32)],
)
def test_crops_of_another_kind_are_refused_in_words(
    recogniser: FaceRecogniser | Judge, wrong: np.ndarray
) -> None:
    with pytest.raises(ValueError, match=r"takes grey uint8 \(N, 48, 48\): use .*face_crop"):
        recogniser.probabilities(wrong)


def test_evidence_has_a_keyframe_for_every_crop(
    recogniser: FaceRecogniser | Judge, crops: np.ndarray
) -> None:
    seconds = [0.0, 0.4, 0.8, 1.2, 2.5]  # further apart than any context
    evidence = recogniser.encode(crops, seconds)
    assert [keyframe.seconds for keyframe in evidence.track.keyframes] == seconds
    seen = [keyframe.emotion.weights for keyframe in evidence.track.keyframes]
    np.testing.assert_allclose(seen, recogniser.probabilities(crops).numpy(), atol=1e-6)


def test_evidence_says_who_saw_it_and_how_surely(
    recogniser: FaceRecogniser | Judge, crops: np.ndarray
) -> None:
    evidence = recogniser.encode(crops, range(5))
    surest = recogniser.probabilities(crops).max(dim=1).values.mean()
    assert (evidence.modality, evidence.weights, evidence.affect_learned) == ("face", recogniser.name, False)
    assert evidence.confidence == pytest.approx(float(surest))


def test_times_that_do_not_fit_the_crops_are_refused(
    recogniser: FaceRecogniser | Judge, crops: np.ndarray
) -> None:
    with pytest.raises(ValueError, match="5 crops came with 2 times"):
        recogniser.encode(crops, [0.0, 1.0])
    with pytest.raises(EmotionError, match="Times must increase"):
        recogniser.encode(crops, [0.0, 1.0, 1.0, 2.0, 3.0])


def test_nothing_seen_is_not_an_emotion(recogniser: FaceRecogniser | Judge) -> None:
    with pytest.raises(ValueError, match="check that a face was found"):
        recogniser.encode(np.zeros((0, 48, 48), np.uint8), [])


def test_the_bundled_weights_state_what_was_asked_of_them(
    recogniser: FaceRecogniser | Judge, kind: Kind
) -> None:
    assert recogniser.name == kind.name
    assert recogniser.accuracy >= kind.accuracy
    assert recogniser.n > 3000
    assert recogniser.facts.ece <= 0.05
    assert "research only" in recogniser.facts.licence


def test_the_bundled_weights_are_small(kind: Kind) -> None:
    assert kind.bundled.stat().st_size < 4_000_000


def test_weights_that_are_not_there_are_refused(tmp_path: Path, kind: Kind) -> None:
    with pytest.raises(WeightsError, match="There is no weights file"):
        kind.load(tmp_path / "none.safetensors")


def test_a_torn_file_is_refused(tmp_path: Path, kind: Kind) -> None:
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(kind.bundled.read_bytes()[:5000])
    with pytest.raises(WeightsError, match="not a complete safetensors file"):
        kind.load(torn)


def test_a_safetensors_file_without_facts_is_refused(tmp_path: Path, kind: Kind) -> None:
    bare = tmp_path / "bare.safetensors"
    save_file(load_file(kind.bundled), bare)
    with pytest.raises(WeightsError, match="does not say its name, architecture"):
        kind.load(bare)


def test_weights_of_another_architecture_are_refused(written: Callable[..., Path], kind: Kind) -> None:
    with pytest.raises(WeightsError, match=f"'other'; '{kind.architecture}' is needed"):
        kind.load(written(architecture='"other"'))


def test_weights_with_other_labels_are_refused(written: Callable[..., Path], kind: Kind) -> None:
    with pytest.raises(WeightsError, match="knows happy, sad; neutral, happiness"):
        kind.load(written(labels='["happy", "sad"]'))


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.pop("head.bias"),
        lambda tensors: tensors.update(surplus=torch.zeros(1)),
        lambda tensors: tensors.update({"head.bias": torch.zeros(7)}),
    ],
    ids=["missing", "surplus", "misshapen"],
)
def test_weights_that_are_not_exactly_the_networks_are_refused(
    written: Callable[..., Path], kind: Kind, change: Callable[[dict[str, torch.Tensor]], object]
) -> None:
    with pytest.raises(WeightsError, match="does not fit"):
        kind.load(written(change))


def test_weights_that_are_not_finite_are_refused(written: Callable[..., Path], kind: Kind) -> None:
    with pytest.raises(WeightsError, match="not finite"):
        kind.load(written(lambda tensors: tensors["head.bias"].fill_(float("nan"))))


def test_a_higher_temperature_makes_the_seen_less_sure(
    written: Callable[..., Path], kind: Kind, crops: np.ndarray
) -> None:
    sure = kind.load(written(temperature="0.5")).probabilities(crops)
    unsure = kind.load(written(temperature="2.0")).probabilities(crops)
    assert bool((sure.max(dim=1).values > unsure.max(dim=1).values).all())


def test_the_judge_shares_neither_code_nor_names_with_the_face_recogniser() -> None:
    source = Path(judge.__file__).read_text("utf-8")
    assert "emotion_encoders.face" not in source
    assert load_file(JUDGE.bundled).keys() & load_file(FACE.bundled).keys() <= {"head.weight", "head.bias"}


def test_the_judge_refuses_the_face_recognisers_weights() -> None:
    with pytest.raises(WeightsError, match="'face-se-resnet'; 'judge-vgg' is needed"):
        JUDGE.load(FACE.bundled)


def distributions(*tops: int, sure: float = 0.9) -> torch.Tensor:
    rows = torch.full((len(tops), 8), (1 - sure) / 7)
    rows[torch.arange(len(tops)), torch.tensor(tops)] = sure
    return rows


def test_a_frame_that_contradicts_its_neighbours_is_outvoted() -> None:
    seen = face.in_context(distributions(1, 1, 3, 1, 1), [i / 12 for i in range(5)])
    assert seen.argmax(1).tolist() == [1] * 5
    assert torch.allclose(seen.sum(1), torch.ones(5))


def test_a_lasting_change_stays_where_it_is() -> None:
    seen = face.in_context(distributions(*[1] * 12, *[3] * 12), [i / 12 for i in range(24)])
    assert seen.argmax(1).tolist() == [1] * 12 + [3] * 12


def test_an_unsure_frame_leaves_the_word_to_its_neighbours() -> None:
    rows = distributions(1, 3, 1)
    rows[1] = distributions(3, sure=0.2)[0]
    assert face.in_context(rows, [0.0, 0.1, 0.2])[1, 1] > 0.5


def test_frames_without_neighbours_stay_as_they_are() -> None:
    rows = distributions(1, 3, 5)
    assert torch.allclose(face.in_context(rows, [0.0, 0.3, 0.9]), rows, atol=1e-6)
    assert torch.allclose(face.in_context(rows[:1], [0.0]), rows[:1], atol=1e-6)
