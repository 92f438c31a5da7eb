"""Which files may be opened at all: local, regular, not empty, and no list of other files."""

import os
import re
from pathlib import Path

MAX_BYTES = 1 << 30  # an hour of CD sound is 0.6 GB
_ADDRESS = re.compile(r"(?i)^([a-z][a-z0-9+.-]+:|subfile,)")
_LIST_SUFFIXES = (".m3u8", ".m3u", ".pls", ".mpd", ".smil", ".sdp", ".ffconcat", ".asx", ".xspf")
# What an HLS, concat, PLS, DASH, SMIL or SDP list begins with; a media library would open the files it names.
_LIST_STARTS = (
    b"#extm3u",
    b"#ext-x-",
    b"ffconcat",
    b"[playlist]",
    b"<?xml",
    b"<mpd",
    b"<smil",
    b"v=0",
    b"<asx",
)


class MediaError(ValueError):
    """A picture, sound or video that cannot be used; the message is a sentence for the person who gave it."""


def problem(path: Path) -> str | None:
    """Why this path may not be opened as media, as a sentence; None if it may."""
    shown = f"'{path}'"
    try:
        path.stat()
    except (OSError, ValueError):  # ValueError: a zero byte in the name
        if _ADDRESS.match(str(path)):
            return f"{shown} is an address, and only local files are opened: save it, then give the file."
        return f"{shown} does not exist, or its folder may not be entered."
    if path.is_dir():
        return f"{shown} is a folder: give one file."
    if not path.is_file():
        return f"{shown} is not a regular file: pipes and devices are not read."
    if not os.access(path, os.R_OK):
        return f"{shown} may not be read: check its permissions."
    size = path.stat().st_size
    if size == 0:
        return f"{shown} is empty (0 bytes)."
    if size > MAX_BYTES:
        return f"{shown} has {size / 1e9:.1f} GB; files up to {MAX_BYTES / 1e9:.1f} GB are read."
    if _names_other_files(path):
        return f"{shown} is a list of other files, not media: give the file with the picture or sound itself."
    return None


def checked(path: Path) -> Path:
    """The same path, if it may be opened."""
    found = problem(path)
    if found is not None:
        raise MediaError(found)
    return path


def _names_other_files(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return path.suffix.lower() in _LIST_SUFFIXES or start.startswith(_LIST_STARTS)
