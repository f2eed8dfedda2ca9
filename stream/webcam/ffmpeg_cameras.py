"""Cameras of macOS (avfoundation) and Windows (dshow): FFmpeg tells names, and modes in what it logs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction

import av
from av import logging
from av.device import DeviceInfo

from stream.webcam.devices import USUAL_RATES, Device, stepped_sizes
from stream.webcam.modes import FORMATS, Mode

VIRTUAL = re.compile("OBS|Unity Video Capture|clearcall|Capture screen", re.IGNORECASE)
"""Names of devices that are no cameras: reading what we write ourselves would go in a circle."""
QUESTIONS = {"avfoundation": {"framerate": "1"}, "dshow": {"list_options": "true"}}
"""Options with which FFmpeg lists the modes and opens nothing: no Mac's camera has a rate of just one a second."""
NEAREST = 1001
"""FFmpeg tells rates as decimal numbers: the largest denominator to take them for."""
AVFOUNDATION_MODE = re.compile(r"(\d+)x(\d+)@\[([\d.]+) ([\d.]+)\]fps")
DSHOW_MODE = re.compile(
    r"(?:pixel_format|vcodec)=(\w+)\s+min s=(\d+)x(\d+) fps=([\d.]+) max s=(\d+)x(\d+) fps=([\d.]+)"
)
LETTERS = {name: letters for letters, name in FORMATS.items()}


def address(kind: str, name: str) -> str:
    """The name of a camera as FFmpeg opens it, without its microphone."""
    return f"video={name}" if kind == "dshow" else f"{name}:none"


def options(kind: str, mode: Mode) -> dict[str, str]:
    """FFmpeg's options for that mode."""
    chosen = {"video_size": f"{mode.width}x{mode.height}", "framerate": str(mode.rate)}
    if kind == "avfoundation":
        # What a camera cannot do is replaced by what it can.
        return {**chosen, "pixel_format": FORMATS["NV12"]}
    chosen["rtbufsize"] = "64M"
    # MJPEG cannot be asked for by an option; it is taken where nothing else has that size and rate.
    return chosen if mode.pixel_format == "MJPG" else {**chosen, "pixel_format": FORMATS[mode.pixel_format]}


def find(
    kind: str,
    listed: Callable[[str], list[DeviceInfo]] = av.enumerate_input_devices,
    log_of: Callable[[str, str], str] | None = None,
) -> list[Device]:
    """The cameras, with their modes; none where FFmpeg cannot tell."""
    found: list[Device] = []
    with suppress(ValueError, OSError, av.FFmpegError):
        for info in listed(kind):
            if "video" in info.media_types and not VIRTUAL.search(info.description):
                found.append(_device(kind, info, found, log_of or log))
    return found


def _device(kind: str, info: DeviceInfo, before: list[Device], log_of: Callable[[str, str], str]) -> Device:
    # Of two cameras with the same name the second can only be told by its number or its path.
    twin = any(device.name == info.description for device in before)
    name = info.name if twin else info.description
    return Device(f"{kind}:{name}", info.description, kind, True, False, modes(kind, log_of(kind, name)))


def modes(kind: str, text: str) -> tuple[Mode, ...]:
    """The modes in what FFmpeg logged when asked one of `QUESTIONS`."""
    read = _dshow_modes if kind == "dshow" else _avfoundation_modes
    return tuple(dict.fromkeys(read(text)))


def _avfoundation_modes(text: str) -> Iterator[Mode]:
    for width, height, _, fastest in AVFOUNDATION_MODE.findall(text):
        if rate := _rate(fastest):  # FFmpeg takes the highest rate of a range, and no other
            yield Mode("NV12", int(width), int(height), rate)


def _dshow_modes(text: str) -> Iterator[Mode]:
    for name, left, low, slowest, right, high, fastest in DSHOW_MODE.findall(text):
        least, most = _rate(slowest), _rate(fastest)
        if name not in LETTERS or not least or not most:
            continue
        for width, height in stepped_sizes((int(left), int(right), 2, int(low), int(high), 2)):
            for rate in dict.fromkeys(max(least, min(most, usual)) for usual in USUAL_RATES):
                yield Mode(LETTERS[name], width, height, rate)


def _rate(text: str) -> Fraction | None:
    try:
        return Fraction(text).limit_denominator(NEAREST) or None
    except ValueError:
        return None


def log(kind: str, name: str) -> str:
    """What FFmpeg logs when asked for a camera's modes."""
    level = logging.get_level()
    logging.set_level(logging.INFO)
    try:
        with logging.Capture() as entries, suppress(ValueError, OSError, av.FFmpegError):
            av.open(address(kind, name), format=kind, options=dict(QUESTIONS.get(kind, {}))).close()
    finally:
        logging.set_level(level)
    return " ".join(message for _, _, message in entries)
