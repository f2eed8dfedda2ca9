"""Which graphs may run, decided by how long their steps take."""

from __future__ import annotations

from collections.abc import Iterable

PACE = 0.05
"""Share of the newest step in the running mean: about a second of memory at 30 frames a second."""
SETTLED = 30
"""Steps of a graph before anything is decided on it."""
REGAIN = 0.7
"""A graph that was too slow comes back once it is expected to take this share of the budget."""


class Budget:
    """Running means of step times, and the graphs that fit; the smallest always does."""

    def __init__(self, sizes: Iterable[int], seconds: float | None) -> None:
        """Start with all graphs; `seconds` a step may take, None for as long as it likes."""
        self._sizes = tuple(sorted(sizes))
        self._seconds = seconds
        self._means: dict[int, float] = {}
        self._steps: dict[int, int] = {}
        self._largest = len(self._sizes)

    def allowed(self) -> tuple[int, ...]:
        """Crop edges of the graphs that may run now, the smallest first."""
        return self._sizes[: self._largest]

    def took(self, size: int, seconds: float) -> None:
        """Count a step of one graph, and decide anew."""
        if self._seconds is None:
            return
        mean = self._means.get(size, seconds)
        self._means[size] = mean + PACE * (seconds - mean)
        self._steps[size] = self._steps.get(size, 0) + 1
        if self._steps[size] < SETTLED:
            return
        place = self._sizes.index(size)
        if self._means[size] > self._seconds and 0 < place < self._largest:
            self._largest = place
            self._steps[size] = 0
        elif self._largest < len(self._sizes):
            larger = self._sizes[self._largest]
            # Time goes with the area.
            if self._means[size] * (larger / size) ** 2 <= REGAIN * self._seconds:
                self._largest += 1
                self._means.pop(larger, None)
                self._steps[size] = 0
