"""What `clearcall webcam` was told on the command line, checked before anything is opened."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from fractions import Fraction

from engines.errors import BadInput
from engines.precision import AUTO, check_precision
from stream.budget import DEFAULT, read_budget
from stream.webcam.output import Shape
from stream.webcam.outputs import KINDS, NAMED
from stream.wishes import check_prompt, parse_strength

OUTPUTS = "auto, pipewire, v4l2, v4l2:/dev/videoN, pyvirtualcam, pyvirtualcam:NAME, window or terminal"
SMALLEST, WIDEST, HIGHEST = 64, 3840, 2160
"""Pixels."""
FASTEST = 120
"""Frames a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebcamSettings:
    """Settings of one webcam; `read` makes a checked one."""

    source: str = "auto"
    output: str = "auto"
    device: str | None = None
    """The virtual camera's own name, where one was given."""
    model: str = "lite"
    prompt: str = "auto"
    strength: float = 1.0
    mirror: bool = False
    width: int = 1280
    height: int = 720
    rate: Fraction = Fraction(30)
    engine: str = "auto"
    latency_budget_s: float = read_budget(DEFAULT)
    """What the filter may add to the delay."""
    precision: str = AUTO


def read(arguments: argparse.Namespace) -> WebcamSettings:
    """The settings in parsed arguments.

    Raises:
        BadInput: A value is unknown or out of range.
    """
    output, _, device = str(arguments.output).partition(":")
    known = output in {"auto", *KINDS} and (output in NAMED or not device)
    if not known or (output == "v4l2" and device and not device.startswith("/dev/")):
        raise BadInput(f"--output must be {OUTPUTS}, not {arguments.output!r}")
    width, height = _size(str(arguments.size))
    fps = _number(str(arguments.fps), "--fps", 1, FASTEST)
    return WebcamSettings(
        source=str(arguments.input),
        output=output,
        device=device or None,
        model=str(arguments.model),
        prompt=check_prompt(arguments.prompt),
        strength=parse_strength(str(arguments.strength), "--strength"),
        mirror=bool(arguments.mirror),
        width=width,
        height=height,
        rate=Fraction(fps).limit_denominator(1001),
        engine=str(arguments.engine),
        latency_budget_s=read_budget(str(arguments.latency_budget)),
        precision=check_precision(str(arguments.precision)),
    )


def shape_of(width: int, height: int, rate: Fraction) -> Shape:
    """The virtual camera for a source of that size: cut down to whole blocks and to what programs expect."""
    scale = min(1.0, WIDEST / width, HIGHEST / height)
    rows = [max(SMALLEST, int(edge * scale)) for edge in (width, height)]
    return Shape(rows[0] // 8 * 8, rows[1] // 2 * 2, min(Fraction(FASTEST), max(Fraction(1), rate)))


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{2,4})x(\d{2,4})", text)
    if not match:
        raise BadInput(f"--size needs a size such as 1280x720, not {text[:40]!r}")
    width, height = int(match[1]), int(match[2])
    if not (SMALLEST <= width <= WIDEST and SMALLEST <= height <= HIGHEST):
        raise BadInput(f"--size must be {SMALLEST}x{SMALLEST} to {WIDEST}x{HIGHEST}, not {text}")
    return width, height


def _number(text: str, option: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        raise BadInput(f"{option} needs a number, not {text[:40]!r}") from None
    if not low <= value <= high:
        raise BadInput(f"{option} must be between {low:g} and {high:g}, not {text[:40]}")
    return value
