"""What is round the face: its tone and its grain, and the face put into it."""

from __future__ import annotations

from dataclasses import dataclass

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from stream.face.crop import Crop
from stream.frames.cut import CutBuffer, cut
from stream.frames.paste import add_square, differences, paste
from stream.frames.pixels import is_full_range
from stream.frames.planes import Planes
from stream.frames.replace import replaced
from stream.noise.frame import NOISE, FrameNoise
from stream.prompt import Weights
from stream.tone.estimate import generators_change
from stream.tone.frame import FrameTone


@dataclass(frozen=True, slots=True)
class Asked:
    """What a frame was restored under."""

    prompt: Weights
    """[P]"""
    strength: float
    """Above 0, up to 1"""
    in_words: bool
    """Whether the prompt is a caller's own, and no estimate"""
    spare: bool = True
    """Whether there is time for more than the face"""


@dataclass(frozen=True, slots=True)
class Restored:
    """A crop that went through the generator."""

    crop: Crop
    before: CutBuffer
    y: NDArray[np.uint8]
    """[G, G]"""
    uv: NDArray[np.uint8]
    """[2, G/2, G/2]"""


class Surroundings:
    """Of one stream; frames in order, one thread at a time."""

    def __init__(self, prompts: tuple[str, ...]) -> None:
        """Start with frames as they come; `prompts` is the order of the weights."""
        self.tone = FrameTone(prompts)
        self.noise = FrameNoise()
        self._noise = prompts.index(NOISE) if NOISE in prompts else None
        self._asked: Asked | None = None

    def without_face(self, frame: av.VideoFrame, planes: Planes) -> av.VideoFrame:
        """The frame as it was with its face: a head that is turned away must not darken the room."""
        around, full_range = planes, is_full_range(frame)
        if self.noise.on and self._asked is not None:
            around = self._without_grain(planes, self._asked)
        if self.tone.on:
            self.tone.look(planes, full_range)
            around = self.tone.planes(around, full_range)
        return frame if around is planes else replaced(frame, planes, around)

    def with_face(self, frame: av.VideoFrame, planes: Planes, face: Restored, asked: Asked) -> av.VideoFrame:
        """A new frame: the face pasted, and what is round it corrected where that is asked for and needed.

        Args:
            frame: Only read.
            planes: Its 8-bit planes.
            face: What the generator made of it.
            asked: What for.

        Raises:
            BadInput: The frame's pixel format is unknown.
        """
        self._asked = asked
        crop, full_range = face.crop, is_full_range(frame)
        around = self._without_grain(planes, asked)
        base = face.before
        if around is not planes:
            # What is pasted is added to what is there by then.
            base = CutBuffer(crop.graph)
            cut(around, crop.x, crop.y, crop.size, full_range, base)
        if not self.tone.idle(asked.prompt):
            change = generators_change((face.before.y[0, 0], face.before.uv[0]), (face.y, face.uv))
            self.tone.look(planes, full_range)
            self.tone.learn(change, asked.prompt, asked.strength)
            if self.tone.on:
                out = replaced(frame, planes, self.tone.planes(around, full_range))
                add_square(out, crop.x, crop.y, crop.size, self.tone.detail(base, face.y, face.uv, change))
                return out
        if around is planes:
            return paste(frame, crop.x, crop.y, crop.size, base, face.y, face.uv)
        out = replaced(frame, planes, around)
        add_square(out, crop.x, crop.y, crop.size, differences(base, face.y, face.uv))
        return out

    def _without_grain(self, planes: Planes, asked: Asked) -> Planes:
        """The very same planes where there is no grain, nobody asks, or there is no time."""
        if self._noise is None or asked.prompt[self._noise] <= 0 or not asked.spare:
            self.noise.forget()
            return planes
        still = self.noise(planes, asked.in_words)
        return planes if still is planes else _between(planes, still, asked.strength)


def _between(before: Planes, after: Planes, share: float) -> Planes:
    if share == 1.0:
        return after
    pairs = zip((before.y, before.u, before.v), (after.y, after.u, after.v), strict=True)
    return Planes(*(np.asarray(cv2.addWeighted(a, 1 - share, b, share, 0), np.uint8) for a, b in pairs))
