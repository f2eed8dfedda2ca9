"""The options that `bench latency` and `bench sessions` share, checked before anything starts."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

from benchmarks.latency import clip, stamp
from benchmarks.latency.clip import Shape
from benchmarks.latency.signalling import Target, read_target
from engines.errors import BadInput
from engines.precision import check_precision
from stream.budget import read_budget

NAMED = {"360p": (640, 360), "480p": (854, 480), "720p": (1280, 720), "1080p": (1920, 1080)}
LARGEST_SIDE, MAX_FPS, MAX_SECONDS, MAX_CALLERS = 4096, 120, 3600, 256
ON, OFF = "prompt=auto&strength=1", "strength=0"
WARM_UP_S = 3.0
"""For the model's first steps, the encoder's rate control, and the bitrate estimate."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What both commands need to know."""

    target: Target | None
    """None measures a relay of our own."""
    pid: int | None
    """The process of a target on this machine."""
    model: str
    latency_budget: str | None
    """Of a relay of our own; None leaves it what it is."""
    precision: str | None
    on: str
    off: str | None
    """Query that switches the filter off; None where there is no such thing."""
    recording: Path
    shape: Shape
    seconds: float
    warm_up_s: float

    @property
    def relay_options(self) -> list[str]:
        """Of a relay of our own, on its command line."""
        chosen = {"--model": self.model, "--latency-budget": self.latency_budget, "--precision": self.precision}
        return [word for name, value in chosen.items() if value is not None for word in (name, value)]


def add_arguments(parser: argparse.ArgumentParser, seconds: str) -> None:
    """Add the options; `read` checks them."""
    parser.add_argument("--target", metavar="URL", help="a relay that answers POST /call (default: one of our own)")
    parser.add_argument("--whip", metavar="URL", help="WHIP address to send to; goes with --whep")
    parser.add_argument("--whep", metavar="URL", help="WHEP address to receive from")
    parser.add_argument("--token", metavar="T", help="sent as Authorization: Bearer")
    parser.add_argument("--pid", metavar="N", help="process of a target on this machine, to tell what it uses")
    parser.add_argument("--model", default="lite", help="model of a relay of our own (default: %(default)s)")
    parser.add_argument("--latency-budget", metavar="TIME", help="of a relay of our own, as for clearcall relay")
    parser.add_argument("--precision", metavar="P", help="of a relay of our own, as for clearcall relay")
    parser.add_argument("--on", metavar="QUERY", default=ON, help="ends a call's address (default: %(default)s)")
    parser.add_argument(
        "--off", metavar="QUERY", help=f"the same with the filter off, or none (default: {OFF}; with --whip none)"
    )
    add = parser.add_argument
    add("--recording", metavar="FILE", type=Path, default=clip.RECORDING, help="video of a face (default: %(default)s)")
    parser.add_argument("--resolution", default="720p", help="480p, 720p, 1080p or WIDTHxHEIGHT (default: %(default)s)")
    parser.add_argument("--fps", default="30", help="frames a second (default: %(default)s)")
    parser.add_argument("--codec", default="vp8", help="vp8 or h264 (default: %(default)s)")
    parser.add_argument("--seconds", default=seconds, help="that count, each time (default: %(default)s)")
    parser.add_argument("--warm-up", default=str(WARM_UP_S), metavar="S", help="left out before (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")


def read(arguments: argparse.Namespace) -> Settings:
    """The settings in parsed arguments.

    Raises:
        BadInput: An option is wrong.
    """
    target = read_target(arguments.target, arguments.whip, arguments.whep, arguments.token)
    pid = None if arguments.pid is None else whole("--pid", arguments.pid, 2**31)
    for option, value in (("--latency-budget", arguments.latency_budget), ("--precision", arguments.precision)):
        if value is not None and target is not None:
            raise BadInput(f"{option} is for a relay of our own, not for a target: start that with it")
    if arguments.latency_budget is not None:
        read_budget(arguments.latency_budget)
    if arguments.precision is not None:
        check_precision(arguments.precision)
    width, height = _resolution(arguments.resolution)
    if arguments.codec not in clip.FORMATS:
        raise BadInput(f"--codec must be one of {', '.join(clip.FORMATS)}, not {arguments.codec[:20]!r}")
    recording: Path = arguments.recording
    if not recording.is_file():
        raise BadInput(f"--recording: no file {recording}; give a video of a face")
    check_target(arguments.json, "--json")
    return Settings(
        target=target,
        pid=pid,
        model=arguments.model,
        latency_budget=arguments.latency_budget,
        precision=arguments.precision,
        on=arguments.on,
        off=_off(arguments.off, target),
        recording=recording,
        shape=Shape(width, height, whole("--fps", arguments.fps, MAX_FPS), arguments.codec),
        seconds=number("--seconds", arguments.seconds, 1.0),
        warm_up_s=number("--warm-up", arguments.warm_up, 0.0),
    )


def _off(text: str | None, target: Target | None) -> str | None:
    # A foreign relay that knows no such switch would show a filter that costs nothing.
    wanted = ("none" if target is not None and target.whip else OFF) if text is None else text
    return None if wanted == "none" else wanted


def check_target(path: Path | None, option: str) -> None:
    """BadInput where a file cannot lie, before minutes go into what it is to hold."""
    if path is not None and not path.absolute().parent.is_dir():
        raise BadInput(f"{option} {path}: there is no folder {path.absolute().parent}")


def write(path: Path, option: str, text: str) -> None:
    """Write a result.

    Raises:
        BadInput: It cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{option} {path}: {error.strerror}") from error


def whole(option: str, text: str, largest: int) -> int:
    """A whole number from 1 on; BadInput for anything else."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= largest:
        raise BadInput(f"{option} must be a whole number from 1 to {largest}, not {text[:20]!r}")
    return int(text)


def number(option: str, text: str, least: float) -> float:
    """Seconds; BadInput for anything else."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not least <= value <= MAX_SECONDS:
        raise BadInput(f"{option} must be a number from {least:g} to {MAX_SECONDS}, not {text[:20]!r}")
    return value


def _resolution(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    width, height = (int(found[1]), int(found[2])) if found else NAMED.get(text, (0, 0))
    readable = stamp.MIN_HEIGHT <= height <= LARGEST_SIDE and height / 2 <= width <= LARGEST_SIDE
    if not readable or width % 2 or height % 2:
        raise BadInput(
            f"--resolution must be {', '.join(NAMED)} or WIDTHxHEIGHT, both even, from {stamp.MIN_HEIGHT} to "
            f"{LARGEST_SIDE} rows, not {text[:20]!r}"
        )
    return width, height
