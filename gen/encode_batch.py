"""Many inputs, one a line, to one JSON object a line, in order; what one input lacks stops no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotion_encoders.evidence import Policy, fuse
from emotion_encoders.text import Reading
from gen.felt import DIGITS, only_measured, rounded, shares, summary
from gen.senses import Kind, Sensed, Senses, chunks

if TYPE_CHECKING:
    from emotion_encoders.speech import Hearing

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
    if sensed.hearing is not None:
        return heard(sensed.hearing)
    found = [evidence for evidence in sensed.evidence if evidence.confidence > 0]
    if not found:
        unsure = [evidence for evidence in sensed.evidence if not only_measured(evidence)]
        if unsure:  # nothing is felt in it, which is an answer too
            return summary(unsure[0])
        raise ValueError(" ".join(sensed.missing) or "Nothing was seen or heard.")
    if len(found) == 1:
        return summary(found[0])
    fusion = fuse(found, policy=policy)
    conflict = {"conflict": list(fusion.conflict.between)} if fusion.conflict else {}
    return {**summary(fusion.evidence), **conflict}


def heard(hearing: Hearing) -> Row:
    """What was heard in a recording as a whole, which is surer than the mean over its moments."""
    return {
        "heard": rounded(hearing.heard),
        "face8": shares(hearing.face8),
        "mikels8": shares(hearing.mikels8),
        "valence": round(hearing.valence, DIGITS),
        "arousal": round(hearing.arousal, DIGITS),
        "confidence": round(hearing.confidence, DIGITS),
        "weights": hearing.weights,
    }


def read(sensed: Sensed) -> Row:
    """All that the text encoder reads, which is more than fits into evidence."""
    reading = sensed.reading
    if reading is None:
        raise TypeError("Only a text has a reading.")
    whole = summary(sensed.evidence[0])
    measured = {}
    if isinstance(reading, Reading):
        measured = {"dominance": reading.dominance, "polarity": reading.polarity}
    return {
        "goemotions28": rounded(reading.goemotions28),
        "labels": list(reading.labels),
        "face8": whole["face8"],
        "mikels8": shares(reading.mikels8),
        "valence": round(reading.valence, DIGITS),
        "arousal": round(reading.arousal, DIGITS),
        **rounded(measured),
        "confidence": whole["confidence"],
        "weights": whole["weights"],
    }
