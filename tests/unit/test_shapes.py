"""Seconds, frames and latents are converted exactly or refused with what would do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.shapes import Compression, ShapeError, VideoShape, frames_of

TI2V = Compression(frames=4, pixels=16, patch=2)


def test_five_seconds_at_sixteen_frames_are_the_81_that_wan_was_trained_with() -> None:
    shape = VideoShape.lasting(5, fps=16, height=480, width=832)
    assert (shape.frames, shape.seconds) == (81, 5.0)
    assert shape.latents == (21, 60, 104)
    assert shape.tokens == 32_760


def test_other_vaes_compress_more() -> None:
    shape = VideoShape.lasting(5, fps=24, height=704, width=1280, compression=TI2V)
    assert shape.latents == (31, 44, 80)


def test_a_latent_frame_tells_the_middle_of_what_it_shows() -> None:
    shape = VideoShape(9, 16, 16, fps=4)
    assert shape.latent_seconds == (0.0, 0.625, 1.625)  # frame 0; frames 1 to 4; frames 5 to 8


def test_spans_of_latent_frames_meet_and_cover_the_clip() -> None:
    spans = VideoShape(17, 16, 16, fps=8).latent_spans
    assert spans[0][0] == 0
    assert [end for _, end in spans[:-1]] == pytest.approx([start for start, _ in spans[1:]])
    assert spans[-1][1] == pytest.approx(2 + 0.5 / 8)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"frames": 80}, "80 frames came; the model makes 4n+1: use 77 or 81"),
        ({"frames": 0}, "0 frames came"),
        ({"height": 100}, "A height of 100 came; multiples of 16 are needed: use 96 or 112"),
        ({"width": 8}, "A width of 8 came"),
        ({"fps": 0.0}, "0 frames per second came"),
        ({"compression": TI2V, "width": 48}, "multiples of 32 are needed: use 32 or 64"),
    ],
)
def test_what_the_model_cannot_make_is_refused(wrong: dict[str, object], told: str) -> None:
    right: dict[str, object] = {"frames": 81, "height": 96, "width": 96, "fps": 16.0}
    with pytest.raises(ShapeError) as refused:
        VideoShape(**{**right, **wrong})  # pyright: ignore[reportArgumentType] - some are meant to be wrong
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("seconds", "told"), [(2.1, "use 2 or 2.25"), (0.1, "use 0 or 0.25"), (float("nan"), "0 seconds or more")]
)
def test_a_length_between_two_latents_is_refused(seconds: float, told: str) -> None:
    with pytest.raises(ShapeError, match=told):
        frames_of(seconds, 16)


@given(st.integers(0, 400), st.sampled_from([8, 12, 15, 16, 24, 25, 30]))
def test_seconds_come_back_as_they_were(latents: int, fps: int) -> None:
    shape = VideoShape.lasting(latents * 4 / fps, fps=fps, height=16, width=16)
    assert shape.latent_frames == latents + 1
    assert shape.seconds == pytest.approx(latents * 4 / fps)


@given(st.floats(0.01, 60), st.sampled_from([8.0, 16.0, 24.0, 25.0]))
def test_a_clip_that_covers_a_sound_is_as_short_as_can_be(seconds: float, fps: float) -> None:
    shape = VideoShape.covering(seconds, fps=fps, height=16, width=16)
    assert shape.frames / fps >= seconds - 1e-9
    assert shape.frames == 1 or (shape.frames - 4) / fps < seconds
