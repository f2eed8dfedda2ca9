"""`clearcall webcam --list`: cameras with their modes, virtual cameras, and what to do where one is missing."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from engines.errors import ClearcallError
from stream.doctor import Finding, report
from stream.webcam import ffmpeg_cameras, libpipewire
from stream.webcam.devices import Device, find, paths
from stream.webcam.locate import NATIVE
from stream.webcam.loopback import SETUP
from stream.webcam.modes import Mode, choose
from stream.webcam.output import Shape
from stream.webcam.pipewire import PipeWireCamera
from stream.webcam.pipewire_setup import setup
from stream.webcam.settings import WebcamSettings
from stream.webcam.terminal import missing
from stream.webcam.users import runs, users_of
from stream.webcam.virtualcam import EXTRA, PyVirtualCamera
from stream.webcam.window import open_display

PROBE = Shape(64, 64, Fraction(1))
MANAGERS = {"wireplumber", "pipewire-media-session"}
"""Programs that connect readers with cameras in a PipeWire session."""


def listing(settings: WebcamSettings, platform: str = sys.platform) -> str:
    """The whole table for this machine."""
    return report([*examine(settings, platform), preview()])


def examine(settings: WebcamSettings, platform: str = sys.platform) -> list[Finding]:
    """Cameras and virtual cameras, without the previews."""
    if platform.startswith("linux"):
        found = find()
        barred = [path for path in paths() if path not in {device.path for device in found}]
        outputs = [pipewire(), loopback(found, Path("/sys/module/v4l2loopback")), optional_pyvirtualcam()]
    else:
        found, barred, outputs = ffmpeg_cameras.find(NATIVE.get(platform, "")), [], [pyvirtualcam()]
    return [*cameras(found, barred, settings), *outputs]


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
    if not any(runs(manager) for manager in MANAGERS):
        hint = f"no session manager runs: {setup('wireplumber')}"
        return Finding(name, "no program could find the camera", hint)
    return Finding(name, f"ready ({libpipewire.LIBRARY})")


def loopback(found: Iterable[Device], module: Path) -> Finding:
    """Whether there is a v4l2loopback device; `module` is its folder in /sys."""
    name = "output v4l2"
    there = [device.path for device in found if device.is_loopback]
    if not there:
        loaded = "module loaded, but no device that this user may open" if module.exists() else "module not loaded"
        return Finding(name, loaded, SETUP)
    text = f"ready ({', '.join(there)})"
    try:
        exclusive = "Y" in (module / "parameters" / "exclusive_caps").read_text()
    except OSError:  # not to be known
        exclusive = True
    hint = None if exclusive else f"Chromium will not list it: sudo modprobe -r v4l2loopback; {SETUP}"
    return Finding(name, text, hint)


def pyvirtualcam() -> Finding:
    """Whether pyvirtualcam has a camera; takes it for a moment."""
    name = "output pyvirtualcam"
    try:
        camera = PyVirtualCamera(PROBE)
    except ClearcallError as error:
        return Finding(name, "missing", str(error))
    camera.close()
    return Finding(name, f"ready ({camera.name})")


def optional_pyvirtualcam() -> Finding:
    """Whether pyvirtualcam is there; on Linux nothing is missing without it."""
    there = importlib.util.find_spec("pyvirtualcam") is not None
    return Finding("output pyvirtualcam", "installed" if there else f"not installed, not needed here ({EXTRA})")


def preview() -> Finding:
    """Where a preview would be shown."""
    reason = missing(sys.stdout, os.environ)
    terminal = f"terminal: {reason}" if reason else "terminal: ready"
    try:
        open_display().destroy()
    except ClearcallError as error:
        hint = f"{error}, and {reason}" if reason else None
        return Finding("output window", f"window: {error}; {terminal}", hint)
    return Finding("output window", f"window: ready; {terminal}")
