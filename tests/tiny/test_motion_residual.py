"""From recordings to a life: read, split, measured, and drawn again with the same statistics."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from gen.recipes.motion_captures import FILE, FPS, RECORDED_FPS, Take, captures
from gen.recipes.motion_residual import learn
from pipelines.portrait.arkit import ARKIT, index
from pipelines.portrait.gaze import blinked
from pipelines.portrait.life import LIVELY, MANNERS, Life

SECONDS = 20
EYES = [f"{side}Eye{axis}" for side in ("Left", "Right") for axis in ("Yaw", "Pitch", "Roll")]
COLUMNS = [name[0].upper() + name[1:] for name in ARKIT] + ["HeadYaw", "HeadPitch", "HeadRoll", *EYES]
TAKES = {
    "a/MySlate_164_iPhone_cal.csv": "angry_or_disgusted",
    "a/MySlate_166_iPhone_cal.csv": "angry_or_disgusted",
    "b/MySlate_161_iPhone_cal.csv": "fearful",
    "c/MySlate_167_iPhone_cal.csv": "sad",
    "d/default.csv": "default_neutral_happy",
    "e/rom.csv": "range_of_motion",
}


def recording(seed: int) -> np.ndarray:
    """Brows that come and go within two seconds, four blinks, one glance to the right."""
    frames = SECONDS * RECORDED_FPS
    seconds = np.arange(frames) / RECORDED_FPS
    rows = np.zeros((frames, len(COLUMNS)), np.float16)
    wave = 0.3 + 0.2 * np.sin(2 * np.pi * (seconds / 2 + 0.1 * seed))
    for side in ("Left", "Right"):
        rows[:, COLUMNS.index(f"BrowDown{side}")] = wave
        lids = blinked(np.random.default_rng(seed), [3.0, 8.0, 12.0, 17.0], frames=frames, fps=RECORDED_FPS)
        rows[:, COLUMNS.index(f"EyeBlink{side}")] = lids
        rows[:, COLUMNS.index(f"{side}EyeYaw")] = np.where((seconds > 5) & (seconds < 7), 0.2, 0)
    return rows


@pytest.fixture(scope="module")
def takes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Take, ...]:
    data = tmp_path_factory.mktemp("data")
    (data / FILE).parent.mkdir()
    labels = np.array([f"{key}|{label}" for key, label in TAKES.items()])
    arrays = {key: recording(number) for number, key in enumerate(TAKES)}
    np.savez(data / FILE, allow_pickle=False, columns=np.array(COLUMNS), labels=labels, **arrays)
    return captures(data)


def test_takes_are_read_split_and_the_range_of_motion_is_left_out(takes: tuple[Take, ...]) -> None:
    assert [(take.name, take.is_held_out) for take in takes] == [
        ("MySlate_164", False),
        ("MySlate_166", True),
        ("MySlate_161", False),
        ("MySlate_167", False),
        ("default_start", False),
        ("default_end", True),
    ]
    first = takes[0]
    assert first.coefficients.shape == (SECONDS * FPS, len(ARKIT))
    assert first.coefficients[:, index("browDownLeft")].max() == pytest.approx(0.5, abs=0.01)
    assert np.median(first.gaze) == 0 < first.gaze[:, 0].max()


def test_what_is_learned_draws_the_same_statistics(takes: tuple[Take, ...], tmp_path: Path) -> None:
    sway = np.stack([0.02 * np.sin(np.arange(300) / (8 + k)) for k in range(6)], axis=1)
    tensors = learn([take for take in takes if not take.is_held_out], [sway, 2 * sway])
    path = tmp_path / "life.safetensors"
    save_file({name: np.ascontiguousarray(value, dtype=np.float32) for name, value in tensors.items()}, path)
    life = Life.load(path)
    angry = np.zeros((1800, len(MANNERS)))
    angry[:, MANNERS.index("anger")] = 1
    face = np.concatenate([life.face(np.random.default_rng(seed), angry, FPS) for seed in range(3)])
    brow = face[:, LIVELY.index(index("browDownLeft"))]
    assert brow.mean() == pytest.approx(0.3, abs=0.05)
    assert brow.std() == pytest.approx(0.2 * np.sqrt(0.5), rel=0.25)
    speed = np.sqrt((np.diff(brow) ** 2).mean()) * FPS
    assert speed == pytest.approx(0.2 * np.pi * np.sqrt(0.5), rel=0.35)
    assert face[:, LIVELY.index(index("noseSneerLeft"))].max() < 0.01
    head = life.head(np.random.default_rng(0), 3000, 30.0)
    assert 0.004 < head[:, 0].std() < 0.06
    # Four blinks in twenty seconds, and the usual rate counted as a minute.
    assert 12 <= life.blinks[MANNERS.index("anger")] <= 18
