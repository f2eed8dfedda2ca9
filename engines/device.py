"""What an engine on an accelerator needs of it: memory, and a queue of work that runs in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
"""Host memory, one axis"""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of [C, H, W] on the device that moves within it."""

    planes: int
    rows: int
    """Of the part"""
    row_bytes: int
    """Of the part"""
    pitch: int
    """Bytes from one row of the whole to the next"""
    height: int
    """Rows of the whole"""
    from_row: int
    from_byte: int
    to_row: int
    to_byte: int


class Queue(Protocol):
    """Work for the device, done in order, and not before `wait` returns for certain."""

    handle: int
    """What the libraries know it by"""

    def upload(self, target: int, source: Bytes) -> None:
        """Copy pinned host memory to the device."""

    def download(self, target: Bytes, source: int) -> None:
        """Copy from the device to pinned host memory."""

    def copy(self, target: int, source: int, size: int) -> None:
        """Copy on the device."""

    def copy_rows(
        self, target: int, target_pitch: int, source: int, source_pitch: int, row_bytes: int, rows: int
    ) -> None:
        """Copy rows on the device, each so many bytes behind the one before."""

    def clear(self, target: int, size: int) -> None:
        """Write zeros."""

    def move(self, target: int, source: int, box: Box) -> None:
        """Copy a part of one tensor to another place in one of the same shape."""

    def capture(self, work: Callable[[], None]) -> Any:
        """Record what `work` puts in line, without doing it."""

    def launch(self, graph: Any) -> None:
        """Put what was recorded in line, all at once."""

    def release(self, graph: Any) -> None:
        """Forget a recording."""

    def wait(self) -> None:
        """Return when all is done."""


class Device(Protocol):
    """An accelerator. Its errors are EngineLost, OutOfDeviceMemory where room is missing."""

    name: str

    def enter(self) -> None:
        """Let this thread use the device; before anything else in each thread."""

    def allocate(self, size: int) -> int:
        """Address of so many bytes, aligned to 256."""

    def free(self, address: int) -> None:
        """Give memory back, which nothing in line uses any more; from any thread."""

    def pinned(self, size: int) -> Bytes:
        """Host memory that the device reads and writes by itself; given back with its last array."""

    def queue(self) -> Queue:
        """A queue of its own."""
