"""`clearcall build`: TensorRT plans for this machine's GPU, or ahead of time for others."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from engines.choice import half_or
from engines.cuda import cuda_device
from engines.errors import BadInput, EngineError
from engines.manifest import MODELS, Manifest, read_family, read_manifest
from engines.plan_build import LARGEST_BATCH, MAX_BATCH, build
from engines.plan_cache import key_of, load_or_build, plan_folder
from engines.plan_list import State, entries, listing, prune, state_of
from engines.plan_lock import NotKept
from engines.plan_supply import ONLY_HALF, TIMING, accepted, refusal
from engines.precision import in_half
from engines.tensorrt_library import MODULES, Library, find_library, open_library

PAUSE_S = 0.2
"""Between two changes of the bar."""
BAR = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command; `run` checks them."""
    parser.add_argument("--model", default="lite", help="model to build (default: %(default)s)")
    parser.add_argument("--sizes", default="", help="crop sizes, with commas (default: all that the model has)")
    parser.add_argument("--backend", default="auto", help=f"auto, {' or '.join(MODULES)} (default: %(default)s)")
    parser.add_argument(
        "--for", dest="capabilities", default="", metavar="SM", help="GPUs that are not here, such as sm89,sm120"
    )
    parser.add_argument(
        "--max-batch", default=str(MAX_BATCH), metavar="N", help="sessions of one step (default: %(default)s)"
    )
    parser.add_argument("--list", action="store_true", help="show the plans that there are, and build nothing")
    parser.add_argument("--prune", action="store_true", help="delete plans that are damaged or out of date")


def run(arguments: argparse.Namespace) -> int:
    """Build, list or prune; returns the exit status: 1 where some plan cannot be built or deleted.

    Raises:
        BadInput: An argument is wrong, or there is nothing to build with or for.
        EngineError: Plans cannot be kept or looked at.
        ModelError: A graph is damaged.
    """
    folder = plan_folder()
    if arguments.list or arguments.prune:
        return _tidy(folder, arguments.prune, arguments.list)
    manifests = _manifests(arguments)
    max_batch = _number("--max-batch", arguments.max_batch, LARGEST_BATCH)
    library = find_library(arguments.backend)
    status = 0
    for capability in targets(library, arguments.capabilities):
        for manifest in manifests:
            try:
                _build(library, manifest, capability, max_batch, folder)
            except NotKept:
                raise
            except EngineError as error:  # the others may do all the same
                print(f"clearcall: {manifest.name} for {capability}: {error}", file=sys.stderr, flush=True)
                status = 1
    return status


def _tidy(folder: Path, delete: bool, show: bool) -> int:
    state, stuck = _state(), list[str]()
    if delete:
        gone, stuck = prune(folder, state)
        for path in gone:
            print(f"deleted {path.name}")
        for line in stuck:
            print(f"clearcall: {line}", file=sys.stderr)
    if show:
        print(listing(folder, entries(folder), state))
    return int(bool(stuck))


def targets(library: Library, wanted: str) -> list[str]:
    """The compute capabilities to build for: those named, else that of this machine's GPU.

    Raises:
        BadInput: The library does not build for one of them, or there is no GPU.
    """
    known = library.capabilities()
    if not wanted:
        try:
            return [cuda_device().capability]
        except EngineError as error:
            hint = f"; --for {','.join(known[-2:])} builds ahead of time" if known else ""
            raise BadInput(f"{error}{hint}") from None
    named = [name.strip().lower().replace(".", "") for name in wanted.split(",")]
    if not library.ahead_of_time:
        raise BadInput(f"{library.name} builds only for the GPU that is here; --for needs --backend tensorrt-rtx")
    for name in named:
        if name not in known:
            raise BadInput(f"--for: {library.name} {library.version} builds for {', '.join(known)}, not {name[:20]!r}")
    return named


def _build(library: Library, manifest: Manifest, capability: str, max_batch: int, folder: Path) -> None:
    gpu = _gpu_of(capability)
    key = key_of(manifest, library.name, library.version, capability, max_batch, library.bound_to(gpu or ""))
    what = f"{manifest.name} for {capability}"
    began = time.monotonic()

    def building() -> bytes:
        with Bar(what, sys.stderr) as bar:
            plan = build(library, manifest, library.named(capability), max_batch, bar.show, folder / TIMING)
        # What is for other GPUs can be tried only there.
        return plan if gpu is None else accepted(library, manifest, plan)

    def refused(plan: bytes) -> bool:
        return gpu is not None and refusal(library, plan) is not None

    plan, built = load_or_build(folder, key, building, refused)
    took = f"built in {time.monotonic() - began:.1f} s" if built else "there already"
    print(f"{what}: {took}, {len(plan) / 1e6:.1f} MB, {library.name} {library.version}, {key.precision}", flush=True)


def _gpu_of(capability: str) -> str | None:
    """Name of this machine's GPU, where it is of this capability."""
    try:
        device = cuda_device()
    except EngineError:
        return None
    return device.name if device.capability == capability else None


def _state() -> State:
    """See `state_of`: of what is installed."""
    versions = {}
    for name in MODULES:
        with contextlib.suppress(EngineError):
            versions[name] = open_library(name).version
    return state_of(versions, [read_manifest(path) for path in sorted(MODELS.glob("*.json"))])


def _manifests(arguments: argparse.Namespace) -> list[Manifest]:
    manifests = read_family(arguments.model)
    known = [m.crop for m in manifests]
    sizes = [_number("--sizes", text, 4096) for text in arguments.sizes.split(",")] if arguments.sizes else known
    if not set(sizes) <= set(known):
        raise BadInput(f"--sizes: {arguments.model} has {', '.join(map(str, known))}")
    chosen = [half_or(m) for m in manifests if m.crop in sizes]
    other = [m.name for m in chosen if not in_half(m)]
    if other:
        raise BadInput(f"{ONLY_HALF}, {', '.join(other)} {'is' if len(other) == 1 else 'are'} not")
    return chosen


def _number(option: str, text: str, largest: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 1 <= value <= largest:
        raise BadInput(f"{option} must be numbers from 1 to {largest}, not {text[:20]!r}")
    return value


class Bar:
    """How far a build is, on a terminal; elsewhere nothing."""

    def __init__(self, what: str, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._what, self._stream, self._clock = what, stream, clock
        self._live = stream.isatty()
        self._last = clock() - PAUSE_S
        self._shown = 0

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            print(f"\r{'':{self._shown}}\r", end="", file=self._stream, flush=True)

    def show(self, phase: str, share: float) -> None:
        """See `Progress`."""
        now = self._clock()
        if self._live and now - self._last >= PAUSE_S:
            self._last = now
            filled = round(BAR * share)
            text = f"[{'#' * filled}{'-' * (BAR - filled)}] {100 * share:3.0f} %  {self._what}: {phase}"
            text = text[: shutil.get_terminal_size().columns - 1]
            print(f"\r{text:{self._shown}}", end="", file=self._stream, flush=True)
            self._shown = len(text)
