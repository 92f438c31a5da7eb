"""A tracked face becomes a motion: what was acted is found again, against the performer's own rest."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from emotion_encoders.track import EmotionTrack
from gen.weights import local_path
from pipelines.portrait.arkit import ARKIT, columns, index
from pipelines.portrait.eyes import GAZE, IRISES, LIDS
from pipelines.portrait.performer import INNER_LIPS, observe
from pipelines.portrait.rig import Rig
from pipelines.portrait.transfer import TransferError, transfer

FPS = 25.0


@pytest.fixture(scope="module")
def rig() -> Rig:
    return Rig.load(local_path("rig"))


def filmed(
    rig: Rig, face: np.ndarray, turns: np.ndarray | None = None, look: np.ndarray | None = None
) -> np.ndarray:
    """Landmarks (T, 478, 3) of somebody with a face of their own who does this in front of a camera."""
    own = rig.neutral + np.tensordot(np.linspace(0.8, -0.8, len(rig.identity)), rig.identity, 1) * 0.3
    points = np.zeros((len(face), 478, 3))
    points[:, :468] = own + np.tensordot(face, rig.deltas, 1)
    for side, iris in IRISES.items():
        corners = points[:, [LIDS[side][0][0], LIDS[side][0][-1]]].mean(axis=1)
        points[:, iris] = corners[:, None]
        if look is not None:
            points[:, iris, :2] += (look * GAZE)[:, None]
    turned = Rotation.from_euler("xyz", np.zeros((len(face), 3)) if turns is None else turns)
    filmed = np.stack([turn.apply(frame) for turn, frame in zip(turned, points, strict=True)])
    return (120 * filmed + [300, 240, 0]).astype(np.float32)


def still(frames: int) -> np.ndarray:
    return np.zeros((frames, len(ARKIT)), np.float32)


def acted(name: str, frames: int = 60, most: float = 0.7) -> np.ndarray:
    """One coefficient that rises and falls in the middle of a take, on both sides."""
    face = still(frames)
    wave = most * np.clip(np.sin(np.linspace(-np.pi, 2 * np.pi, frames)), 0, 1)
    face[:, list(columns(name))] = wave[:, None]
    return face


def opening_of(rig: Rig, face: np.ndarray) -> np.ndarray:
    upper, lower = (rig.deltas[:, point, 1] for point in INNER_LIPS)
    return face @ (lower - upper)


@pytest.mark.parametrize("name", ["mouthSmile", "browInnerUp", "browDown", "mouthPucker", "jawOpen"])
def test_what_was_acted_is_found_again(rig: Rig, name: str) -> None:
    face = acted(name)
    found = observe(filmed(rig, face), FPS, rig).coefficients
    place = columns(name)[0]
    assert np.corrcoef(found[:, place], face[:, place])[0, 1] > 0.9
    others = [k for k in range(len(ARKIT)) if k not in columns(name)]
    assert found[:, others].max() < found[:, place].max()


def test_a_still_face_is_at_rest_whoever_it_belongs_to(rig: Rig) -> None:
    take = observe(filmed(rig, still(30)), FPS, rig)
    assert take.coefficients.max() < 0.02
    assert np.abs(take.head).max() < 1e-3


def test_a_smile_that_never_ends_is_kept_and_a_little_of_it_is_build(rig: Rig) -> None:
    face = still(30)
    face[:, list(columns("mouthSmile"))] = 0.9
    found = observe(filmed(rig, face), FPS, rig).coefficients[:, columns("mouthSmile")[0]]
    assert 0.2 < found.mean() < 0.7


def test_lids_close_and_open_again_one_by_one(rig: Rig) -> None:
    face = still(50)
    face[20:26, index("eyeBlinkLeft")] = 1
    found = observe(filmed(rig, face), FPS, rig).coefficients
    assert found[22, index("eyeBlinkLeft")] > 0.9
    assert found[[5, 45], index("eyeBlinkLeft")].max() < 0.1
    assert found[:, index("eyeBlinkRight")].max() < 0.1


def test_the_gaze_is_the_persons_own(rig: Rig) -> None:
    look = np.zeros((40, 2))
    look[20:] = [0.6, -0.5]  # to the viewer's right and up
    found = observe(filmed(rig, still(40), look=look), FPS, rig).coefficients[30]
    for name, value in (("OutLeft", 0.6), ("InRight", 0.6), ("UpLeft", 0.5), ("UpRight", 0.5)):
        assert found[index(f"eyeLook{name}")] == pytest.approx(value, abs=0.1)
    assert found[index("eyeLookInLeft")] == found[index("eyeLookDownLeft")] == 0


@pytest.mark.parametrize(("axis", "part", "sign"), [(0, 0, 1), (1, 1, -1), (2, 2, 1)])
def test_the_head_turns_as_the_performers_against_the_mean(rig: Rig, axis: int, part: int, sign: int) -> None:
    turns = np.zeros((60, 3))
    turns[:, axis] = 0.5 + 0.2 * np.sin(np.linspace(0, 4 * np.pi, 60))  # a camera that stands askew
    head = observe(filmed(rig, still(60), turns), FPS, rig).head
    expected = sign * (turns[:, axis] - turns[:, axis].mean())
    np.testing.assert_allclose(head[:, part], expected, atol=0.04)
    assert np.abs(np.delete(head[:, :3], part, axis=1)).max() < 0.1


def test_a_camera_that_pans_moves_no_head(rig: Rig) -> None:
    landmarks = filmed(rig, still(300))
    landmarks[:, :, 0] += np.linspace(0, 600, 300)[:, None]  # five faces to the right in twelve seconds
    head = observe(landmarks, FPS, rig).head
    assert np.abs(head[50:-50, 3:]).max() < 0.1


def test_the_lips_are_as_far_apart_as_the_performers(rig: Rig) -> None:
    motion, notes = transfer(list(filmed(rig, acted("jawOpen", 75))), FPS, rig, fps=FPS)
    ours = opening_of(rig, motion.coefficients)
    assert notes == ()
    assert ours.max() > 0.2
    np.testing.assert_allclose(ours, observe(filmed(rig, acted("jawOpen", 75)), FPS, rig).opening, atol=0.01)


@pytest.mark.parametrize("emotion", ["neutral", "anger", "happiness", "surprise", "0:sadness 2:fear"])
def test_another_emotion_leaves_the_lips_the_lids_and_the_head_alone(rig: Rig, emotion: str) -> None:
    face = acted("jawOpen", 75) + acted("browInnerUp", 75)
    face[30:34, list(columns("eyeBlink"))] = 1
    landmarks = list(filmed(rig, face, turns=0.1 * np.sin(np.linspace(0, 9, 75))[:, None] * [1, 1, 0]))
    own, _ = transfer(landmarks, FPS, rig, fps=FPS)
    felt, _ = transfer(landmarks, FPS, rig, fps=FPS, track=EmotionTrack.parse(emotion))
    np.testing.assert_array_equal(felt.head, own.head)
    np.testing.assert_allclose(
        opening_of(rig, felt.coefficients), opening_of(rig, own.coefficients), atol=0.01
    )
    assert felt.coefficients[32, index("eyeBlinkLeft")] > 0.9


def test_the_emotion_that_was_asked_for_is_there_and_the_performers_own_is_not(rig: Rig) -> None:
    smiling = still(175)
    smiling[60:120, list(columns("mouthSmile"))] = 1
    landmarks = list(filmed(rig, smiling))
    smile, frown = columns("mouthSmile")[0], columns("mouthFrown")[0]
    assert transfer(landmarks, FPS, rig, fps=FPS)[0].coefficients[90, smile] > 0.6
    neutral, _ = transfer(landmarks, FPS, rig, fps=FPS, track=EmotionTrack.parse("neutral"))
    assert neutral.coefficients[80:100, smile].max() < 0.1
    sad, _ = transfer(landmarks, FPS, rig, fps=FPS, track=EmotionTrack.parse("sadness"))
    assert sad.coefficients[80:100, frown].min() > 0.5


@pytest.mark.parametrize(("filmed_at", "fps"), [(24.0, 25.0), (30.0, 25.0), (60.0, 25.0), (25.0, 60.0)])
def test_another_rate_takes_as_long(rig: Rig, filmed_at: float, fps: float) -> None:
    face = acted("jawOpen", round(3 * filmed_at))
    motion, _ = transfer(list(filmed(rig, face)), filmed_at, rig, fps=fps)
    assert (motion.fps, motion.frames) == (fps, round(3 * fps))
    ours = opening_of(rig, motion.coefficients)
    filmed_for = np.arange(len(face)) / filmed_at
    theirs = np.interp(np.arange(motion.frames) / fps, filmed_for, opening_of(rig, face))
    assert np.corrcoef(ours, theirs)[0, 1] > 0.97


def test_a_while_without_a_face_is_rested_through_and_told(rig: Rig) -> None:
    seen: list[np.ndarray | None] = list(filmed(rig, acted("jawOpen", 150)))
    whole, _ = transfer(seen, FPS, rig, fps=FPS)
    seen[60:110] = [None] * 50
    motion, notes = transfer(seen, FPS, rig, fps=FPS)
    assert notes == (
        "The video shows no face from 2.4 to 4.4 s: the portrait holds still or rests meanwhile.",
    )
    assert motion.frames == 150
    assert motion.coefficients[75:95].max() < 0.01
    assert np.abs(np.diff(motion.coefficients, axis=0)).max() < 0.15  # no jump at either end
    np.testing.assert_allclose(motion.coefficients[120:], whole.coefficients[120:], atol=0.05)


def test_a_moment_without_a_face_is_bridged_without_a_word(rig: Rig) -> None:
    seen: list[np.ndarray | None] = list(filmed(rig, acted("jawOpen", 75)))
    whole, _ = transfer(seen, FPS, rig, fps=FPS)
    seen[30:33] = [None] * 3
    motion, notes = transfer(seen, FPS, rig, fps=FPS)
    assert notes == ()
    np.testing.assert_allclose(motion.coefficients, whole.coefficients, atol=0.12)


def test_no_face_at_the_ends_is_told_too(rig: Rig) -> None:
    seen: list[np.ndarray | None] = list(filmed(rig, acted("jawOpen", 100)))
    seen[:30], seen[90:] = [None] * 30, [None] * 10
    motion, (note,) = transfer(seen, FPS, rig, fps=FPS)
    assert "no face from 0.0 to 1.2 s, 3.6 to 4.0 s" in note
    assert motion.frames == 100
    assert motion.coefficients[0].max() < 0.01


@pytest.mark.parametrize(("faces", "told"), [(0, "No face was found"), (3, "A face in only 3 frames")])
def test_a_video_without_a_performer_is_refused(rig: Rig, faces: int, told: str) -> None:
    seen: list[np.ndarray | None] = [*filmed(rig, still(max(faces, 1)))[:faces], *[None] * 40]
    with pytest.raises(TransferError, match=told):
        transfer(seen, FPS, rig, fps=FPS)


def test_the_same_video_gives_the_same_motion(rig: Rig) -> None:
    landmarks = list(filmed(rig, acted("mouthPucker")))
    one, other = (transfer(landmarks, FPS, rig, fps=FPS)[0] for _ in range(2))
    np.testing.assert_array_equal(one.coefficients, other.coefficients)
