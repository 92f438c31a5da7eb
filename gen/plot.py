"""Wanted and seen on one time axis, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from emotion_encoders.emotion import FACE8, Emotion
from gen.atomic import replacing

if TYPE_CHECKING:
    from gen.score import Score

COLOURS = ("#9a9a9a", "#e8a400", "#3c6fb4", "#d76fc4", "#7a4fa3", "#5a8a3a", "#c8352d", "#8a5a32")


def write_plot(path: Path, result: Score) -> Path:
    """One panel for what was wanted, if that is known, and one for each recogniser; gaps had no face."""
    from matplotlib.figure import Figure

    panels: list[tuple[str, list[Emotion | None]]] = []
    if result.wanted is not None:
        panels.append(("wanted", [result.wanted.at(i / result.fps).shown for i in range(result.frames)]))
    panels += [(one.witness.sentence, list(one.emotions)) for one in result.views]
    seconds = [index / result.fps for index in range(result.frames)]
    figure = Figure(figsize=(9, 2.3 * len(panels) + 0.6), layout="constrained")
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (title, emotions) in zip(axes, panels, strict=True):
        for index, (label, colour) in enumerate(zip(FACE8.labels, COLOURS, strict=True)):
            values = [float("nan") if emotion is None else emotion.weights[index] for emotion in emotions]
            axis.plot(seconds, values, color=colour, label=label, linewidth=1.6)
        axis.set(ylim=(-0.02, 1.02), ylabel="probability")
        axis.set_title(title, fontsize=9, loc="left")
    axes[0].legend(fontsize=7, ncols=4, loc="upper right")
    axes[-1].set_xlabel("seconds")
    figure.suptitle(result.clip.name, fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        figure.savefig(part, format="png", dpi=110)
    return path
