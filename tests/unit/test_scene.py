"""What the scene encoder measures, on pictures whose answer is known."""

import numpy as np
import pytest

from emotion_encoders.emotion import MIKELS8, EmotionError
from emotion_encoders.evidence import fuse
from emotion_encoders.scene import SceneEncoder, SceneMeasures, measure


def plain(red: int, green: int, blue: int, height: int = 36, width: int = 64) -> np.ndarray:
    return np.full((height, width, 3), (red, green, blue), np.uint8)


@pytest.mark.parametrize(
    ("colour", "hue", "colourfulness", "brightness"),
    [
        ((255, 0, 0), 0, 1, 1),
        ((0, 255, 0), 120, 1, 1),
        ((0, 0, 255), 240, 1, 1),
        ((128, 128, 128), 0, 0, 128 / 255),
        ((255, 128, 128), 0, 127 / 255, 1),
        ((0, 0, 0), 0, 0, 0),
    ],
)
def test_plain_colours_have_their_hue_saturation_and_value(
    colour: tuple[int, int, int], hue: float, colourfulness: float, brightness: float
) -> None:
    found = measure([plain(*colour)], 1)
    assert (found.hue, found.colourfulness, found.brightness) == pytest.approx(
        (hue, colourfulness, brightness), abs=1e-3
    )


def test_hues_on_both_sides_of_red_average_to_red() -> None:
    picture = np.concatenate([plain(255, 40, 0), plain(255, 0, 40)])
    assert (measure([picture], 1).hue + 180) % 360 == pytest.approx(180, abs=0.01)


def test_grey_pixels_do_not_pull_the_hue() -> None:
    picture = np.concatenate([plain(0, 0, 255), plain(90, 90, 90)])
    assert measure([picture], 1).hue == pytest.approx(240)


def test_every_twentieth_frame_gives_the_colour() -> None:
    frames = [plain(0, 255, 0) if i % 20 == 0 else plain(255, 0, 0) for i in range(41)]
    assert measure(frames, 25).hue == pytest.approx(120)


def test_a_still_clip_has_no_motion_and_a_picture_none_to_speak_of() -> None:
    assert measure([plain(10, 200, 30)] * 20, 25).motion == 0
    assert measure([plain(10, 200, 30)], 25).motion is None


def test_black_and_white_in_turn_is_as_much_motion_as_there_is() -> None:
    frames = [plain(*([255 * (i % 2)] * 3)) for i in range(11)]
    assert measure(frames, 10).motion == pytest.approx(10)


def drifting(fps: int) -> list[np.ndarray]:
    """Two seconds of a soft wave that drifts at the same speed, whatever the frame rate."""
    x = np.linspace(0, 2 * np.pi, 256, endpoint=False)
    rows = [127 + 120 * np.sin(x - 0.6 * i / fps) for i in range(2 * fps)]
    return [np.repeat(np.tile(row, (64, 1))[:, :, None], 3, axis=2).astype(np.uint8) for row in rows]


@pytest.mark.parametrize("fps", [24, 30, 60])
def test_motion_does_not_depend_on_the_frame_rate(fps: int) -> None:
    slow, other = measure(drifting(10), 10).motion, measure(drifting(fps), fps).motion
    assert other == pytest.approx(slow, rel=0.1)


def test_measures_round_as_emovid_publishes_them() -> None:
    assert SceneMeasures(359.97, 0.44, 0.06, 0.123, 3).rounded() == SceneMeasures(0.0, 0.4, 0.1, 0.1, 3)


def test_no_emotion_is_claimed() -> None:
    evidence, measures = SceneEncoder().encode([plain(255, 0, 0)] * 3, 25)
    seen = evidence.track.at(0)
    assert (evidence.modality, evidence.confidence, measures.frames) == ("scene", 0.0, 3)
    assert (seen.vocabulary, seen.intensity) == (MIKELS8, 0.0)
    assert len(set(seen.weights)) == 1
    with pytest.raises(EmotionError, match="Nothing was seen or heard"):
        fuse([evidence])


def test_frames_are_read_once_and_not_kept() -> None:
    assert measure((plain(1, 2, 3) for _ in range(45)), 25).frames == 45


@pytest.mark.parametrize(
    ("frames", "fps", "sentence"),
    [
        ([], 25, "No frame came"),
        ([plain(1, 2, 3)], 0, "0 frames per second came"),
        ([plain(1, 2, 3)], float("nan"), "nan frames per second came"),
        ([plain(1, 2, 3)[:, :, 0]], 25, r"A frame came as uint8 \(36, 64\)"),
        ([plain(1, 2, 3).astype(np.float32)], 25, "A frame came as float32"),
    ],
)
def test_what_is_no_scene_is_refused(frames: list[np.ndarray], fps: float, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        measure(frames, fps)
