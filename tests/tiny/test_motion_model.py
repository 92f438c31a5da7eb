"""The learned mover at a small size: what it hangs on, what it does not, and that it learns."""

import math
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from emotion_encoders.track import EmotionTrack
from gen.recipes.ferplus import DataError
from gen.recipes.motion_examples import Example
from gen.recipes.motion_fit import MIRROR, SIDE, Schedule, begin, cut, fit, load_checkpoint, save_checkpoint
from gen.recipes.motion_run import train, write_model
from pipelines.guidance import Guidance
from pipelines.portrait.flow import Flow
from pipelines.portrait.life import LIVELY, Life
from pipelines.portrait.motion import perform
from pipelines.portrait.motion_model import (
    CHANNELS,
    FPS,
    STRIDE,
    VOICE,
    WINDOW,
    Conditions,
    MotionModel,
    MotionModelError,
    Size,
)

TINY = Size(width=16, rounds=1, tokens=8)
ANGER = EmotionTrack.parse("0:neutral 3:anger")


def model(seed: int = 0) -> MotionModel:
    """One whose every weight counts: a fresh one starts with zeros in its last layers."""
    made = MotionModel(TINY, seed=seed).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.requires_grad and parameter.ndim > 1:
                parameter.normal_(std=0.3 / math.sqrt(parameter[0].numel()), generator=generator)
        made.emotion.null.normal_(std=1.0, generator=generator)
        made.unheard.normal_(std=1.0, generator=generator)
    return made


def voice(frames: int) -> torch.Tensor:
    return torch.rand(frames, VOICE, generator=torch.Generator().manual_seed(9))


MODEL = model()


def sampled(frames: int = 300, **changed: object) -> torch.Tensor:
    options = {"conditions": Conditions(voice(frames), ANGER), "seed": 1, "steps": 4} | changed
    return MODEL.sample(options.pop("conditions"), frames, **options)  # type: ignore[arg-type]


def test_it_samples_the_frames_asked_for_within_bounds() -> None:
    for frames in (1, STRIDE, WINDOW + 1):
        moves = sampled(frames)
        assert moves.shape == (frames, CHANNELS)
        assert 0 <= float(moves[:, : len(LIVELY)].min()) <= float(moves[:, : len(LIVELY)].max()) <= 1


def test_the_same_seed_gives_the_same_motion_and_another_another() -> None:
    torch.testing.assert_close(sampled(), sampled(), atol=1e-6, rtol=0)
    assert (sampled() - sampled(seed=2)).abs().max() > 0.05


def test_a_longer_clip_begins_as_a_shorter_one() -> None:
    heard = voice(900)
    long = sampled(900, conditions=Conditions(heard, ANGER))
    short = sampled(600, conditions=Conditions(heard, ANGER))
    torch.testing.assert_close(
        long[: 600 - 4 * WINDOW // 2], short[: 600 - 4 * WINDOW // 2], atol=1e-5, rtol=0
    )


def test_windows_leave_no_seam_and_a_long_clip_does_not_drift() -> None:
    moves = sampled(2400, conditions=Conditions(None, EmotionTrack.parse("anger")))
    change = moves.diff(dim=0).abs().mean(dim=1)
    places = torch.arange(len(change)) % STRIDE
    at_edges = change[(places < 2) | (places > STRIDE - 3)].mean()
    assert float(at_edges) == pytest.approx(float(change.mean()), rel=0.1)
    first, last = (moves[k : k + 600].mean(dim=0) for k in (0, 1800))
    assert (first - last).abs().max() < 0.5 * float(moves.std(dim=0).max())


def test_emotion_and_voice_each_change_the_motion_and_have_scales_of_their_own() -> None:
    both = Conditions(voice(300), ANGER)
    plain = sampled(conditions=both)
    unfelt, unheard = (
        sampled(conditions=Conditions(voice(300), None)),
        sampled(conditions=Conditions(None, ANGER)),
    )
    assert (plain - unfelt).abs().max() > 1e-3 < (plain - unheard).abs().max()
    torch.testing.assert_close(sampled(guidance=Guidance(emotion=0.0)), unfelt, atol=1e-5, rtol=0)
    torch.testing.assert_close(sampled(guidance=Guidance(audio=0.0)), unheard, atol=1e-5, rtol=0)
    more = [sampled(guidance=guidance) for guidance in (Guidance(emotion=3.0), Guidance(audio=3.0))]
    assert (more[0] - plain).abs().max() > 1e-3 < (more[1] - plain).abs().max()
    assert (more[0] - more[1]).abs().max() > 1e-3


def test_a_track_changes_nothing_well_before_its_change() -> None:
    late = Conditions(voice(900), EmotionTrack.parse("0:neutral 25:neutral 25.1:fear"))
    never = Conditions(voice(900), EmotionTrack.parse("neutral"))
    one, other = sampled(900, conditions=late), sampled(900, conditions=never)
    assert (one - other)[:200].abs().max() < 1e-5
    assert (one - other)[780:].abs().max() > 1e-3


def test_time_itself_is_not_felt() -> None:
    early, late = (MODEL.tokens([EmotionTrack.parse("anger")], start, 30) for start in (0.0, 3600.0))
    torch.testing.assert_close(early, late)


def test_packing_is_undone_by_unpacking() -> None:
    moves = torch.rand(5, CHANNELS, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(MODEL.unpack(MODEL.pack(moves)), moves)


def test_a_model_comes_back_from_its_file_and_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "motion.safetensors"
    write_model(path, MODEL, seed="0")
    back = MotionModel.load(path)
    heard = Conditions(voice(60), ANGER)
    torch.testing.assert_close(
        back.sample(heard, 60, seed=1), MODEL.sample(heard, 60, seed=1), atol=0.02, rtol=0.02
    )
    assert Flow.load(path).model.size == TINY
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(MotionModelError, match="no whole safetensors file"):
        MotionModel.load(path)


def test_the_full_size_stays_small() -> None:
    assert sum(parameter.numel() for parameter in MotionModel().parameters()) < 1_500_000


def test_a_performance_can_be_moved_by_it_and_lids_never_stay_shut() -> None:
    sound = np.random.default_rng(0).standard_normal(16_000 * 4).astype(np.float32) * 0.1
    mover = Flow(MODEL, Life.bundled(), steps=4)
    one, again = (perform(sound, 16_000, ANGER, frames=100, fps=25.0, seed=3, mover=mover) for _ in range(2))
    np.testing.assert_allclose(one.coefficients, again.coefficients, atol=1e-5)
    np.testing.assert_allclose(one.head, again.head, atol=1e-5)
    shut = np.diff(np.concatenate([[0], (one.coefficients[:, 0] > 0.6).astype(int), [0]]))
    assert (np.flatnonzero(shut < 0) - np.flatnonzero(shut > 0)).max(initial=0) < 10


def examples() -> list[Example]:
    """A slow wave of everything when afraid, stillness when calm."""
    seconds = np.arange(400) / FPS
    wave = 0.4 + 0.3 * np.sin(2 * np.pi * seconds[:, None] / 2 + np.arange(CHANNELS))
    still = np.full((150, CHANNELS), 0.1)
    return [
        Example(wave.astype(np.float32), voice(400).numpy(), EmotionTrack.parse("fear"), 1.0),
        Example(still.astype(np.float32), None, EmotionTrack.parse("neutral"), 1.0),
    ]


def test_training_lowers_the_loss_and_goes_on_exactly_where_it_stopped(tmp_path: Path) -> None:
    schedule = Schedule(steps=40, batch=4, warm_up=5, rate=5e-3)
    whole, parts = (begin(TINY, schedule, examples()) for _ in range(2))
    losses = list(fit(whole, examples(), schedule, deadline=time.monotonic() + 60))
    assert np.mean(losses[-10:]) < 0.85 * np.mean(losses[:10])

    going = fit(parts, examples(), schedule, deadline=time.monotonic() + 60)
    for _ in range(10):
        next(going)
    save_checkpoint(tmp_path / "c.safetensors", parts, schedule)
    other = begin(TINY, schedule, examples())
    load_checkpoint(tmp_path / "c.safetensors", other, schedule)
    rest = list(fit(other, examples(), schedule, deadline=time.monotonic() + 60))
    np.testing.assert_allclose(rest, losses[10:], rtol=1e-5)
    with pytest.raises(DataError, match="go on with the same options"):
        load_checkpoint(tmp_path / "c.safetensors", other, Schedule(steps=31))


def test_a_training_that_ran_out_of_time_is_not_complete(tmp_path: Path) -> None:
    told: list[str] = []
    schedule = Schedule(steps=2, batch=2)
    none = train(examples(), schedule, tmp_path, size=TINY, minutes=0.0, tell=told.append)
    assert (none.step, none.is_complete) == (0, False)
    done = train(examples(), schedule, tmp_path, size=TINY, minutes=1.0, tell=told.append)
    assert (done.step, done.is_complete) == (2, True)
    assert any("Going on from step 0" in line for line in told)


def test_a_window_of_a_short_stretch_is_its_own_reflection_and_a_mirror_undoes_itself() -> None:
    short = Example(np.arange(5 * CHANNELS, dtype=np.float32).reshape(5, CHANNELS), None, None, 1.0)
    window, _, start = cut(short, np.random.default_rng(1))
    assert (window.shape, start) == ((WINDOW, CHANNELS), 0)
    assert np.abs(np.diff(window[:, -4], axis=0)).max() <= CHANNELS
    frames = np.random.default_rng(0).random((4, CHANNELS)).astype(np.float32)
    np.testing.assert_array_equal((frames[:, MIRROR] * SIDE)[:, MIRROR] * SIDE, frames)
