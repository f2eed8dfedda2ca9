"""Which of two engines for one graph is faster here: tried once, then remembered in the user's cache."""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import onnxruntime

from engines.engine import Engine, random_inputs
from engines.user_cache import user_cache
from engines.whole_file import replace_file

STEPS = 12
"""Of each engine, in turns; the fastest counts, since all else is other programs' doing."""
FASTER = 0.9
"""Share of the other's time below which an engine is called faster."""


def relative_cost(
    one: Engine, other: Engine, threads: int, folder: Path | None = None, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Time of a step of `one` as a share of a step of `other`; measured where it is not known yet.

    What is known holds for these graphs, this version of ONNX Runtime, this processor and so many threads. A cache that
    cannot be read or written only costs the time of measuring again.
    """
    names = [engine.manifest.graph.sha256 for engine in (one, other)]
    key = hashlib.sha256("|".join([*names, onnxruntime.__version__, processor(), str(threads)]).encode()).hexdigest()
    path = (folder or user_cache("timings")) / f"{key[:32]}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        known = float(json.loads(path.read_text(encoding="utf-8"))["cost"])
        if 0 < known < 100:
            return known
    cost = round(measure(one, other, clock), 3)
    with suppress(OSError):
        content = {"cost": cost, "graphs": [e.manifest.name for e in (one, other)]}
        replace_file(path, json.dumps(content).encode() + b"\n")
    return cost


def measure(one: Engine, other: Engine, clock: Callable[[], float] = time.perf_counter) -> float:
    """The ratio of the fastest of `STEPS` steps of each."""
    best = [float("inf"), float("inf")]
    engines = (one, other)
    inputs, caches = [random_inputs(engine.manifest) for engine in engines], [engine.new_cache() for engine in engines]
    for _ in range(STEPS):
        for place, engine in enumerate(engines):
            began = clock()
            engine.step(inputs[place], caches[place])
            best[place] = min(best[place], clock() - began)
    return best[0] / max(best[1], 1e-9)


def processor() -> str:
    """What the processor calls itself, as far as that can be found out."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
