"""Curves: laid out once, then drawn as SVG, for pages that load nothing, or as PNG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

COLOURS = ("#1b6ca8", "#c0392b", "#27ae60", "#8e44ad", "#d68910", "#16a085", "#7f8c8d", "#2c3e50", "#e84393")
INK, PALE = "#444444", "#dddddd"
WIDTH, SMALL, HEIGHT = 760, 480, 260
LEFT, TOP, BOTTOM, LEGEND = 56, 24, 28, 150
TICKS = 5
FONT = cv2.FONT_HERSHEY_SIMPLEX
SHARP = 2
"""Pixels of a PNG for one of the SVG's."""

Place = tuple[float, float]
"""x and y in pixels of the SVG, from the top left."""


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text."""

    place: Place
    """Of its base line"""
    words: str
    anchor: Literal["start", "middle", "end"] = "start"
    """Which part of it is there"""
    colour: str = INK
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """What is to be drawn."""

    title: str
    width: int
    height: int
    grid: list[tuple[Place, Place]]
    texts: list[Text]
    ways: list[tuple[str, list[Place]]]
    """Colour and points; a single one is a dot"""


def line_plot(
    title: str,
    unit: str,
    curves: Mapping[str, Sequence[tuple[float, float]]],
    logarithmic: bool = False,
    width: int = WIDTH,
) -> Plot | None:
    """Curves of (minute, value) under a title; empty ones are left out, and where all are empty there is no plot.

    Args:
        title: Above it.
        unit: Of the values; may be empty.
        curves: By name; more than there are colours take them in turn.
        logarithmic: Scale of the values; those of 0 and below are left out.
        width: In pixels.
    """
    shown = {n: [p for p in c if p[1] > 0 or not logarithmic] for n, c in curves.items()}
    shown = {name: points for name, points in shown.items() if points}
    if not shown:
        return None
    scale = math.log10 if logarithmic else float
    values = [scale(value) for points in shown.values() for _, value in points]
    low, high = min(values), max(values)
    low, high = (low - 0.5, high + 0.5) if high - low < 1e-9 else (low, high)
    last = max(minute for points in shown.values() for minute, _ in points) or 1.0
    right = width - LEGEND

    def place(minute: float, value: float) -> Place:
        x = LEFT + (right - LEFT) * minute / last
        return x, TOP + (HEIGHT - BOTTOM - TOP) * (high - value) / (high - low)

    height = max(HEIGHT, TOP + 24 + 16 * len(shown))
    plot = Plot(title, width, height, [], [Text((LEFT, 14), title, bold=True)], [])
    for tick in range(TICKS):
        value = low + (high - low) * tick / (TICKS - 1)
        y = place(0, value)[1]
        plot.grid.append(((LEFT, y), (right, y)))
        plot.texts.append(Text((LEFT - 6, y + 4), f"{10**value if logarithmic else value:.3g}", "end"))
        x = LEFT + (right - LEFT) * tick / (TICKS - 1)
        plot.texts.append(Text((x, HEIGHT - 8), f"{last * tick / (TICKS - 1):.3g}", "middle"))
    plot.texts.append(Text((right + 26, HEIGHT - 8), "; ".join(filter(None, ("minutes", unit)))))
    for index, (name, points) in enumerate(shown.items()):
        colour = COLOURS[index % len(COLOURS)]
        plot.ways.append((colour, [place(minute, scale(value)) for minute, value in points]))
        plot.texts.append(Text((right + 8, TOP + 8 + 16 * index), f"{name} {points[-1][1]:.4g}", colour=colour))
    return plot


def as_svg(plot: Plot) -> str:
    """The plot as an element of a page; its size is the page's to choose."""
    parts = []
    for (x1, y1), (x2, y2) in plot.grid:
        parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{PALE}"/>')
    for colour, way in plot.ways:
        if len(way) == 1:
            parts.append(f'<circle cx="{way[0][0]:.1f}" cy="{way[0][1]:.1f}" r="2.5" fill="{colour}"/>')
        else:
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in way)
            parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
    for text in plot.texts:
        font = ' font-size="13" font-weight="600"' if text.bold else ' font-size="11"'
        parts.append(
            f'<text x="{text.place[0]:.1f}" y="{text.place[1]:.1f}" text-anchor="{text.anchor}" fill="{text.colour}"'
            f"{font}>{escape(text.words)}</text>"
        )
    box = f'viewBox="0 0 {plot.width} {plot.height}" width="{plot.width}" height="{plot.height}"'
    return f'<svg {box} role="img" aria-label="{escape(plot.title)}">{"".join(parts)}</svg>'


def as_picture(plot: Plot) -> NDArray[np.uint8]:
    """The plot as a BGR picture [H,W,3] on white, at twice the SVG's pixels; letters beyond ASCII become ?."""
    picture = np.full((SHARP * plot.height, SHARP * plot.width, 3), 255, np.uint8)

    def pixel(place: Place) -> tuple[int, int]:
        return round(SHARP * place[0]), round(SHARP * place[1])

    for start, end in plot.grid:
        cv2.line(picture, pixel(start), pixel(end), _bgr(PALE), 1)
    for colour, way in plot.ways:
        if len(way) == 1:
            cv2.circle(picture, pixel(way[0]), 5, _bgr(colour), -1, cv2.LINE_AA)
        else:
            points = np.array([pixel(place) for place in way], np.int32)
            cv2.polylines(picture, [points], False, _bgr(colour), 3, cv2.LINE_AA)
    for text in plot.texts:
        words, size, weight = _ascii(text.words), 0.7 if text.bold else 0.6, 1 + text.bold
        length = cv2.getTextSize(words, FONT, size, weight)[0][0]
        x, y = pixel(text.place)
        x -= {"start": 0, "middle": length // 2, "end": length}[text.anchor]
        cv2.putText(picture, words, (x, y), FONT, size, _bgr(text.colour), weight, cv2.LINE_AA)
    return picture


def _ascii(words: str) -> str:
    return words.encode("ascii", "replace").decode()


def _bgr(colour: str) -> tuple[int, int, int]:
    return int(colour[5:7], 16), int(colour[3:5], 16), int(colour[1:3], 16)
