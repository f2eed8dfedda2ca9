"""The tone curve: what a frame's tone does to a level of luma, and to chroma under it.

One curve serves the whole frame. Gamma-coded values of a darker exposure are the brighter one's times a factor, and a
veil of airlight mixes in one level more (Koschmieder), so both are undone by a straight line; where that line would
leave the scale it bends (Reinhard et al., 2002, with a white point), so that the brightest level seen stays below
white. A level goes to a level: edges stay where they are, and there are no halos.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from stream.frames.levels import BLACK, LUMA

BENDS_FROM = 0.7 * LUMA
"""Level below which the line never bends."""
ROOM = LUMA - BENDS_FROM
TOE = 16.0
"""Levels above black over which a lift, and the tint of a veil, set in: black itself gets neither."""
OFF = (0.01, 0.5, 0.5, 0.01, 0.5, 0.5)
"""Gains (logarithms) and levels up to which a tone is as good as none."""


@dataclass(frozen=True, slots=True)
class Tone:
    """What is done to every sample: first the generator's own line, then the veil that it left."""

    gain: float = 0.0
    """Logarithm of the factor on luma and chroma"""
    lift: float = 0.0
    """Levels added after it"""
    veil: float = 0.0
    """Levels taken away after that"""
    contrast: float = 0.0
    """Logarithm of the factor that makes up for the contrast which the veil took"""
    tint_u: float = 0.0
    """U and V of the veil, levels from grey"""
    tint_v: float = 0.0
    top: float = LUMA
    """Brightest level above black that was seen in the frame"""

    def within(self, share: float) -> bool:
        """Whether it does no more than this share of the least that anybody could see."""
        return all(abs(value) <= share * most for value, most in zip(astuple(self), OFF, strict=False))

    def line(self, levels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Luma levels above black, before the bend."""
        lined = np.exp(self.gain) * levels + self.lift * toe(levels)
        return np.asarray(np.exp(self.contrast) * (lined - self.veil))

    def before_line(self, level: float) -> float:
        """The level above black, past the toe, that `line` takes to this one."""
        return float((level * np.exp(-self.contrast) + self.veil - self.lift) * np.exp(-self.gain))


def toe(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 at black, and what is blacker, to 1 from `TOE` on."""
    return np.clip(levels / TOE, 0.0, 1.0)


def bend(levels: NDArray[np.float64], white: float) -> NDArray[np.float64]:
    """Levels above black bent above the knee so that `white` comes out at the end of the span; rising everywhere."""
    over = np.maximum(levels - BENDS_FROM, 0.0) / ROOM
    return np.where(levels > BENDS_FROM, BENDS_FROM + ROOM * over * (1 + over * steepness(white)) / (1 + over), levels)


def steepness(white: float) -> float:
    """What bent levels depend on linearly: 1 where nothing bends, less the brighter the level is that becomes white."""
    return float((max(white - BENDS_FROM, ROOM) / ROOM) ** -2)


def white_at(steep: float) -> float:
    """The level whose `steepness` that is, from above 0 to 1."""
    return float(BENDS_FROM + ROOM * steep**-0.5)


def luma_levels(tone: Tone, full_range: bool) -> NDArray[np.float64]:
    """[256] what each level of luma becomes; black, and what is blacker, stays."""
    before = _above_black(full_range)
    after = bend(np.maximum(tone.line(before), 0.0), float(tone.line(np.array(tone.top))))
    after = np.where(before <= 0, before, after)
    return np.asarray(after * 255 / LUMA if full_range else after + BLACK)


def chroma_factors(tone: Tone, full_range: bool) -> NDArray[np.float32]:
    """[256] the factor on chroma for each level of luma: what is bent down loses colour with it, and keeps its hue."""
    lined = np.maximum(tone.line(_above_black(full_range)), 1.0)
    bent = bend(lined, float(tone.line(np.array(tone.top)))) / lined
    return np.asarray(np.exp(tone.gain + tone.contrast) * bent, np.float32)


def tint_shares(full_range: bool) -> NDArray[np.float32]:
    """[256] how much of the veil's tint is taken away for each level of luma."""
    return toe(_above_black(full_range)).astype(np.float32)


def _above_black(full_range: bool) -> NDArray[np.float64]:
    levels = np.arange(256.0)
    return levels * (LUMA / 255) if full_range else levels - BLACK
