"""Weights as packed codes: what comes back is near what went in; foreign files are refused in a sentence."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from emotion_encoders.text_model import (
    ARCHITECTURE,
    Facts,
    Shape,
    TextNetwork,
    dequantise,
    load_network,
    packed_state,
    quantise,
    unpacked_state,
)
from emotion_encoders.weights_file import WeightsError

SHAPE = Shape(pieces=20, width=16, inner=32, heads=2, layers=2, positions=12)


def network(seed: int = 0) -> TextNetwork:
    torch.manual_seed(seed)
    return TextNetwork(SHAPE).eval()


def facts(**changes: object) -> Facts:
    values: dict[str, object] = {
        "name": "tiny", "architecture": ARCHITECTURE, "shape": SHAPE,
        "pieces": ("a",) * 20, "slopes": (1.0,) * 28,
        "biases": (0.0,) * 28, "thresholds": (0.5,) * 28, "line_temperature": 1.0, "spoken": (1.0, 0.0),
        "sharpness": 1.0, "trust": (1.0, 0.0, 0.0, 0.0), "polarity": (1.0, 0.0), "gains": (1.0,) * 3,
        "offsets": (0.0,) * 3, "results": {}, "seed": 0, "steps": 0, "licence": "none",
    }  # fmt: skip
    return Facts(**{**values, **changes})  # pyright: ignore[reportArgumentType] - built from names


@pytest.mark.parametrize("bits", [3, 4, 5, 6, 8])
def test_codes_come_back_within_half_a_step_unless_they_are_cut(bits: int) -> None:
    weights = torch.randn(7, 24, generator=torch.Generator().manual_seed(bits))
    codes, scale = quantise(weights, bits)
    assert codes.shape == (7, 24 * bits // 8)
    back = dequantise(codes, scale, bits)
    step = scale.float()
    cut = (weights.abs() - (2 ** (bits - 1) - 1) * step).clamp(min=0)
    assert bool(((back - weights).abs() <= 0.51 * step + cut).all())
    assert torch.equal(dequantise(*quantise(back, bits), bits), back)  # once coarse, no coarser


def test_a_row_of_zeros_stays_zero() -> None:
    assert not dequantise(*quantise(torch.zeros(2, 8), 4), 4).any()


def test_rows_that_are_not_made_of_eights_are_refused() -> None:
    with pytest.raises(ValueError, match="by eights"):
        quantise(torch.zeros(2, 12), 4)


def test_a_packed_network_reads_nearly_the_same(tmp_path: Path) -> None:
    original = network()
    save_file(packed_state(original, bits=8, piece_bits=8), tmp_path / "t.safetensors", facts().as_metadata())
    loaded, found = load_network(tmp_path / "t.safetensors")
    ids = torch.tensor([[2, 5, 6, 3]])
    with torch.inference_mode():
        one, other = original(ids, ids > 0), loaded(ids, ids > 0)
    assert found == facts()
    assert all(torch.allclose(one[name], other[name], atol=0.05) for name in one)


def test_what_is_masked_changes_nothing() -> None:
    reader = network()
    short, long = torch.tensor([[2, 5, 6, 3]]), torch.tensor([[2, 5, 6, 3, 0, 0, 9]])
    seen = torch.tensor([[True] * 4 + [False] * 3])
    with torch.inference_mode():
        one, other = reader(short, short > 0), reader(long, seen)
    assert all(torch.allclose(one[name], other[name], atol=1e-5) for name in one)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "other"}, "'other'"),
        ({"shape": Shape(pieces=21, width=16, inner=32, heads=2, layers=2, positions=12)}, "20 word pieces"),
        ({"shape": Shape(pieces=20, width=16, inner=32, heads=2, layers=3, positions=12)}, "does not fit"),
    ],
)
def test_weights_of_something_else_are_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    path = tmp_path / "t.safetensors"
    save_file(packed_state(network(), bits=8, piece_bits=8), path, facts(**changes).as_metadata())
    with pytest.raises(WeightsError, match=message):
        load_network(path)


def test_weights_that_are_not_finite_or_say_nothing_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    tensors = packed_state(network(), bits=8, piece_bits=8)
    tensors["norm.bias"] = torch.full((16,), torch.nan).half()
    save_file(tensors, path, facts().as_metadata())
    with pytest.raises(WeightsError, match="not finite"):
        load_network(path)
    save_file(tensors, path)
    with pytest.raises(WeightsError, match="does not say its name"):
        load_network(path)


def test_teaching_heads_are_not_packed() -> None:
    teaching = TextNetwork(SHAPE, heads={"polarity": 1, "isear": 7})
    state = unpacked_state(packed_state(teaching, bits=8, piece_bits=8))
    assert {name for name in state if name.startswith("heads.")} == {
        "heads.polarity.weight",
        "heads.polarity.bias",
    }
