"""Every figure of a task with its interval, as HTML: what the short table above it has no room for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from benchmarks.quality.scores import BY_KEY, METRICS, title

SHARPNESS = ("sharpness", "gradients", "gradient_energy")
"""Of which one leads the table of temporal figures: that with a clean clip, and that without"""
DISTANCES = {"fid": "FID", "kid": "KID (x100)"}
"""Of all clips together, so without an interval"""


def details(
    methods: Mapping[str, Any], distances: Mapping[str, Mapping[str, float]], embedding: str | None
) -> str:
    """Two tables to be folded out: pictures, and what happens over time with sharpness in front.

    Args:
        methods: A task's part of the summary.
        distances: Method to FID and KID, where they were wanted.
        embedding: Name of the face embedding in use, if any.
    """
    known = {key for method in methods.values() for key in method["figures"]}
    still = [m.key for m in METRICS if m.key in known and not m.temporal]
    moving = [m.key for m in METRICS if m.key in known and m.temporal]
    extra = [key for key in DISTANCES if any(key in of for of in distances.values())]
    tables = _table("Pictures", methods, still, extra, distances, embedding)
    if moving:
        sharp = [key for key in SHARPNESS if key in known]
        tables += _table("Over time, beside sharpness", methods, [*sharp, *moving], [], {}, embedding)
    return f"<details><summary>All figures, with their intervals</summary>{tables}</details>"


def _table(
    caption: str,
    methods: Mapping[str, Any],
    keys: Sequence[str],
    extra: Sequence[str],
    distances: Mapping[str, Mapping[str, float]],
    embedding: str | None,
) -> str:
    heads = [*(title(key, embedding) for key in keys), *(DISTANCES[key] for key in extra)]
    lines = [f"<tr><th></th>{''.join(f'<th>{escape(head)}</th>' for head in heads)}</tr>"]
    for name, method in methods.items():
        cells = [_figure(method["figures"].get(key), BY_KEY[key].form) for key in keys]
        cells += [_value(distances.get(name, {}).get(key)) for key in extra]
        lines.append(f"<tr><td>{escape(name)}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    return f'<div class="wide"><table><caption>{escape(caption)}</caption>{"".join(lines)}</table></div>'


def _figure(figure: Mapping[str, Any] | None, form: str) -> str:
    if figure is None:
        return "-"
    if figure["low"] is None:
        return f"{figure['mean']:{form}}"
    # On a line of its own: else the table is so wide that sharpness is out of sight.
    return f"{figure['mean']:{form}}<br><small>{figure['low']:{form}} .. {figure['high']:{form}}</small>"


def _value(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
