"""Curves as SVG, for pages that load nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

COLOURS = ("#1b6ca8", "#c0392b", "#27ae60", "#8e44ad", "#d68910", "#16a085", "#7f8c8d", "#2c3e50", "#e84393")
WIDTH, HEIGHT, LEFT, BOTTOM, LEGEND = 760, 260, 56, 28, 150
TICKS = 5


def line_plot(
    title: str, unit: str, curves: Mapping[str, Sequence[tuple[float, float]]], logarithmic: bool = False
) -> str:
    """Curves of (minute, value) under a title; empty ones are left out, and all of them leave nothing to draw: ''.

    Args:
        title: Above it.
        unit: Of the values.
        curves: By name; more than there are colours take them in turn.
        logarithmic: Scale of the values; those of 0 and below are left out.
    """
    shown = {n: [p for p in c if p[1] > 0 or not logarithmic] for n, c in curves.items()}
    shown = {name: points for name, points in shown.items() if points}
    if not shown:
        return ""
    scale = math.log10 if logarithmic else float
    values = [scale(value) for points in shown.values() for _, value in points]
    low, high = min(values), max(values)
    low, high = (low - 0.5, high + 0.5) if high - low < 1e-9 else (low, high)
    last = max(minute for points in shown.values() for minute, _ in points) or 1.0
    right, top = WIDTH - LEGEND, 24

    def place(minute: float, value: float) -> str:
        x = LEFT + (right - LEFT) * minute / last
        return f"{x:.1f},{top + (HEIGHT - BOTTOM - top) * (high - value) / (high - low):.1f}"

    parts = [f'<text x="{LEFT}" y="14" class="title">{escape(title)}</text>']
    for tick in range(TICKS):
        value = low + (high - low) * tick / (TICKS - 1)
        y = place(0, value).split(",")[1]
        label = 10**value if logarithmic else value
        parts.append(f'<line x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}" class="grid"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y}" dy="4" text-anchor="end">{label:.3g}</text>')
        x = LEFT + (right - LEFT) * tick / (TICKS - 1)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{last * tick / (TICKS - 1):.3g}</text>')
    parts.append(f'<text x="{right + 26}" y="{HEIGHT - 8}">minutes; {escape(unit)}</text>')
    for index, (name, points) in enumerate(shown.items()):
        colour = COLOURS[index % len(COLOURS)]
        way = " ".join(place(minute, scale(value)) for minute, value in points)
        mark = f'<circle cx="{way.split(",")[0]}" cy="{way.split(",")[1]}" r="2.5" fill="{colour}"/>'
        parts.append(
            f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="1.6"/>' if len(points) > 1 else mark
        )
        y_name = top + 8 + 16 * index
        parts.append(f'<text x="{right + 8}" y="{y_name}" fill="{colour}">{escape(name)} {points[-1][1]:.4g}</text>')
    height = max(HEIGHT, top + 24 + 16 * len(shown))
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
