"""The whole check of a GPU; `benchmarks/gpu.sh` starts it. One JSON and one log, whatever fails on the way.

Each part is a process of its own with a limit of its own: a library that crashes or hangs takes nothing else with it.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TextIO

LIMIT_S = 450.0
"""Of everything; what does not fit is named as not run."""
PACKAGES = ("tensorrt", "tensorrt-rtx", "onnxruntime-gpu", "onnxruntime", "torch", "onnx", "numpy")
ENGINES = ("tensorrt", "tensorrt-rtx", "onnxruntime-cuda")
BATCHES = "1,4,8,16"
GRAPHS = (("lite", 384), ("base", 512))


@dataclass(frozen=True, slots=True)
class Part:
    """A command, what it may take, and the JSON it leaves."""

    name: str
    command: tuple[str, ...]
    limit_s: float
    result: Path | None = None


def parts(out: Path, models: Path) -> list[Part]:
    """All parts, what matters most first."""
    bench = (sys.executable, "-m", "stream.cli", "bench", "engine", "--models", str(models), "--batches", BATCHES)
    found = [
        Part("gpu", ("nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit",
                     "--format=csv"), 20)
    ]  # fmt: skip
    if not list(models.glob("*.json")):
        found.append(Part("models", (sys.executable, "-m", "benchmarks.gpu_models", str(models)), 150))
    lite, base = ([_engine(bench, out, name, size, engine) for engine in ENGINES] for name, size in GRAPHS)
    # Torch is the figure to beat: before what may take long to build.
    return [*found, *lite, _torch(out, "eager", "graph"), *base, _torch(out, "compiled", "compiled graph")]


def _engine(bench: tuple[str, ...], out: Path, name: str, size: int, engine: str) -> Part:
    result = out / f"{name}-{engine}.json"
    options = ("--model", name, "--sizes", str(size), "--engine", engine, "--json", str(result))
    return Part(f"{name}-{size} {engine}", (*bench, *options), 150, result)


def _torch(out: Path, *ways: str) -> Part:
    result = out / f"torch-{ways[0]}.json"
    command = (sys.executable, "-m", "benchmarks.torch_yardstick", str(result), *ways)
    return Part(f"torch {', '.join(ways)}", command, 150, result)


def run(
    todo: Sequence[Part],
    log: TextIO,
    clock: Callable[[], float] = time.monotonic,
    start: Callable[..., Any] = subprocess.run,
    limit_s: float = LIMIT_S,
) -> dict[str, Any]:
    """Run the parts in turn; name to status, seconds and result of each."""
    began = clock()
    done: dict[str, Any] = {}
    for part in todo:
        left = limit_s - (clock() - began)
        if left <= 0:
            done[part.name] = {"status": "not run: no time left"}
            continue
        log.write(f"\n== {part.name}: {' '.join(part.command)}\n")
        log.flush()
        since = clock()
        try:
            ended = start(part.command, stdout=log, stderr=subprocess.STDOUT, timeout=min(left, part.limit_s))
            status = "done" if ended.returncode == 0 else f"failed with exit status {ended.returncode}"
        except subprocess.TimeoutExpired:
            status = f"stopped after {min(left, part.limit_s):.0f} s"
        except OSError as error:
            status = f"not run: {error.strerror}"
        result = _result(part)
        reasons = list((result or {}).get("missing", {}).values())
        if reasons:
            status = f"not run: {reasons[0]}"
        done[part.name] = {"status": status, "seconds": round(clock() - since, 1), "result": result}
        print(f"{part.name}: {status}", flush=True)
    return done


def _result(part: Part) -> Any:
    """What the part wrote, also when it was stopped in the middle."""
    try:
        return None if part.result is None else json.loads(part.result.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def versions() -> dict[str, str | None]:
    """What is installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def main(out: Path, models: Path) -> int:
    """Run everything; 0 if at least one engine gave figures."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / "gpu.log").open("w", encoding="utf-8") as log:
        done = run(parts(out, models), log)
    content = {"bench": "gpu", "versions": versions(), "parts": done}
    (out / "gpu.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"written to {out / 'gpu.json'} and {out / 'gpu.log'}")
    return int(not any((part.get("result") or {}).get("rows") for part in done.values()))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
