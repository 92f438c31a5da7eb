"""Live Link Face CSV, the face recordings that Unreal, Unity and Blender know: a motion as text, and back.

The layout is that of Epic's app: Timecode, BlendshapeCount, the 52 ARKit coefficients and nine angles. Head
angles are radians and count from the performer: HeadPitch down, HeadYaw to their own right, HeadRoll
clockwise for the viewer. Recordings of the app bear out unit and signs for the eyes (LeftEyeYaw against
eyeLookIn and eyeLookOut: r = -.99, .6 radians for a full look; LeftEyePitch against eyeLookDown: r = .99);
those at hand have the head switched off, so its signs follow Unreal's ARKit plug-in, which makes head and
eye angles in the same way. Tools that want degrees or another sign scale these columns.

HeadX, HeadY and HeadZ at the end are this project's: the head's shift in distances between the outer eye
corners (right, down, away), which other tools pass over. The eyes' angles are written for rigs with eye
bones; reading takes the gaze from the eyeLook coefficients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.portrait import timecode
from pipelines.portrait.arkit import ARKIT, index
from pipelines.portrait.gaze import FULL_LOOK
from pipelines.portrait.motion import Motion

Array = NDArray[np.float64]

FACE = tuple(name[0].upper() + name[1:] for name in ARKIT)
ANGLES = ("HeadYaw", "HeadPitch", "HeadRoll")
EYES = ("LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll", "RightEyeYaw", "RightEyePitch", "RightEyeRoll")
SHIFTS = ("HeadX", "HeadY", "HeadZ")
HEADER = ("Timecode", "BlendshapeCount", *FACE, *ANGLES, *EYES, *SHIFTS)
READ = (*FACE, *ANGLES, *SHIFTS)
COUNT = len(FACE) + len(ANGLES) + len(EYES)  # what the app writes as BlendshapeCount
DIGITS = 10  # behind the point, at least, as in the app's files

LONGEST_SECONDS = 600.0
LONGEST_GAP = 1.0  # seconds without a row that are bridged
STRAY = 0.1  # how far a coefficient may leave 0 to 1: recordings of the app reach 1.08
LARGEST_ANGLE = np.pi / 2
LARGEST_SHIFT = 5.0
MOST_NAMED = 12  # names in one note


class LiveLinkError(ValueError):
    """A text that is no usable Live Link Face recording; the message is a sentence for who gave it."""


def to_csv(motion: Motion) -> str:
    """A motion as text; reading it at the same frame rate gives the very same motion."""
    pitch, yaw, roll, x, y, z = motion.head.T
    table = np.column_stack([motion.coefficients, -yaw, pitch, roll, _eye_angles(motion), x, y, z])
    table = (table + np.float32(0)).astype(np.float32)  # no '-0'
    lines = [",".join(HEADER)]
    for frame, row in enumerate(table):
        cells = (np.format_float_positional(value, unique=True, min_digits=DIGITS) for value in row)
        lines.append(f"{timecode.written(frame / motion.fps)},{COUNT},{','.join(cells)}")
    return "\n".join(lines) + "\n"


def from_csv(text: str, fps: float) -> tuple[Motion, tuple[str, ...]]:
    """The motion of a recording at another frame rate, and what should be said about it.

    Rows are interpolated linearly over their timecodes. Missing columns are 0, others are passed over, rows
    without a face are bridged; each is noted.

    Raises:
        LiveLinkError: what cannot be read without guessing.
    """
    columns, lines = _header(text)
    table = _table(columns, lines)
    times, values, notes = _cleaned(table)
    ticks = np.rint(times * fps)
    if (np.abs(times - ticks / fps) <= 0.6 * timecode.RESOLUTION).all():
        times = ticks / fps  # the timecodes mean the clip's own frames, and cannot say so more precisely
    moments = np.arange(int(times[-1] * fps + 1e-6) + 1) / fps
    even = np.column_stack([np.interp(moments, times, column) for column in values.T])
    face, (yaw, pitch, roll), shift = even[:, : len(FACE)], even[:, len(FACE) : -3].T, even[:, -3:]
    head = np.column_stack([pitch, -yaw, roll, shift])
    return Motion(face.astype(np.float32), head.astype(np.float32), fps), (*columns.notes, *notes)


@dataclass(frozen=True)
class _Columns:
    """Where a file keeps what is read; None where it does not have it."""

    width: int
    time: int
    count: int | None
    places: tuple[int | None, ...]  # of READ
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Table:
    """The rows that hold a face."""

    lines: tuple[int, ...]  # numbers in the file, from 1
    times: Array  # (N,) seconds
    values: Array  # (N, 58), columns as in READ
    lost: int  # rows without a face


def _header(text: str) -> tuple[_Columns, list[tuple[int, list[str]]]]:
    """What the first row says, and the rows below it with their numbers."""
    rows = [(n, _cells(line)) for n, line in enumerate(text.lstrip("\ufeff").splitlines(), 1) if line.strip()]
    if not rows:
        raise LiveLinkError("The file is empty: give a CSV as Live Link Face writes it.")
    names = [cell.casefold() for cell in rows[0][1]]
    place = {name: i for i, name in enumerate(names) if name}
    shown = ",".join(rows[0][1])[:60]
    if "timecode" not in place or not any(name.casefold() in place for name in FACE):
        raise LiveLinkError(
            f"The first row, '{shown}', is not that of a Live Link Face CSV: it names the columns, separated "
            "by commas, Timecode and the 52 coefficients among them."
        )
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise LiveLinkError(f"The first row names {_listed(twice)} twice: which one counts cannot be known.")
    if len(rows) == 1:
        raise LiveLinkError("The file names its columns, but no row follows: record it again.")
    places = tuple(place.get(name.casefold()) for name in READ)
    columns = _Columns(len(names), place["timecode"], place.get("blendshapecount"), places, _odd(rows[0][1]))
    return columns, rows[1:]


def _odd(names: Sequence[str]) -> tuple[str, ...]:
    """What to say about columns that are missing or not known."""
    there = {name.casefold() for name in names}
    missing = [name for name in READ if name.casefold() not in there]
    if set(SHIFTS) <= set(missing):  # nobody else writes them
        missing = [name for name in missing if name not in SHIFTS]
    known = {name.casefold() for name in HEADER}
    extra = [name for name in names if name and name.casefold() not in known]
    notes = []
    if missing:
        notes.append(f"Columns that the motion lacks, 0 was taken: {_listed(missing)}.")
    if extra:
        notes.append(f"Columns of the motion that mean nothing here: {_listed(extra)}.")
    return tuple(notes)


def _table(columns: _Columns, rows: Sequence[tuple[int, list[str]]]) -> _Table:
    kept = [(n, cells) for n, cells in rows if not _is_lost(columns, cells)]
    if not kept:
        raise LiveLinkError("No row holds a face: BlendshapeCount is 0 in all of them. Record it again.")
    values = np.zeros((len(kept), len(READ)))
    for row, (n, cells) in enumerate(kept):
        if len(cells) != columns.width:
            raise LiveLinkError(
                f"Line {n} has {len(cells)} cells and the first row {columns.width}: the file was cut off or "
                "edited by a program that counts otherwise. Export it again."
            )
        for k, place in enumerate(columns.places):
            if place is not None:
                values[row, k] = _number(cells[place], READ[k], n)
    try:
        times = timecode.read([cells[columns.time] for _, cells in kept])
    except timecode.TimecodeError as error:
        raise LiveLinkError(f"Line {kept[error.row][0]}: {error}") from None
    return _Table(tuple(n for n, _ in kept), times, values, len(rows) - len(kept))


def _is_lost(columns: _Columns, cells: list[str]) -> bool:
    """The app writes rows with BlendshapeCount 0 while it sees no face."""
    return columns.count is not None and len(cells) > columns.count and cells[columns.count] == "0"


def _number(cell: str, name: str, line: int) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = np.nan
    if not np.isfinite(value) or "_" in cell:
        raise LiveLinkError(f"Line {line} has {cell[:40]!r} for {name}: a number is needed.")
    if name in FACE:
        low, high, meant = -STRAY, 1 + STRAY, "coefficients lie between 0 and 1"
    elif name in ANGLES:
        low, high, meant = -LARGEST_ANGLE, LARGEST_ANGLE, "angles are radians, up to a quarter turn"
    else:
        low, high, meant = -LARGEST_SHIFT, LARGEST_SHIFT, "shifts count distances between the eyes, up to 5"
    if not low <= value <= high:
        raise LiveLinkError(f"Line {line} has {value:g} for {name}: {meant}. Scale the column and try again.")
    return value


def _cleaned(table: _Table) -> tuple[Array, Array, tuple[str, ...]]:
    """Times that rise, values within their range, and what had to be done for that."""
    notes = []
    times, values = table.times, table.values.copy()
    if table.lost:
        notes.append(f"Rows of the motion without a face, bridged or left out: {table.lost:,}.")
    is_last = np.append(np.diff(times) > 0, True)
    if not is_last.all():
        notes.append(f"Rows of the motion with a timecode that comes again, left out: {(~is_last).sum():,}.")
        times, values = times[is_last], values[is_last]
    gaps = np.diff(times, prepend=times[:1])
    if gaps.max() > LONGEST_GAP + 1e-6:
        line = np.array(table.lines)[is_last][gaps.argmax()]
        raise LiveLinkError(
            f"Before line {line} {gaps.max():.1f} s are missing; up to {LONGEST_GAP:g} s are bridged. Cut "
            "the recording there and give its parts one by one."
        )
    wide = gaps[1:][gaps[1:] > 1.9 * np.median(gaps[1:])] if len(gaps) > 1 else gaps[1:]
    if len(wide):
        notes.append(f"Gaps in the motion, interpolated: {len(wide):,}, the longest {wide.max():.2f} s.")
    if times[-1] > LONGEST_SECONDS:
        raise LiveLinkError(
            f"The motion lasts {times[-1] / 60:.0f} minutes; up to {LONGEST_SECONDS / 60:.0f} are read."
        )
    face = values[:, : len(FACE)]
    strayed = [FACE[k] for k in np.flatnonzero(((face < 0) | (face > 1)).any(axis=0))]
    if strayed:
        most = max(float(face.max()) - 1, -float(face.min()))
        notes.append(
            f"Columns of the motion held within 0 to 1, left by up to {most:.2g}: {_listed(strayed)}."
        )
    values[:, : len(FACE)] = np.clip(face, 0, 1)
    return times, values, tuple(notes)


def _eye_angles(motion: Motion) -> NDArray[np.float32]:
    """Yaw, pitch and roll of the left and of the right eye (T, 6), as the app writes them."""
    angles = np.zeros((motion.frames, 6), np.float32)
    for k, side in enumerate(("Left", "Right")):
        up, down, inward, outward = (
            motion.coefficients[:, index(f"eyeLook{way}{side}")] for way in ("Up", "Down", "In", "Out")
        )
        to_own_right = inward - outward if side == "Left" else outward - inward
        angles[:, 3 * k] = FULL_LOOK * to_own_right
        angles[:, 3 * k + 1] = FULL_LOOK * (down - up)
    return angles


def _cells(line: str) -> list[str]:
    return [cell.strip().strip('"').strip() for cell in line.rstrip(",").split(",")]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(name[:40] for name in names[:MOST_NAMED]) + more
