"""Where each component of a pixel format lies in memory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from av.video.format import VideoFormat

Kind = Literal["yuv", "gray", "rgb"]


@dataclass(frozen=True, slots=True)
class Channel:
    """One component: every `step`-th sample of a plane, from the sample `offset` on."""

    plane: int
    offset: int = 0
    step: int = 1


@dataclass(frozen=True, slots=True)
class Layout:
    """The colour components of a pixel format, without alpha."""

    kind: Kind
    channels: tuple[Channel, ...]
    """Y, U, V or R, G, B or grey"""
    depth: int = 8
    """Bits of a component"""
    shift: int = 0
    """Bits that the component stands above the sample's lowest one"""
    full_range: bool = False
    """Whether the format itself says that it spans 0..255 (scaled to its depth)"""


_PLANAR_YUV = re.compile(r"yuv(?P<full>j?)a?(?:410|411|420|422|440|444)p(?P<depth>9|10|12|14|16)?(?:le)?")
_SEMI_PLANAR = re.compile(r"(?:nv(?P<order>12|21|16|24|42)|p[024]1(?P<depth>[026])le|nv20le)")
_GREY = re.compile(r"gray(?P<depth>9|10|12|14|16)?(?:le)?")
_PLANAR_RGB = re.compile(r"gbra?p(?P<depth>9|10|12|14|16)?(?:le)?")
_PACKED_RGB = {
    "rgb24": (3, 0, 1, 2),
    "bgr24": (3, 2, 1, 0),
    "rgba": (4, 0, 1, 2),
    "rgb0": (4, 0, 1, 2),
    "bgra": (4, 2, 1, 0),
    "bgr0": (4, 2, 1, 0),
    "argb": (4, 1, 2, 3),
    "0rgb": (4, 1, 2, 3),
    "abgr": (4, 3, 2, 1),
    "0bgr": (4, 3, 2, 1),
}
"""Samples of a pixel, then where red, green and blue stand among them."""
_PACKED_YUV = {"yuyv422": (0, 1, 3), "uyvy422": (1, 0, 2), "yvyu422": (0, 3, 1)}
"""Where the first luma sample, U and V stand among the four of two pixels."""


@lru_cache(maxsize=64)
def layout_of(name: str) -> Layout | None:
    """The layout of FFmpeg's pixel format `name`; None for one that clearcall does not know."""
    if match := _PLANAR_YUV.fullmatch(name):
        return Layout("yuv", tuple(Channel(i) for i in range(3)), _depth(match), full_range=bool(match["full"]))
    if match := _SEMI_PLANAR.fullmatch(name):
        return _semi_planar(name, match)
    if match := _GREY.fullmatch(name):
        return Layout("gray", (Channel(0),), _depth(match), full_range=True)
    if match := _PLANAR_RGB.fullmatch(name):
        return Layout("rgb", (Channel(2), Channel(0), Channel(1)), _depth(match), full_range=True)
    if name in _PACKED_RGB:
        step, *places = _PACKED_RGB[name]
        return Layout("rgb", tuple(Channel(0, place, step) for place in places), full_range=True)
    if name in _PACKED_YUV:
        y, u, v = _PACKED_YUV[name]
        return Layout("yuv", (Channel(0, y, 2), Channel(0, u, 4), Channel(0, v, 4)))
    return None


def supported(name: str) -> bool:
    """Whether frames of FFmpeg's pixel format `name` can be filtered."""
    return layout_of(name) is not None


@lru_cache(maxsize=64)
def chroma_steps(name: str) -> tuple[int, int]:
    """Luma columns and rows for one sample of chroma: (2, 2) for yuv420p; (1, 1) where there is no such thing.

    Raises:
        ValueError: FFmpeg has no pixel format `name`.
    """
    shape = VideoFormat(name)
    return 64 // shape.chroma_width(64), 64 // shape.chroma_height(64)


def _depth(match: re.Match[str]) -> int:
    return int(match["depth"] or 8)


def _semi_planar(name: str, match: re.Match[str]) -> Layout:
    first, second = (1, 0) if match["order"] in {"21", "42"} else (0, 1)
    channels = (Channel(0), Channel(1, first, 2), Channel(1, second, 2))
    if name == "nv20le":
        return Layout("yuv", channels, 10)
    if match["depth"] is None:
        return Layout("yuv", channels)
    depth = 10 + int(match["depth"])
    return Layout("yuv", channels, depth, shift=16 - depth)
