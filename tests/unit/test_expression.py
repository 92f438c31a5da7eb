"""How emotions look, come and go."""

import numpy as np
import pytest

from emotion_encoders.emotion import FACE8, MIKELS8, Affect, Emotion
from emotion_encoders.track import EmotionTrack
from pipelines.portrait.arkit import ARKIT, columns, index
from pipelines.portrait.expression import LABELS, PROTOTYPES, express

FPS = 25.0
QUIET, TALKING = np.zeros(1), np.ones(1)


def shown(text: str, frames: int = 50) -> np.ndarray:
    """The coefficients of a silent face (T, 52)."""
    return express(EmotionTrack.parse(text), frames=frames, fps=FPS).coefficients(np.zeros(frames))


def cue(face: np.ndarray, name: str) -> float:
    return float(face[-1, list(columns(name))].mean())


def test_every_emotion_but_neutral_has_a_prototype() -> None:
    assert set(LABELS) == set(PROTOTYPES) == set(FACE8.labels) - {"neutral"}


# The action units that EMFACS names first for each emotion, in ARKit's terms.
SIGNS = {
    "happiness": ("cheekSquint", "mouthSmile"),
    "sadness": ("browInnerUp", "browDown", "mouthFrown", "mouthShrugLower"),
    "surprise": ("browInnerUp", "browOuterUp", "eyeWide", "jawOpen"),
    "fear": ("browInnerUp", "browOuterUp", "browDown", "eyeWide", "eyeSquint", "mouthStretch"),
    "disgust": ("noseSneer", "mouthUpperUp", "mouthFrown", "mouthLowerDown"),
    "anger": ("browDown", "eyeWide", "eyeSquint", "mouthPress"),
    "contempt": ("mouthSmileRight", "mouthDimpleRight"),
}


@pytest.mark.parametrize(
    ("label", "name"), [(label, name) for label, names in SIGNS.items() for name in names]
)
def test_an_emotion_shows_its_action_units(label: str, name: str) -> None:
    assert cue(shown(label), name) >= 0.2


def test_contempt_is_on_one_side() -> None:
    face = shown("contempt")
    assert cue(face, "mouthSmileRight") > 0.3
    assert cue(face, "mouthSmileLeft") == 0


def test_no_two_emotions_look_alike() -> None:
    faces = np.stack([shown(label)[-1] for label in LABELS])
    likeness = np.corrcoef(faces) - np.eye(len(faces))
    assert likeness.max() < 0.75


@pytest.mark.parametrize("label", LABELS)
def test_a_prototype_stays_within_what_a_face_can_do(label: str) -> None:
    assert PROTOTYPES[label].rows.min() >= 0
    assert PROTOTYPES[label].rows.max() <= 1


@pytest.mark.parametrize("label", LABELS)
def test_speech_does_not_open_the_jaw_of_an_emotion_further(label: str) -> None:
    _, silent, spoken = PROTOTYPES[label].rows
    assert spoken[index("jawOpen")] <= silent[index("jawOpen")]
    assert spoken[index("mouthRollLower")] <= silent[index("mouthRollLower")]


@pytest.mark.parametrize("label", LABELS)
def test_every_cue_grows_with_intensity(label: str) -> None:
    faces = np.stack([shown(f"{label}@{i}")[-1] for i in (0, 0.25, 0.5, 0.75, 1)])
    assert (np.diff(faces, axis=0) >= 0).all()
    assert faces[0].max() == 0
    moved = faces[-1] > 0
    assert (np.diff(faces[:, moved], axis=0) > 0).all()


def test_neutral_is_a_face_at_rest() -> None:
    assert not shown("neutral").any()
    assert not shown("anger@0").any()


def test_a_mixture_shows_both_in_proportion() -> None:
    half = shown("happiness*.5+surprise*.5")[-1]
    np.testing.assert_allclose(half, (shown("happiness")[-1] + shown("surprise")[-1]) / 2, atol=1e-9)


def test_a_point_of_valence_and_arousal_shows_the_emotions_near_it() -> None:
    pleased, angry = shown("va(0.8,0.5)"), shown("va(-0.5,0.6)")
    assert cue(pleased, "mouthSmile") > 0.5 > cue(angry, "mouthSmile")
    assert cue(angry, "browDown") > 0.2 > cue(pleased, "browDown")


def test_another_vocabulary_is_translated() -> None:
    amused = EmotionTrack.constant(Emotion.of("amusement", MIKELS8))
    face = express(amused, frames=3, fps=FPS).coefficients(np.zeros(3))
    assert cue(face, "mouthSmile") > 0.3


def test_what_holds_from_the_start_is_there_at_the_first_frame() -> None:
    face = shown("happiness")
    np.testing.assert_allclose(face[0], face[-1])


def test_an_emotion_that_changes_takes_time_to_come() -> None:
    smile = shown("0:neutral 0.99:neutral 1:happiness", 75)[:, index("mouthSmileLeft")]
    assert not smile[:25].any()
    assert 0 < smile[27] < 0.5 * smile[-1]
    assert (np.diff(smile[25:]) >= 0).all()
    assert smile[50] > 0.9 * smile[-1]


def rise_and_fall(label: str) -> tuple[int, int]:
    """Frames from the call to two thirds of the way, up and down."""
    shares = express(
        EmotionTrack.parse(f"0:neutral 0.99:neutral 1:{label} 4:{label} 4.01:neutral"), frames=300, fps=FPS
    ).shares[:, LABELS.index(label)]
    return int(np.argmax(shares > 0.67)) - 25, int(np.argmax(shares[100:] < 0.33))


@pytest.mark.parametrize("label", LABELS)
def test_an_emotion_comes_faster_than_it_goes(label: str) -> None:
    up, down = rise_and_fall(label)
    assert 1 <= up < down < 75


def test_surprise_is_the_quickest_and_sadness_the_slowest() -> None:
    onsets = {label: rise_and_fall(label)[0] for label in LABELS}
    assert min(onsets, key=lambda label: onsets[label]) == "surprise"
    assert max(onsets, key=lambda label: onsets[label]) == "sadness"


def test_the_frame_rate_does_not_change_the_pace() -> None:
    track = EmotionTrack.parse("0:neutral 1:anger")
    slow = express(track, frames=75, fps=25).shares
    fast = express(track, frames=150, fps=50).shares
    np.testing.assert_allclose(fast[::2], slow, atol=0.04)


def test_posture_gaze_and_emphasis_follow_the_emotion() -> None:
    def trait(label: str, name: str) -> np.ndarray:
        return express(EmotionTrack.parse(label), frames=2, fps=FPS).mean(name)[-1]

    assert trait("sadness", "head")[0] > 2  # down
    assert trait("surprise", "head")[0] < -1  # up and back
    assert trait("anger", "head")[0] > 1  # forward and down
    assert trait("anger", "approach") > 0 > trait("surprise", "approach")
    assert abs(trait("contempt", "head")[2]) > 1  # tilted
    assert trait("sadness", "gaze") > 0
    emphasis = {
        x: express(EmotionTrack.parse(x), frames=1, fps=FPS).emphasis[0]
        for x in ("neutral", "anger", "sadness")
    }
    assert emphasis["sadness"] < emphasis["neutral"] == 1 < emphasis["anger"]


def test_a_misspelt_coefficient_in_a_prototype_is_refused() -> None:
    with pytest.raises(ValueError, match="no ARKit coefficient"):
        type(PROTOTYPES["anger"])({"browLow": 1.0}, {}, {}, 0.1, 0.2)


def test_the_mouth_of_a_speaker_is_freer_than_at_rest() -> None:
    angry = express(EmotionTrack.constant(Emotion.of("anger")), frames=1, fps=FPS)
    press = index("mouthPressLeft")
    assert angry.coefficients(TALKING)[0, press] < 0.5 * angry.coefficients(QUIET)[0, press]
    assert angry.coefficients(QUIET).shape == (1, len(ARKIT))


def test_a_weak_affect_shows_little() -> None:
    faint = express(EmotionTrack.constant(Emotion.from_affect(Affect(0.1, 0.05))), frames=1, fps=FPS)
    assert faint.shares.sum() < 0.3
