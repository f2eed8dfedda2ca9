"""How players turn the stored picture for display: phones store portraits sideways and say so in a matrix."""

from __future__ import annotations

from dataclasses import dataclass

UP, RIGHT, DOWN, LEFT = (0, -1), (1, 0), (0, 1), (-1, 0)
"""Directions (x, y) in the stored picture."""


@dataclass(slots=True, frozen=True)
class Display:
    """The stored picture against the displayed one."""

    quarters: int = 0
    """Counterclockwise quarter turns, 0 to 3, that make the stored picture upright; it may stay mirrored."""
    right: tuple[int, int] = RIGHT
    """The direction in the stored picture that is shown to the right."""


def read_display(matrix: tuple[int, ...] | None) -> Display:
    """What FFmpeg's display matrix says, to the nearest quarter turn; as stored where there is none or it is void."""
    if matrix is None:
        return Display()
    # It takes the stored (x, y) to (a x + c y, b x + d y). Backwards, but for the length:
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    determinant = a * d - b * c
    if not determinant:
        return Display()
    sign = 1 if determinant > 0 else -1
    up, right = _nearest(c * sign, -a * sign), _nearest(d * sign, -b * sign)
    return Display((UP, RIGHT, DOWN, LEFT).index(up), right)


def _nearest(x: int, y: int) -> tuple[int, int]:
    if abs(x) >= abs(y):
        return RIGHT if x > 0 else LEFT
    return DOWN if y > 0 else UP
