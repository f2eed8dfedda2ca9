"""The check of a GPU: it ends in time, and whatever fails on the way leaves its name and its reason."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.gpu_check import ENGINES, LIMIT_S, Part, parts, run

ROOT = Path(__file__).parents[2]


class Machine:
    """Runs nothing; a command takes as long as its first word says, or fails as it says."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def start(self, command: tuple[str, ...], timeout: float, **_: Any) -> Any:
        word = command[0]
        if word == "missing":
            raise FileNotFoundError(2, "No such file or directory")
        if float(word) > timeout:
            self.now += timeout
            raise subprocess.TimeoutExpired(command, timeout)
        self.now += float(word)
        return SimpleNamespace(returncode=int(command[1]) if len(command) > 1 else 0)


def ran(todo: list[Part], limit_s: float = 100.0) -> dict[str, Any]:
    machine = Machine()
    return run(todo, io.StringIO(), machine.clock, machine.start, limit_s)


def test_each_part_tells_how_it_went(tmp_path: Path) -> None:
    good, refused = tmp_path / "good.json", tmp_path / "refused.json"
    good.write_text('{"rows": [1]}')
    refused.write_text('{"rows": [], "missing": {"tensorrt": "no plan"}}')
    done = ran([
        Part("good", ("5",), 10, good),
        Part("crashed", ("1", "-11"), 10, tmp_path / "nothing.json"),
        Part("hangs", ("50",), 10),
        Part("refused", ("1",), 10, refused),
        Part("missing", ("missing",), 10),
    ])  # fmt: skip
    assert {name: part["status"] for name, part in done.items()} == {
        "good": "done",
        "crashed": "failed with exit status -11",
        "hangs": "stopped after 10 s",
        "refused": "not run: no plan",
        "missing": "not run: No such file or directory",
    }
    assert done["good"]["result"] == {"rows": [1]} and done["good"]["seconds"] == 5
    assert done["crashed"]["result"] is None


def test_it_ends_in_time_and_names_what_was_not_run() -> None:
    done = ran([Part(str(i), ("40",), 60) for i in range(4)])
    assert [p["status"] for p in done.values()] == ["done", "done", "stopped after 20 s", "not run: no time left"]
    assert LIMIT_S < 8 * 60


def test_every_engine_and_torch_have_a_part(tmp_path: Path) -> None:
    found = parts(tmp_path, tmp_path)
    names = [part.name for part in found]
    assert names[:2] == ["gpu", "models"]
    assert {f"lite-384 {e}" for e in ENGINES} | {f"base-512 {e}" for e in ENGINES} <= set(names)
    results = [part.result for part in found if part.result]
    assert len(set(results)) == len(results) == 8
    (tmp_path / "lite-384.json").write_text("{}")
    assert "models" not in [part.name for part in parts(tmp_path, tmp_path)]


def test_the_script_leaves_one_json_and_one_log_wherever_it_runs(tmp_path: Path) -> None:
    """On a machine without anything it says so of each part, and ends with 1."""
    models = tmp_path / "models"
    models.mkdir()
    (models / "lite-384.json").write_text("{}")
    environment = {**os.environ, "PYTHON": sys.executable, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        ["sh", str(ROOT / "benchmarks" / "gpu.sh"), str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    content = json.loads((tmp_path / "gpu.json").read_text())
    assert done.returncode == 1 and (tmp_path / "gpu.log").stat().st_size > 0
    assert len(content["parts"]) == 9 and content["versions"]["numpy"]
    assert all("done" not in part["status"] for name, part in content["parts"].items() if name != "gpu")
