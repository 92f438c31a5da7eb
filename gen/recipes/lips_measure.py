"""Measures how well the lips follow a voice: our lip opening against that in real videos of the same speech.

    python -m gen.recipes.lips_measure --data DIR [--emotion happiness] [--portrait photo.jpg] [--no-render]

DIR holds `talking_clips/grid/*.mpg` (GRID corpus, CC BY 4.0) and other speaking clips in
`talking_clips/liveportrait`. For every clip it prints the correlation, at zero lag, of the real distance
between the inner lips (by MediaPipe, relative to the outer eye corners) with
  loudness, band    two baselines: the log energy of the sound, whole and between 400 and 1,100 Hz,
  signal            the opening that `pipelines.portrait.voice` hears without the lip network,
  voice             the same with it,
  motion            the lip gap that the performed coefficients ask for,
  pixels            the lip opening in the rendered clip, tracked like the real one,
and `lag`, by how many frames motion would have to come later to agree best. Nothing is trained on these
clips; round numbers in voice.py and articulation.py were chosen with them in view.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from emotion_encoders.track import EmotionTrack
from gen.assemble import portrait_pipeline
from gen.bundled import astronaut
from gen.media import read_image
from pipelines.portrait.articulation import lip_gap
from pipelines.portrait.motion import perform
from pipelines.portrait.tracker import FaceTracker, eye_distance
from pipelines.portrait.voice import listen, listen_without_network

UPPER_LIP, LOWER_LIP = 13, 14  # the middle of the inner lips
WINDOW_SECONDS = 0.04
LAGS = range(-5, 6)  # frames
OTHERS = ("d9", "s18")  # of talking_clips/liveportrait, those with speech


@dataclass(frozen=True)
class Take:
    """A real speaker: frames (T, H, W, 3), fps, mono sound and its rate."""

    frames: list[np.ndarray]
    fps: float
    sound: np.ndarray
    rate: int


def read(path: Path) -> Take:
    """GRID's program streams are not among the formats that users may hand in, so they are read here."""
    with av.open(str(path)) as container:
        fps = float(container.streams.video[0].average_rate or 25)
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].rate
        mono = av.AudioResampler(format="flt", layout="mono", rate=rate)
        parts = [part.to_ndarray()[0] for frame in container.decode(audio=0) for part in mono.resample(frame)]
    return Take(frames, fps, np.concatenate(parts), rate)


def tracked_openings(frames: Iterable[np.ndarray]) -> np.ndarray:
    """Distance of the inner lips (T,) in distances of the outer eye corners; NaN where there is no face."""

    def opening(face: np.ndarray | None) -> float:
        if face is None:
            return float("nan")
        return float(np.hypot(*(face[UPPER_LIP, :2] - face[LOWER_LIP, :2]))) / eye_distance(face)

    with FaceTracker(max_faces=1) as tracker:
        return np.array([opening(tracker.follow(frame)) for frame in frames])


def log_energy(take: Take, low: float, high: float) -> np.ndarray:
    """A baseline: the log energy (T,) of a band in a window around each frame."""
    length = round(WINDOW_SECONDS * take.rate)
    hertz = np.fft.rfftfreq(length, 1 / take.rate)
    band = (hertz >= low) & (hertz < high)
    padded = np.pad(take.sound, (length // 2, take.rate))
    starts = [round(frame / take.fps * take.rate) for frame in range(len(take.frames))]
    windows = np.stack([padded[start : start + length] for start in starts]) * np.hanning(length)
    return np.log((np.abs(np.fft.rfft(windows)[:, band]) ** 2).sum(axis=1) + 1e-8)


def correlation(ours: np.ndarray, real: np.ndarray) -> float:
    """Pearson's, over the frames where both are known; 0 if one does not move."""
    known = np.isfinite(ours) & np.isfinite(real)
    if known.sum() < 3 or ours[known].std() < 1e-9 or real[known].std() < 1e-9:
        return 0.0
    return float(np.corrcoef(ours[known], real[known])[0, 1])


def measured(take: Take, track: EmotionTrack, portrait: np.ndarray | None) -> Iterator[tuple[str, float]]:
    """Name and correlation of each way to guess the lips of a take."""
    real = tracked_openings(take.frames)
    frames, fps = len(take.frames), take.fps
    yield "loudness", correlation(log_energy(take, 80, 8000), real)
    yield "band", correlation(log_energy(take, 400, 1100), real)
    for name, heard in (("signal", listen_without_network), ("voice", listen)):
        yield name, correlation(heard(take.sound, take.rate, frames=frames, fps=fps).opening, real)
    motion = perform(take.sound, take.rate, track, frames=frames, fps=fps, seed=0)
    gap = lip_gap(motion.coefficients)
    yield "motion", correlation(gap, real)
    yield "lag", float(max(LAGS, key=lambda lag: correlation(np.roll(gap, lag), real)))
    if portrait is not None:
        pipeline = portrait_pipeline()
        actor = pipeline.prepare(portrait)
        yield "pixels", correlation(tracked_openings(pipeline.frames(actor, motion)), real)


def main() -> None:
    """Prints one row per clip and the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds talking_clips")
    parser.add_argument(
        "--portrait", type=Path, help="who speaks in the rendered clips (default: the astronaut)"
    )
    parser.add_argument("--emotion", default="neutral", help="how they feel, in the track notation")
    parser.add_argument(
        "--render", action=argparse.BooleanOptionalAction, default=True, help="measure pixels too"
    )
    asked = parser.parse_args()
    clips = sorted((asked.data / "talking_clips" / "grid").glob("*.mpg"))
    if not clips:
        parser.error(f"'{asked.data}' holds no talking_clips/grid/*.mpg.")
    track = EmotionTrack.parse(asked.emotion)
    portrait = None
    if asked.render:
        portrait = astronaut() if asked.portrait is None else read_image(asked.portrait)

    rows = [_told(clip, track, portrait) for clip in clips]
    medians = {name: float(np.median([row[name] for row in rows])) for name in rows[0]}
    better = sum(row["motion"] > row["band"] for row in rows)
    print(
        f"{'median':10s} {_listed(medians)}\nmotion better than band in {better} of {len(rows)}", flush=True
    )
    for name in OTHERS:
        clip = asked.data / "talking_clips" / "liveportrait" / f"{name}.mp4"
        if clip.exists():
            _told(clip, track, None)


def _told(clip: Path, track: EmotionTrack, portrait: np.ndarray | None) -> dict[str, float]:
    row = dict(measured(read(clip), track, portrait))
    print(f"{clip.stem:10s} {_listed(row)}", flush=True)
    return row


def _listed(row: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:5.2f}" for name, value in row.items())


if __name__ == "__main__":
    main()
