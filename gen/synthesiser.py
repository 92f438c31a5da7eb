"""A voice where there is no recording: a speech program says a text in the manner of an emotion."""

import math
import re
import shutil
import subprocess
import unicodedata
from bisect import bisect
from dataclasses import dataclass
from pathlib import Path

from emotion_encoders.emotion import FACE8, Emotion
from gen.intake import MediaError

MOST_CHARACTERS = 3000  # about four minutes
LONGEST_WORK = 120  # seconds that a program may take
PROGRAMS = ("espeak-ng", "flite")  # the first that is installed speaks
WORDS_A_MINUTE = 175  # espeak-ng's own pace
# Measured: how far espeak-ng's -p carries the median pitch of a sentence, in semitones from -p 50.
SEMITONES, DIALS = (-5.5, -3.7, 0.0, 4.1, 8.6), (0, 25, 50, 75, 99)
FLITE_VOICE, FLITE_HERTZ = "slt", 167.0  # and that voice's own mean pitch


@dataclass(frozen=True)
class Manner:
    """How a voice differs from its neutral self."""

    rate: float = 1.0  # times as many words a minute
    pitch: float = 0.0  # semitones
    pause: float = 0.0  # more seconds between words; flite has no such control


# Tendencies after the reviews of Murray & Arnott 1993 (table 1) and Scherer 2003: sadness slow, low and with
# pauses; joy, anger and fear quick and high, fear most so; disgust slow and low. Contempt is said low and
# slow (Banse & Scherer 1996). Surprise is in none of these; it is taken as quick and high. The sizes are a
# choice, small enough for the words to be understood.
MANNERS = {
    "neutral": Manner(),
    "happiness": Manner(1.1, 3.0),
    "sadness": Manner(0.82, -2.0, 0.06),
    "surprise": Manner(1.1, 4.0),
    "fear": Manner(1.2, 4.0),
    "disgust": Manner(0.85, -2.0, 0.02),
    "anger": Manner(1.1, 2.0),
    "contempt": Manner(0.9, -1.5, 0.02),
}


@dataclass(frozen=True)
class Synthesiser:
    """A speech program that was found on this machine."""

    program: str
    path: str
    version: str

    @property
    def name(self) -> str:
        """Program and version, which together decide how a text sounds."""
        return f"{self.program} {self.version}"


def find() -> Synthesiser:
    """The speech program that will be used."""
    for program in PROGRAMS:
        path = shutil.which(program)
        if path is not None:
            told = _run([path, "--version"]).stdout.decode(errors="replace")
            version = re.search(r"\d+\.[\w.-]+", told)
            return Synthesiser(program, path, "unknown" if version is None else version[0])
    raise MediaError(
        f"neither {' nor '.join(PROGRAMS)} is installed: install one with your system's packages, or give a "
        "recording with --audio."
    )


def problem(text: str) -> str | None:
    """Why a text cannot be said, as a sentence; None if it can."""
    if not any(unicodedata.category(sign)[0] in "LN" for sign in text):
        return "there is nothing to say: give a text with words in it."
    if len(text) > MOST_CHARACTERS:
        return f"{len(text):,} characters came; up to {MOST_CHARACTERS:,} are said: cut the text up."
    if any(unicodedata.category(sign) in ("Cc", "Cs") and not sign.isspace() for sign in text):
        return "the text holds control characters, which cannot be said: remove them."
    return None


def plain(text: str) -> str:
    """The text in one line, with single spaces: breaks and indents are not said."""
    return " ".join(text.split())


def manner(emotion: Emotion) -> Manner:
    """How an emotion of FACE8 is said: its labels' manners in their shares, weaker at less intensity."""
    shares = dict(zip(FACE8.labels, emotion.shown.weights, strict=True))
    return Manner(
        rate=math.fsum(share * MANNERS[label].rate for label, share in shares.items()),
        pitch=math.fsum(share * MANNERS[label].pitch for label, share in shares.items()),
        pause=math.fsum(share * MANNERS[label].pause for label, share in shares.items()),
    )


def command(speaker: Synthesiser, how: Manner, text: Path, sound: Path) -> list[str]:
    """The command line that turns a text file into a wav; the text itself is never part of it."""
    if speaker.program == "espeak-ng":
        dials = ["-s", f"{WORDS_A_MINUTE * how.rate:.0f}", "-p", str(_dial(how.pitch))]
        pauses = ["-g", f"{100 * how.pause:.0f}"]
        return [speaker.path, "-v", "en", "-b", "1", *dials, *pauses, "-f", str(text), "-w", str(sound)]
    stretch, hertz = f"duration_stretch={1 / how.rate:.3f}", FLITE_HERTZ * 2 ** (how.pitch / 12)
    settings = ["--setf", stretch, "--setf", f"int_f0_target_mean={hertz:.1f}"]
    return [speaker.path, "-voice", FLITE_VOICE, *settings, "-f", str(text), "-o", str(sound)]


def say(speaker: Synthesiser, text: str, emotion: Emotion, folder: Path) -> Path:
    """A wav in the folder, in which the text is said with the emotion."""
    written, sound = folder / "text.txt", folder / "voice.wav"
    written.write_text(plain(text) + "\n", encoding="utf-8")
    done = _run(command(speaker, manner(emotion), written, sound))
    if done.returncode or not sound.exists():
        told = done.stderr.decode(errors="replace").strip()[-200:] or "it does not say why"
        raise MediaError(f"{speaker.name} could not say the text (code {done.returncode}): {told}.")
    return sound


def _dial(semitones: float) -> int:
    """Espeak-ng's -p for a pitch, between the measured points."""
    held = min(max(semitones, SEMITONES[0]), SEMITONES[-1])
    right = min(bisect(SEMITONES, held), len(SEMITONES) - 1)
    (low, high), (start, end) = SEMITONES[right - 1 : right + 1], DIALS[right - 1 : right + 1]
    return round(start + (end - start) * (held - low) / (high - low))


def _run(arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - a list without a shell; the user's text is in a file
            arguments, stdin=subprocess.DEVNULL, capture_output=True, timeout=LONGEST_WORK, check=False
        )
    except subprocess.TimeoutExpired:
        limit = f"{LONGEST_WORK} s"
        raise MediaError(f"{Path(arguments[0]).name} did not finish within {limit}: try less text.") from None
    except OSError as error:
        raise MediaError(f"'{arguments[0]}' cannot be run ({error.strerror}): install it anew.") from None
