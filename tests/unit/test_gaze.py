"""Blinks, saccades and where the eyes turn."""

import numpy as np

from pipelines.portrait.arkit import index
from pipelines.portrait.gaze import Looks, aims, blinks, eyes, look

FPS = 25.0


def closed_runs(lids: np.ndarray, above: float) -> list[int]:
    shut = np.diff(np.concatenate([[0], (lids > above).astype(int), [0]]))
    return list(np.flatnonzero(shut < 0) - np.flatnonzero(shut > 0))


def test_blinks_come_and_last_as_human_ones_do() -> None:
    counts, lasts = [], []
    for seed in range(20):
        lids = blinks(np.random.default_rng(seed), frames=6000, fps=100.0, phrase_ends=())
        runs = closed_runs(lids, 0.05)
        counts.append(len(runs))
        lasts += [frames / 100 for frames in runs]
        assert max(closed_runs(lids, 0.5)) < 30  # never latched: shut for less than .3 s
        assert lids[0] == lids[-1] == 0
        assert lids.max() > 0.99
    assert 14 <= np.mean(counts) <= 20
    assert 9 <= min(counts) <= max(counts) <= 28
    assert 0.15 <= min(lasts) <= max(lasts) <= 0.3


def test_blinks_follow_a_rate_that_changes() -> None:
    rate = np.repeat([8.0, 40.0], 3000)
    halves = np.zeros(2)
    for seed in range(10):
        lids = blinks(
            np.random.default_rng(seed), frames=6000, fps=100.0, phrase_ends=(), looks=Looks(blinks=rate)
        )
        halves += [len(closed_runs(half, 0.05)) for half in (lids[:3000], lids[3000:])]
    assert 3 <= halves[0] / 10 <= 6 < 15 <= halves[1] / 10 <= 23


def test_some_blinks_do_not_close_the_lids_wholly() -> None:
    tops = []
    for seed in range(20):
        lids = blinks(np.random.default_rng(seed), frames=6000, fps=100.0, phrase_ends=())
        shut = np.flatnonzero(np.diff(np.concatenate([[0], (lids > 0.05).astype(int), [0]])))
        tops += [lids[start:end].max() for start, end in shut.reshape(-1, 2)]
    assert 0.08 < np.mean(np.array(tops) < 0.95) < 0.25
    assert min(tops) > 0.5


def test_blinks_prefer_the_ends_of_phrases() -> None:
    ends = tuple(np.arange(2.0, 60, 3.0))
    found = 0
    for seed in range(10):
        lids = blinks(np.random.default_rng(seed), frames=6000, fps=100.0, phrase_ends=ends)
        starts = np.flatnonzero(np.diff((lids > 0).astype(int)) > 0) / 100
        found += sum(min(abs(start - end) for end in ends) < 0.05 for start in starts) / len(starts)
    assert found / 10 > 0.25


def test_the_gaze_stays_with_the_viewer_when_the_head_turns() -> None:
    aim = aims(np.random.default_rng(0), frames=50, fps=FPS)
    turned = np.zeros((50, 2))
    turned[:, 0] = np.radians(5)
    still, moved = (look(aim, head=head, down=np.zeros(50)) for head in (np.zeros((50, 2)), turned))
    np.testing.assert_allclose((moved - still)[:, 0], -0.85 * np.radians(5))
    assert np.abs(still).max() < np.radians(12)


def test_eyes_that_look_around_more_are_away_more() -> None:
    calm, afraid = (
        np.concatenate([aims(np.random.default_rng(s), frames=750, fps=FPS, looks=looks) for s in range(6)])
        for looks in (Looks(), Looks(held=0.6, away=0.8, far_right=0.12))
    )
    assert afraid[:, 0].std() > 1.5 * calm[:, 0].std()


def test_eyes_dip_behind_closing_lids() -> None:
    face = eyes(np.array([0.0, 1.0]), np.zeros((2, 2)))
    down = face[:, index("eyeLookDownLeft")]
    assert down[0] == 0 < 0.4 < down[1]


def test_eyes_that_look_to_the_viewers_right_turn_to_the_persons_left() -> None:
    face = eyes(np.zeros(1), np.radians([[10.0, 5.0]]))[0]
    assert face[index("eyeLookOutLeft")] == face[index("eyeLookInRight")] > 0.2
    assert face[index("eyeLookInLeft")] == face[index("eyeLookOutRight")] == 0
    assert face[index("eyeLookDownLeft")] > 0 == face[index("eyeLookUpLeft")]
