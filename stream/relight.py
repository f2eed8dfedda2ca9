"""When the crop goes through the frame's tone before the generator gets it, and what says how light it has to be.

In the dark the generator first judges the light on the crop as it came, and the tone follows that. Once there is a
tone, the crop goes through it, too, and the generator adds detail to a picture in the right light. What it sees no
longer tells how dark the room is, so now and then it looks at the crop as it came.
"""

from __future__ import annotations

from stream.prompt import SMOOTHING, Weights, follow_estimate
from stream.tone.estimate import Change
from stream.tone.frame import HAZE, LIGHT

EVERY = 10
"""Frames from one look at the crop as it came to the next: a tenth more work."""
PACE = 0.5
"""Share of the newest look in what is known: a head that turns must not move the room."""


class Relight:
    """Of one face; frames in order."""

    def __init__(self, known: tuple[str, ...]) -> None:
        """Start knowing nothing; `known` is the order of the prompts."""
        self._light = known.index(LIGHT) if LIGHT in known else None
        self._haze = known.index(HAZE) if HAZE in known else None
        self.change: Change | None = None
        """What the generator does to the light of the crop as it came, by the last looks"""
        self._since = 0

    def forget(self) -> None:
        """Another face, another scene."""
        self.change, self._since = None, 0

    def asked(self, prompt: Weights) -> bool:
        """Whether, under this prompt [P], tone comes first: in the dark alone, since of haze the tone knows less."""
        if self._light is None or prompt[self._light] <= 0:
            return False
        return self._haze is None or prompt[self._haze] <= 0

    def due(self) -> bool:
        """Whether it is time to look; counts a frame."""
        self._since += 1
        return self.change is None or self._since > EVERY

    def looked(self, found: Change) -> None:
        """Note what a look has found."""
        self._since = 0
        self.change = found if self.change is None else mixed(self.change, found)

    def rest(self, prompt: Weights) -> Weights:
        """What is left of a prompt [P] for a crop in the right light."""
        left = prompt.copy()
        if self._light is not None:
            left[self._light] = 0
        return left

    def follow(self, average: Weights | None, estimate: Weights, lit: bool) -> Weights:
        """The slow average of estimates [P] after one more, of a crop under the tone (`lit`) or as it came.

        Under the tone nothing is dark, so light is followed by looks alone, each for all the frames since the last.
        """
        after = follow_estimate(average, estimate)
        if average is not None and self._light is not None and self.change is not None:
            share = 0.0 if lit else 1 - (1 - SMOOTHING) ** EVERY
            after[self._light] = average[self._light] + share * (estimate[self._light] - average[self._light])
        return after


def mixed(old: Change, new: Change) -> Change:
    """On the way from one to the other."""
    pairs = ((old.gain, new.gain), (old.lift, new.lift), (old.colour, new.colour), (old.light, new.light))
    return Change(*(a + PACE * (b - a) for a, b in pairs))
