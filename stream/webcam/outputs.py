"""Which virtual camera: the one that was asked for, or the first that works."""

from __future__ import annotations

from collections.abc import Callable

from engines.errors import ClearcallError
from stream.webcam.loopback import LoopbackCamera
from stream.webcam.output import Output, Shape
from stream.webcam.pipewire import PipeWireCamera

KINDS = ("pipewire", "v4l2")
"""In the order in which `auto` tries them."""


def open_output(kind: str, shape: Shape, on_change: Callable[[], object], device: str | None = None) -> Output:
    """Open a virtual camera: pipewire, v4l2 (on `device`, or the first loopback), or auto.

    `on_change()` may be called from another thread when readers come or go.

    Raises:
        ClearcallError: None can be had; the text says for each what is missing.
    """
    if kind != "auto":
        return _open(kind, shape, on_change, device)
    missing = []
    for name in KINDS:
        try:
            return _open(name, shape, on_change, device)
        except ClearcallError as error:
            missing.append(f"{name}: {error}")
    raise ClearcallError(f"no virtual camera can be had; {'; '.join(missing)}")


def _open(kind: str, shape: Shape, on_change: Callable[[], object], device: str | None) -> Output:
    return PipeWireCamera(shape, on_change) if kind == "pipewire" else LoopbackCamera(shape, device)
