"""A run as one page that needs nothing else: tables, delay over time, its histogram, and the stages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import numpy as np

from benchmarks.latency import report

WIDTH, HEIGHT, LEFT, BOTTOM = 900, 240, 60, 30
BINS = 60
STYLE = """
:root { --ink: #1d2430; --soft: #68717f; --line: #d9dde3; --paper: #fff; --on: #1f6fd1; --off: #d9822b; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ee; --soft: #98a2b0; --line: #39414d; --paper: #14181e; --on: #6aa9f4; --off: #f0a860; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 920px;
  margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.4em } h2 { font-size: 1.1em; margin-top: 2em } p, figcaption { color: var(--soft) }
figure { margin: 0; overflow-x: auto }
svg { width: 100%; min-width: 560px; height: auto; font: 12px system-ui, sans-serif }
svg text { fill: var(--soft) } .axis { stroke: var(--line) } .on { color: var(--on) } .off { color: var(--off) }
table { border-collapse: collapse }
td, th { padding: .2em .8em; text-align: right; border-bottom: 1px solid var(--line) }
td:first-child, th:first-child { text-align: left } .missed { color: #c62828; font-weight: 600 }
"""


def page(found: dict[str, Any]) -> str:
    """The whole page; everything that comes from outside is escaped."""
    settings, machine = found["settings"], found["machine"]
    title = f"clearcall bench latency: {settings['callers']} × {settings['shape']}, {settings['codec']}"
    about = (
        f"{found['target']}; {found['when']}; {machine['processor']}, {machine['cores']} cores, "
        f"load before {machine['load_before']}; {len(found['repeats'])} × {settings['seconds']:g} s "
        f"after {settings['warm_up_s']:g} s of warm-up"
    )
    names = [name for name in ("on", "off") if found["repeats"][0].get(name)]
    parts = [
        f"<h1>{escape(title)}</h1><p>{escape(about)}</p>",
        *(f'<p class="missed">missed: {escape(line)}</p>' for line in found["missed"]),
        _table(found, names),
        _used(found),
        _figure("Delay over time", "Each frame, from its leaving the sender to its end of decoding; repeats in a row.",
                timeline(_series(found, names), settings["seconds"]), names),
        _figure("Delay, histogram", "Share of the frames.", histogram(_delays(found, names)), names),
    ]
    if found["stages"]:
        text = "Medians, one after the other; the thin bars reach to p95. Rest: what no stage tells of."
        parts.append(_figure("Where the time goes", text, waterfall(found["stages"], found["summary"]["p50"]), []))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style><body>{''.join(parts)}</body></html>\n"
    )


def timeline(series: dict[str, list[list[tuple[float, float]]]], seconds: float) -> str:
    """Delay in ms over seconds; one line per caller and repeat."""
    every = [delay for lines in series.values() for line in lines for _, delay in line]
    top = _top(every)
    span = seconds * max((len(lines) for lines in series.values()), default=1)
    drawn = [
        f'<polyline class="{name}" fill="none" stroke="currentColor" stroke-width="1" points="'
        + " ".join(f"{_x((place * seconds + at) / span)},{_y(min(1.0, delay / top))}" for at, delay in line)
        + '"/>'
        for name, lines in series.items()
        for place, line in enumerate(lines)
    ]
    above = sum(delay > top for delay in every)
    note = f'<text x="{LEFT + 5}" y="12">{above} frames above {top:.0f} ms</text>' if above else ""
    return _svg([*_frame(span, "s", top, "ms"), *drawn, note])


def histogram(delays: dict[str, list[float]]) -> str:
    """Share of the frames by delay in ms."""
    top = _top([delay for values in delays.values() for delay in values])
    counts = {
        name: np.histogram(np.minimum(values, top), BINS, (0, top))[0] / max(1, len(values))
        for name, values in delays.items()
    }
    most = max((float(values.max()) for values in counts.values()), default=0.0) or 1.0
    bars = [
        f'<rect class="{name}" fill="currentColor" fill-opacity=".55" x="{_x(place / BINS)}" '
        f'y="{_y(share / most)}" width="{(WIDTH - LEFT) / BINS - 1:.1f}" '
        f'height="{(HEIGHT - BOTTOM) * share / most:.1f}"/>'
        for name, values in counts.items()
        for place, share in enumerate(values.tolist())
        if share
    ]
    return _svg([*_frame(top, "ms", 100 * most, "%"), *bars])


def waterfall(stages: Sequence[dict[str, Any]], whole: float | None) -> str:
    """Bars one below the other, each beginning where the last one's median ended."""
    rest = (whole or 0.0) - sum(stage["median_ms"] for stage in stages)
    rows = [*stages, {"stage": "rest", "median_ms": max(0.0, rest), "p95_ms": max(0.0, rest)}]
    starts = np.cumsum([0.0, *(row["median_ms"] for row in rows[:-1])]).tolist()
    top = max([start + row["p95_ms"] for start, row in zip(starts, rows, strict=True)] or [1.0]) or 1.0
    left, wide, high = 130, WIDTH - 130 - 110, 24
    drawn = []
    for place, (start, row) in enumerate(zip(starts, rows, strict=True)):
        x, y = left + wide * start / top, place * high
        drawn.append(
            f'<text x="{left - 8}" y="{y + 15}" text-anchor="end">{escape(str(row["stage"]))}</text>'
            f'<rect class="on" fill="currentColor" fill-opacity=".35" x="{x:.1f}" y="{y + 9}" '
            f'width="{wide * row["p95_ms"] / top:.1f}" height="4"/>'
            f'<rect class="on" fill="currentColor" x="{x:.1f}" y="{y + 3}" '
            f'width="{max(1.0, wide * row["median_ms"] / top):.1f}" height="16"/>'
            f'<text x="{WIDTH - 4}" y="{y + 15}" text-anchor="end">'
            f"{row['median_ms']:.2f} / {row['p95_ms']:.2f} ms</text>"
        )
    return _svg(drawn, len(rows) * high + 6)


def _series(found: dict[str, Any], names: list[str]) -> dict[str, list[list[tuple[float, float]]]]:
    # The first caller of each repeat: more lines would hide one another.
    return {
        name: [[(at, delay) for at, delay in repeat[name]["callers"][0]["delays"]] for repeat in found["repeats"]]
        for name in names
    }


def _delays(found: dict[str, Any], names: list[str]) -> dict[str, list[float]]:
    return {
        name: [
            delay for repeat in found["repeats"] for caller in repeat[name]["callers"] for _, delay in caller["delays"]
        ]
        for name in names
    }


def _top(delays: list[float]) -> float:
    """The end of the axis: single frames far off must not press the rest flat."""
    least = max(1.0, 1.2 * float(np.percentile(delays, 99.5))) if delays else 1.0
    step = 10 ** float(np.floor(np.log10(least)))
    return next(top * step for top in (1, 2, 2.5, 5, 10) if top * step >= least)


def _table(found: dict[str, Any], names: list[str]) -> str:
    keys = ("fps", "missing", "repeated", "freezes", "p50", "p90", "p95", "p99", "max", "drift", "first_picture_s")
    columns = {"on": found["summary"], "off": found["off"]}
    head = "".join(f"<th>filter {name}</th>" for name in names)
    shares = report.shares(found)
    head += "".join(f"<th>{label}</th>" for label, _ in shares)
    rows = []
    for key in keys:
        cells = "".join(f"<td>{report.text(columns[name][key])}</td>" for name in names)
        told = (found["summary"].get(f"{kind}_{key}") for _, kind in shares)
        cells += "".join("<td></td>" if share is None else f"<td>{report.text(share)}</td>" for share in told)
        rows.append(f"<tr><td>{key}</td>{cells}</tr>")
    return f"<table><tr><th></th>{head}</tr>{''.join(rows)}</table><p>Delays in ms, drift in ms a minute.</p>"


def _used(found: dict[str, Any]) -> str:
    """Time to the first picture, and what the processes use."""
    lines = (report.starting(found), *report.filtering(found), *report.using(found["summary"]))
    text = "".join(f"<p>{line[0].upper()}{line[1:]}.</p>" for line in lines)
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{use['cpu_percent']:.0f} %</td>"
        f"<td>{use['memory_first_mib']:.0f} MiB</td><td>{use['memory_last_mib']:.0f} MiB</td></tr>"
        for name, use in report.used(found["repeats"]).items()
    )
    if not rows:
        return text
    heads = "<th>filter on</th><th>of a core</th><th>memory at first</th><th>in the end</th>"
    return f"{text}<table><tr>{heads}</tr>{rows}</table>"


def _figure(title: str, text: str, drawing: str, names: list[str]) -> str:
    key = "".join(f' <b class="{name}">filter {name}</b>' for name in names)
    return f"<h2>{escape(title)}</h2><figure>{drawing}<figcaption>{escape(text)}{key}</figcaption></figure>"


def _svg(parts: Sequence[str], height: int = HEIGHT) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{"".join(parts)}</svg>'


def _x(share: float) -> str:
    return f"{LEFT + (WIDTH - LEFT) * share:.1f}"


def _y(share: float) -> str:
    return f"{(HEIGHT - BOTTOM) * (1 - share):.1f}"


def _frame(right: float, x_unit: str, top: float, y_unit: str) -> Iterator[str]:
    """Axes with five marks each."""
    for mark in range(1, 6):
        share = mark / 5
        yield f'<line class="axis" x1="{LEFT}" x2="{WIDTH}" y1="{_y(share)}" y2="{_y(share)}"/>'
        y = float(_y(share)) + 12
        yield f'<text x="{LEFT - 6}" y="{y:.1f}" text-anchor="end">{top * share:.3g} {y_unit}</text>'
        anchor = "end" if mark == 5 else "middle"
        yield f'<text x="{_x(share)}" y="{HEIGHT - 10}" text-anchor="{anchor}">{right * share:.3g} {x_unit}</text>'
    yield f'<line class="axis" x1="{LEFT}" x2="{WIDTH}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM}"/>'
