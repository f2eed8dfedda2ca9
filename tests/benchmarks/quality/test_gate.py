"""The regression gate: what counts as a loss, and what cannot be compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.quality import gate
from engines.errors import BadInput

SETTINGS = {"protocol": 1, "frames": 8, "size": 256}


def rows(psnr: list[float], task: str = "noise", method: str = "clearcall auto") -> list[dict[str, Any]]:
    return [
        {"name": f"p{i}", "person": f"p{i}", "task": task, "strength": "middle", "method": method,
         "figures": {"psnr": value}}
        for i, value in enumerate(psnr)
    ]  # fmt: skip


def figures(**values: float) -> list[dict[str, Any]]:
    """Three people with the same figures."""
    return [row | {"figures": values} for row in rows([0, 0, 0])]


def lost(now: list[float], before: list[float]) -> bool:
    found = gate.changes(rows(now), rows(before), ["clearcall auto"])
    assert len(found) == 1
    return found[0].lost


def test_a_loss_for_everybody_is_one() -> None:
    assert lost([29.0, 30.0, 31.0, 29.5], [30.0, 31.1, 31.9, 30.5])


def test_a_loss_within_its_interval_is_none() -> None:
    assert not lost([29.0, 32.0, 29.5, 32.5], [30.0, 31.0, 30.5, 31.5])


def test_a_gain_and_a_loss_that_nobody_would_see_are_none() -> None:
    assert not lost([31.0, 32.0, 33.0], [30.0, 31.0, 32.0])
    assert not lost([30.0, 31.0, 32.0], [30.01, 31.01, 32.01])


@pytest.mark.parametrize(
    ("key", "worse", "better"),
    [
        ("psnr_face", 29.0, 31.0),
        ("exposure_free", 29.0, 31.0),
        ("ssim", 0.8, 0.95),
        # As sharp as the clean clip is best: too much of it is a loss as well.
        ("sharpness", 0.7, 0.9),
        ("sharpness", 1.4, 1.1),
        ("we", 0.5, 0.1),
    ],
)
def test_every_watched_figure_has_a_direction(key: str, worse: float, better: float) -> None:
    """Guards against: figures of which less is better pass when they rise, and softer pictures pass as steadier."""
    bad, good = (figures(**{"sharpness": 0.5, key: value}) for value in (worse, better))
    found = [change for change in gate.changes(bad, good, ["clearcall auto"]) if change.figure == key]
    assert len(found) == 1 and found[0].lost
    assert not any(change.lost for change in gate.changes(good, bad, ["clearcall auto"]))


def test_a_temporal_loss_is_told_with_sharpness_beside() -> None:
    now, before = figures(we=0.5, sharpness=0.75), figures(we=0.25, sharpness=0.5)
    lines = gate.verdict(gate.changes(now, before, ["clearcall auto"]))
    assert lines == [
        "lost: noise, clearcall auto: WE worse by 0.2500 (0.2500 .. 0.2500); "
        "sharpness better by 0.2500 (0.2500 .. 0.2500)"
    ]
    assert not gate.changes(figures(we=0.5), figures(we=0.25), ["clearcall auto"])


def test_two_people_are_not_judged() -> None:
    """Guards against: a loss of ten decibels without an interval is reported as none."""
    found = gate.changes(rows([20, 20]), rows([30, 30]), ["clearcall auto"])
    lines = gate.verdict(found)
    assert len(lines) == 1 and lines[0].startswith("not judged") and lines[0].endswith("noise")
    blur = rows([30, 30, 30], "blur")
    found += gate.changes(blur, blur, ["clearcall auto"])
    assert [line.split()[0] for line in gate.verdict(found)] == ["no", "not"]


def test_few_faces_leave_only_the_figures_of_faces_unjudged() -> None:
    now = rows([30, 30, 30])
    now[0]["figures"]["psnr_face"] = 30.0
    lines = gate.verdict(gate.changes(now, now, ["clearcall auto"]))
    assert "1 comparisons" in lines[0] and lines[1].endswith("noise (PSNR face)")


@pytest.mark.parametrize(
    "row",
    [7, {}, {"figures": {"psnr": 30}}, rows([30])[0] | {"figures": [30]}, rows([30])[0] | {"figures": {"psnr": "30"}},
     rows([30])[0] | {"figures": {"psnr": float("nan")}}, rows([30])[0] | {"name": ["p0"]},
     rows([30])[0] | {"person": None}],
)  # fmt: skip
def test_a_malformed_row_is_said(tmp_path: Path, row: Any) -> None:
    """Guards against: a traceback out of a file that somebody edited, or a NaN that every comparison passes."""
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"bench": "quality", "rows": [*rows([30]), row], "settings": SETTINGS}))
    with pytest.raises(BadInput, match="row 2 of 2 is not one"):
        gate.read(path, SETTINGS)


@pytest.mark.parametrize(
    "content",
    ["[]", "7", "[" * 100_000, '{"bench": "quality", "rows": {}, "settings": {}}',
     '{"bench": "quality", "rows": [], "settings": []}', '{"bench": "quality", "rows": [], "settings": null}'],
)  # fmt: skip
def test_what_is_no_stored_run_is_said(tmp_path: Path, content: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(content)
    with pytest.raises(BadInput, match="not a file that bench quality"):
        gate.read(path, SETTINGS)


def test_peers_and_other_tasks_are_not_compared() -> None:
    assert not gate.changes(rows([1, 1, 1], method="ffmpeg unsharp"), rows([9, 9, 9]), ["clearcall auto"])
    assert not gate.changes(rows([1, 1, 1], task="blur"), rows([9, 9, 9]), ["clearcall auto"])


def test_a_stored_run_of_another_protocol_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"bench": "quality", "rows": [], "settings": {**SETTINGS, "frames": 9}}))
    with pytest.raises(BadInput, match="frames"):
        gate.read(path, SETTINGS)
    path.write_text("{}")
    with pytest.raises(BadInput, match="not a file that bench quality"):
        gate.read(path, SETTINGS)
    with pytest.raises(BadInput, match="No such file"):
        gate.read(tmp_path / "none.json", SETTINGS)
