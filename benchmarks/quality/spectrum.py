"""Flicker by frequency, as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM = 860, 180, 60, 26
COLOURS = ("off", "on", "reference")


def chart(lines: Mapping[str, Sequence[float]], rate: float) -> str:
    """Root mean square of flicker in levels over frequency, one line a method; empty without one.

    Args:
        lines: At equally spaced frequencies from 0 to half of `rate`.
        rate: Frames a second.
    """
    longest = max((len(values) for values in lines.values()), default=0)
    if longest < 2:
        return ""
    top = max(max(values) for values in lines.values()) or 1.0
    parts = [f'<line class="axis" x1="{LEFT}" x2="{WIDTH}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM}"/>']
    for mark in range(1, 6):
        x = LEFT + (WIDTH - LEFT) * mark / 5
        parts.append(f'<text x="{x - 4:.1f}" y="{HEIGHT - 8}" text-anchor="end">{rate / 2 * mark / 5:g} Hz</text>')
    parts.append(f'<text x="{LEFT - 6}" y="12" text-anchor="end">{top:.2g}</text>')
    for place, (name, values) in enumerate(lines.items()):
        points = " ".join(
            f"{LEFT + (WIDTH - LEFT) * i / (len(values) - 1):.1f},{(HEIGHT - BOTTOM) * (1 - value / top):.1f}"
            for i, value in enumerate(values)
        )
        colour = COLOURS[place % len(COLOURS)]
        parts.append(
            f'<polyline class="{colour}" fill="none" stroke="currentColor" stroke-width="2" points="{points}"/>'
            f'<text class="{colour}" x="{WIDTH - 8}" y="{16 + 16 * place}" text-anchor="end" fill="currentColor" '
            f'style="fill: currentColor">{escape(name)}</text>'
        )
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="flicker">{"".join(parts)}</svg>'
