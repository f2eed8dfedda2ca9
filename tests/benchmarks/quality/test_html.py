"""The page of a run: every figure of the JSON is in it, temporal ones beside sharpness, spoilt clean clips as well."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from benchmarks.quality import full_table, html, report
from benchmarks.quality.scores import METRICS
from benchmarks.quality.summary import Row, kept_clean, summary, worst

EVERY = {metric.key: round(1.5 + place, 1) for place, metric in enumerate(METRICS)}


def row(name: str, method: str, figures: dict[str, float], task: str = "noise") -> Row:
    return {"name": name, "person": name, "task": task, "strength": "middle", "method": method, "ms": 5.0,
            "setting": "", "spectrum": [0.0, 0.5], "figures": figures}  # fmt: skip


def run(*more: Row, embedding: str | None = None) -> dict[str, Any]:
    rows = [row("p0", "untouched", EVERY), row("p0", "clearcall auto", EVERY), *more]
    kept = [{"task": r["task"], "name": r["name"], "psnr": psnr} for psnr, r in kept_clean(rows, "clearcall auto")]
    films = [{"case": "key", "task": "clean", "name": "p1", "gain": None, "psnr": 30.0, "clean": True}]
    return {
        "settings": {"model": "lite", "frames": 4, "size": None}, "when": "today", "embedding": embedding,
        "machine": {"processor": "a machine", "load_before": 0.0}, "done": 1, "planned": 1, "main": "clearcall auto",
        "shown": ["untouched", "clearcall auto", "clean itself"], "rows": rows, "summary": summary(rows),
        "distances": {"noise": {"clearcall auto": {"fid": 77.25, "kid": 3.125}}}, "films": films, "notes": [],
        "worst": [{"task": r["task"], "name": r["name"], "gain": gain} for gain, r in worst(rows, "clearcall auto")],
        "clean": {"bar": 42.0, "kept": kept},
    }  # fmt: skip


def page(found: dict[str, Any]) -> str:
    return unescape(html.page(found, lambda case, kind: f"{case} {kind}".encode()))


def heads(table: str) -> list[str]:
    return re.findall("<th>(.*?)</th>", table)


def test_every_figure_that_the_page_explains_is_in_it() -> None:
    """Guards against: figures that are measured, listed below, and nowhere to be read."""
    text = page(run())
    folded = text[text.index("<details>") : text.index("</details>")]
    named = heads(folded)
    for metric in METRICS:
        assert metric.label in named and f"<td>{EVERY[metric.key]:{metric.form}}</td>" in folded, metric.key
    assert "FID" in named and "<td>77.25</td>" in folded and "KID (x100)" in named and "<td>3.12</td>" in folded
    listed = text[text.index("<h2>Figures</h2>") :]
    assert all(f"<td>{name}</td>" in listed for name in (*(m.label for m in METRICS), "FID", "KID (x100)"))


def test_figures_that_no_table_has_are_not_explained() -> None:
    listed = page(run())
    listed = listed[listed.index("<h2>Figures</h2>") :]
    few = run()
    few["summary"] = summary([row("p0", "untouched", {"psnr": 20.0}), row("p0", "clearcall auto", {"psnr": 25.0})])
    few["distances"] = {}
    text = page(few)
    text = text[text.index("<h2>Figures</h2>") :]
    assert "LPIPS" in listed and "LPIPS" not in text and "FID" not in text and "PSNR" in text


def test_temporal_figures_stand_in_a_table_that_sharpness_leads() -> None:
    """Guards against: a steady picture that is merely blurred, with its sharpness a screen away."""
    figures = {key: {"mean": 1.0, "low": None, "high": None} for key in EVERY}
    tables = full_table.details({"ours": {"figures": figures}}, {}, None).split("<table>")[1:]
    moving = {metric.label for metric in METRICS if metric.temporal}
    for table in tables:
        if moving & set(heads(table)):
            assert heads(table)[1] == "sharpness" and moving <= set(heads(table))
    footage = {key: figures[key] for key in ("we", "gradient_energy")}
    assert heads(full_table.details({"ours": {"figures": footage}}, {}, None))[-2:] == ["gradient energy", "WE"]
    assert "Sharpness: untouched" in page(run())


def test_fc_is_named_after_the_embedding_in_use() -> None:
    """Guards against: figures of two embeddings, which have nothing to do with each other, under one name."""
    found = run(embedding="arcface <r50>")
    text = page(found)
    assert "FC (arcface <r50>)" in text and "identity (arcface <r50>)" in text and "FC (face embedding)" not in text
    assert "<r50>" not in html.page(found, lambda case, kind: None)
    shown = list(report.lines(found))
    head = next(line for line in shown if "FC (arcface <r50>)" in line)
    ours = next(line for line in shown if line.startswith("clearcall auto"))
    assert len(head) == len(ours)


def test_spoilt_clean_clips_are_counted_listed_and_shown() -> None:
    """Guards against: clips with nothing to gain cannot fail, whatever becomes of them."""
    clean = [row(f"p{i}", "untouched", {"psnr": 99.0}, "clean") for i in (1, 2, 3)]
    clean += [row(f"p{i}", "clearcall auto", {"psnr": psnr}, "clean") for i, psnr in ((1, 30.0), (2, 41.0), (3, 99.0))]
    found = run(*clean)
    sentence = "Of 3 clean clips, 2 came out below 42 dB; the worst has 30.00 dB left."
    text = page(found)
    part = text[text.index("<h2>Clean clips</h2>") : text.index("<h2>noise</h2>")]
    assert sentence in part and "<td>p1</td><td>30.00</td>" in part and "<td>p2</td><td>41.00</td>" in part
    assert "<td>p3</td>" not in part and part.count("film strip") == 1 and "p1, went in clean, 30.00 dB left" in part
    shown = "\n".join(report.lines(found))
    assert sentence in shown and "30.00 dB left of p1" in shown and "left of p3" not in shown
    assert "clean clips" not in page(run()).split("<h2>Figures</h2>")[0]
