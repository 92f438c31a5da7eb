"""What holds for every voice, emotion, length and frame rate."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_encoders.emotion import FACE8, Emotion
from emotion_encoders.track import EmotionTrack, Keyframe
from pipelines.portrait.articulation import lip_gap
from pipelines.portrait.motion import perform
from pipelines.portrait.voice import listen

RATES = st.sampled_from([8_000, 16_000, 22_050, 44_100])


@st.composite
def sounds(draw: st.DrawFn) -> tuple[np.ndarray, int]:
    """Bursts of noise and tone with pauses, at any level."""
    rate = draw(RATES)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    seconds = np.arange(round(draw(st.floats(0.03, 2.0)) * rate)) / rate
    tone = np.sign(np.sin(2 * np.pi * draw(st.floats(60, 500)) * seconds))
    noise = rng.standard_normal(len(seconds))
    bursts = np.sin(2 * np.pi * draw(st.floats(0.5, 8)) * seconds) > draw(st.floats(-1.2, 1.2))
    level = 10 ** draw(st.floats(-8, 1))
    return (level * bursts * (tone + draw(st.floats(0, 2)) * noise)).astype(np.float32), rate


emotions = st.builds(
    Emotion.seen,
    st.just(FACE8),
    st.lists(st.floats(0, 1), min_size=8, max_size=8).filter(lambda weights: sum(weights) > 0.01),
    st.floats(0, 1),
)
tracks = st.lists(emotions, min_size=1, max_size=3).map(
    lambda felt: EmotionTrack(tuple(Keyframe(0.5 * k, emotion) for k, emotion in enumerate(felt)))
)


@settings(max_examples=60, deadline=None)
@given(sounds(), tracks, st.integers(1, 60), st.floats(5, 120), st.integers(0, 2**31))
def test_a_motion_is_finite_and_within_bounds(
    sound: tuple[np.ndarray, int], track: EmotionTrack, frames: int, fps: float, seed: int
) -> None:
    motion = perform(*sound, track, frames=frames, fps=fps, seed=seed)  # Motion checks itself
    assert motion.frames == frames
    assert np.abs(motion.head[:, :3]).max() < np.radians(7.01)
    assert lip_gap(motion.coefficients).max() < 0.4


@settings(max_examples=30, deadline=None)
@given(sounds(), st.integers(1, 60), st.floats(1e-3, 0.9))
def test_loudness_of_the_whole_recording_never_opens_the_mouth_further(
    sound: tuple[np.ndarray, int], frames: int, gain: float
) -> None:
    waveform, rate = sound
    loud = listen(waveform, rate, frames=frames, fps=25)
    soft = listen(waveform * gain, rate, frames=frames, fps=25)
    assert soft.opening.max() <= loud.opening.max() + 0.05


@settings(max_examples=30, deadline=None)
@given(sounds(), st.integers(2, 40), st.floats(10, 60))
def test_more_frames_do_not_change_the_first_ones(
    sound: tuple[np.ndarray, int], frames: int, fps: float
) -> None:
    short = listen(*sound, frames=frames, fps=fps)
    long = listen(*sound, frames=2 * frames, fps=fps)
    np.testing.assert_array_equal(short.opening, long.opening[:frames])
