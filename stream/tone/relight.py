"""When the crop goes through the frame's tone before the generator gets it, and what says how light it has to be.

In the dark the generator first judges the light on the crop as it came, and the tone follows that. Once there is a
tone, the crop goes through it, too, and the generator adds detail to a picture in the right light. What it sees no
longer tells how dark the room is, so now and then it looks at the crop as it came.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.prompt import HAZE, LIGHT, SMOOTHING, Weights, follow_estimate
from stream.tone.estimate import LightChange

EVERY, SOON = 10, 2
"""Frames from one look at the crop as it came to the next, a tenth more work; and while the light changes."""
JUMP = 4.0
"""Change of the crop's mean luma, in levels, after which it is looked at at once: somebody turned on a lamp."""
MOVED = 0.05, 0.1
"""Differences of gain (a logarithm) and of the estimate of darkness from what was known that make a light that changes.
"""
PACE = 0.5
"""Share of the newest look in what is known: a head that turns must not move the room."""


class Relight:
    """Of one face; frames in order."""

    def __init__(self, known: tuple[str, ...]) -> None:
        """Start knowing nothing; `known` is the order of the prompts."""
        self._light = known.index(LIGHT) if LIGHT in known else None
        self._haze = known.index(HAZE) if HAZE in known else None
        self.change: LightChange | None = None
        """What the generator does to the light of the crop as it came, by the last looks"""
        self._since, self._every, self._mean = 0, EVERY, 0.0

    def forget(self) -> None:
        """Another face, another scene."""
        self.change, self._since, self._every = None, 0, EVERY

    def asked(self, prompt: Weights) -> bool:
        """Whether, under this prompt [P], tone comes first: in the dark alone, since of haze the tone knows less."""
        if self._light is None or prompt[self._light] <= 0:
            return False
        return self._haze is None or prompt[self._haze] <= 0

    def due(self, luma: NDArray[np.uint8]) -> bool:
        """Whether it is time to look at a crop of this luma as it came; counts a frame."""
        self._since += 1
        mean = float(cv2.mean(luma)[0])
        due = self.change is None or self._since > self._every or abs(mean - self._mean) > JUMP
        if due:
            self._mean, self._every = mean, EVERY
        return due

    def looked(self, found: LightChange) -> None:
        """Note what a look has found."""
        self._since = 0
        if self.change is not None and abs(found.gain - self.change.gain) > MOVED[0]:
            self._every = SOON
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
        if average is None or self._light is None:
            return after
        way = float(estimate[self._light] - average[self._light])
        if lit:
            after[self._light] = average[self._light]
        elif self.change is not None:
            after[self._light] = average[self._light] + way * (1 - (1 - SMOOTHING) ** max(self._since, SOON))
        if not lit and abs(way) > MOVED[1]:
            self._every = SOON
        return after


def mixed(old: LightChange, new: LightChange) -> LightChange:
    """On the way from one to the other."""
    pairs = ((old.gain, new.gain), (old.lift, new.lift), (old.colour, new.colour), (old.light, new.light))
    return LightChange(*(a + PACE * (b - a) for a, b in pairs))
