"""`clearcall bench`: its kinds, and `engine`: what a step of each graph of a model costs on this machine."""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from benchmarks.latency import command as latency
from benchmarks.latency import sessions
from benchmarks.paced import paced
from engines.engine import LatentCache, StepInputs
from engines.errors import BadInput
from engines.manifest import Manifest, read_family
from engines.onnx_runtime import OrtEngine


class Kind(Protocol):
    """A kind of benchmark."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add its arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Measure and print; returns the exit status."""


KINDS: dict[str, tuple[Kind, str]] = {
    "latency": (latency, "what a call through a relay costs, with its filter on and off"),
    "sessions": (sessions, "how many callers at once a machine serves in real time"),
}
BLOCK = 10
"""Steps a graph runs in a row before the next one's turn: a machine that slows down meanwhile slows all alike."""
LARGEST_STEPS, LARGEST_THREADS, LARGEST_FPS = 100_000, 256, 1000


@dataclass(frozen=True, slots=True)
class Row:
    """One graph on so many threads."""

    graph: str
    threads: int
    parameters: int
    """About: the shared weights in the file, without biases that are small enough to lie in the graph"""
    median_ms: float
    p95_ms: float
    paced_median_ms: float
    paced_p95_ms: float


class _Case:
    """An engine with its cache, ready to be timed."""

    def __init__(self, manifest: Manifest, threads: int) -> None:
        self.manifest, self.threads = manifest, threads
        self._engine = OrtEngine(manifest, threads)
        self._cache: LatentCache = self._engine.new_cache()
        rng = np.random.default_rng(1)
        y, uv = (rng.integers(0, 256, manifest.shape(name), np.uint8) for name in ("y", "uv"))
        regions = np.full(manifest.shape("regions"), 1 / len(manifest.regions), np.float32)
        self._inputs = StepInputs(y, uv, regions, np.ones(manifest.shape("prompt"), np.float32), 1.0)

    def step(self) -> None:
        """One step."""
        self._engine.step(self._inputs, self._cache)

    def run(self, steps: int) -> list[float]:
        """Milliseconds of each of `steps` steps."""
        taken = []
        for _ in range(steps):
            begun = time.perf_counter()
            self.step()
            taken.append(1000 * (time.perf_counter() - begun))
        return taken


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the kinds of benchmark, with the arguments of each; `run` checks them."""
    kinds = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    text = "what a step of each graph of a model costs"
    _engine_arguments(kinds.add_parser("engine", help=text, description=text.capitalize() + "."))
    for name, (module, text) in KINDS.items():
        module.add_arguments(kinds.add_parser(name, help=text, description=text.capitalize() + "."))


def _engine_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default="lite", help="model to measure (default: %(default)s)")
    parser.add_argument("--threads", default="1,2", help="thread counts, with commas (default: %(default)s)")
    parser.add_argument("--steps", default="100", help="steps per graph and thread count (default: %(default)s)")
    parser.add_argument("--fps", default="30", help="rate of the paced steps, as a camera's (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")


def run(arguments: argparse.Namespace) -> int:
    """Measure and print; returns the exit status.

    Raises:
        BadInput: An argument is wrong, or there is no such model.
    """
    if arguments.what in KINDS:
        return KINDS[arguments.what][0].run(arguments)
    threads = [_number("--threads", text, LARGEST_THREADS) for text in arguments.threads.split(",")]
    steps = _number("--steps", arguments.steps, LARGEST_STEPS)
    fps = _number("--fps", arguments.fps, LARGEST_FPS)
    target: Path | None = arguments.json
    if target is not None and not target.absolute().parent.is_dir():
        raise BadInput(f"--json {target}: there is no folder {target.absolute().parent}")
    rows = measure(read_family(arguments.model), threads, steps, fps)
    head = f"{'graph':<12} {'threads':>7} {'parameters':>11} {'median ms':>10} {'p95 ms':>8}"
    print(f"{head} {f'at {fps} fps':>11} {'p95 ms':>8}")
    for row in rows:
        size = f"{row.parameters / 1e6:.2f} M"
        closed = f"{row.graph:<12} {row.threads:>7} {size:>11} {row.median_ms:>10.2f} {row.p95_ms:>8.2f}"
        print(f"{closed} {row.paced_median_ms:>11.2f} {row.paced_p95_ms:>8.2f}")
    if target is not None:
        content = {
            "bench": "engine",
            "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
            "steps": steps,
            "fps": fps,
            "rows": [asdict(row) for row in rows],
        }
        try:
            target.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise BadInput(f"--json {target}: {error.strerror}") from error
    return 0


def measure(manifests: list[Manifest], threads: list[int], steps: int, fps: int) -> list[Row]:
    """Time `steps` steps of every graph on every thread count, in turns; and as many at a camera's rate."""
    cases = [_Case(manifest, count) for manifest in manifests for count in threads]
    for case in cases:
        case.run(BLOCK)
    times: list[list[float]] = [[] for _ in cases]
    for done in range(0, steps, BLOCK):
        for case, taken in zip(cases, times, strict=True):
            taken += case.run(min(BLOCK, steps - done))
    at_rate = [paced(case.step, steps, fps) for case in cases]
    return [
        Row(
            case.manifest.name,
            case.threads,
            case.manifest.weights.path.stat().st_size // np.dtype(np.float32).itemsize,
            round(float(np.median(taken)), 3),
            round(float(np.percentile(taken, 95)), 3),
            round(float(np.median(slow)), 3),
            round(float(np.percentile(slow, 95)), 3),
        )
        for case, taken, slow in zip(cases, times, at_rate, strict=True)
    ]


def _number(option: str, text: str, largest: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 1 <= value <= largest:
        raise BadInput(f"{option} must be numbers from 1 to {largest}, not {text[:20]!r}")
    return value
