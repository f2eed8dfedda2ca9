"""`clearcall bench engine`: what a step of each graph of a model costs on this machine."""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks import all_engines
from benchmarks.tables import configuration, graphs, switches
from engines.errors import BadInput
from engines.manifest import MODELS, Manifest, read_family
from engines.plan_build import LARGEST_BATCH
from engines.precision import INT8, family_in

SIZES = (256, 384, 512)
LARGEST_STEPS, LARGEST_THREADS, LARGEST_FPS = 100_000, 256, 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command; `run` checks them."""
    parser.add_argument("--model", default="lite", help="model to measure (default: %(default)s)")
    parser.add_argument("--sizes", default="", help="crop sizes, with commas (default: all that the model has)")
    parser.add_argument("--threads", default="1,2", help="thread counts, with commas (default: %(default)s)")
    parser.add_argument("--steps", default="100", help="steps per graph and thread count (default: %(default)s)")
    parser.add_argument("--fps", default="30", help="rate of the paced steps, as a camera's (default: %(default)s)")
    parser.add_argument("--untrained", action="store_true", help="measure an untrained model of this name (torch)")
    parser.add_argument("--switches", action="store_true", help="also with each part switched off (torch)")
    parser.add_argument("--engine", default="", help="compare engines: one of them, or all that are here")
    parser.add_argument("--models", type=Path, default=MODELS, help="folder of the graphs (default: the package's)")
    parser.add_argument("--batches", default="1,4,8,16", help="sessions a step, with --engine (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")


def run(arguments: argparse.Namespace) -> int:
    """Measure and print; returns the exit status, 1 where `--engine` gave no figure.

    Raises:
        BadInput: An argument is wrong, there is no such model, or torch is needed and not there.
    """
    threads = [_number("--threads", text, LARGEST_THREADS) for text in arguments.threads.split(",")]
    sizes = [_size(text) for text in arguments.sizes.split(",")] if arguments.sizes else []
    steps = _number("--steps", arguments.steps, LARGEST_STEPS)
    fps = _number("--fps", arguments.fps, LARGEST_FPS)
    target: Path | None = arguments.json
    if target is not None and not target.absolute().parent.is_dir():
        raise BadInput(f"--json {target}: there is no folder {target.absolute().parent}")
    wanted = all_engines.names(arguments.engine) if arguments.engine else []
    batches = [_number("--batches", text, LARGEST_BATCH) for text in arguments.batches.split(",")]
    with tempfile.TemporaryDirectory(prefix="clearcall-bench-") as folder:
        if wanted:
            manifests = _manifests(arguments, sizes, Path(folder))
            content = all_engines.measure(manifests, wanted, batches, steps)
            _write({"bench": "engine", "machine": _machine(), "steps": steps, **content}, target)
            # With `all` the CPU has rows; one that was named and could not be used is a failure.
            return int(all("error" in row for row in content["rows"]))
        content = {
            "bench": "engine",
            "machine": _machine(),
            "steps": steps,
            "fps": fps,
            "rows": graphs(_manifests(arguments, sizes, Path(folder)), threads, steps, fps, Path(folder)),
        }
        if arguments.switches:
            content["switches"] = switches(arguments.model, (sizes or [384])[0], threads, steps, Path(folder))
    _write(content, target)
    return 0


def _write(content: dict[str, Any], target: Path | None) -> None:
    if target is not None:
        try:
            target.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise BadInput(f"--json {target}: {error.strerror}") from error


def _manifests(arguments: argparse.Namespace, sizes: list[int], folder: Path) -> list[Manifest]:
    if arguments.untrained:
        config = configuration(arguments.model)
        from benchmarks.switches import export_untrained

        made = export_untrained(config, arguments.model, sizes or list(SIZES), folder)
        if arguments.engine:
            from export.half_family import export_half

            export_half(made)
        return made
    manifests = read_family(arguments.model, arguments.models)
    if not arguments.engine:
        # A call begins with them where they are faster; `--engine` compares float32 and what engines make of it.
        with suppress(BadInput):
            manifests += read_family(family_in(arguments.model, INT8), arguments.models)
    known = {m.crop for m in manifests}
    if not known.issuperset(sizes):
        raise BadInput(f"--sizes: {arguments.model} has {', '.join(map(str, sorted(known)))}")
    return [m for m in manifests if not sizes or m.crop in sizes]


def _machine() -> dict[str, Any]:
    return {"processor": _processor(), "cores": os.cpu_count()}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _number(option: str, text: str, largest: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 1 <= value <= largest:
        raise BadInput(f"{option} must be numbers from 1 to {largest}, not {text[:20]!r}")
    return value


def _size(text: str) -> int:
    value = _number("--sizes", text, 4096)
    if value % 32:
        raise BadInput(f"--sizes must be multiples of 32, not {value}")
    return value
