"""Weights of the speech network are taken only if they are exactly that."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from emotion_encoders.speech import SpeechEncoder
from emotion_encoders.speech_network import ARCHITECTURE, HEARD, Facts, SpeechNetwork
from emotion_encoders.weights_file import WeightsError

FACTS = Facts(
    name="tiny",
    architecture=ARCHITECTURE,
    labels=HEARD,
    temperature=1.5,
    window_temperature=2.0,
    results={"ravdess": 0.1},
    seed=0,
    steps=0,
    licence="none",
)


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes weights of an untrained network, changed as a test wants."""

    def write(change: Callable[[dict[str, torch.Tensor]], object] = lambda _: None, **metadata: str) -> Path:
        tensors = SpeechNetwork().state_dict()
        change(tensors)
        path = tmp_path / "weights.safetensors"
        save_file(tensors, path, {**FACTS.as_metadata(), **metadata})
        return path

    return write


def test_weights_come_back_with_their_facts(written: Callable[..., Path]) -> None:
    encoder = SpeechEncoder.load(written())
    assert (encoder.name, encoder.facts) == ("tiny", FACTS)


def test_half_precision_is_enough(written: Callable[..., Path]) -> None:
    def halve(tensors: dict[str, torch.Tensor]) -> None:
        tensors.update({k: v.half() for k, v in tensors.items() if v.dtype == torch.float32})

    network = SpeechEncoder.load(written(halve)).network
    assert all(p.dtype == torch.float32 for p in network.parameters())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no weights file at .*nothing\.safetensors"):
        SpeechEncoder.load(tmp_path / "nothing.safetensors")


def test_half_a_file_is_refused(written: Callable[..., Path]) -> None:
    path = written()
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="not a complete safetensors file"):
        SpeechEncoder.load(path)


def test_weights_without_facts_are_refused(tmp_path: Path) -> None:
    save_file(SpeechNetwork().state_dict(), tmp_path / "bare.safetensors")
    with pytest.raises(WeightsError, match="does not say its name"):
        SpeechEncoder.load(tmp_path / "bare.safetensors")


@pytest.mark.parametrize(
    ("metadata", "says"),
    [({"architecture": '"face"'}, "holds weights for 'face'"), ({"labels": '["joy"]'}, "knows joy")],
)
def test_weights_of_something_else_are_refused(
    written: Callable[..., Path], metadata: dict[str, str], says: str
) -> None:
    with pytest.raises(WeightsError, match=says):
        SpeechEncoder.load(written(**metadata))


def test_a_tensor_too_few_is_named(written: Callable[..., Path]) -> None:
    with pytest.raises(WeightsError, match=r"head\.weight"):
        SpeechEncoder.load(written(lambda tensors: tensors.pop("head.weight")))


def test_a_tensor_of_another_shape_is_named(written: Callable[..., Path]) -> None:
    with pytest.raises(WeightsError, match=r"head\.bias"):
        SpeechEncoder.load(written(lambda tensors: tensors.update({"head.bias": torch.zeros(3)})))


def test_weights_that_are_not_finite_are_refused(written: Callable[..., Path]) -> None:
    with pytest.raises(WeightsError, match="not finite"):
        SpeechEncoder.load(written(lambda tensors: tensors["head.bias"].fill_(torch.inf)))
