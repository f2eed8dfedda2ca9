"""Built plans in the user's cache: found by what they were built from and for, whole or not at all.

A plan is one file: a line that says what follows (key, length, sha256), then the plan's bytes. What the line says is
checked before a byte of the plan is used, so a stale, foreign, truncated or unreadable file counts as not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from engines.errors import EngineError
from engines.manifest import Manifest
from engines.user_cache import user_cache
from engines.whole_file import PART, replace_file

SUFFIX = ".plan"
KERNELS = ".kernels"
"""Beside a plan of TensorRT-RTX: what it compiled for the GPU that it ran on"""
FORMAT = "clearcall plan 1"
LARGEST_HEADER = 4096
"""Bytes"""


@dataclass(frozen=True, slots=True)
class PlanKey:
    """All that decides what a plan does and where it runs."""

    model: str
    """Name of the manifest"""
    graph: str
    """sha256 of the graph and of its weights, in one"""
    library: str
    version: str
    """Of the library; plans of another are refused by it, at best"""
    capability: str
    """Compute capability it was built for, such as sm89"""
    precision: str
    max_batch: int

    @property
    def file_name(self) -> str:
        """Readable in front, unique at the end."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
        return f"{self.model}-{self.library}-{self.capability}-b{self.max_batch}-{digest[:16]}{SUFFIX}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A plan in the cache."""

    path: Path
    bytes: int
    key: PlanKey | None
    """None for a file that cannot be used"""


def key_of(manifest: Manifest, library: str, version: str, capability: str, max_batch: int) -> PlanKey:
    """The key of a graph's plan; only graphs in half precision take several sessions at once."""
    graph = hashlib.sha256(f"{manifest.graph.sha256} {manifest.weights.sha256}".encode()).hexdigest()
    half = any(state.dtype == "float16" for state in manifest.states)
    precision, batch = ("fp16", max_batch) if half else ("fp32", 1)
    return PlanKey(manifest.name, graph, library, version, capability, precision, batch)


def plan_folder() -> Path:
    """The cache's folder; it need not exist."""
    return user_cache("plans")


def load(folder: Path, key: PlanKey) -> bytes | None:
    """The plan of this key, or None where there is no whole one."""
    path = folder / key.file_name
    try:
        content = path.read_bytes()
    except OSError:
        return None
    header, _, plan = content.partition(b"\n")
    known = _header(header)
    if known is None or known[0] != key or len(plan) != known[1]:
        return None
    return plan if hashlib.sha256(plan).hexdigest() == known[2] else None


def store(folder: Path, key: PlanKey, plan: bytes) -> Path:
    """Keep a plan; it gets its name only when all of it is on the disk. EngineError where that cannot be."""
    header = {
        "format": FORMAT,
        "key": asdict(key),
        "bytes": len(plan),
        "sha256": hashlib.sha256(plan).hexdigest(),
    }
    target = folder / key.file_name
    try:
        replace_file(target, json.dumps(header).encode() + b"\n" + plan)
    except OSError as error:
        raise EngineError(f"{target.name} cannot be kept in {folder}: {error.strerror}") from error
    return target


def load_or_build(folder: Path, key: PlanKey, build: Callable[[], bytes]) -> tuple[bytes, bool]:
    """The plan, and whether it had to be built. Of two processes that want the same one, the second waits."""
    plan = load(folder, key)
    if plan is not None:
        return plan, False
    with _alone(folder, key):
        plan = load(folder, key)
        if plan is not None:
            return plan, False
        plan = build()
        store(folder, key, plan)
        return plan, True


def entries(folder: Path) -> list[Entry]:
    """All plans of the cache, by name; a file is not read beyond its header but for its length."""
    found = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            with path.open("rb") as file:
                line = file.readline(LARGEST_HEADER)
            size = path.stat().st_size
        except OSError:
            continue
        known = _header(line.rstrip(b"\n"))
        whole = known is not None and size == len(line) + known[1] and path.name == known[0].file_name
        found.append(Entry(path, size, known[0] if known and whole else None))
    return found


def prune(folder: Path, current: Callable[[PlanKey], bool]) -> list[Entry]:
    """Delete plans that are damaged or not `current`, and what lies about without a plan; returns the plans."""
    gone = []
    for entry in entries(folder):
        if entry.key is None or not current(entry.key):
            with contextlib.suppress(OSError):
                entry.path.unlink()
                gone.append(entry)
    kernels = [p for p in folder.glob(f"*{KERNELS}") if not p.with_suffix(SUFFIX).exists()]
    for path in (*folder.glob(f"{PART}*"), *kernels):
        with contextlib.suppress(OSError):
            path.unlink()
    return gone


def _header(line: bytes) -> tuple[PlanKey, int, str] | None:
    """Key, length and sha256 of a plan, or None for a line that says no such thing."""
    try:
        raw = json.loads(line)
        if raw["format"] != FORMAT:
            return None
        return PlanKey(**raw["key"]), int(raw["bytes"]), str(raw["sha256"])
    except (ValueError, KeyError, TypeError):
        return None


@contextlib.contextmanager
def _alone(folder: Path, key: PlanKey) -> Iterator[None]:
    """Hold the lock of a key; the system lets go of it when a process dies."""
    try:
        import fcntl
    except ImportError:
        # Windows: both build, and the later one replaces the earlier one's file by an equal one.
        yield
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / f".{key.file_name}.lock").open("wb")
    except OSError as error:
        raise EngineError(f"plans cannot be kept in {folder}: {error.strerror}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
