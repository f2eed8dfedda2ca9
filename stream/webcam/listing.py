"""`clearcall webcam --list`: cameras with their modes, virtual cameras, and what to do where one is missing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from engines.errors import ClearcallError
from stream.doctor import Finding, report
from stream.webcam import libpipewire
from stream.webcam.devices import Device, find, paths
from stream.webcam.loopback import SETUP
from stream.webcam.modes import Mode, choose
from stream.webcam.output import Shape
from stream.webcam.pipewire import PipeWireCamera
from stream.webcam.settings import WebcamSettings
from stream.webcam.users import users_of

PROBE = Shape(64, 64, Fraction(1))


def listing(settings: WebcamSettings) -> str:
    """The whole table for this machine."""
    if not sys.platform.startswith("linux"):
        return "Cameras: --input avfoundation:NAME on macOS, dshow:NAME on Windows. Virtual cameras: Linux only."
    found = find()
    barred = [path for path in paths() if path not in {device.path for device in found}]
    return report([*cameras(found, barred, settings), pipewire(), loopback(found, Path("/sys/module/v4l2loopback"))])


def cameras(found: Iterable[Device], barred: Iterable[str], settings: WebcamSettings) -> list[Finding]:
    """One line for each camera, the mode to be used first."""
    rows = []
    for device in found:
        if not device.can_capture or device.is_loopback:
            continue
        best = choose(device.modes, settings.width, settings.height, settings.rate)
        busy = users_of(device.path)
        text = f"{device.name}: {best}{''.join(f'; {line}' for line in offers(device.modes))}"
        hint = f"in use by {', '.join(busy)}: close that first" if busy else None
        rows.append(Finding(f"camera {device.path}", text, hint))
    for path in barred:
        denied = not os.access(path, os.R_OK | os.W_OK)
        hint = "sudo usermod -aG video $USER, then log in anew" if denied else "it does not answer: plug it in anew"
        rows.append(Finding(f"camera {path}", "cannot be opened", hint))
    return rows or [Finding("camera", "none", "plug one in, or try --input FILE")]


def offers(modes: Iterable[Mode]) -> list[str]:
    """For each format its sizes with the highest rate of each, such as `MJPG 640x480@30 1280x720@30`."""
    fastest: dict[str, dict[str, Fraction]] = {}
    for mode in modes:
        sizes = fastest.setdefault(mode.pixel_format, {})
        size = f"{mode.width}x{mode.height}"
        sizes[size] = max(mode.rate, sizes.get(size, Fraction(0)))
    return [
        f"{name} {' '.join(f'{size}@{float(rate):g}' for size, rate in sizes.items())}"
        for name, sizes in fastest.items()
    ]


def pipewire() -> Finding:
    """Whether a camera node can be had; makes one for a moment."""
    name = "output pipewire"
    try:
        PipeWireCamera(PROBE).close()
    except ClearcallError as error:
        return Finding(name, "missing", str(error))
    return Finding(name, f"ready ({libpipewire.LIBRARY})")


def loopback(found: Iterable[Device], module: Path) -> Finding:
    """Whether there is a v4l2loopback device."""
    there = [device.path for device in found if device.is_loopback]
    if there:
        return Finding("output v4l2", f"ready ({', '.join(there)})")
    if module.exists():
        return Finding("output v4l2", "module loaded, but no device that this user may open", SETUP)
    return Finding("output v4l2", "module not loaded", SETUP)
