"""Says lines with espeak-ng in a process of its own and writes when each sound begins.

    python gen/recipes/lips_espeak.py FOLDER

espeak-ng's command line does not tell when sounds begin, its library does. The library is under the GPL: it
is loaded here and nowhere else, and this program talks to the recipes through files only. FOLDER holds
`lines.json`, a list of {"voice", "text", "words_a_minute", "pitch"}; for line k the program writes `k.wav`
and `k.json`, a list of [seconds, IPA sound].
"""

from __future__ import annotations

import ctypes
import json
import sys
import wave
from collections.abc import Callable
from pathlib import Path

SYNCHRONOUS, PHONEME_EVENTS_IN_IPA = 2, 1 | 1 << 1  # espeak_AUDIO_OUTPUT and options of speak_lib.h
RATE_PARAMETER, PITCH_PARAMETER = 1, 3
END_OF_EVENTS, PHONEME_EVENT = 0, 7
UTF8 = 1


class Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h, API revision 12; its union's longest member is eight bytes of text."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # milliseconds
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("text", ctypes.c_char * 8),
    )


CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(Event))


def listener(samples: bytearray, sounds: list[tuple[float, str]], rate: int) -> Callable[..., int]:
    """What the library calls with each stretch of speech and the sounds that begin in it."""

    def hear(speech: int | None, count: int, events: ctypes.Array[Event]) -> int:
        if speech and count > 0:
            samples.extend(ctypes.string_at(speech, 2 * count))
        for event in iter(events[k] for k in range(10_000)):
            if event.type == END_OF_EVENTS:
                break
            if event.type == PHONEME_EVENT:
                sounds.append((event.sample / rate, event.text.decode("utf-8", "replace")))
        return 0

    return hear


def main() -> None:
    """Says every line of the folder."""
    folder = Path(sys.argv[1])
    library = ctypes.CDLL("libespeak-ng.so.1")
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, None, PHONEME_EVENTS_IN_IPA)
    if rate <= 0:
        sys.exit("espeak-ng has no voice data: install it with your system's packages.")
    samples, sounds = bytearray(), []
    called = CALLBACK(listener(samples, sounds, rate))
    library.espeak_SetSynthCallback(called)
    for k, line in enumerate(json.loads((folder / "lines.json").read_text(encoding="utf-8"))):
        samples.clear()
        sounds.clear()
        if library.espeak_SetVoiceByName(line["voice"].encode()):
            continue  # this installation lacks the voice
        library.espeak_SetParameter(RATE_PARAMETER, int(line["words_a_minute"]), 0)
        library.espeak_SetParameter(PITCH_PARAMETER, int(line["pitch"]), 0)
        text = line["text"].encode()
        library.espeak_Synth(text, len(text) + 1, 0, 0, 0, UTF8, None, None)
        library.espeak_Synchronize()
        with wave.open(str(folder / f"{k}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(bytes(samples))
        (folder / f"{k}.json").write_text(json.dumps(sounds), encoding="utf-8")


if __name__ == "__main__":
    main()
