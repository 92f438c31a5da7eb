"""What a voice and an emotion make a face do."""

from pathlib import Path

import numpy as np
import pytest

from emotion_encoders.track import EmotionTrack
from gen.media import read_sound
from pipelines.portrait.arkit import ARKIT, columns, index
from pipelines.portrait.articulation import articulate, lip_gap
from pipelines.portrait.expression import LABELS
from pipelines.portrait.life import LIVELY
from pipelines.portrait.motion import Motion, perform
from pipelines.portrait.moves import Rules
from pipelines.portrait.voice import listen

FPS = 25.0
SOUND, RATE = read_sound(Path(__file__).parents[2] / "gen" / "samples" / "line.flac")
FRAMES = 96


def acted(
    emotion: str = "neutral",
    *,
    sound: np.ndarray = SOUND,
    frames: int = FRAMES,
    fps: float = FPS,
    seed: int = 3,
) -> Motion:
    return perform(sound, RATE, EmotionTrack.parse(emotion), frames=frames, fps=fps, seed=seed)


def mute(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.float32)


def mean(motion: Motion, name: str) -> float:
    return float(motion.coefficients[:, list(columns(name))].mean())


def test_a_motion_has_the_frames_that_were_asked_for() -> None:
    motion = acted(frames=41)
    assert motion.coefficients.shape == (41, 52)
    assert motion.head.shape == (41, 6)
    assert motion.frames == 41
    assert motion.fps == FPS
    assert motion.coefficients.dtype == motion.head.dtype == np.float32


def test_one_frame_is_enough() -> None:
    assert acted(frames=1).frames == 1


def test_the_same_seed_gives_the_same_motion() -> None:
    first, second = acted("anger", seed=5), acted("anger", seed=5)
    np.testing.assert_array_equal(first.coefficients, second.coefficients)
    np.testing.assert_array_equal(first.head, second.head)


def test_another_seed_moves_head_and_eyes_otherwise_but_says_the_same() -> None:
    first, second = acted(seed=1), acted(seed=2)
    assert np.abs(first.head - second.head).max() > 0.005
    np.testing.assert_allclose(lip_gap(first.coefficients), lip_gap(second.coefficients), atol=1e-5)


@pytest.mark.parametrize("emotion", ["neutral", *LABELS])
def test_lips_follow_the_voice_under_every_emotion(emotion: str) -> None:
    opening = listen(SOUND, RATE, frames=FRAMES, fps=FPS).opening
    gap = lip_gap(acted(emotion).coefficients)
    speech = slice(8, 86)
    assert np.corrcoef(opening[speech], gap[speech])[0, 1] > 0.9
    assert np.ptp(gap[speech]) > 0.08


def test_a_neutral_jaw_stays_moderate() -> None:
    assert 0.2 < acted().coefficients[:, index("jawOpen")].max() < 0.5


def test_lips_meet_within_speech_also_when_surprised() -> None:
    gap = lip_gap(acted("surprise").coefficients)
    assert gap[20:80].min() < 0.25 * np.median(gap)


def test_silence_leaves_neutral_lips_closed_and_still() -> None:
    motion = acted(sound=mute(4))
    mouth = [i for i, name in enumerate(ARKIT) if name.startswith(("mouth", "jaw"))]
    assert not motion.coefficients[:, mouth].any()
    assert not lip_gap(motion.coefficients).any()


def test_a_silent_face_still_lives() -> None:
    motion = acted(sound=mute(8), frames=200)
    assert motion.coefficients[:, index("eyeBlinkLeft")].max() > 0.9
    assert np.ptp(motion.head[:, 0]) > 0.003


def test_intensity_0_is_a_neutral_speaker() -> None:
    np.testing.assert_array_equal(acted("fear@0").coefficients, acted("neutral").coefficients)
    np.testing.assert_array_equal(acted("fear@0").head, acted("neutral").head)


@pytest.mark.parametrize(
    ("emotion", "name"),
    [
        ("happiness", "mouthSmile"),
        ("happiness", "cheekSquint"),
        ("sadness", "mouthFrown"),
        ("sadness", "browInnerUp"),
        ("anger", "browDown"),
        ("anger", "noseSneer"),
        ("surprise", "browOuterUp"),
        ("surprise", "eyeWide"),
        ("surprise", "jawOpen"),
        ("fear", "mouthStretch"),
        ("disgust", "noseSneer"),
        ("disgust", "mouthUpperUp"),
        ("contempt", "mouthDimpleRight"),
    ],
)
def test_a_speakers_cues_grow_with_intensity(emotion: str, name: str) -> None:
    strengths = [mean(acted(f"{emotion}@{i}"), name) for i in (0, 0.25, 0.5, 0.75, 1)]
    assert (np.diff(strengths) > 0.005).all()


def test_a_changing_emotion_comes_with_an_onset() -> None:
    smile = acted("0:neutral 1.9:neutral 2:happiness").coefficients[:, index("mouthSmileLeft")]
    assert smile[:47].max() < 0.05
    assert 0.1 < smile[54] < 0.6 < smile[75]
    assert np.abs(np.diff(smile)).max() < 0.2


def test_an_expression_that_is_held_is_not_frozen_and_not_quite_even() -> None:
    motion = acted("anger", sound=mute(8), frames=200)
    brow = motion.coefficients[:, index("browDownLeft")]
    assert 0.005 < brow.std() < 0.08
    assert not np.allclose(brow, motion.coefficients[:, index("browDownRight")])
    np.testing.assert_allclose(brow, motion.coefficients[:, index("browDownRight")], atol=0.2)


def test_an_emotion_that_wavers_keeps_its_level() -> None:
    brow = [mean(acted("anger", sound=mute(20), frames=500, seed=s), "browDown") for s in range(4)]
    still = perform(
        mute(20), RATE, EmotionTrack.parse("anger"), frames=500, fps=FPS, seed=0, mover=Rules(None)
    )
    assert np.mean(brow) > 0.85 * mean(still, "browDown")


def test_a_face_at_rest_moves_a_little_and_no_more() -> None:
    upper = np.concatenate(
        [acted(sound=mute(20), frames=500, seed=s).coefficients[:, LIVELY] for s in range(3)]
    )
    assert 0.003 < upper.std(axis=0).max() < 0.1
    assert np.median(upper) < 0.03


def test_a_louder_moment_shows_more_emotion_than_a_pause() -> None:
    clips = [acted("happiness", seed=seed).coefficients[:, index("cheekSquintLeft")] for seed in range(12)]
    cheek = np.mean(clips, axis=0)
    assert cheek[20:80].mean() > 1.05 * cheek[-3:].mean()


def test_the_head_moves_moderately_and_smoothly() -> None:
    heads = np.concatenate([acted(sound=np.tile(SOUND, 8), frames=760, seed=s).head for s in range(4)])
    turns = np.degrees(heads[:, :3])
    assert (np.abs(turns) < 4).mean() > 0.97
    assert np.abs(turns).max() < 7
    assert turns.std(axis=0).min() > 0.4
    for seed in range(4):
        step = np.diff(np.degrees(acted(seed=seed).head[:, :3]), axis=0)
        assert np.abs(step).max() < 1.3  # degrees a frame: 33 a second
    assert np.abs(heads[:, 3:]).max() < 0.12


def test_emotions_have_their_posture() -> None:
    pitch = {e: acted(e).head[:, 0].mean() for e in ("neutral", "sadness", "anger", "surprise", "contempt")}
    depth = {e: acted(e).head[:, 5].mean() for e in ("neutral", "anger", "surprise")}
    assert pitch["sadness"] > pitch["neutral"] + 0.03
    assert pitch["anger"] > pitch["neutral"] + 0.02
    assert pitch["surprise"] < pitch["neutral"] - 0.02
    assert pitch["contempt"] < pitch["neutral"] - 0.02
    assert depth["anger"] < depth["neutral"] < depth["surprise"]


@pytest.mark.parametrize("emotion", ["surprise", "sadness"])
def test_lids_shut_in_a_blink_and_come_back(emotion: str) -> None:
    motion = acted(emotion, sound=np.tile(SOUND, 4), frames=380)
    blink, wide = (motion.coefficients[:, index(name)] for name in ("eyeBlinkLeft", "eyeWideLeft"))
    assert blink.max() > 0.95
    assert np.median(blink) < 0.4
    assert wide[blink.argmax()] < 0.1


def test_sad_eyes_look_down() -> None:
    assert mean(acted("sadness"), "eyeLookDown") > mean(acted("neutral"), "eyeLookDown")


def test_articulation_gives_the_gap_it_decided_on() -> None:
    voice = listen(SOUND, RATE, frames=FRAMES, fps=FPS)
    rest, calm = np.zeros((FRAMES, 52)), np.ones(FRAMES)
    gap = lip_gap(articulate(voice, rest, calm, FPS))
    np.testing.assert_allclose(gap, 0.16 * voice.opening, atol=0.012)
    wider = lip_gap(articulate(voice, rest, 1.2 * calm, FPS))
    assert wider.max() > 1.15 * gap.max()


@pytest.mark.parametrize("fps", [12.0, 24.0, 30.0, 60.0])
def test_the_frame_rate_does_not_change_what_is_seen_at_a_moment(fps: float) -> None:
    motion = acted("happiness", frames=round(3.8 * fps), fps=fps)
    reference = acted("happiness", frames=95)
    at = np.arange(10, 90)
    for name in ("jawOpen", "mouthSmileLeft", "browOuterUpLeft"):
        curve = np.interp(at / FPS, np.arange(motion.frames) / fps, motion.coefficients[:, index(name)])
        assert np.abs(curve - reference.coefficients[at, index(name)]).mean() < 0.04, name


def test_a_track_in_time_matters() -> None:
    assert not np.allclose(acted("0:anger 2:sadness").coefficients, acted("0:sadness 2:anger").coefficients)


@pytest.mark.parametrize("frames", [0, -1, 10_000_000])
def test_an_impossible_number_of_frames_is_refused(frames: int) -> None:
    with pytest.raises(ValueError, match="frames at more than 0 fps are allowed"):
        acted(frames=frames)


def test_an_impossible_frame_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 0 fps"):
        acted(fps=0.0)


@pytest.mark.parametrize(
    ("coefficients", "head", "fps", "sentence"),
    [
        (np.zeros((2, 51)), np.zeros((2, 6)), 25.0, r"\(T, 52\)"),
        (np.zeros((2, 52)), np.zeros((3, 6)), 25.0, "same T"),
        (np.zeros((0, 52)), np.zeros((0, 6)), 25.0, "same T"),
        (np.full((2, 52), np.nan), np.zeros((2, 6)), 25.0, "finite"),
        (np.full((2, 52), 1.5), np.zeros((2, 6)), 25.0, "between 0 and 1"),
        (np.zeros((2, 52)), np.zeros((2, 6)), 0.0, "above 0"),
    ],
)
def test_a_motion_checks_itself(
    coefficients: np.ndarray, head: np.ndarray, fps: float, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        Motion(coefficients.astype(np.float32), head.astype(np.float32), fps)
