"""A TensorFlow.js network is read and gives what its layers say; a face is aligned however it lay."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from emotion_encoders.identity import SIDE, TEMPLATE, IdentityEncoder, IdentityError, cosine, identity_crop

VALID = base64.b64encode(b"VALID").decode()


def node(name: str, op: str, *inputs: str, stride: int = 1, padding: str = VALID) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "op": op, "input": list(inputs)}
    if "Conv" in op:
        strides = [str(value) for value in (1, stride, stride, 1)]
        row["attr"] = {"strides": {"list": {"i": strides}}, "padding": {"s": padding}}
    return row


def tensors() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    pads = np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32)
    drawn = {
        "shift": np.array([127.5]),
        "kernel": 0.1 * rng.normal(size=(3, 3, 3, 4)),
        "zero": np.array(0.0),
        "slope": rng.random(4),
        "deep": 0.1 * rng.normal(size=(3, 3, 4, 1)),
        "dense": 0.1 * rng.normal(size=(28 * 28 * 4, 6)),
        "scale": rng.random(6),
    }
    as_float = {name: value.astype(np.float32) for name, value in drawn.items()}
    return {**as_float, "pads": pads, "flat": np.array([-1, 28 * 28 * 4], np.int32)}


def nodes(**changed: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    return [
        {"name": "kernel", "op": "Const"},
        node("face", "Placeholder"),
        node("centred", "Sub", "face", "shift"),
        node("padded", "Pad", "centred", "pads"),
        {**node("conv", "Conv2D", "padded", "kernel", stride=2), **changed},
        node("above", "Maximum", "zero", "conv"),
        node("below", "Minimum", "zero", "conv"),
        node("bent", "Mul", "slope", "below"),
        node("prelu", "AddV2", "above", "bent"),
        node("padded2", "Pad", "prelu", "pads"),
        node("depth", "DepthwiseConv2dNative", "padded2", "deep", stride=2),
        node("flattened", "Reshape", "depth", "flat"),
        node("product", "MatMul", "flattened", "dense"),
        node("out", "Mul", "product", "scale"),
    ]


def written(
    folder: Path, listed: list[dict[str, Any]], *, bytes_less: int = 0, dtype: str = "float32"
) -> Path:
    """A model in the format of TensorFlow.js with these nodes."""
    values = tensors()
    kinds = {name: "int32" if value.dtype == np.int32 else dtype for name, value in values.items()}
    rows = [{"name": n, "shape": list(v.shape), "dtype": kinds[n]} for n, v in values.items()]
    data = b"".join(value.tobytes() for value in values.values())
    (folder / "net.bin").write_bytes(data[: len(data) - bytes_less])
    manifest = [{"paths": ["net.bin"], "weights": rows}]
    text = json.dumps({"modelTopology": {"node": listed}, "weightsManifest": manifest})
    (folder / "net.json").write_text(text)
    return folder


def by_hand(crops: np.ndarray) -> np.ndarray:
    t = {name: torch.from_numpy(value) for name, value in tensors().items()}
    x = torch.from_numpy(crops).float().permute(0, 3, 1, 2) - t["shift"]
    x = F.prelu(F.conv2d(x, t["kernel"].permute(3, 2, 0, 1), stride=2, padding=1), t["slope"])
    x = F.conv2d(x, t["deep"].permute(2, 3, 0, 1), stride=2, padding=1, groups=4)
    x = x.permute(0, 2, 3, 1).reshape(len(crops), -1) @ t["dense"] * t["scale"]
    return F.normalize(x).numpy()


@pytest.fixture
def crops() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)


def test_a_network_gives_what_its_layers_say(tmp_path: Path, crops: np.ndarray) -> None:
    encoder = IdentityEncoder.load(written(tmp_path, nodes()))
    assert encoder.name == "net"
    np.testing.assert_allclose(encoder.embed(crops), by_hand(crops), atol=1e-5)


def test_faces_do_not_depend_on_who_else_is_looked_at(tmp_path: Path, crops: np.ndarray) -> None:
    encoder = IdentityEncoder.load(written(tmp_path, nodes()))
    np.testing.assert_allclose(encoder.embed(crops)[1], encoder.embed(crops[1:])[0], atol=1e-6)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"op": "Conv9D"}, "operation 'Conv9D', which is not known"),
        ({"attr": {"padding": {"s": base64.b64encode(b"SAME").decode()}}}, "padding 'SAME'"),
    ],
)
def test_what_cannot_be_run_is_refused(tmp_path: Path, changed: dict[str, Any], told: str) -> None:
    with pytest.raises(IdentityError, match=told):
        IdentityEncoder.load(written(tmp_path, nodes(**changed)))


def test_weights_that_are_cut_off_or_packed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="its weights end before flat: fetch the file again"):
        IdentityEncoder.load(written(tmp_path, nodes(), bytes_less=4))
    with pytest.raises(IdentityError, match="weights of type uint8"):
        IdentityEncoder.load(written(tmp_path, nodes(), dtype="uint8"))


@pytest.mark.parametrize("text", ["", "[]", '{"modelTopology": {}}', "{"])
def test_what_is_no_model_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(IdentityError, match=r"holds 0 \.json files"):
        IdentityEncoder.load(tmp_path)
    (tmp_path / "net.json").write_text(text)
    with pytest.raises(IdentityError, match="graph model"):
        IdentityEncoder.load(tmp_path)


def test_crops_of_another_shape_are_refused(tmp_path: Path, crops: np.ndarray) -> None:
    encoder = IdentityEncoder.load(written(tmp_path, nodes()))
    with pytest.raises(ValueError, match="is needed"):
        encoder.embed(crops[:, :64])


def test_a_face_that_lies_askew_is_set_upright() -> None:
    """Eyes, nose and mouth come to the template's places; pixels follow."""
    turn = 1.8 * np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    at = TEMPLATE @ turn.T + [90, 40]
    landmarks = np.zeros((478, 3))
    for points, place in (
        ((33, 133), at[0]),
        ((362, 263), at[1]),
        ((4,), at[2]),
        ((61,), at[3]),
        ((291,), at[4]),
    ):
        landmarks[list(points), :2] = place
    picture = np.zeros((320, 320, 3), np.uint8)
    for x, y in at:
        picture[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3] = 255
    crop = identity_crop(picture, landmarks)
    assert crop.shape == (SIDE, SIDE, 3)
    for x, y in TEMPLATE:
        assert crop[round(y), round(x)].min() > 200


def test_cosines_are_those_of_angles() -> None:
    assert cosine(np.array([2.0, 0]), np.array([3.0, 0])) == pytest.approx(1)
    assert cosine(np.array([2.0, 0]), np.array([0, 3.0])) == pytest.approx(0)
