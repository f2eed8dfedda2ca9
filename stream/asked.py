"""What a frame is restored for; remembered while its face is out of sight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stream.prompt import WHOLE, Weights, as_needed, prompt_from_estimate


@dataclass(frozen=True, slots=True)
class Asked:
    """What a frame is restored under."""

    prompt: Weights
    """[P]"""
    strength: float
    """Above 0, up to 1"""
    in_words: bool
    """Whether the prompt is a caller's own, and no estimate"""


class LastAsked:
    """Of one scene. A head that is turned away must not darken the room."""

    def __init__(self, prompts: tuple[str, ...]) -> None:
        """Know nothing; `prompts` is the order of the weights."""
        self._prompts = prompts
        self.forget()

    def forget(self) -> None:
        """Another scene needs other things."""
        self._last: Asked | None = None
        self._estimated: Weights | None = None
        """The last prompt that an estimate made"""

    def with_face(self, asked: Asked) -> None:
        """Remember what a face was restored under."""
        self._last = asked
        if not asked.in_words:
            self._estimated = asked.prompt

    def without_face(self, wanted: Weights | None, strength: float, look: Callable[[], Weights] | None) -> Asked | None:
        """What the face was restored for, unless something else is said now; None where nothing is known.

        Args:
            wanted: Prompt weights [P]; None for auto.
            strength: Above 0, up to 1.
            look: Estimates [P] what the picture needs; None where only a face can tell.
        """
        last = self._last
        if wanted is None and last is not None and last.in_words and self._estimated is not None:
            last = Asked(self._estimated, strength, in_words=False)
        elif last is not None and not _is_for(last, wanted):
            # A word alone does not say how much: the picture can tell, or it is as much as it was.
            unclear = wanted is None or (look is not None and bool((wanted == WHOLE).any()))
            last = None if wanted is None or unclear else Asked(as_needed(wanted, last.prompt), strength, in_words=True)
        if last is None and look is not None:
            last = self._at_first(wanted, strength, look)
        self._last = last
        if last is not None:
            return Asked(last.prompt, strength, last.in_words)
        return None if wanted is None else Asked(wanted, strength, in_words=True)

    def _at_first(self, wanted: Weights | None, strength: float, look: Callable[[], Weights]) -> Asked:
        if wanted is None:
            return Asked(prompt_from_estimate(look(), self._prompts), strength, in_words=False)
        if not (wanted == WHOLE).any():
            return Asked(wanted, strength, in_words=True)
        return Asked(as_needed(wanted, look()), strength, in_words=True)


def _is_for(asked: Asked, wanted: Weights | None) -> bool:
    """Whether something was asked for as it is wanted now: in the same words, or by an estimate."""
    if wanted is None or not asked.in_words:
        return wanted is None and not asked.in_words
    return bool(np.array_equal(as_needed(wanted, asked.prompt), asked.prompt))
