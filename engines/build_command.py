"""`clearcall build`: TensorRT plans for this machine's GPU, or ahead of time for others."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from engines import plan_cache
from engines.choice import half_or
from engines.cuda import cuda_device
from engines.errors import BadInput, ClearcallError, EngineError
from engines.manifest import MODELS, Manifest, read_family, read_manifest
from engines.plan_build import LARGEST_BATCH, MAX_BATCH, build
from engines.plan_cache import Entry, PlanKey, key_of, load_or_build, plan_folder
from engines.tensorrt import TIMING
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
    """Build, list or prune; returns the exit status.

    Raises:
        BadInput: An argument is wrong, or there is nothing to build with or for.
        EngineError: A plan cannot be built or kept.
    """
    folder = plan_folder()
    if arguments.list or arguments.prune:
        current = _current()
        if arguments.prune:
            for entry in plan_cache.prune(folder, current):
                print(f"deleted {entry.path.name}")
        if arguments.list:
            print(listing(folder, plan_cache.entries(folder), current))
        return 0
    manifests = _manifests(arguments)
    max_batch = _number("--max-batch", arguments.max_batch, LARGEST_BATCH)
    library = find_library(arguments.backend)
    capabilities = targets(library, arguments.capabilities)
    with _interrupted() as stopped:
        for capability in capabilities:
            for manifest in manifests:
                _build(library, manifest, capability, max_batch, folder, stopped)
    return 0


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


def _build(
    library: Library, manifest: Manifest, capability: str, max_batch: int, folder: Path, stopped: Callable[[], bool]
) -> None:
    key = key_of(manifest, library.name, library.version, capability, max_batch)
    what = f"{manifest.name} for {capability}"
    began = time.monotonic()
    # A GPU that is here, but that the library has no name for, may still be one it can build for.
    named = capability if capability in library.capabilities() else None
    with Bar(what, sys.stderr, stopped) as bar:
        plan, built = load_or_build(
            folder, key, lambda: build(library, manifest, named, key.max_batch, bar.show, folder / TIMING)
        )
    if stopped():
        raise KeyboardInterrupt
    took = f"built in {time.monotonic() - began:.1f} s" if built else "there already"
    print(f"{what}: {took}, {len(plan) / 1e6:.1f} MB, {library.name} {library.version}, {key.precision}", flush=True)


def listing(folder: Path, entries: list[Entry], current: Callable[[PlanKey], bool]) -> str:
    """A table of plans."""
    if not entries:
        return f"no plans in {folder}"
    lines = [f"{'model':<20}{'for':<7}{'library':<26}{'precision':<11}{'batch':>5}{'MB':>8}  state"]
    for entry in entries:
        key, size = entry.key, entry.bytes / 1e6
        if key is None:
            lines.append(f"{entry.path.name}  {size:.1f} MB  damaged")
            continue
        library = f"{key.library} {key.version}"
        state = "current" if current(key) else "out of date"
        lines.append(
            f"{key.model:<20}{key.capability:<7}{library:<26}{key.precision:<11}{key.max_batch:>5}{size:>8.1f}  {state}"
        )
    return "\n".join([*lines, str(folder)])


def _current() -> Callable[[PlanKey], bool]:
    """Whether a plan is of a graph and a library that are installed."""
    versions = {}
    for name in MODULES:
        with contextlib.suppress(EngineError):
            versions[name] = open_library(name).version
    known = [read_manifest(path) for path in sorted(MODELS.glob("*.json"))]

    def current(key: PlanKey) -> bool:
        return versions.get(key.library) == key.version and any(
            key == key_of(m, key.library, key.version, key.capability, key.max_batch) for m in known
        )

    return current


def _manifests(arguments: argparse.Namespace) -> list[Manifest]:
    manifests = read_family(arguments.model)
    known = [m.crop for m in manifests]
    sizes = [_number("--sizes", text, 4096) for text in arguments.sizes.split(",")] if arguments.sizes else known
    if not set(sizes) <= set(known):
        raise BadInput(f"--sizes: {arguments.model} has {', '.join(map(str, known))}")
    return [half_or(m) for m in manifests if m.crop in sizes]


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

    def __init__(
        self, what: str, stream: TextIO, stopped: Callable[[], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._what, self._stream, self._stopped, self._clock = what, stream, stopped, clock
        self._live = stream.isatty()
        self._last = clock() - PAUSE_S
        self._shown = 0

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            print(f"\r{'':{self._shown}}\r", end="", file=self._stream, flush=True)

    def show(self, phase: str, share: float) -> bool:
        """See `Progress`."""
        now = self._clock()
        if self._live and now - self._last >= PAUSE_S:
            self._last = now
            filled = round(BAR * share)
            text = f"[{'#' * filled}{'-' * (BAR - filled)}] {100 * share:3.0f} %  {self._what}: {phase}"
            text = text[: shutil.get_terminal_size().columns - 1]
            print(f"\r{text:{self._shown}}", end="", file=self._stream, flush=True)
            self._shown = len(text)
        return not self._stopped()


@contextlib.contextmanager
def _interrupted() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed: an exception must not cross the library, which asks now and then."""
    pressed = [False]

    def press(*_: object) -> None:
        pressed[0] = True

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed[0]
    except ClearcallError:
        if pressed[0]:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, before)
