"""The whole check of a GPU; `benchmarks/gpu.sh` starts it. One JSON and one log, whatever fails on the way.

Each part is a process of its own with a limit of its own: a library that crashes or hangs takes nothing else with it.
Parts write down each figure as they have it, and the JSON is written anew after each part.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

from benchmarks.gpu_table import table
from benchmarks.json_file import write_json
from engines.manifest import MODELS

LIMIT_S = 440.0
"""Of everything, wheels too; what does not fit is named as not run."""
PACKAGES = ("tensorrt", "tensorrt-rtx", "tensorrt-rtx-cu13", "onnxruntime-gpu", "onnxruntime", "torch", "onnx", "numpy")
ENGINES = ("onnxruntime-cuda", "tensorrt-rtx", "tensorrt")
"""In the order they are run in: those that are quick to start first"""
ENGINE_S = 150.0
BUILDING_S = 240.0
"""TensorRT tries kernels on the GPU for every range of batches while it builds a plan; the others do not."""
TORCH = "torch"
GRAPHS = (("lite", 384), ("base", 512))
LOG_LEFT = 512 << 10
"""Most bytes of a part's output that are kept"""
SAID = 5
"""Lines of its output that the JSON tells of a part that failed"""
ENDED = "not run: the check was ended before"


@dataclass(frozen=True, slots=True)
class Part:
    """A command, what it may take, and the JSON it leaves."""

    name: str
    command: tuple[str, ...]
    limit_s: float
    result: Path | None = None
    needs: tuple[str, ...] = ()
    """Parts of which at least one must have worked"""
    asked: bool = True


Start = Callable[[Sequence[str], BinaryIO, float], int]
"""Runs a command with its output in a file; its exit status, or subprocess.TimeoutExpired."""


def parts(work: Path, wheels: Path | None, models: Path | None, wanted: Iterable[str] = ()) -> list[Part]:
    """All parts, what matters most first: torch needs nothing that is not there, plans may take long to build."""
    chosen = set(wanted) or {TORCH, *ENGINES}
    python, limits = (sys.executable, "-m"), work / "limits.json"
    found = [
        Part(f"wheel {wheel.name}", (*python, "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile",
                                     "--no-cache-dir", "--disable-pip-version-check", "--target",
                                     str(site), str(wheel)), 90)
        for wheel, site in sites(work, wheels)
    ]  # fmt: skip
    found += [
        Part("gpu", ("nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit",
                     "--format=csv"), 20),
        Part("limits", (*python, "benchmarks.gpu_limits", str(limits)), 60, limits),
    ]  # fmt: skip

    def engine(graphs: Path, model: str, size: int, name: str, needs: tuple[str, ...] = ()) -> Part:
        result = work / f"{model}-{name}.json"
        command = (*python, "benchmarks.gpu_engine", str(result), str(graphs), model, str(size), name, str(limits))
        limit_s = BUILDING_S if name == "tensorrt" else ENGINE_S
        return Part(f"{model}-{size} {name}", command, limit_s, result, needs, name in chosen)

    def torch(way: str, limit_s: float) -> Part:
        result = work / f"torch-{way.replace(' ', '-')}.json"
        command = (*python, "benchmarks.torch_yardstick", str(result), way)
        return Part(f"torch {way}", command, limit_s, result, asked=TORCH in chosen)

    (small, small_size), (large, large_size) = GRAPHS
    lite = [engine(MODELS, small, small_size, name) for name in ENGINES]
    export: list[Part] = []
    if models is None:
        models = work / "models"
        command = (*python, "benchmarks.gpu_models", str(models))
        # In vain where nothing can run what is exported.
        needs = tuple(part.name for part in lite)
        export = [Part("models", command, 120, needs=needs, asked=bool(chosen.intersection(ENGINES)))]
    base = [engine(models, large, large_size, name, tuple(part.name for part in export)) for name in ENGINES]
    yardsticks = torch("graph", 100), torch("eager", 80), torch("compiled graph", 170), torch("compiled", 100)
    return [*found, *yardsticks[:2], *lite, *export, *base, *yardsticks[2:]]


def sites(work: Path, wheels: Path | None) -> list[tuple[Path, Path]]:
    """Each wheel and the folder it goes to; one each, for pip leaves out what is there already."""
    found = sorted(wheels.glob("*.whl")) if wheels else []
    return [(wheel, work / "site" / str(index)) for index, wheel in enumerate(found)]


def environment(
    work: Path, carried: Sequence[Path], given: Mapping[str, str] = os.environ, path: Sequence[str] = sys.path
) -> dict[str, str]:
    """What parts run in: carried packages before those that are there, and the libraries that Python packages bring."""
    paths = [*map(str, carried), given.get("PYTHONPATH", "")]
    # ONNX Runtime looks for CUDA beside itself; where torch brought it, it lies beside torch.
    libraries = [str(lib) for root in (*path, *map(str, carried)) for lib in _libraries(Path(root))]
    libraries = [*dict.fromkeys(libraries), given.get("LD_LIBRARY_PATH", "")]
    return {
        **given,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "LD_LIBRARY_PATH": os.pathsep.join(filter(None, libraries)),
        "PYTHONUNBUFFERED": "1",
        # Plans and kernels of this check stay out of the user's caches.
        "XDG_CACHE_HOME": str(work / "cache"),
        "TORCHINDUCTOR_CACHE_DIR": str(work / "cache" / "inductor"),
        "TRITON_CACHE_DIR": str(work / "cache" / "triton"),
    }


def _libraries(root: Path) -> list[Path]:
    """Folders of NVIDIA's libraries in a folder of packages; a wheel's own may not be there yet."""
    return sorted(root.glob("nvidia/*/lib")) if root.is_dir() else []


def run(
    todo: Sequence[Part],
    log: BinaryIO,
    start: Start,
    clock: Callable[[], float] = time.monotonic,
    limit_s: float = LIMIT_S,
    keep: Callable[[dict[str, Any]], None] = lambda so_far: None,
) -> dict[str, Any]:
    """Run the parts in turn; name to status, seconds, result and last words of each. `keep` is given all so far."""
    began = clock()
    done: dict[str, Any] = {part.name: {"status": ENDED if part.asked else "not run: not asked for"} for part in todo}
    for part in (part for part in todo if part.asked):
        left = limit_s - (clock() - began)
        if left <= 0:
            done[part.name] = {"status": "not run: no time left"}
            continue
        if part.needs and not any(_worked(done[name]) for name in part.needs):
            done[part.name] = {"status": f"not run: none of these worked: {', '.join(part.needs)}"}
            continue
        done[part.name] = {"status": "running"}
        keep(done)
        done[part.name], ended = _run_one(part, log, start, clock, min(left, part.limit_s))
        keep(done)
        print(f"{part.name}: {done[part.name]['status']}", flush=True)
        if ended:
            break
    keep(done)
    return done


def _run_one(
    part: Part, log: BinaryIO, start: Start, clock: Callable[[], float], limit_s: float
) -> tuple[dict[str, Any], bool]:
    """How a part went, and whether the whole check is to end."""
    log.write(f"\n== {part.name}: {' '.join(part.command)}\n".encode())
    log.flush()
    at, since, ended = log.tell(), clock(), False
    try:
        code = start(part.command, log, limit_s)
        status = "done" if code == 0 else f"failed with exit status {code}"
    except subprocess.TimeoutExpired:
        status = f"stopped after {limit_s:.0f} s"
    except OSError as error:
        status = f"not run: {part.command[0]}: {error.strerror}"
    except KeyboardInterrupt:
        status, ended = "stopped from outside", True
    result, said = _result(part), _said(log, at)
    rows = (result or {}).get("rows", [])
    reasons = list((result or {}).get("missing", {}).values())
    errors = [row["error"] for row in rows if "error" in row]
    if reasons:
        status = f"not run: {reasons[0]}"
    elif status == "done" and errors and len(errors) == len(rows):
        status = f"failed: {errors[0]}"
    elif status.startswith("failed") and said:
        status += f": {said[-1]}"
    outcome = {"status": status, "seconds": round(clock() - since, 1), "result": result}
    if said and (status != "done" or result is None):
        outcome["said"] = said
    return outcome, ended


def _worked(outcome: Mapping[str, Any]) -> bool:
    rows = (outcome.get("result") or {}).get("rows", [])
    return any("median_ms" in row for row in rows) or outcome["status"] == "done"


def _result(part: Part) -> Any:
    """What the part wrote, also when it was stopped in the middle."""
    try:
        return None if part.result is None else json.loads(part.result.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _said(log: BinaryIO, at: int) -> list[str]:
    """The last lines since a place in the log; too much is cut from there on, for the log has to stay small."""
    log.seek(0, os.SEEK_END)
    size = log.tell() - at
    log.seek(max(at, at + size - 4096))
    lines = log.read().decode(errors="replace").splitlines()
    if size > LOG_LEFT:
        log.truncate(at + LOG_LEFT)
        log.seek(0, os.SEEK_END)
        log.write(f"\n[{size - LOG_LEFT} bytes left out]\n".encode())
        log.flush()
    log.seek(0, os.SEEK_END)
    return [line[:300] for line in lines if line.strip()][-SAID:]


def started(command: Sequence[str], log: BinaryIO, limit_s: float, environment: Mapping[str, str]) -> int:
    """See `Start`; whatever the command started goes with it."""
    process = subprocess.Popen(
        command, stdout=log, stderr=subprocess.STDOUT, env=dict(environment), start_new_session=True
    )
    try:
        return process.wait(limit_s)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def versions(carried: Sequence[Path]) -> dict[str, str | None]:
    """What is installed or carried; the carried one where there are two."""
    found: dict[str, str | None] = {"python": platform.python_version(), **dict.fromkeys(PACKAGES)}
    for package in distributions(path=[*map(str, carried), *sys.path]):
        name = (package.metadata["Name"] or "").lower().replace("_", "-")
        if name in PACKAGES and found[name] is None:
            found[name] = package.version
    return found


def main(out: Path, wheels: Path | None, models: Path | None, wanted: Sequence[str]) -> int:
    """Run everything; 0 if there are figures of anything."""
    unknown = set(wanted) - {TORCH, *ENGINES}
    if unknown:
        print(f"gpu.sh: there is no part {', '.join(sorted(unknown))}, only {', '.join((TORCH, *ENGINES))}")
        return 2
    signal.signal(signal.SIGTERM, _stop)
    work = Path(tempfile.mkdtemp(prefix="clearcall-gpu-"))
    carried = [site for _, site in sites(work, wheels)]

    def keep(done: Mapping[str, Any]) -> None:
        write_json(out / "gpu.json", {"bench": "gpu", "versions": versions(carried), "parts": done})

    def start(command: Sequence[str], log: BinaryIO, limit_s: float) -> int:
        # Looked up each time: the first parts install what the others use.
        return started(command, log, limit_s, environment(work, carried))

    try:
        # Appended to by each part: what is cut off between two leaves no hole.
        with (out / "gpu.log").open("ab+") as log:
            done = run(parts(work, wheels, models, wanted), log, start, keep=keep)
            shown = table(done)
            log.write(f"\n{shown}\n".encode())
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{shown}\nwritten to {out / 'gpu.json'} and {out / 'gpu.log'}")
    return int(not any("median_ms" in row for p in done.values() for row in (p.get("result") or {}).get("rows", [])))


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _folder(text: str) -> Path | None:
    return Path(text) if text else None


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), _folder(sys.argv[2]), _folder(sys.argv[3]), sys.argv[4:]))
