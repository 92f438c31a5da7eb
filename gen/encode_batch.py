"""Many inputs, one a line, to one JSON object a line, in order; what one input lacks stops no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from emotion_encoders.evidence import Policy, fuse
from gen.felt import DIGITS, rounded, shares, summary
from gen.senses import Kind, Sensed, Senses, chunks

logger = logging.getLogger(__name__)

TOGETHER = 128  # sentences through the text encoder at once
Row = dict[str, Any]  # a JSON object


def rows(lines: Iterable[str], kind: Kind, senses: Senses, *, cropped: bool, policy: Policy) -> Iterator[Row]:
    """An answer for every line, in their order."""
    if kind == "text":
        for part in chunks(iter(lines), TOGETHER):
            yield from _texts(part, senses)
        return
    for line in lines:
        yield _guarded(line, partial(_ask, line, kind, senses, cropped, policy))


def _texts(lines: list[str], senses: Senses) -> Iterator[Row]:
    try:
        found = senses.texts(lines)
    except ValueError:  # one of them was refused: ask again one by one, so that the others get their answer
        for line in lines:
            yield _guarded(line, partial(_ask, line, "text", senses, False, "blend"))
        return
    for line, sensed in zip(lines, found, strict=True):
        yield {"input": line, **answer(sensed, "blend")}


def _ask(line: str, kind: Kind, senses: Senses, cropped: bool, policy: Policy) -> Row:
    return answer(_sensed(line, kind, senses, cropped), policy)


def _sensed(line: str, kind: Kind, senses: Senses, cropped: bool) -> Sensed:
    if kind == "text":
        return senses.text(line)
    if not line.strip():
        raise ValueError("The line is empty; write one path a line.")
    path = Path(line)
    match kind:
        case "audio":
            return senses.sound(path)
        case "image":
            return senses.picture(path, cropped=cropped)
        case _:
            return senses.video(path)


def _guarded(line: str, ask: Callable[[], Row]) -> Row:
    try:
        return {"input": line, **ask()}
    except (ValueError, OSError) as error:
        return {"input": line, "error": str(error)}
    except Exception as error:
        logger.debug("%s broke", line, exc_info=True)
        return {"input": line, "error": f"Something broke that should not ({type(error).__name__}: {error})."}


def answer(sensed: Sensed, policy: Policy) -> Row:
    """What was felt in one input; raises ValueError if nothing was."""
    if sensed.reading is not None:
        return read(sensed)
    found = [evidence for evidence in sensed.evidence if evidence.confidence > 0]
    if not found:
        heard = [e for e in sensed.evidence if e.modality != "scene"]
        if heard:  # nothing is felt in it, which is an answer too
            return summary(heard[0])
        raise ValueError(" ".join(sensed.missing) or "Nothing was seen or heard.")
    if len(found) == 1:
        return summary(found[0])
    fusion = fuse(found, policy=policy)
    conflict = {"conflict": list(fusion.conflict.between)} if fusion.conflict else {}
    return {**summary(fusion.evidence), **conflict}


def read(sensed: Sensed) -> Row:
    """All that the text encoder reads, which is more than fits into evidence."""
    reading = sensed.reading
    if reading is None:
        raise TypeError("Only a text has a reading.")
    whole = summary(sensed.evidence[0])
    return {
        "goemotions28": rounded(reading.goemotions28),
        "labels": list(reading.labels),
        "face8": whole["face8"],
        "mikels8": shares(reading.mikels8),
        "valence": round(reading.valence, DIGITS),
        "arousal": round(reading.arousal, DIGITS),
        "dominance": round(reading.dominance, DIGITS),
        "polarity": round(reading.polarity, DIGITS),
        "confidence": whole["confidence"],
        "weights": whole["weights"],
    }
