"""Who is evaluated, saying what and seen by whom; and what a suite hands back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emotion_encoders.track import EmotionTrack
from gen.measure import Estimate
from gen.media import MediaError, read_image
from gen.trials import FPS, SEED, SIZE
from pipelines.portrait.motion import Motion, perform
from pipelines.portrait.pipeline import PortraitPipeline
from pipelines.portrait.tracker import PortraitError

if TYPE_CHECKING:
    from gen.score import Witness
    from pipelines.portrait.pipeline import Actor


@dataclass(frozen=True)
class Finding:
    """What a suite found: numbers for a JSON file, and lines for reading."""

    report: dict[str, Any]  # Any: JSON
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Cast:
    """Portraits, the sentence they say, and the recognisers that look at them."""

    pipeline: PortraitPipeline
    portraits: tuple[Path, ...]
    speech: tuple[np.ndarray, int]  # mono float32 and its rate
    emotions: tuple[str, ...]
    witnesses: tuple[Witness, ...]
    tell: Callable[[str], None]  # says how far it is

    @property
    def frames(self) -> int:
        """How many frames the sentence lasts."""
        return max(1, round(len(self.speech[0]) / self.speech[1] * FPS))

    @property
    def seconds(self) -> float:
        return self.frames / FPS

    def actors(self) -> Iterator[tuple[str, Actor | str]]:
        """Each portrait's name, and the actor or the sentence that says why there is none."""
        for number, path in enumerate(self.portraits, 1):
            began = time.perf_counter()
            try:
                yield path.stem, self.pipeline.prepare(read_image(path), size=SIZE)
            except (PortraitError, MediaError) as error:
                yield path.stem, str(error)
            self.tell(f"[{number}/{len(self.portraits)}] {path.stem}  {time.perf_counter() - began:.1f} s")

    def motion(self, track: str) -> Motion:
        """The sentence spoken with the emotions of a track."""
        return perform(*self.speech, EmotionTrack.parse(track), frames=self.frames, fps=FPS, seed=SEED)

    def drawn(
        self, actor: Actor, motion: Motion, indices: Sequence[int] | None = None
    ) -> Iterator[np.ndarray]:
        """The frames of an actor in motion, all or those of some indices."""
        if indices is not None:
            kept = list(indices)
            motion = replace(motion, coefficients=motion.coefficients[kept], head=motion.head[kept])
        return self.pipeline.frames(actor, motion)


def told(name: str, value: Estimate | None) -> str:
    """One line of a table: what was measured, with its interval and how many values and portraits it has."""
    if value is None:
        return f"  {name:<44} not measured"
    interval = f"{value.mean:.3f} [{value.low:.3f}, {value.high:.3f}]"
    return f"  {name:<44} {interval}  n = {value.n}, {value.clusters} portraits"
