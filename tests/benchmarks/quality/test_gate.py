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
