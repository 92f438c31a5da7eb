"""The portrait engine on a public-domain portrait: what each part promises, seen in its pixels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from emotion_encoders.track import EmotionTrack
from gen.bundled import astronaut
from gen.weights import local_path
from pipelines.portrait.arkit import ARKIT, columns, index
from pipelines.portrait.eyes import LIDS
from pipelines.portrait.motion import Motion
from pipelines.portrait.mouth import gaps
from pipelines.portrait.pipeline import PortraitPipeline
from pipelines.portrait.pose import align
from pipelines.portrait.renderer import Actor, draw, pose_landmarks, warp
from pipelines.portrait.rig import Rig
from pipelines.portrait.tracker import FaceTracker, PortraitError, eye_distance

STILL = np.zeros(6)
SIZE = 320


@pytest.fixture(scope="module")
def rig() -> Rig:
    return Rig.load(local_path("rig"))


@pytest.fixture(scope="module")
def pipeline(rig: Rig) -> Iterator[PortraitPipeline]:
    with FaceTracker() as tracker:
        yield PortraitPipeline(tracker, rig)


@pytest.fixture(scope="module")
def actor(pipeline: PortraitPipeline) -> Actor:
    return pipeline.prepare(astronaut(), size=SIZE)


def expression(**values: float) -> np.ndarray:
    coefficients = np.zeros(len(ARKIT), np.float32)
    for name, value in values.items():
        coefficients[list(columns(name))] = value
    return coefficients


def lip_opening(pipeline: PortraitPipeline, frame: np.ndarray) -> float:
    points = pipeline.tracker.find(frame)[0]
    return float(points[14, 1] - points[13, 1]) / eye_distance(points)


def test_a_toothy_smile_is_taken_away(pipeline: PortraitPipeline, actor: Actor) -> None:
    photo = lip_opening(pipeline, actor.picture)
    neutral = lip_opening(pipeline, draw(actor, expression(), STILL))
    assert photo > 0.1
    assert neutral < 0.25 * photo


def test_the_photos_own_smile_is_found(pipeline: PortraitPipeline, rig: Rig, actor: Actor) -> None:
    _, own = rig.fit(pipeline.tracker.find(actor.picture)[0])
    assert own[list(columns("mouthSmile"))].min() > 0.4
    assert own[list(columns("mouthFrown"))].max() < 0.2


def test_an_opened_jaw_is_seen_in_the_pixels(pipeline: PortraitPipeline, actor: Actor) -> None:
    openings = [lip_opening(pipeline, draw(actor, expression(jawOpen=v), STILL)) for v in (0, 0.2, 0.4, 0.6)]
    assert openings == sorted(openings)
    assert openings[-1] > openings[0] + 0.1


def test_lips_never_cross(actor: Actor) -> None:
    generator = np.random.default_rng(0)
    for _ in range(50):
        points = pose_landmarks(actor, generator.random(len(ARKIT), np.float32))
        assert gaps(points, actor.mouth.down).min() > -1e-3


def test_a_full_blink_closes_the_lids(actor: Actor) -> None:
    points = pose_landmarks(actor, expression(eyeBlink=1))
    for upper, lower in LIDS.values():
        gap = points[list(lower)[1:-1], 1] - points[list(upper)[1:-1], 1]
        assert np.abs(gap).max() < 0.01 * actor.unit


def test_lids_never_cross_however_wide_or_squinting(actor: Actor) -> None:
    generator = np.random.default_rng(1)
    for _ in range(50):
        points = pose_landmarks(actor, generator.random(len(ARKIT), np.float32))
        for upper, lower in LIDS.values():
            assert (points[list(lower), 1] - points[list(upper), 1]).min() > -1e-3


def test_the_background_holds_still_while_the_head_turns(actor: Actor) -> None:
    turned = draw(actor, expression(), np.array([0.08, 0.12, 0.05, 0.02, 0.0, 0.0]))
    moved = np.abs(turned.astype(int) - draw(actor, expression(), STILL).astype(int)).max(axis=2)
    edge = round(0.05 * SIZE)
    assert moved[:, :2].max() <= 2
    assert moved[:, -2:].max() <= 2
    assert np.median(moved[edge : 3 * edge, edge : 3 * edge]) <= 1
    centre = actor.tracked.mean(axis=0).astype(int)
    assert moved[centre[1] - 40 : centre[1] + 40, centre[0] - 40 : centre[0] + 40].mean() > 4


@pytest.mark.parametrize(
    ("pose", "axis", "sign"),
    [((0.1, 0, 0), 1, 1), ((0, 0.1, 0), 0, 1)],
    ids=["a nod lowers the nose", "a turn to the right moves the nose to the right"],
)
def test_the_head_turns_the_way_it_is_asked(
    pipeline: PortraitPipeline, actor: Actor, pose: tuple[float, ...], axis: int, sign: int
) -> None:
    rest = pipeline.tracker.find(draw(actor, expression(), STILL))[0]
    head = np.zeros(6)
    head[:3] = pose
    turned = pipeline.tracker.find(draw(actor, expression(), head))[0]
    assert sign * (turned[1, axis] - rest[1, axis]) > 0.02 * actor.unit


@pytest.mark.parametrize("name", [n for n in ARKIT if n not in ("tongueOut", "mouthClose")])
def test_every_coefficient_changes_the_picture(actor: Actor, name: str) -> None:
    coefficients = np.zeros(len(ARKIT), np.float32)
    coefficients[index("jawOpen")] = 0.2
    still = draw(actor, coefficients, STILL).astype(int)
    coefficients[index(name)] = 0.9
    assert np.abs(draw(actor, coefficients, STILL).astype(int) - still).max() > 8


def test_closing_the_lips_over_an_open_jaw_brings_them_together(actor: Actor) -> None:
    apart = gaps(pose_landmarks(actor, expression(jawOpen=0.3)), actor.mouth.down).max()
    closed = gaps(pose_landmarks(actor, expression(jawOpen=0.3, mouthClose=0.3)), actor.mouth.down).max()
    assert closed < 0.4 * apart


def test_the_same_motion_gives_the_same_frames(pipeline: PortraitPipeline, actor: Actor) -> None:
    track = EmotionTrack.parse("0:neutral 0.3:happiness")
    sound = (np.sin(np.arange(8000) / 9) * 0.2).astype(np.float32)
    one = pipeline(astronaut(), sound, 16000, track, size=128, seed=3)
    two = pipeline(astronaut(), sound, 16000, track, size=128, seed=3)
    other = pipeline(astronaut(), sound, 16000, track, size=128, seed=4)
    assert (one.frames == two.frames).all()
    assert (one.frames != other.frames).any()
    assert len(one.frames) == 13


def test_frames_depend_only_on_their_own_motion(pipeline: PortraitPipeline, actor: Actor) -> None:
    motion = Motion(
        np.stack([expression(jawOpen=v) for v in (0, 0.4, 0.1)]), np.zeros((3, 6), np.float32), 25
    )
    together = list(pipeline.frames(actor, motion))
    assert (together[1] == draw(actor, motion.coefficients[1], motion.head[1])).all()


def test_one_of_several_faces_is_taken_and_named(pipeline: PortraitPipeline) -> None:
    one = astronaut()
    small = one[::2, ::2]
    both = np.concatenate([np.pad(small, ((0, 256), (0, 0), (0, 0)), "edge"), one], axis=1)
    actor = pipeline.prepare(both, size=128)
    assert "2 faces" in actor.notes[0]
    assert "number 2" in actor.notes[0]
    left = pipeline.prepare(both, size=128, face=1)
    assert left.notes == ()
    with pytest.raises(PortraitError, match="Face 3 was asked for; the picture has 2"):
        pipeline.prepare(both, size=128, face=3)


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (np.full((300, 300, 3), 128, np.uint8), "No face was found"),
        (np.zeros((20, 300, 3), np.uint8), "needs 64 a side"),
    ],
    ids=["a grey wall", "a strip"],
)
def test_a_picture_without_a_usable_face_is_refused(
    pipeline: PortraitPipeline, picture: np.ndarray, sentence: str
) -> None:
    with pytest.raises(PortraitError, match=sentence):
        pipeline.prepare(picture)


@pytest.mark.parametrize("turns", [1, 3])
def test_a_head_on_its_side_is_refused(pipeline: PortraitPipeline, turns: int) -> None:
    with pytest.raises(PortraitError, match=r"tilted by \d+ degrees; up to 38 work|No face was found"):
        pipeline.prepare(np.ascontiguousarray(np.rot90(astronaut(), turns)))


def test_a_head_that_stands_upside_down_is_refused(pipeline: PortraitPipeline) -> None:
    with pytest.raises(PortraitError, match=r"stands upside down|No face was found"):
        pipeline.prepare(np.ascontiguousarray(astronaut()[::-1, ::-1]))


def test_a_mouth_outside_the_picture_is_refused(pipeline: PortraitPipeline) -> None:
    with pytest.raises(PortraitError, match=r"Eyes or mouth lie outside the picture|No face was found"):
        pipeline.prepare(np.ascontiguousarray(astronaut()[:130]))


def test_a_grey_photo_stays_grey(pipeline: PortraitPipeline) -> None:
    grey = np.repeat(astronaut().mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    frame = draw(pipeline.prepare(grey, size=256), expression(mouthSmile=1, jawOpen=0.5), STILL).astype(int)
    assert np.ptp(frame, axis=2).max() <= 3


def test_the_next_clip_starts_in_silence(
    pipeline: PortraitPipeline, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert pipeline.tracker.follow(astronaut()) is not None
        pipeline.tracker.restart()
    assert capfd.readouterr().err == ""


def test_a_small_face_is_refused_with_its_size(pipeline: PortraitPipeline) -> None:
    photo = astronaut()[::4, ::4]
    tiled = np.pad(photo, ((64, 64), (64, 64), (0, 0)), "edge")
    with pytest.raises(PortraitError, match=r"too small: \d+ pixels|No face was found"):
        pipeline.prepare(np.ascontiguousarray(tiled))


def test_the_fit_recovers_a_known_expression(rig: Rig) -> None:
    coefficients = expression(mouthSmile=0.8, jawOpen=0.3)
    shape = rig.neutral + np.tensordot(coefficients, rig.deltas, 1)
    pixels = np.pad(shape * 120 + 200, ((0, 10), (0, 0))).astype(np.float32)
    pose, found = rig.fit(pixels)
    assert pose.scale == pytest.approx(120, rel=0.05)
    assert found[list(columns("mouthSmile"))] == pytest.approx([0.8, 0.8], abs=0.2)
    assert found[index("jawOpen")] == pytest.approx(0.3, abs=0.12)
    assert found[list(columns("browDown"))].max() < 0.15


def test_an_alignment_is_exact_for_an_exact_similarity() -> None:
    generator = np.random.default_rng(5)
    points = generator.standard_normal((20, 3))
    turn, _ = np.linalg.qr(generator.standard_normal((3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    pixels = 7 * points @ turn.T + [1, 2, 3]
    pose = align(points, pixels)
    assert pose.scale == pytest.approx(7)
    assert pose.rotation == pytest.approx(turn)
    assert pose.turn(points) + pose.shift == pytest.approx(pixels)
    assert pose.unproject(pixels) == pytest.approx(points)


def test_a_face_at_rest_leaves_every_pixel_where_it_is(actor: Actor) -> None:
    rest = actor.mesh.rest
    x, y = warp(actor, rest, rest, actor.field.turn(STILL))
    assert np.abs(x - np.arange(SIZE)[None, :]).max() < 0.02
    assert np.abs(y - np.arange(SIZE)[:, None]).max() < 0.02


def test_where_a_head_takes_a_point_its_skin_is_seen(actor: Actor) -> None:
    turn = actor.field.turn(np.array([0.05, 0.1, -0.08, 0.02, 0.01, 0.03]))
    x, y = warp(actor, actor.mesh.rest, turn.place(actor.mesh.rest), turn)
    seen = turn.place(actor.tracked)
    there = np.round(seen).astype(int)
    back = np.stack([plane[there[:, 1], there[:, 0]] for plane in (x, y)], axis=1)
    assert np.abs(seen - actor.tracked).max() > 5
    assert np.abs(back - (actor.tracked + there - seen)).max() < 0.5


def test_the_affine_map_around_a_point_follows_the_head(actor: Actor) -> None:
    turn = actor.field.turn(np.array([0.05, 0.1, -0.08, 0.02, 0.01, 0.03]))
    mouth = actor.tracked[[13, 61, 291]]
    (place,) = turn.around(mouth[:1])
    assert np.abs(mouth @ place[:, :2].T + place[:, 2] - turn.place(mouth)).max() < 0.03 * actor.unit


class FixedTracker(FaceTracker):
    """Finds one given face in every picture."""

    def __init__(self, landmarks: np.ndarray) -> None:
        super().__init__()
        self._landmarks = landmarks.astype(np.float32)

    def find(self, picture: np.ndarray) -> list[np.ndarray]:
        return [self._landmarks]

    def find_one(self, picture: np.ndarray) -> np.ndarray | None:
        return None


@pytest.mark.parametrize(("degrees", "refused"), [(20, False), (62, True)])
def test_a_face_turned_far_away_is_refused(rig: Rig, degrees: float, refused: bool) -> None:
    turn = np.radians(degrees)
    yaw = np.array([[np.cos(turn), 0, -np.sin(turn)], [0, 1, 0], [np.sin(turn), 0, np.cos(turn)]])
    points = rig.neutral @ yaw.T * 100 + np.array([200, 150, 0])
    irises = np.repeat(points[[159, 386]], 5, axis=0) + np.arange(10)[:, None] % 5
    picture = np.full((400, 400, 3), 140, np.uint8)
    pipeline = PortraitPipeline(FixedTracker(np.concatenate([points, irises])), rig)
    if refused:
        with pytest.raises(PortraitError, match=r"turned 6\d degrees away; up to 48 work"):
            pipeline.prepare(picture, size=128)
    else:
        assert pipeline.prepare(picture, size=128).notes == ()
