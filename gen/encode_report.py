"""What was felt in the inputs of one request, as text and as data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from emotion_encoders.emotion import Emotion
from emotion_encoders.evidence import Evidence, Fusion, Modality, Policy, decisiveness, fuse
from emotion_encoders.scene import SceneMeasures
from gen.encode_batch import answer
from gen.felt import average, moments, only_measured, rounded, summary
from gen.senses import Kind, Sensed, Senses

if TYPE_CHECKING:
    from emotion_encoders.prosody import Prosody

MOST_KEYFRAMES = 12  # that are written out for reading; the JSON has all


@dataclass(frozen=True)
class Report:
    """The senses' evidence, in the order of the inputs, and what follows from all of it."""

    inputs: Mapping[Kind, str | Path]
    sensed: Mapping[Kind, Sensed]
    policy: Policy
    errors: tuple[str, ...]  # what could not be used or felt, in sentences
    decides: Mapping[Modality, float]
    fusion: Fusion | None = None

    @classmethod
    def of(cls, inputs: Mapping[Kind, str | Path], senses: Senses, policy: Policy, *, cropped: bool) -> Self:
        """Asks each sense about its input."""
        sensed: dict[Kind, Sensed] = {}
        errors: list[str] = []
        for kind in inputs:
            senses.load(kind)
        for kind, value in inputs.items():
            try:
                sensed[kind] = _sensed(kind, value, senses, cropped)
            except (ValueError, OSError) as error:
                errors.append(str(error))
                continue
            # Who shows no face may still speak: only what leaves nothing is an error.
            if all(map(only_measured, sensed[kind].evidence)):
                errors += sensed[kind].missing
        evidence = [one for found in sensed.values() for one in found.evidence]
        return cls(inputs, sensed, policy, tuple(errors), decisiveness(evidence, policy=policy))

    def fused(self) -> Self:
        """The same with one answer for all; EmotionError if nobody felt anything or the user is to decide."""
        return replace(self, fusion=fuse([source for _, source in self.sources], policy=self.policy))

    @property
    def sources(self) -> list[tuple[Kind, Evidence]]:
        """Who felt what; a scene that was only measured is left out."""
        return [
            (kind, evidence)
            for kind, found in self.sensed.items()
            for evidence in found.evidence
            if not only_measured(evidence)
        ]

    @property
    def notes(self) -> list[str]:
        """What could not be felt where something else could."""
        told = [sentence for found in self.sensed.values() for sentence in found.missing]
        return [sentence for sentence in told if sentence not in self.errors]

    @property
    def scenes(self) -> dict[Kind, SceneMeasures]:
        return {kind: found.scene for kind, found in self.sensed.items() if found.scene is not None}


def _sensed(kind: Kind, value: str | Path, senses: Senses, cropped: bool) -> Sensed:
    match kind:
        case "text":
            return senses.text(str(value))
        case "audio":
            return senses.sound(Path(value))
        case "image":
            return senses.picture(Path(value), cropped=cropped)
        case "video":
            return senses.video(Path(value))


def as_json(report: Report, question: str | None = None) -> dict[str, Any]:
    """Everything, over time."""
    fusion = report.fusion
    return {
        "inputs": {kind: str(value) for kind, value in report.inputs.items()},
        "senses": [_as_data(report, kind, evidence) for kind, evidence in report.sources],
        "scene": {kind: asdict(measures) for kind, measures in report.scenes.items()},
        "notes": report.notes,
        "fused": None if fusion is None else {**summary(fusion.evidence), "track": _track(fusion.evidence)},
        "policy": report.policy,
        "conflict": None if fusion is None or fusion.conflict is None else asdict(fusion.conflict),
        "reason": fusion.reason if fusion else (question or "nobody felt anything"),
        "decides": rounded(dict(report.decides)),
        "errors": list(report.errors),
    }


def _as_data(report: Report, kind: Kind, evidence: Evidence) -> dict[str, Any]:
    sensed = report.sensed[kind]
    prosody = {} if sensed.prosody is None else {"prosody": said(sensed.prosody)}
    return {
        "modality": evidence.modality,
        "from": kind,
        **answer(replace(sensed, evidence=(evidence,)), "blend"),
        "affect_learned": evidence.affect_learned,
        "track": _track(evidence),
        **prosody,
    }


def said(prosody: Prosody) -> list[dict[str, float | bool | None]]:
    """How something is said, moment by moment: dB, Hz (null where nothing vibrates), syllables a second."""
    return [
        {
            "seconds": round(float(second), 3),
            "loudness": round(float(loudness), 1),
            "pitch": None if math.isnan(pitch) else round(float(pitch), 1),
            "voiced": round(float(voiced), 2),
            "rate": round(float(rate), 2),
            "silent": bool(silent),
        }
        for second, loudness, pitch, voiced, rate, silent in zip(
            prosody.seconds, prosody.loudness, prosody.pitch, prosody.voiced, prosody.rate, prosody.silent,
            strict=True,
        )
    ]  # fmt: skip


def _track(evidence: Evidence) -> list[dict[str, Any]]:
    return moments(evidence.track)


def as_text(report: Report) -> str:
    """The same for reading."""
    lines: list[str] = []
    for kind, evidence in report.sources:
        lines.append(f"{evidence.modality:6} {_felt(average(evidence.track))}")
        lines.append(
            f"       confidence {evidence.confidence:.2f}, {_affect_from(evidence)}, by {evidence.weights}"
        )
        reading = report.sensed[kind].reading
        if reading is not None and reading.labels:
            lines.append(f"       in words: {', '.join(reading.labels)}")
    for kind, measures in report.scenes.items():
        lines.append(f"scene  {_scene(measures)} ({kind})")
    lines += [f"note   {sentence}" for sentence in report.notes]
    if report.fusion is None:
        lines.append("fused  nothing: nobody felt anything" if not report.decides else "fused  nothing yet")
        return "\n".join(lines)
    fused = report.fusion.evidence
    lines.append(f"fused  {_felt(average(fused.track))}")
    lines.append(f"       confidence {fused.confidence:.2f}; {report.fusion.reason}")
    shown = fused.track.keyframes[:: max(1, -(-len(fused.track.keyframes) // MOST_KEYFRAMES))]
    if len(shown) > 1:
        over = "  ".join(f"{keyframe.seconds:.1f}s {keyframe.emotion.shown.top}" for keyframe in shown)
        lines.append(f"       over time: {over}")
    if report.fusion.conflict is not None:
        conflict = report.fusion.conflict
        lines.append(
            f"       conflict: {' and '.join(conflict.between)} differ by {conflict.divergence:.2f} bit"
        )
    shifts = ", ".join(f"{modality} {shift:.2f}" for modality, shift in report.decides.items())
    lines.append(f"       decides: {shifts} (bits by which the answer moves without it)")
    return "\n".join(lines)


def _felt(emotion: Emotion) -> str:
    shown = emotion.shown
    most = sorted(zip(shown.weights, shown.vocabulary.labels, strict=True), reverse=True)[:3]
    labels = "  ".join(f"{label} {weight:.2f}" for weight, label in most)
    return f"{labels}   valence {shown.affect.valence:+.2f} arousal {shown.affect.arousal:+.2f}"


def _affect_from(evidence: Evidence) -> str:
    return "affect measured" if evidence.affect_learned else "affect from the labels"


def _scene(measures: SceneMeasures) -> str:
    motion = "" if measures.motion is None else f", motion {measures.motion:.2f}"
    return (
        f"hue {measures.hue:.0f}°, colourfulness {measures.colourfulness:.2f}, "
        f"brightness {measures.brightness:.2f}{motion}: measured, no emotion inferred"
    )
