"""A photo with closed eyes: what comes out when they open is an eye of the photo's own light, not a hole."""

from collections.abc import Iterator

import numpy as np
import pytest

from gen.bundled import astronaut
from gen.weights import local_path
from pipelines.portrait.arkit import ARKIT, columns
from pipelines.portrait.eyes import LIDS, eyeball
from pipelines.portrait.pipeline import PortraitPipeline
from pipelines.portrait.renderer import Actor, draw
from pipelines.portrait.rig import Rig
from pipelines.portrait.tracker import FaceTracker


@pytest.fixture(scope="module")
def actor() -> Iterator[Actor]:
    with FaceTracker() as tracker:
        yield PortraitPipeline(tracker, Rig.load(local_path("rig"))).prepare(astronaut(), size=320)


@pytest.mark.parametrize("side", LIDS)
def test_an_iris_that_nobody_saw_is_dark_but_no_hole(actor: Actor, side: str) -> None:
    shut = np.zeros(len(ARKIT))
    shut[list(columns("eyeBlink"))] = 1
    asleep = draw(actor, shut, np.zeros(6))
    landmarks = np.zeros((478, 3))
    landmarks[:468, :2] = actor.tracked
    upper, lower = (list(row) for row in LIDS[side])
    landmarks[upper[1:-1], :2] = landmarks[lower[1:-1], :2]  # the lids touch
    corners = landmarks[[upper[0], upper[-1]], :2]
    centre, radius = corners.mean(axis=0), 0.18 * np.ptp(corners[:, 0])
    around = [[0, 0], [radius, 0], [0, -radius], [-radius, 0], [0, radius]]
    landmarks[468:473, :2] = landmarks[473:478, :2] = centre + np.array(around)
    eye = eyeball(asleep, landmarks, side)
    x, y = np.round(centre - eye.origin).astype(int)
    iris = eye.texture[y - 1 : y + 2, x - 1 : x + 2].mean()
    skin = asleep[eye.origin[1] :, eye.origin[0] :][: len(eye.texture), : eye.texture.shape[1]].mean()
    assert 15 < iris < 0.75 * skin
