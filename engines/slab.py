"""Several tensors in one piece of memory, each where a GPU's libraries want it to begin."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ALIGNMENT = 256
"""Bytes; TensorRT refuses addresses that are not multiples of it."""


@dataclass(frozen=True, slots=True)
class Part:
    """One tensor of a slab."""

    offset: int
    bytes: int
    shape: tuple[int, ...]
    dtype: str


class Slab:
    """Where each tensor lies."""

    def __init__(self, tensors: Iterable[tuple[str, tuple[int, ...], str]]) -> None:
        """Lay out tensors of these names, shapes and dtypes, in this order."""
        self.parts: dict[str, Part] = {}
        end = 0
        for name, shape, dtype in tensors:
            size = math.prod(shape) * np.dtype(dtype).itemsize
            self.parts[name] = Part(end, size, shape, dtype)
            end += -(-size // ALIGNMENT) * ALIGNMENT
        self.size = end

    def addresses(self, base: int) -> dict[str, int]:
        """Name to address, when the slab begins at `base`."""
        return {name: base + part.offset for name, part in self.parts.items()}

    def arrays(self, memory: NDArray[np.uint8]) -> dict[str, NDArray[np.generic]]:
        """Name to the part of host memory that holds it."""
        return {
            name: self.bytes(memory, name).view(part.dtype).reshape(part.shape) for name, part in self.parts.items()
        }

    def bytes(self, memory: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
        """The bytes of one tensor."""
        part = self.parts[name]
        return memory[part.offset : part.offset + part.bytes]
