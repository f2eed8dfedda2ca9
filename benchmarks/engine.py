"""What a step of an exported graph costs on this machine: time, by operator too, and memory."""

from __future__ import annotations

import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from engines.engine import LatentCache, random_inputs
from engines.manifest import Manifest
from engines.onnx_runtime import DTYPES, PROVIDER, OrtEngine

BLOCK = 10
"""Steps a graph runs in a row before the next one's turn: a machine that slows down meanwhile slows all alike."""
PROFILED = 20
"""Steps that are looked at operator by operator; that itself takes time."""


class Timed(Protocol):
    """Something to be timed."""

    def run(self, steps: int) -> list[float]:
        """Milliseconds of each of `steps` steps."""


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds a step."""

    best: float
    """What the work takes when nothing else is in the way; two graphs are compared by it"""
    median: float
    p95: float


class EngineCase:
    """An engine with a session's cache."""

    def __init__(self, manifest: Manifest, threads: int) -> None:
        self.manifest, self.threads = manifest, threads
        self._engine = OrtEngine(manifest, threads)
        self._cache: LatentCache = self._engine.new_cache()
        self._inputs = random_inputs(manifest)

    def step(self) -> None:
        """One step."""
        self._engine.step(self._inputs, self._cache)

    def run(self, steps: int) -> list[float]:
        """See `Timed`."""
        return [_milliseconds(self.step) for _ in range(steps)]


class GraphCase:
    """Any graph with fixed inputs."""

    def __init__(self, path: Path, threads: int) -> None:
        self._session = _session(path, threads)
        self._feeds = _feeds(self._session)

    def run(self, steps: int) -> list[float]:
        """See `Timed`."""
        return [_milliseconds(lambda: self._session.run(None, self._feeds)) for _ in range(steps)]


def take_turns(cases: Sequence[Timed], steps: int) -> list[Times]:
    """Time `steps` steps of each case, in turns."""
    for case in cases:
        case.run(BLOCK)
    taken: list[list[float]] = [[] for _ in cases]
    for done in range(0, steps, BLOCK):
        for case, times in zip(cases, taken, strict=True):
            times += case.run(min(BLOCK, steps - done))
    return [spread(times) for times in taken]


def spread(taken: list[float]) -> Times:
    """Sum up the milliseconds of some steps."""
    return Times(*(round(float(np.percentile(taken, share)), 3) for share in (0, 50, 95)))


def operators(path: Path, threads: int) -> dict[str, float]:
    """Operator type to milliseconds a step, the slowest first: medians over some steps, summed over the nodes."""
    with tempfile.TemporaryDirectory(prefix="clearcall-") as folder:
        session = _session(path, threads, str(Path(folder) / "profile"))
        feeds = _feeds(session)
        for _ in range(PROFILED):
            session.run(None, feeds)
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    nodes: dict[tuple[str, str], list[float]] = defaultdict(list)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            nodes[event["args"]["op_name"], event["name"]].append(event["dur"] / 1000)
    kinds: dict[str, float] = defaultdict(float)
    for (kind, _), durations in nodes.items():
        kinds[kind] += float(np.median(durations))
    return dict(sorted(kinds.items(), key=lambda item: -item[1]))


def session_bytes(manifest: Manifest) -> int:
    """What a session holds besides the shared engine: states and outputs twice, inputs once."""

    def size(shape: tuple[int, ...], dtype: str) -> int:
        return int(np.prod(shape)) * np.dtype(dtype).itemsize

    states = sum(size(s.shape, s.dtype) for s in manifest.states)
    outputs = sum(size(t.shape, t.dtype) for t in manifest.outputs)
    return 2 * (states + outputs) + sum(size(t.shape, t.dtype) for t in manifest.inputs)


def _milliseconds(step: Any) -> float:
    begun = time.perf_counter()
    step()
    return 1000 * (time.perf_counter() - begun)


def _session(path: Path, threads: int, profile: str | None = None) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    if profile is not None:
        options.enable_profiling, options.profile_file_prefix = True, profile
    return onnxruntime.InferenceSession(str(path), options, providers=[PROVIDER])


def _feeds(session: onnxruntime.InferenceSession) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(1)
    feeds = {}
    for tensor in session.get_inputs():
        kind = DTYPES[tensor.type]
        feeds[tensor.name] = (rng.random(tensor.shape) * (255 if kind == "uint8" else 1)).astype(kind)
    return feeds
