"""Measures how alive our faces and heads are: against real ones that nothing was learned from.

    python -m gen.recipes.motion_measure --data DIR [--flow WEIGHTS] [--seeds 4]

For every held-out recording (`motion_captures`) a face as long is performed in silence, asked for what was
felt at the intensity at which the rules come nearest to the levels of the takes that were learned from. It
prints blinks; the Fréchet distance over two-second windows (`motion_distance`) of
  floor      the rules without residuals,
  residuals  the rules with what was measured on the learned takes laid over them: what a render does,
  flow       a learned model (with --flow),
  ceiling    the learned takes themselves, one per feeling: all there are, and their mean,
without and with the levels that a performer holds; and the same for heads that speak, against tracked clips.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion_encoders.track import EmotionTrack
from gen.media import read_sound
from gen.recipes.motion_captures import FPS, Take, blinks_of, captures, longest_shut
from gen.recipes.motion_distance import distance, frechet, signals_of, windows_of
from gen.recipes.motion_heads import TrackedClip, heads
from pipelines.portrait.life import LIVELY
from pipelines.portrait.motion import Motion, perform
from pipelines.portrait.moves import Rules

Array = NDArray[np.float64]
Mover = Callable[
    [NDArray[np.float32], int, EmotionTrack, int, int], Motion
]  # voice, rate, track, frames, seed

RATE = 16_000
STRENGTHS = tuple(np.arange(0.1, 1.01, 0.1).round(1))
HEAD_HOP = 0.5  # seconds: the clips are short
AXES = ("pitch", "yaw", "roll", "x", "y", "z")


def rules(voice: NDArray[np.float32], rate: int, track: EmotionTrack, frames: int, seed: int) -> Motion:
    return perform(voice, rate, track, frames=frames, fps=FPS, seed=seed, mover=Rules(None))


def residuals(voice: NDArray[np.float32], rate: int, track: EmotionTrack, frames: int, seed: int) -> Motion:
    return perform(voice, rate, track, frames=frames, fps=FPS, seed=seed)


def flow(path: Path) -> Mover:
    """Moves by a motion model."""
    from pipelines.portrait.flow import Flow

    mover = Flow.load(path)

    def moved(voice: NDArray[np.float32], rate: int, track: EmotionTrack, frames: int, seed: int) -> Motion:
        return perform(voice, rate, track, frames=frames, fps=FPS, seed=seed, mover=mover)

    return moved


def asked_of(takes: Sequence[Take]) -> dict[str, EmotionTrack]:
    """What to ask for each feeling: the intensity nearest to the mean levels of its learned takes."""
    found: dict[str, EmotionTrack] = {}
    for feeling in dict.fromkeys(take.feeling for take in takes):
        chosen = [take for take in takes if take.feeling == feeling and not take.is_held_out]
        level = np.mean([take.coefficients[:, LIVELY].mean(axis=0) for take in chosen], axis=0)

        def gap(track: EmotionTrack, level: Array = level) -> float:
            made = rules(_silence(2), RATE, track, 2 * FPS, 0).coefficients[:, LIVELY].mean(axis=0)
            return float(((made - level) ** 2).sum())

        tracks = [EmotionTrack.parse(chosen[0].asked)]
        if feeling != "neutral":
            tracks = [EmotionTrack.parse(f"{chosen[0].asked}@{strength}") for strength in STRENGTHS]
        found[feeling] = min(tracks, key=gap)
    return found


def _silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * RATE), np.float32)


def faces(takes: Sequence[Take], movers: Mapping[str, Mover], seeds: int) -> None:
    """Prints blinks and the distances of faces."""
    asked = asked_of(takes)
    learned = [take for take in takes if not take.is_held_out]
    held = [take for take in takes if take.is_held_out]
    print("asked: " + "; ".join(f"{feeling}: {track}" for feeling, track in asked.items()))
    made = {
        name: [
            [mover(_silence(t.seconds), RATE, asked[t.feeling], len(t.coefficients), seed) for t in held]
            for seed in range(seeds)
        ]
        for name, mover in movers.items()
    }
    _blinks("learned", [take.lids for take in learned])
    _blinks("held out", [take.lids for take in held])
    for name, clips in made.items():
        _blinks(name, [clip.coefficients[:, [0, 7]].mean(axis=1) for row in clips for clip in row])
    for levels in (False, True):
        told = {take.name: windows_of(signals_of(take.coefficients), FPS, levels=levels) for take in takes}
        scale = np.concatenate([told[take.name] for take in learned]).std(axis=0)
        real = [told[take.name] for take in held]
        print(f"faces, {'levels counted' if levels else 'dynamics'}: distance to the held-out takes")
        for name, clips in made.items():
            rows = [
                [windows_of(signals_of(m.coefficients), FPS, levels=levels) for m in row] for row in clips
            ]
            values = [frechet(np.concatenate(row) / scale, np.concatenate(real) / scale) for row in rows]
            first = distance(rows[0], real, scale)
            print(
                f"  {name:10s} mean of {seeds} seeds {np.mean(values):6.2f}; "
                f"seed 0 {first}, windows {first.windows}"
            )
        ceilings = [distance([told[t.name] for t in one], real, scale) for one in _one_each(learned)]
        print(
            f"  {'ceiling':10s} mean {np.mean([c.value for c in ceilings]):6.2f}; "
            f"{'; '.join(map(str, ceilings))}"
        )


def _one_each(takes: Sequence[Take]) -> list[list[Take]]:
    """The first take of every feeling, the second of every one, and so on; a feeling with one repeats it."""
    groups = [[take for take in takes if take.feeling == f] for f in dict.fromkeys(t.feeling for t in takes)]
    return [[group[min(k, len(group) - 1)] for group in groups] for k in range(max(map(len, groups)))]


def _blinks(name: str, lids: Sequence[Array]) -> None:
    seen = [blinks_of(curve, FPS) for curve in lids]
    lengths = np.concatenate([one.lengths for one in seen])
    minutes = sum(one.minutes for one in seen)
    shut = max(longest_shut(curve, FPS) for curve in lids)
    middle = np.percentile(lengths, [25, 50, 75]) if len(lengths) else np.full(3, np.nan)
    print(
        f"blinks, {name:10s} {len(lengths) / minutes:5.1f} a minute (n = {len(lengths)}), half shut for "
        f"{middle[1]:.3f} s [{middle[0]:.3f}, {middle[2]:.3f}], longest shut {shut:.2f} s"
    )


def head_rows(data: Path, clips: Sequence[TrackedClip], movers: Mapping[str, Mover], seeds: int) -> None:
    """Prints how heads move, and the distances of heads that speak."""
    sound = speech(data, 60)
    groups = {
        "learned": [clip.head for clip in clips if not clip.is_held_out],
        "held out": [clip.head for clip in clips if clip.is_held_out],
    }
    frames = round(sum(len(head) for head in groups["held out"]))
    for name, mover in movers.items():
        made = [mover(sound, RATE, EmotionTrack.parse("neutral"), frames, seed).head for seed in range(seeds)]
        groups[name] = [head.astype(np.float64) for head in made]
    print(
        "heads: deviation in degrees ("
        + " ".join(AXES[:3])
        + "), speed in degrees a second, share of motion above 1 Hz"
    )
    for name, group in groups.items():
        print(f"  {name:10s} n = {len(group):2d}  {_head_numbers(group)}")
    told = {
        name: [windows_of(head, FPS, levels=False, hop=HEAD_HOP) for head in group]
        for name, group in groups.items()
    }
    scale = np.concatenate(told["learned"]).std(axis=0)
    print("heads: distance to the held-out clips")
    for name in ("learned", *movers):
        far = distance(told[name], told["held out"], scale, block=4)
        print(f"  {'ceiling' if name == 'learned' else name:10s} {far}, windows {far.windows}")


def _head_numbers(group: Sequence[Array]) -> str:
    turns = [np.degrees(head[:, :3]) for head in group]
    spread = np.mean([turn.std(axis=0) for turn in turns], axis=0)
    speed = np.mean([np.sqrt((np.diff(turn, axis=0) ** 2).mean(axis=0)) * FPS for turn in turns], axis=0)
    quick = np.mean([_share_above(turn, 1.0) for turn in turns], axis=0)
    return "  ".join(" ".join(f"{value:5.2f}" for value in row) for row in (spread, speed, quick))


def _share_above(turn: Array, hertz: float) -> Array:
    power = np.abs(np.fft.rfft((turn - turn.mean(axis=0)) * np.hanning(len(turn))[:, None], axis=0)) ** 2
    return power[np.fft.rfftfreq(len(turn), 1 / FPS) > hertz].sum(axis=0) / power.sum(axis=0)


def speech(data: Path, seconds: float) -> NDArray[np.float32]:
    """Calm sentences of several speakers one after the other, at RATE."""
    paths = sorted((data / "ravdess_speech_16k").rglob("03-01-01-01-*"))
    parts: list[NDArray[np.float32]] = []
    for path in paths:
        if sum(map(len, parts)) >= seconds * RATE:
            break
        parts.append(read_sound(path)[0])
    if not parts:
        raise ValueError(f"'{data}' holds no ravdess_speech_16k/.../03-01-01-01-*: nothing to speak with.")
    return np.concatenate(parts)[: round(seconds * RATE)]


def main() -> None:
    """Prints all rows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="arkit_capture/, talking_clips/, ravdess_speech_16k/"
    )
    parser.add_argument("--seeds", type=int, default=4, help="how often each motion is drawn")
    parser.add_argument(
        "--flow", type=Path, help="weights of a motion model, to be measured beside the rules"
    )
    asked = parser.parse_args()
    movers: dict[str, Mover] = {"floor": rules, "residuals": residuals}
    if asked.flow is not None:
        movers["flow"] = flow(asked.flow)
    faces(captures(asked.data), movers, asked.seeds)
    head_rows(asked.data, heads(asked.data), movers, asked.seeds)


if __name__ == "__main__":
    main()
