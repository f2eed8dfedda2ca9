"""The tables of both scopes: figures in the right cells, and none where there is nothing to compare."""

from __future__ import annotations

from typing import Any

from benchmarks.quality import scopes


def method(psnr: float, ms: float | None) -> dict[str, Any]:
    figures = {"psnr": {"mean": psnr}, "exposure_free": {"mean": psnr + 1}}
    return {"clips": 2, "ms": ms, "figures": figures, "gain": {}}


def row(name: str, **stages: float) -> dict[str, Any]:
    return {"task": "haze", "strength": "middle", "method": name, "stages": stages}


HAZE = {
    "untouched": method(15, 0.0),
    "clearcall right": method(20, 40.0),
    "clearcall right, frame": method(25, 300.0),
    "clearcall auto": method(16, 40.0),
}
FOUND = {
    "summary": {"haze": HAZE},
    "rows": [
        row("clearcall right", track=2, engine=30, tone=1, paste=1),
        row("clearcall right", track=4, engine=34, paste=3),
        row("clearcall right, frame", track=2, tiles=250, paste=1),
        row("clearcall auto", track=90),
    ],
}


def test_a_prompt_that_both_ran_under_has_two_tables() -> None:
    shown = list(scopes.lines(FOUND, ["auto", "right"]))
    assert "| haze, 2 clips | 15.00 (16.00) | 20.00 (21.00) | 25.00 (26.00) |" in shown
    assert "| task, scope | track | crop | engine | grain | tone | tiles | paste | all |" in shown
    assert "| haze, face | 3.0 |  | 32.0 |  | 1.0 |  | 2.0 | 40.0 |" in shown
    assert "| haze, frame | 2.0 |  |  |  |  | 250.0 | 1.0 | 300.0 |" in shown
    assert not any("auto" in line for line in shown)


def test_one_scope_alone_has_none() -> None:
    assert list(scopes.lines(FOUND, ["auto"])) == []
