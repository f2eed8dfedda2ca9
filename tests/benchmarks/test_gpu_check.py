"""The check of a GPU: it ends in time, and whatever fails on the way leaves its name, its figures and its reason."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from benchmarks.gpu_check import (
    ENDED,
    ENGINES,
    LIMIT_S,
    LOG_LEFT,
    TORCH,
    Part,
    environment,
    main,
    parts,
    run,
    sites,
    started,
    versions,
)
from benchmarks.gpu_table import table

ROOT = Path(__file__).parents[2]


class Machine:
    """Runs nothing; a command takes as long as its first word says, or fails as it says."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def start(self, command: Sequence[str], log: BinaryIO, limit_s: float) -> int:
        word, *rest = command
        if word == "missing":
            raise FileNotFoundError(2, "No such file or directory")
        if word == "killed":
            raise KeyboardInterrupt
        if word == "loud":
            log.write(b"x" * 3 * LOG_LEFT + b"\nlast words\n")
            return 1
        if float(word) > limit_s:
            self.now += limit_s
            raise subprocess.TimeoutExpired(command, limit_s)
        self.now += float(word)
        return int(rest[0]) if rest else 0


def ran(todo: list[Part], folder: Path, limit_s: float = 100.0) -> dict[str, Any]:
    machine = Machine()
    with (folder / "log").open("ab+") as log:
        return run(todo, log, machine.start, machine.clock, limit_s)


def test_each_part_tells_how_it_went(tmp_path: Path) -> None:
    good, refused, useless = (tmp_path / f"{name}.json" for name in ("good", "refused", "useless"))
    good.write_text('{"rows": [{"median_ms": 1}]}')
    refused.write_text('{"rows": [], "missing": {"tensorrt": "no plan"}}')
    useless.write_text('{"rows": [{"error": "no capture"}, {"error": "not run after"}]}')
    todo = [
        Part("good", ("5",), 10, good),
        Part("crashed", ("1", "-11"), 10, tmp_path / "nothing.json"),
        Part("hangs", ("50",), 10, good),
        Part("refused", ("1", "1"), 10, refused),
        Part("useless", ("1",), 10, useless),
        Part("missing", ("missing",), 10),
        Part("in vain", ("1",), 10, needs=("crashed", "refused")),
        Part("worth it", ("1",), 10, needs=("crashed", "hangs")),
        Part("left out", ("1",), 10, asked=False),
    ]
    done = ran(todo, tmp_path)
    assert {name: part["status"] for name, part in done.items()} == {
        "good": "done",
        "crashed": "failed with exit status -11",
        "hangs": "stopped after 10 s",
        "refused": "not run: no plan",
        "useless": "failed: no capture",
        "missing": "not run: missing: No such file or directory",
        "in vain": "not run: none of these worked: crashed, refused",
        "worth it": "done",
        "left out": "not run: not asked for",
    }
    assert done["good"]["result"] == done["hangs"]["result"] == {"rows": [{"median_ms": 1}]}
    assert done["good"]["seconds"] == 5 and done["crashed"]["result"] is None


def test_it_ends_in_time_and_names_what_was_not_run(tmp_path: Path) -> None:
    done = ran([Part(str(i), ("40",), 60) for i in range(4)], tmp_path)
    assert [p["status"] for p in done.values()] == ["done", "done", "stopped after 20 s", "not run: no time left"]
    assert LIMIT_S < 8 * 60 - 30


def test_what_there_is_is_kept_after_every_part_and_when_it_is_ended(tmp_path: Path) -> None:
    kept: list[list[str]] = []
    todo = [Part("one", ("1",), 10), Part("two", ("killed",), 10), Part("three", ("1",), 10)]
    with (tmp_path / "log").open("ab+") as log:
        run(todo, log, Machine().start, keep=lambda done: kept.append([p["status"] for p in done.values()]))
    assert kept[0] == ["running", ENDED, ENDED] and kept[1] == ["done", ENDED, ENDED]
    assert kept[-1] == ["done", "stopped from outside", ENDED]


def test_the_log_stays_small_and_last_words_are_told(tmp_path: Path) -> None:
    done = ran([Part("loud", ("loud",), 10), Part("after", ("1",), 10)], tmp_path)
    assert done["loud"]["status"] == "failed with exit status 1: last words"
    assert done["loud"]["said"][-1] == "last words" and done["after"]["status"] == "done"
    written = (tmp_path / "log").read_bytes()
    assert len(written) < LOG_LEFT + 1000 and b"== after" in written and b"\0" not in written


def test_every_engine_and_torch_have_a_part_and_torch_comes_first(tmp_path: Path) -> None:
    found = parts(tmp_path, None, None)
    names = [part.name for part in found]
    assert names[:4] == ["gpu", "limits", "torch graph", "torch eager"] and names[-2:] == [
        "torch compiled graph",
        "torch compiled",
    ]
    assert {f"lite-384 {e}" for e in ENGINES} | {f"base-512 {e}" for e in ENGINES} <= set(names)
    results = [part.result for part in found if part.result]
    assert len(set(results)) == len(results) == 11
    assert all(part.asked for part in found)
    # A plan may take minutes: whoever needs none has its figures before, and all of it fits.
    last = found[names.index("lite-384 tensorrt")]
    assert all(names.index(f"lite-384 {e}") <= names.index(last.name) for e in ENGINES)
    assert max(part.limit_s for part in found) == last.limit_s < LIMIT_S - 180
    # Graphs that are there need not be exported.
    assert "models" in names and "models" not in [part.name for part in parts(tmp_path, None, tmp_path)]
    few = {part.name for part in parts(tmp_path, None, None, ["tensorrt-rtx"]) if part.asked}
    assert few == {"gpu", "limits", "lite-384 tensorrt-rtx", "models", "base-512 tensorrt-rtx"}


def test_carried_packages_go_first_and_nothing_the_caller_set_is_lost(tmp_path: Path) -> None:
    there, carried = tmp_path / "there", tmp_path / "carried"
    for folder in (there / "nvidia" / "cu13" / "lib", there / "nvidia" / "cudnn" / "lib", carried):
        folder.mkdir(parents=True)
    given = {"PYTHONPATH": "mine", "LD_LIBRARY_PATH": "/opt/lib", "HOME": "/root"}
    found = environment(tmp_path, [carried], given, [str(there), str(there), ""])
    assert found["PYTHONPATH"].split(":") == [str(carried), "mine"] and found["HOME"] == "/root"
    libraries = [str(there / "nvidia" / name / "lib") for name in ("cu13", "cudnn")]
    assert found["LD_LIBRARY_PATH"].split(":") == [*libraries, "/opt/lib"]
    assert environment(tmp_path, [], {}, [])["LD_LIBRARY_PATH"] == ""


def wheel(folder: Path, name: str, version: str) -> Path:
    """A wheel of one empty module; packages of NVIDIA's share a folder."""
    made = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(made, "w") as file:
        file.writestr(f"nvidia/{name}/lib/library.so", "")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")
    return made


def test_wheels_are_unpacked_side_by_side_and_a_bad_one_stops_nothing(tmp_path: Path) -> None:
    wheels, work = tmp_path / "wheels", tmp_path / "work"
    wheels.mkdir()
    (wheels / "broken-1.0-py3-none-any.whl").write_text("no wheel")
    wheel(wheels, "tensorrt_rtx", "9.8")
    wheel(wheels, "onnx", "0.1")
    todo = [part for part in parts(work, wheels, None) if part.name.startswith("wheel")]
    carried = [site for _, site in sites(work, wheels)]
    with (tmp_path / "log").open("ab+") as log:
        done = run(todo, log, lambda command, log, limit_s: started(command, log, limit_s, os.environ))
    bad, *good = (p["status"] for p in done.values())
    assert bad.startswith("failed with exit status 1: ") and "broken" in bad and good == ["done", "done"]
    libraries = environment(work, carried, {})["LD_LIBRARY_PATH"]
    assert "nvidia/onnx/lib" in libraries and "nvidia/tensorrt_rtx/lib" in libraries
    # The carried one counts.
    assert versions(carried)["onnx"] == "0.1" and versions(carried)["tensorrt-rtx"] == "9.8"


def test_a_part_that_is_stopped_takes_its_helpers_along(tmp_path: Path) -> None:
    script = "sleep 60 & echo $! > pid; wait"
    with (tmp_path / "log").open("ab+") as log, pytest.raises(subprocess.TimeoutExpired):
        started(["sh", "-c", f"cd {tmp_path}; {script}"], log, 1.0, os.environ)
    status = Path("/proc") / (tmp_path / "pid").read_text().strip() / "stat"
    for _ in range(50):
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.1)
    raise AssertionError("a helper goes on")


def test_the_table_has_all_figures_and_all_reasons() -> None:
    row = {"graph": "lite-384", "engine": "torch graph", "batch": 4, "median_ms": 0.5, "p99_ms": 0.6}
    measured = {**row, "faces_per_s": 8000.0, "roof_ms": 0.05, "memory_mb": 12.0, "beyond_one": 0.001}
    shown = table({
        "torch graph": {"status": "done", "result": {"rows": [row | {"faces_per_s": 8000.0}]}},
        "lite": {"status": "done", "result": {"rows": [measured]}},
        "base": {"status": "not run: no plan", "result": {"rows": [
            {"graph": "base-512", "engine": "x", "batch": 1, "error": "no room"}]}},
    })  # fmt: skip
    assert "| lite-384 | torch graph | 4 | 0.500 | 0.600 | 8000 | - | - | - |" in shown
    assert "| 8000 | 10.0 % | 12 | 0.100 % |" in shown
    assert "- base: not run: no plan" in shown and "- base-512 x, batch 1: no room" in shown


BLOCKED = ("av", "aiortc", "aiohttp", "cv2", "ai_edge_litert", "mediapipe", "PIL", "playwright")


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An environment whose Python has none of what only calls and files need; the caller's PYTHONPATH says so."""
    folder = tmp_path / "blocking"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(f"import sys\nsys.modules.update(dict.fromkeys({BLOCKED!r}))\n")
    return {**os.environ, "PYTHON": sys.executable, "PYTHONPATH": str(folder), "CUDA_VISIBLE_DEVICES": ""}


def script(folder: Path, environment: dict[str, str], *names: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(ROOT / "benchmarks" / "gpu.sh"), str(folder), *names]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


def test_the_script_leaves_one_json_and_one_log_wherever_it_runs(tmp_path: Path, bare: dict[str, str]) -> None:
    """On a machine without anything it says so of each part, and ends with 1."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "gpu.json").write_text("of an earlier run")
    done = script(out, bare, *ENGINES)
    content = json.loads((out / "gpu.json").read_text())
    assert done.returncode == 1 and sorted(p.name for p in out.iterdir()) == ["gpu.json", "gpu.log"]
    assert len(content["parts"]) == 13 and content["versions"]["numpy"]
    statuses = {name: part["status"] for name, part in content["parts"].items()}
    assert statuses["torch graph"] == "not run: not asked for"
    for engine in ENGINES:
        # The reason is the GPU that is not there, not a package.
        assert f"not run: engine {engine} cannot be used: no NVIDIA GPU" in statuses[f"lite-384 {engine}"]
    log = (out / "gpu.log").read_text()
    assert "Error" not in log and "No module" not in log and "- base-512 tensorrt: not run: none" in log


def test_also_without_python(tmp_path: Path, bare: dict[str, str]) -> None:
    done = script(tmp_path / "no python", {**bare, "PYTHON": "no-such-python"})
    assert done.returncode == 1
    assert "status 127" in json.loads((tmp_path / "no python" / "gpu.json").read_text())["error"]
    assert "no-such-python" in (tmp_path / "no python" / "gpu.log").read_text()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["out", "tensor"], "there is no part tensor"),
        (["out", "torch", "--help"], "there is no part --help"),
        (["torch"], "the folder comes before the parts"),
        (["tensorrt-rtx", "torch"], "the folder comes before the parts"),
        (["--fast"], "there is no option --fast"),
        (["file/below"], "file/below cannot be written to"),
    ],
)
def test_a_wrong_call_changes_nothing(tmp_path: Path, bare: dict[str, str], arguments: list[str], reason: str) -> None:
    """A part misspelt took the figures of the last run with it."""
    (tmp_path / "out").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "out" / "gpu.json").write_text("of an earlier run")
    before = sorted(tmp_path.rglob("*"))
    command = ["sh", str(ROOT / "benchmarks" / "gpu.sh"), *arguments]
    done = subprocess.run(command, env=bare, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
    assert done.stderr.startswith("gpu.sh: ") and reason in done.stderr
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "out" / "gpu.json").read_text() == "of an earlier run"


def test_the_script_tells_how_it_is_called_and_knows_all_parts(tmp_path: Path, bare: dict[str, str]) -> None:
    command = ["sh", str(ROOT / "benchmarks" / "gpu.sh"), "--help"]
    done = subprocess.run(command, env=bare, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == "" and "[FOLDER [PART ...]]" in done.stdout
    text = (ROOT / "benchmarks" / "gpu.sh").read_text()
    listed = [line.strip().split(")")[0] for line in text.splitlines() if line.strip().startswith("torch | ")]
    assert len(listed) == 2 and all(set(line.split(" | ")) == {TORCH, *ENGINES} for line in listed)


def test_ended_from_outside_it_leaves_what_it_has(tmp_path: Path, bare: dict[str, str]) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "nvidia-smi").write_text("#!/bin/sh\necho started; sleep 60\n")
    (tools / "nvidia-smi").chmod(0o755)
    environment = {**bare, "PATH": f"{tools}:{bare['PATH']}", "TMPDIR": str(tools)}
    command = ["sh", str(ROOT / "benchmarks" / "gpu.sh"), str(tmp_path / "out"), "torch"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    log = tmp_path / "out" / "gpu.log"
    for _ in range(300):
        if log.exists() and "started" in log.read_text():
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 1
    content = json.loads((tmp_path / "out" / "gpu.json").read_text())["parts"]
    assert content["gpu"]["status"] == "stopped from outside" and content["torch graph"]["status"] == ENDED
    assert sorted(p.name for p in tools.iterdir()) == ["nvidia-smi"]


def test_an_engine_is_measured_where_nothing_else_is_installed(tmp_path: Path, bare: dict[str, str]) -> None:
    """The engine on the CPU goes the way that those on a GPU go."""
    target, limits = tmp_path / "figures.json", tmp_path / "limits.json"
    limits.write_text('{"limits": {"bytes_per_s": 1e12, "macs_per_s": 1e14, "by": "torch"}}')
    given = [str(target), str(ROOT / "engines" / "models"), "lite", "256", "onnxruntime-cpu", str(limits)]
    code = "import sys; from benchmarks.gpu_engine import main; sys.exit(main(sys.argv[1:], (1, 2), 2))"
    done = subprocess.run(
        [sys.executable, "-c", code, *given], cwd=ROOT, env=bare, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(target.read_text())["rows"]
    assert [row["batch"] for row in rows] == [1, 2]
    assert all(row["median_ms"] > 0 and row["roof_ms"] > 0 for row in rows)


def test_an_unknown_part_is_refused(tmp_path: Path) -> None:
    assert main(tmp_path, None, None, ["tensor"]) == 2 and not list(tmp_path.iterdir())
