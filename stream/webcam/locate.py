"""What `--input` means: which camera in which mode, or which file or address. Opens no camera: no light goes on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av

from engines.errors import BadInput
from stream.webcam import devices, ffmpeg_cameras, still
from stream.webcam.devices import Device
from stream.webcam.modes import FORMATS, Mode, choose
from stream.webcam.source import Kind, Origin

SYSTEMS: dict[Kind, str] = {"avfoundation": "macOS", "dshow": "Windows"}
"""FFmpeg's name of a system's cameras, and the system."""
NATIVE: dict[str, Kind] = {"darwin": "avfoundation", "win32": "dshow"}


def cameras(kind: str) -> list[Device]:
    """The machine's cameras of a kind: v4l2, avfoundation or dshow."""
    return devices.find() if kind == "v4l2" else ffmpeg_cameras.find(kind)


def modes_of(kind: str, name: str) -> tuple[Mode, ...]:
    """The modes of a camera of macOS or Windows; none where FFmpeg does not tell."""
    return ffmpeg_cameras.modes(kind, ffmpeg_cameras.log(kind, name))


def locate(
    text: str,
    wish: Mode,
    find: Callable[[str], list[Device]] = cameras,
    ask: Callable[[str, str], tuple[Mode, ...]] = modes_of,
    formats: frozenset[str] | None = None,
    platform: str = sys.platform,
) -> Origin:
    """Find out what `--input` means; `wish` tells the size and rate to look for.

    Raises:
        BadInput: There is no such thing; the text says what there is.
    """
    kind, _, name = text.partition(":")
    for known, system in SYSTEMS.items():
        if kind == known and name:
            if known not in (_formats() if formats is None else formats):
                raise BadInput(f"--input {kind}:… is for {system}")
            return _system_camera(known, name, ask(known, name), wish)
    if "://" in text:
        return Origin("url", text)
    if text == "auto" and platform in NATIVE:
        native = NATIVE[platform]
        if not (found := find(native)):
            raise BadInput("no camera is there, or this program may not use it: see the system's privacy settings")
        return _system_camera(native, found[0].path.partition(":")[2], found[0].modes, wish)
    if text == "auto" or text.startswith("/dev/video"):
        return _v4l2_camera(None if text == "auto" else text, find("v4l2"), wish)
    if not Path(text).is_file():
        raise BadInput(f"--input {text}: no such file or camera (clearcall webcam --list shows the cameras)")
    if still.is_still(text):
        return Origin("still", text, replace(wish, pixel_format="still picture"))
    return Origin("file", text)


def follow(origin: Origin, find: Callable[[str], list[Device]] = cameras) -> Origin:
    """The same camera under the number that it has now: another one where it was plugged in anew meanwhile."""
    if origin.kind != "v4l2" or os.path.exists(origin.name):
        return origin
    twins = (device for device in find("v4l2") if device.name == origin.card and origin.mode in device.modes)
    found = next(twins, None)
    return origin if found is None else replace(origin, name=found.path)


def _formats() -> frozenset[str]:
    return frozenset(name for names in av.formats_available for name in names.split(","))


def _system_camera(kind: Kind, name: str, modes: tuple[Mode, ...], wish: Mode) -> Origin:
    mode = choose(modes, wish.width, wish.height, wish.rate)
    # Where FFmpeg lists no modes the wish is asked for, and the camera may refuse it.
    options = ffmpeg_cameras.options(kind, mode or replace(wish, pixel_format="MJPG"))
    return Origin(kind, ffmpeg_cameras.address(kind, name), mode, options, name)


def _v4l2_camera(path: str | None, found: list[Device], wish: Mode) -> Origin:
    possible = [device for device in found if device.can_capture and (not device.is_loopback or device.path == path)]
    if path is None and not possible:
        raise BadInput("no camera is there: plug one in, or try --input FILE (clearcall webcam --list tells more)")
    device = next((device for device in possible if path in {None, device.path}), None)
    if path is not None and not Path(path).exists():
        raise BadInput(f"--input {path}: no such camera (clearcall webcam --list shows which there are)")
    if device is None:
        raise BadInput(f"--input {path} cannot be used: it is no camera, or this user may not open it")
    mode = choose(device.modes, wish.width, wish.height, wish.rate)
    if mode is None:
        raise BadInput(f"--input {device.path} offers no picture format that clearcall reads")
    options = {
        "video_size": f"{mode.width}x{mode.height}",
        "framerate": str(mode.rate),
        "input_format": FORMATS[mode.pixel_format],
    }
    return Origin("v4l2", device.path, mode, options, device.name)
