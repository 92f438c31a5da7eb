"""`python -m gen.train motion ...`: weights of your own, from data of your own."""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn, TextIO

import tyro

INTERRUPTED, TERMINATED = 130, 143


@dataclass(frozen=True)
class Motion:
    """Track a folder of talking videos, and train or fine-tune a model of how people move when they speak.

    Run it again to go on where it stopped. A file NAME.txt beside NAME.mp4 says what is felt in it, as in
    '0:neutral 2:happiness'. Every fifth video by name is held out, and only measured on.
    """

    data: Path
    """Folder with videos of one person each who talks to the camera (mp4, mov, mkv, webm, avi)."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",))] = Path("run")
    """Folder for what was tracked, the checkpoint, the weights (motion.safetensors) and their card."""
    base: Annotated[Path | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="(default: none)")] = None
    """Weights to fine-tune, made by this command or a recipe; without them training begins anew."""
    steps: int = 3000
    """Steps of training, 8 windows of 6.4 seconds each."""
    minutes: float = 120.0
    """Minutes after which it stops; run it again to go on."""
    seed: int = 0
    """Another number gives other weights; the same one gives the same."""

    def __call__(self) -> int:
        """Trains; 0 if the last step is done, 1 if time ran out before it, 2 for a wrong request."""
        from gen.recipes.motion_folder import train_folder

        return train_folder(
            self, tell=lambda line: _say(sys.stderr, line), done=lambda line: _say(sys.stdout, line)
        )


COMMANDS = {"motion": Motion}


class Terminated(BaseException):
    """The system asked this process to end."""


def main(arguments: list[str]) -> int:
    """Reads the command line and trains; returns 0 done, 1 not done, 2 wrong request, 130 or 143 stopped."""
    if not arguments or arguments[0] not in COMMANDS:
        asks = arguments[:1] in (["-h"], ["--help"])
        _say(
            sys.stdout if asks else sys.stderr,
            f"usage: python -m gen.train {{{','.join(COMMANDS)}}} ... (--help)",
        )
        return 0 if asks else 2
    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    name = arguments[0]
    command = tyro.cli(COMMANDS[name], prog=f"python -m gen.train {name}", args=arguments[1:], config=config)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return command()
    except KeyboardInterrupt:
        _say(sys.stderr, "Interrupted: run it again to go on from the last checkpoint.")
        return INTERRUPTED
    except Terminated:
        _say(sys.stderr, "Terminated: run it again to go on from the last checkpoint.")
        return TERMINATED


def _say(stream: TextIO, line: str) -> None:
    stream.write(line + "\n")
    stream.flush()


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise Terminated


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
