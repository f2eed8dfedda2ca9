"""What every virtual camera can do, whatever carries it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""I420 in one piece, [height * 3 / 2, width]: Y, then U and V at half size; BT.601, limited range."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the virtual camera offers."""

    width: int
    """Pixels, a multiple of 8."""
    height: int
    """Pixels, even."""
    rate: Fraction
    """Frames a second."""

    @property
    def size(self) -> int:
        """Bytes of a picture."""
        return self.width * self.height * 3 // 2

    @property
    def interval(self) -> float:
        """Seconds from picture to picture."""
        return float(1 / self.rate)


class Output(Protocol):
    """A virtual camera."""

    name: str
    """What carries it and what it is called there."""
    idle_interval: float | None
    """Seconds between still cards that it needs while nobody reads; None where it needs none."""

    def has_reader(self) -> bool:
        """Whether some program takes the picture now; true where that cannot be known."""

    def send(self, picture: Picture) -> bool:
        """Give one picture; False where it could not be taken now and was dropped.

        Raises:
            OutputLost: The virtual camera is gone.
        """

    def close(self) -> None:
        """Take the virtual camera away; harmless when repeated."""
