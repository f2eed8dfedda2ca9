"""Which output: the one that was asked for, or the first that works."""

from __future__ import annotations

import sys
from collections.abc import Callable

from engines.errors import ClearcallError
from stream.webcam.loopback import LoopbackCamera
from stream.webcam.output import Output, Shape
from stream.webcam.pipewire import PipeWireCamera
from stream.webcam.terminal import TerminalPreview
from stream.webcam.virtualcam import PyVirtualCamera
from stream.webcam.window import WindowPreview

KINDS = ("pipewire", "v4l2", "pyvirtualcam", "window", "terminal")
NAMED = ("v4l2", "pyvirtualcam")
"""Kinds of which a device may be named."""


def tried(kind: str, platform: str) -> tuple[str, ...]:
    """The kinds to try one after the other for what `--output` says."""
    if kind == "auto":
        return ("pipewire", "v4l2") if platform.startswith("linux") else ("pyvirtualcam",)
    return ("window", "terminal") if kind == "window" else (kind,)


def open_output(kind: str, shape: Shape, on_change: Callable[[], object], device: str | None = None) -> Output:
    """Open one of `KINDS`, on `device` where that was named, or auto.

    `on_change()` may be called from another thread when readers come or go.

    Raises:
        ClearcallError: None can be had; the text says for each what is missing.
    """
    names = tried(kind, sys.platform)
    missing = []
    for name in names:
        try:
            return _open(name, shape, on_change, device)
        except ClearcallError as error:
            if len(names) == 1:
                raise
            missing.append(f"{name}: {error}")
    what = "no preview can be shown" if kind == "window" else "no virtual camera can be had"
    raise ClearcallError(f"{what}; {'; '.join(missing)}")


def _open(kind: str, shape: Shape, on_change: Callable[[], object], device: str | None) -> Output:
    match kind:
        case "pipewire":
            return PipeWireCamera(shape, on_change)
        case "v4l2":
            return LoopbackCamera(shape, device)
        case "pyvirtualcam":
            return PyVirtualCamera(shape, device)
        case "window":
            return WindowPreview(shape)
        case _:
            return TerminalPreview(shape)
