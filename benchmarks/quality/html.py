"""A run as one page that needs nothing else: charts inline, pictures within."""

from __future__ import annotations

import base64
from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np

from benchmarks.latency.html import STYLE
from benchmarks.quality import report
from benchmarks.quality.bars import Bar, chart
from benchmarks.quality.methods import OURS, REFERENCE, UNTOUCHED
from benchmarks.quality.pictures import RATE
from benchmarks.quality.scores import BY_KEY, METRICS
from benchmarks.quality.spectrum import chart as chart_spectrum
from benchmarks.quality.summary import label

FILMS = 3
"""Cases of each task that are shown, the worst first."""
OWN_STYLE = ".ends { stroke: var(--ink); stroke-width: 2 } img { max-width: 100% } .wide { overflow-x: auto }"

FindPicture = Callable[[str, str], bytes | None]
"""Takes a case and `film` or `slice`; returns a JPEG."""


def page(found: dict[str, Any], picture: FindPicture) -> str:
    """The whole page; everything that comes from outside is escaped."""
    settings, machine = found["settings"], found["machine"]
    about = (
        f"Model {settings['model']}; {found['when']}; {machine['processor']}, one thread, "
        f"load before {machine['load_before']}; {settings['frames']} frames a clip, {_size(settings['size'])}; "
        f"{found['done']} of {found['planned']} cases. Intervals: 95 %, bootstrap over people. "
        "Temporal figures stand beside sharpness: what blurs everything is steady, too."
    )
    notes = "".join(f"<p>{escape(line)}</p>" for line in found["notes"])
    tasks = "".join(_task(task, methods, found, picture) for task, methods in found["summary"].items())
    title = "clearcall bench quality"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{STYLE}{OWN_STYLE}</style><body><h1>{title}</h1><p>{escape(about)}</p>{notes}"
        f"{_worst(found)}{tasks}{_metrics()}</body></html>\n"
    )


def _size(largest: int | None) -> str:
    return "whole" if largest is None else f"of at most {largest} px"


def _worst(found: dict[str, Any]) -> str:
    if not found["worst"]:
        return ""
    rows = "".join(
        f"<tr><td>{escape(w['task'])}</td><td>{escape(w['name'])}</td><td>{w['gain']:+.2f}</td></tr>"
        for w in found["worst"][:10]
    )
    head = "<tr><th>task</th><th>clip</th><th>gain, dB</th></tr>"
    return f"<h2>Worst cases of {escape(found['main'])}</h2><table>{head}{rows}</table>"


def _task(task: str, methods: dict[str, Any], found: dict[str, Any], picture: FindPicture) -> str:
    parts = [f"<h2>{escape(task)}</h2>"]
    for key in ("psnr", "exposure_free"):
        bars = [_bar(name, m, m["gain"][key], key) for name, m in methods.items() if _has_bar(name, m, key)]
        if bars:
            text = f"Gain in {BY_KEY[key].label} over the untouched input, dB; beside it the figure itself."
            parts.append(f"<figure>{chart(bars, text)}<figcaption>{escape(text)}</figcaption></figure>")
    parts.append(_table(methods))
    spectrum = chart_spectrum(_spectra(task, found), float(RATE))
    if spectrum:
        text = "Flicker by frequency: root mean square in levels of the means of 8 x 8 cells, less the clean clip's."
        parts.append(f"<figure>{spectrum}<figcaption>{escape(text)}</figcaption></figure>")
    cases = [w for w in found["films"] if w["task"] == task][:FILMS]
    for case in cases:
        film, slices = picture(case["case"], "film"), picture(case["case"], "slice")
        if film and slices:
            gain = "" if case["gain"] is None else f", {case['gain']:+.2f} dB"
            names = " / ".join(found["shown"] if case["clean"] else found["shown"][:2])
            text = f"{case['name']}{gain}. Rows: {names}; below them one column of pixels through time."
            parts.append(
                f"<figure>{_image(film, 'film strip')}{_image(slices, 'time slice')}"
                f"<figcaption>{escape(text)}</figcaption></figure>"
            )
    return "".join(parts)


def _spectra(task: str, found: dict[str, Any]) -> dict[str, list[float]]:
    """Mean over the clips, of the input and of ours; clips of another length than the first are left out."""
    lines: dict[str, list[list[float]]] = {}
    for row in found["rows"]:
        if row["method"] in (UNTOUCHED, found["main"]) and label(row) == task and "spectrum" in row:
            lines.setdefault(row["method"], []).append(row["spectrum"])
    return {
        name: np.mean([values for values in every if len(values) == len(every[0])], axis=0).tolist()
        for name, every in lines.items()
    }


def _has_bar(name: str, method: dict[str, Any], key: str) -> bool:
    return name not in (UNTOUCHED, REFERENCE) and key in method["gain"] and key in method["figures"]


def _bar(name: str, method: dict[str, Any], gain: dict[str, Any], key: str) -> Bar:
    ours = name.startswith((OURS, "generator"))
    text = f"{gain['mean']:+.2f} → {method['figures'][key]['mean']:.2f}"
    return Bar(name, gain["mean"], gain["low"], gain["high"], ours, text)


def _table(methods: dict[str, Any]) -> str:
    shown = report.columns(methods)
    head = "".join(f"<th>{escape(BY_KEY[key].label)}</th>" for key in shown)
    rows = "".join(
        f"<tr><td>{escape(name)}</td>{''.join(f'<td>{report.cell(m, key).strip()}</td>' for key in shown)}"
        f"<td>{report.time(m)}</td></tr>"
        for name, m in methods.items()
    )
    return f'<div class="wide"><table><tr><th></th>{head}<th>ms a frame</th></tr>{rows}</table></div>'


def _metrics() -> str:
    better = {True: "higher is better", False: "lower is better", None: "the clean clip's own figure is best"}
    rows = "".join(
        f"<tr><td>{escape(m.label)}</td><td>{escape(m.unit)}</td><td>{better[m.higher]}</td></tr>" for m in METRICS
    )
    return f"<h2>Figures</h2><table>{rows}</table>"


def _image(content: bytes, text: str) -> str:
    return f'<img alt="{text}" src="data:image/jpeg;base64,{base64.b64encode(content).decode()}"> '
