"""What each sense felt, and what follows from all of them, on one time axis as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emotion_encoders.emotion import FACE8
from emotion_encoders.evidence import Evidence
from gen.atomic import replacing
from gen.encode_report import Report
from gen.plot import COLOURS

POINTS = 200
LEAST_SECONDS = 1.0  # a sentence or a picture has no length; it is drawn this long


def write_plot(path: Path, report: Report) -> Path:
    """One panel for each source and one for the fusion."""
    from matplotlib.figure import Figure

    panels = [(f"{evidence.modality}: {evidence.weights}", evidence) for _, evidence in report.sources]
    if report.fusion is not None and len(panels) > 1:
        panels.append((f"fused: {report.fusion.reason}", report.fusion.evidence))
    last = max(evidence.track.keyframes[-1].seconds for _, evidence in panels)
    seconds = np.linspace(0, max(last, LEAST_SECONDS), POINTS)
    figure = Figure(figsize=(9, 2.3 * len(panels) + 0.6), layout="constrained")
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (title, evidence) in zip(axes, panels, strict=True):
        shown = _shown(evidence, seconds)
        for values, label, colour in zip(shown.T, FACE8.labels, COLOURS, strict=True):
            axis.plot(seconds, values, color=colour, label=label, linewidth=1.6)
        axis.set(ylim=(-0.02, 1.02), ylabel="probability")
        axis.set_title(f"{title}, confidence {evidence.confidence:.2f}", fontsize=9, loc="left")
    axes[0].legend(fontsize=7, ncols=4, loc="upper right")
    axes[-1].set_xlabel("seconds")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        figure.savefig(part, format="png", dpi=110)
    return path


def _shown(evidence: Evidence, seconds: np.ndarray) -> np.ndarray:
    return np.array([evidence.track.at(float(second)).shown.weights for second in seconds])
