"""Guidance is nested, named, and costs no run that it does not need."""

import pytest
import torch

from pipelines.guidance import Condition, Guidance, combined, passes

BOTH: frozenset[Condition] = frozenset({"text", "emotion"})


def velocities(*values: float) -> list[torch.Tensor]:
    return [torch.tensor([value]) for value in values]


def test_text_alone_is_classifier_free_guidance() -> None:
    runs = passes(Guidance(text=5), frozenset({"text"}))
    assert [(set(run.conditions), run.share) for run in runs] == [(set(), -4), ({"text"}, 5)]
    without, with_text = torch.randn(2, 3)
    expected = without + 5 * (with_text - without)
    assert torch.equal(combined([without, with_text], runs), expected)


def test_emotion_is_measured_beside_the_text() -> None:
    runs = passes(Guidance(text=4, emotion=3), BOTH)
    none, text, both = 1.0, 2.0, 5.0
    assert combined(velocities(none, text, both), runs).item() == pytest.approx(
        none + 4 * (2 - 1) + 3 * (5 - 2)
    )


def test_plain_conditioning_needs_one_run() -> None:
    (run,) = passes(Guidance(text=1, emotion=1), BOTH)
    assert (run.conditions, run.share) == (BOTH, 1)
    velocity = torch.randn(3)
    assert combined([velocity], [run]) is velocity


def test_the_run_without_conditions_is_left_out_where_it_does_not_count() -> None:
    runs = passes(Guidance(text=1, emotion=3), BOTH)
    assert [run.conditions for run in runs] == [frozenset({"text"}), BOTH]


def test_a_scale_of_zero_gives_the_condition_to_no_run() -> None:
    runs = passes(Guidance(text=0, emotion=3), BOTH)
    assert all("text" not in run.conditions for run in runs)
    assert passes(Guidance(text=5, emotion=0), BOTH) == passes(Guidance(text=5), frozenset({"text"}))


def test_the_order_is_reference_text_audio_emotion() -> None:
    every: frozenset[Condition] = frozenset({"emotion", "audio", "text", "reference"})
    runs = passes(Guidance(text=2, audio=3, emotion=4, reference=1.5), every)
    assert [len(run.conditions) for run in runs] == [0, 1, 2, 3, 4]
    assert runs[1].conditions == {"reference"}
    assert runs[3].conditions == {"reference", "text", "audio"}
    assert sum(run.share for run in runs) == pytest.approx(1)


def test_guidance_that_is_no_scale_is_refused() -> None:
    for wrong in (-1.0, float("nan"), 1000.0):
        with pytest.raises(ValueError, match="came as guidance by emotion; 0 to 100"):
            Guidance(emotion=wrong)


def test_each_run_needs_its_velocity() -> None:
    with pytest.raises(ValueError, match="1 velocities came for 2 runs"):
        combined(velocities(1.0), passes(Guidance(), frozenset({"text"})))
