"""Bar charts with intervals, as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT, ROW = 860, 190, 170, 24


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; its ends are those of the interval."""

    name: str
    value: float
    low: float | None
    high: float | None
    ours: bool
    text: str


def chart(bars: list[Bar], title: str) -> str:
    """Horizontal bars from 0, one below the other, with their intervals as thin lines."""
    ends = [0.0, *(v for b in bars for v in (b.value, b.low, b.high) if v is not None)]
    least, most = min(ends), max(ends)
    span = (most - least) or 1.0

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - least) / span

    parts = [f'<line class="axis" x1="{x(0):.1f}" x2="{x(0):.1f}" y1="0" y2="{len(bars) * ROW}"/>']
    for place, bar in enumerate(bars):
        y = place * ROW
        start, end = sorted((x(0), x(bar.value)))
        parts.append(
            f'<text x="{LEFT - 8}" y="{y + 16}" text-anchor="end">{escape(bar.name)}</text>'
            f'<rect class="{"on" if bar.ours else "off"}" fill="currentColor" x="{start:.1f}" y="{y + 5}" '
            f'width="{max(1.0, end - start):.1f}" height="14"/>'
        )
        if bar.low is not None and bar.high is not None:
            parts.append(
                f'<line class="ends" x1="{x(bar.low):.1f}" x2="{x(bar.high):.1f}" y1="{y + 12}" y2="{y + 12}"/>'
            )
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{y + 16}">{escape(bar.text)}</text>')
    height = len(bars) * ROW + 4
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
