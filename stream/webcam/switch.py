"""On and off, prompt and strength: what may be changed while the webcam runs, from any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol


class Adjustable(Protocol):
    """What is switched: the filter."""

    def set_prompt(self, text: str) -> None:
        """Another prompt; BadInput for an unknown one."""

    def set_strength(self, value: float) -> None:
        """Another strength; BadInput outside 0..1. At 0 frames pass as they are."""


class Switch:
    """Off is strength 0, and remembers what the strength was."""

    def __init__(
        self, target: Adjustable, prompt: str, strength: float, on_change: Callable[[], object] = lambda: None
    ) -> None:
        """`on_change()` is called after each change."""
        self._target = target
        self._on_change = on_change
        # Reentrant: a signal may come while its own thread looks at the state.
        self._lock = threading.RLock()
        self.prompt = prompt
        self.strength = strength
        self.on = True

    def turn(self, on: bool) -> None:
        """On or off."""
        with self._lock:
            self.on = on
            self._target.set_strength(self.strength if on else 0.0)
        self._on_change()

    def toggle(self) -> None:
        """The other way round."""
        self.turn(not self.on)

    def change(self, prompt: str | None = None, strength: float | None = None) -> None:
        """Another prompt or strength; BadInput, and nothing changed, where one is wrong."""
        with self._lock:
            if prompt is not None:
                self._target.set_prompt(prompt)
                self.prompt = prompt
            if strength is not None:
                if self.on:
                    self._target.set_strength(strength)
                self.strength = strength
        self._on_change()

    def state(self) -> dict[str, object]:
        """What holds now."""
        with self._lock:
            return {"on": self.on, "prompt": self.prompt, "strength": self.strength}
