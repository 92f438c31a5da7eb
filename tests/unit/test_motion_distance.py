"""How alike two sets of motions are, and what blinks are found in a recording."""

from pathlib import Path

import numpy as np
import pytest

from gen.recipes.motion_captures import CaptureError, blinks_of, captures, longest_shut
from gen.recipes.motion_distance import distance, frechet, signals_of, windows_of
from pipelines.portrait.gaze import blinked


def noise(seed: int, shift: float = 0.0, scale: float = 1.0) -> np.ndarray:
    return shift + scale * np.random.default_rng(seed).standard_normal((4000, 3))


def test_the_frechet_distance_is_that_of_two_gaussians() -> None:
    assert frechet(noise(0), noise(1)) < 0.01
    assert frechet(noise(0), noise(1, shift=2.0)) == pytest.approx(
        12, rel=0.05
    )  # three dimensions, 2 squared
    assert frechet(noise(0), noise(1, scale=3.0)) == pytest.approx(12, rel=0.1)  # three times (3 - 1) squared


def test_a_distance_lies_within_its_interval_and_says_how_many_were_compared() -> None:
    found = distance([noise(0)[:80]], [noise(1, shift=1.0)[:60]], np.ones(3))
    assert found.low < found.value < found.high
    assert found.windows == (80, 60)


def test_windows_tell_deviation_speed_and_drift() -> None:
    seconds = np.arange(300) / 30
    windows = windows_of(np.stack([np.sin(2 * np.pi * seconds), seconds], axis=1), 30, levels=False)
    assert windows.shape == (9, 6)
    np.testing.assert_allclose(windows[:, 0], np.sqrt(0.5), atol=0.01)
    np.testing.assert_allclose(windows[:, 2], 2 * np.pi * np.sqrt(0.5), rtol=0.02)
    np.testing.assert_allclose(np.diff(windows[:, 5]), 1.0)


def test_levels_join_in_only_when_asked() -> None:
    signals = np.ones((90, 2))
    assert windows_of(signals, 30, levels=False).max() == 0
    assert windows_of(signals, 30, levels=True).max() == 1


def test_signals_are_brows_cheeks_nose_lids_and_gaze() -> None:
    face = np.zeros((1, 52))
    face[0, 0] = 1  # eyeBlinkLeft
    assert signals_of(face).shape == (1, 10)
    assert signals_of(face)[0, 7] == 0.5


def test_blinks_are_found_where_lids_close_and_their_length_is_known() -> None:
    lids = blinked(np.random.default_rng(0), [1.0, 3.0, 6.0], frames=300, fps=30)
    found = blinks_of(lids, 30)
    np.testing.assert_allclose(found.moments, [1.08, 3.08, 6.08], atol=0.06)
    assert found.rate == pytest.approx(18)
    assert (found.lengths < 0.2).all()
    assert longest_shut(lids, 30) < 0.2


def test_lids_that_stay_closed_are_no_blink_but_are_noticed() -> None:
    lids = np.zeros(300)
    lids[100:190] = 1
    assert blinks_of(lids, 30).rate == 0
    assert longest_shut(lids, 30) == pytest.approx(3)


def test_recordings_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="--data names the folder"):
        captures(tmp_path)
