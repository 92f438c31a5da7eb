"""The rig's recipe: names that mirror each other, a mesh with openings, and a file that can be made again."""

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from gen.recipes.rig import EYES, INNER_LIPS, as_bytes, mirror_name, mirror_pairs, triangulate
from gen.weights import local_path
from pipelines.portrait.arkit import ARKIT
from pipelines.portrait.rig import Rig


def test_mirroring_a_name_twice_gives_the_name() -> None:
    assert [mirror_name(mirror_name(name)) for name in ARKIT] == list(ARKIT)
    assert {mirror_name(name) for name in ARKIT} == set(ARKIT)


def test_landmarks_are_paired_with_each_other() -> None:
    pairs = mirror_pairs(Rig.load(local_path("rig")).neutral)
    assert (pairs[pairs] == np.arange(len(pairs))).all()


def test_the_openings_are_between_lips_and_lids() -> None:
    rig = Rig.load(local_path("rig"))
    ajar = rig.neutral + 0.3 * rig.deltas[ARKIT.index("jawOpen")]
    skin, openings = triangulate(ajar)
    edges = [set(INNER_LIPS), *(set(eye) for eye in EYES)]
    assert len(openings)
    assert all(any(set(corners) <= edge for edge in edges) for corners in openings.tolist())
    assert not any(any(set(corners) <= edge for edge in edges) for corners in skin.tolist())


def test_the_same_tensors_give_the_same_bytes(tmp_path: Path) -> None:
    rig = Rig.load(local_path("rig"))
    tensors = {"neutral": rig.neutral, "triangles": rig.triangles}
    written = {as_bytes(tensors) for _ in range(20)}
    assert len(written) == 1
    path = tmp_path / "rig.safetensors"
    path.write_bytes(written.pop())
    assert (load_file(path)["neutral"] == rig.neutral).all()
