"""How far the building of a plan is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Progress = Callable[[str, float], None]
"""Told what is being done and the share that is done, 0 to 1."""


class Steps:
    """Share of a build that is done, from a library's nested phases; what it tells never falls."""

    def __init__(self) -> None:
        self._open: list[tuple[str, int, int]] = []
        self._share = 0.0

    def start(self, name: str, steps: int) -> float:
        """A phase begins inside the one that runs."""
        self._open.append((name, 0, max(1, steps)))
        return self.share()

    def step(self, name: str, index: int) -> float:
        """A step of a phase is done."""
        self._open = [(n, index + 1 if n == name else i, count) for n, i, count in self._open]
        return self.share()

    def finish(self, name: str) -> float:
        """A phase is done, and all within it."""
        names = [n for n, _, _ in self._open]
        if name in names:
            del self._open[len(names) - 1 - names[::-1].index(name) :]
        return self.share()

    def share(self) -> float:
        """0 to 1."""
        share, weight = 0.0, 1.0
        for _, done, count in self._open:
            share += weight * min(done, count) / count
            weight /= count
        self._share = max(self._share, min(1.0, share))
        return self._share


def watch(trt: Any, config: Any, progress: Progress, stop: Callable[[], bool]) -> None:
    """Have a build tell `progress` how far it is, and end early once `stop` says so."""
    steps = Steps()

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            progress(phase_name, steps.start(phase_name, num_steps))

        def step_complete(self, phase_name: str, step: int) -> bool:
            progress(phase_name, steps.step(phase_name, step))
            return not stop()

        def phase_finish(self, phase_name: str) -> None:
            progress(phase_name, steps.finish(phase_name))

    config.progress_monitor = Monitor()
