"""A talking square in its whole photo."""

import numpy as np

from gen.bundled import astronaut
from gen.weights import local_path
from pipelines.portrait.arkit import ARKIT, index
from pipelines.portrait.pipeline import PortraitPipeline
from pipelines.portrait.renderer import draw
from pipelines.portrait.rig import Rig
from pipelines.portrait.tracker import FaceTracker

SIZE = 320


def test_a_face_moves_in_its_whole_photo_without_a_seam() -> None:
    photo = np.pad(astronaut(), ((40, 90), (120, 60), (0, 0)), "reflect")
    with FaceTracker() as tracker:
        pipeline = PortraitPipeline(tracker, Rig.load(local_path("rig")))
        actor = pipeline.prepare(photo, size=SIZE, whole=True)
    assert actor.surround is not None
    assert actor.frame_size[0] > SIZE
    still = actor.surround.picture.astype(int)
    coefficients = np.zeros(len(ARKIT), np.float32)
    coefficients[index("jawOpen")] = 0.6
    frame = draw(actor, coefficients, np.array([0.08, 0.12, 0.05, 0.02, 0, 0]))
    moved = np.abs(actor.whole(frame) - still).max(axis=2)
    left, top, side = actor.surround.left, actor.surround.top, actor.surround.size
    square = moved[top : top + side, left : left + side].copy()
    moved[top : top + side, left : left + side] = 0
    assert moved.max() == 0
    assert square.max() > 60
    assert max(square[[0, 1, -2, -1]].max(), square[:, [0, 1, -2, -1]].max()) <= 3
