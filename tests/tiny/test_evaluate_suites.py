"""The suites beside `portraits`, each on one portrait and a second of sound, with a random embedding."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emotion_encoders.identity import IdentityEncoder
from gen.assemble import portrait_pipeline
from gen.bundled import astronaut, speech_of
from gen.score import witnesses
from gen.suites import identity, lips, long, neutralise, timeline
from gen.suites.cast import Cast, Finding

SECONDS = 1.6


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Cast:
    folder = tmp_path_factory.mktemp("cast")
    Image.fromarray(astronaut()).save(folder / "ada.png")
    Image.fromarray(np.full((200, 200, 3), 140, np.uint8)).save(folder / "wall.png")
    told: list[str] = []
    portraits = (folder / "ada.png", folder / "wall.png")
    asked = witnesses(judge=False)
    return Cast(portrait_pipeline(), portraits, speech_of(SECONDS), ("happiness",), asked, told.append)


@pytest.fixture
def encoder(tmp_path: Path) -> IdentityEncoder:
    """Every 16th pixel through a random matrix, in the format of TensorFlow.js."""
    weight = np.random.default_rng(0).normal(size=(1, 1, 3, 8)).astype(np.float32)
    (tmp_path / "net.bin").write_bytes(weight.tobytes())
    attributes = {
        "padding": {"s": base64.b64encode(b"VALID").decode()},
        "strides": {"list": {"i": ["1", "16", "16", "1"]}},
    }
    nodes = [
        {"name": "face", "op": "Placeholder"},
        {"name": "out", "op": "Conv2D", "input": ["face", "kernel"], "attr": attributes},
    ]
    rows = [{"name": "kernel", "shape": list(weight.shape), "dtype": "float32"}]
    manifest = [{"paths": ["net.bin"], "weights": rows}]
    text = json.dumps({"modelTopology": {"node": nodes}, "weightsManifest": manifest})
    (tmp_path / "net.json").write_text(text)
    return IdentityEncoder.load(tmp_path)


def is_whole(finding: Finding) -> bool:
    """Whether the wall is told as a miss, and the report can be written."""
    return list(finding.report["missed"]) == ["wall"] and bool(json.dumps(finding.report))


def test_identity_has_a_ceiling_and_names_the_recogniser_of_the_rise(
    cast: Cast, encoder: IdentityEncoder
) -> None:
    finding = identity.run(cast, encoder)
    assert is_whole(finding)
    assert 0 < finding.report["emotional"]["mean"] <= 1
    assert finding.report["emotional"]["n"] == identity.FRAMES
    assert finding.report["least_frame"] <= finding.report["emotional"]["mean"]
    assert finding.report["rise"]["face"]["happiness"]["n"] == 1
    assert any("itself right on" in line for line in finding.lines)


def test_a_change_is_seen_soon_after_it_is_asked_for(cast: Cast) -> None:
    finding = timeline.run(cast)
    assert is_whole(finding)
    row = finding.report["recognisers"]["face"]
    assert row["followed"]["mean"] == 1
    assert 0 <= row["lag_seconds"]["mean"] < 0.6


def test_a_track_turns_once_and_back() -> None:
    assert timeline.turning("anger", 4.0) == "0:neutral 1.2:neutral 1.24:anger 2.8:anger 2.84:neutral"


def test_photos_that_show_something_are_brought_to_neutral(cast: Cast) -> None:
    finding = neutralise.run(cast)
    assert is_whole(finding)
    (smile,) = finding.report["recognisers"]["face"]["photos"]["cases"]
    assert (smile["portrait"], smile["emotion"]) == ("ada", "happiness")
    assert smile["after"] < smile["before"]


@pytest.mark.parametrize(
    ("before", "after", "gone"),
    [(0.9, 0.29, True), (0.9, 0.31, False), (0.5, 0.26, False), (0.5, 0.25, True)],
)
def test_gone_is_at_most_half_and_little(before: float, after: float, gone: bool) -> None:
    assert neutralise.Case("ada", "anger", before, after, 0.5, True).gone is gone


def test_lips_that_speak_through_an_emotion_lose_little(cast: Cast) -> None:
    finding = lips.run(cast)
    assert is_whole(finding)
    assert finding.report["follows"]["neutral"]["mean"] > 0.8
    assert finding.report["lost"]["mean"] < 0.3
    assert finding.report["floor"]["mean"] < finding.report["follows"]["neutral"]["mean"]


def test_openings_are_compared_where_both_are_known() -> None:
    one = np.array([0.0, 0.1, np.nan, 0.3, 0.2])
    assert lips.correlation(one, 2 * one + 1) == pytest.approx(1)
    assert lips.correlation(one, np.ones(5)) == 0
    assert lips.correlation(one, np.array([np.nan] * 4 + [1.0])) == 0


def test_a_long_clip_ends_as_it_began(cast: Cast, encoder: IdentityEncoder) -> None:
    finding = long.run(cast, encoder, minutes=3 * SECONDS / 60)
    assert is_whole(finding)
    assert finding.report["seconds"] == pytest.approx(3 * SECONDS, abs=0.1)
    assert finding.report["sharpness at the end against the start"]["mean"] == pytest.approx(1, abs=0.2)
    assert finding.report["identity at the end against the start"]["mean"] == pytest.approx(1, abs=0.05)
