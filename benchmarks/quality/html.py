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
from benchmarks.quality.full_table import DISTANCES, SHARPNESS, details
from benchmarks.quality.methods import OURS, REFERENCE, UNTOUCHED
from benchmarks.quality.pictures import RATE
from benchmarks.quality.scores import BY_KEY, METRICS, title
from benchmarks.quality.spectrum import chart as chart_spectrum
from benchmarks.quality.summary import CLEAN_BAR, clean_sentence, label

FILMS = 3
"""Cases of each task that are shown, the worst first."""
OWN_STYLE = (
    ".ends { stroke: var(--ink); stroke-width: 2 } img { max-width: 100% } .wide { overflow-x: auto } "
    "caption, summary { text-align: left; color: var(--soft) } "
    "details td { white-space: nowrap; vertical-align: top; padding: .2em .4em } details th { padding: .2em .4em } "
    "small { color: var(--soft); font-size: 70% } "
    "details td:first-child { position: sticky; left: 0; background: var(--paper) }"
)

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
    name = "clearcall bench quality"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{name}</title><style>{STYLE}{OWN_STYLE}</style><body><h1>{name}</h1><p>{escape(about)}</p>{notes}"
        f"{_worst(found)}{_spoilt(found, picture)}{tasks}{_metrics(found)}</body></html>\n"
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


def _spoilt(found: dict[str, Any], picture: FindPicture) -> str:
    """Clean clips have nothing to gain, so they stand apart: how many were spoilt, which, and the worst one's film."""
    kept = found["clean"]["kept"]
    if not kept:
        return ""
    rows = "".join(
        f"<tr><td>{escape(k['task'])}</td><td>{escape(k['name'])}</td><td>{k['psnr']:.2f}</td></tr>"
        for k in kept
        if k["psnr"] < CLEAN_BAR
    )
    head = "<tr><th>task</th><th>clip</th><th>PSNR left, dB</th></tr>"
    table, film = "", ""
    if rows:
        table = f"<table>{head}{rows}</table>"
        worst = (kept[0]["task"], kept[0]["name"])
        film = "".join(_film(f, found, picture) for f in found["films"] if (f["task"], f["name"]) == worst)
    return f"<h2>Clean clips</h2><p>{escape(clean_sentence([k['psnr'] for k in kept]))}</p>{table}{film}"


def _task(task: str, methods: dict[str, Any], found: dict[str, Any], picture: FindPicture) -> str:
    parts = [f"<h2>{escape(task)}</h2>"]
    for key in ("psnr", "exposure_free"):
        bars = [_bar(name, m, m["gain"][key], key) for name, m in methods.items() if _has_bar(name, m, key)]
        if bars:
            text = f"Gain in {BY_KEY[key].label} over the untouched input, dB; beside it the figure itself."
            parts.append(f"<figure>{chart(bars, text)}<figcaption>{escape(text)}</figcaption></figure>")
    parts.append(_table(methods, found["embedding"]))
    parts.append(details(methods, found["distances"].get(task, {}), found["embedding"]))
    spectrum = chart_spectrum(_spectra(task, found), float(RATE))
    if spectrum:
        text = (
            "Flicker by frequency: root mean square in levels of the means of 8 x 8 cells, less the clean clip's. "
            f"{_sharpness(methods, (UNTOUCHED, found['main']))}"
        )
        parts.append(f"<figure>{spectrum}<figcaption>{escape(text)}</figcaption></figure>")
    parts += [_film(film, found, picture) for film in [f for f in found["films"] if f["task"] == task][:FILMS]]
    return "".join(parts)


def _film(case: dict[str, Any], found: dict[str, Any], picture: FindPicture) -> str:
    film, slices = picture(case["case"], "film"), picture(case["case"], "slice")
    if not (film and slices):
        return ""
    about = case["name"]
    if case["gain"] is not None:
        about += f", {case['gain']:+.2f} dB"
    elif case["psnr"] is not None:
        about += f", went in clean, {case['psnr']:.2f} dB left"
    names = " / ".join(found["shown"] if case["clean"] else found["shown"][:2])
    text = f"{about}. Rows: {names}; below them one column of pixels through time."
    return (
        f"<figure>{_image(film, 'film strip')}{_image(slices, 'time slice')}"
        f"<figcaption>{escape(text)}</figcaption></figure>"
    )


def _sharpness(methods: dict[str, Any], names: tuple[str, ...]) -> str:
    """What stands beside a chart of temporal figures."""
    key = next((k for k in SHARPNESS if any(k in methods[n]["figures"] for n in names if n in methods)), None)
    if key is None:
        return ""
    told = [f"{n} {report.cell(methods[n], key).strip()}" for n in names if n in methods]
    return f"{BY_KEY[key].label.capitalize()}: {', '.join(told)}."


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


def _table(methods: dict[str, Any], embedding: str | None) -> str:
    shown = report.columns(methods)
    head = "".join(f"<th>{escape(title(key, embedding))}</th>" for key in shown)
    rows = "".join(
        f"<tr><td>{escape(name)}</td>{''.join(f'<td>{report.cell(m, key).strip()}</td>' for key in shown)}"
        f"<td>{report.time(m)}</td></tr>"
        for name, m in methods.items()
    )
    return f'<div class="wide"><table><tr><th></th>{head}<th>ms a frame</th></tr>{rows}</table></div>'


def _metrics(found: dict[str, Any]) -> str:
    """What the figures are; those alone that some table here has."""
    better = {True: "higher is better", False: "lower is better", None: "the clean clip's own figure is best"}
    known = {key for methods in found["summary"].values() for method in methods.values() for key in method["figures"]}
    lines = [(title(m.key, found["embedding"]), m.unit, better[m.higher]) for m in METRICS if m.key in known]
    there = {key for methods in found["distances"].values() for of in methods.values() for key in of}
    lines += [(text, "", better[False]) for key, text in DISTANCES.items() if key in there]
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in lines)
    return f"<h2>Figures</h2><table>{rows}</table>"


def _image(content: bytes, text: str) -> str:
    return f'<img alt="{text}" src="data:image/jpeg;base64,{base64.b64encode(content).decode()}"> '
