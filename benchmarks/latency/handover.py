"""Encoded frames from the sender's process, which holds the connection, to the receiver's, which decodes them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

_HEADER = struct.Struct("<dI")
"""When the frame was there whole, on the machine's monotonic clock, in seconds; bytes that follow."""


def pack(arrived: float, data: bytes) -> bytes:
    """One frame as it goes through the pipe."""
    return _HEADER.pack(arrived, len(data)) + data


def unpack(pipe: BinaryIO) -> Iterator[tuple[float, bytes]]:
    """Arrival and data of each frame until the pipe ends; a frame cut short is left out."""
    while len(header := pipe.read(_HEADER.size)) == _HEADER.size:
        arrived, size = _HEADER.unpack(header)
        data = pipe.read(size)
        if len(data) < size:
            return
        yield arrived, data
