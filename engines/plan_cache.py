"""Built plans in the user's cache: found by what they were built from and for, whole or not at all.

A plan is one file: a line that says what follows (key, length, sha256), then the plan's bytes. What the line says is
checked before a byte of the plan is used, so a stale, foreign, truncated or unreadable file counts as not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from engines.manifest import Manifest
from engines.plan_lock import NotKept, alone
from engines.precision import FP16, FP32, in_half
from engines.user_cache import user_cache
from engines.whole_file import PART, replace_file

SUFFIX = ".plan"
KERNELS = ".kernels"
"""Beside a plan of TensorRT-RTX: what it compiled for the GPU that it ran on"""
FORMAT = "clearcall plan 2"
LARGEST_HEADER = 4096
"""Bytes"""
PROBE = bytes(32 << 20)
"""What must find room before a plan is built: about the size of one"""


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
    gpu: str
    """Name of the one GPU model that it is for; empty where any of the capability will do"""

    @property
    def file_name(self) -> str:
        """Readable in front, unique at the end."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
        return f"{self.model}-{self.library}-{self.capability}-b{self.max_batch}-{digest[:16]}{SUFFIX}"


def key_of(manifest: Manifest, library: str, version: str, capability: str, max_batch: int, gpu: str = "") -> PlanKey:
    """The key of a graph's plan; only graphs in half precision take several sessions at once."""
    graph = hashlib.sha256(f"{manifest.graph.sha256} {manifest.weights.sha256}".encode()).hexdigest()
    precision, batch = (FP16, max_batch) if in_half(manifest) else (FP32, 1)
    return PlanKey(manifest.name, graph, library, version, capability, precision, batch, gpu)


def plan_folder() -> Path:
    """The cache's folder; it need not exist."""
    return user_cache("plans")


def read_plan(path: Path) -> tuple[PlanKey, bytes] | None:
    """Key and plan of a file; None where it is no whole plan under its own name, OSError where it cannot be read."""
    header, _, plan = path.read_bytes().partition(b"\n")
    known = _header(header)
    if known is None or known[0].file_name != path.name or len(plan) != known[1]:
        return None
    return (known[0], plan) if hashlib.sha256(plan).hexdigest() == known[2] else None


def load(folder: Path, key: PlanKey) -> bytes | None:
    """The plan of this key, or None where there is no whole one."""
    try:
        found = read_plan(folder / key.file_name)
    except OSError:
        return None
    return None if found is None else found[1]


def find(folder: Path, key: PlanKey, least: int = 1) -> tuple[PlanKey, bytes] | None:
    """The plan of this key; without one, the one for most sessions, `least` or more, that is the same otherwise."""
    others = [o for o in _keys(folder) if o.max_batch >= least and replace(o, max_batch=key.max_batch) == key]
    for wanted in (key, *sorted(others, key=lambda other: -other.max_batch)):
        plan = load(folder, wanted)
        if plan is not None:
            return wanted, plan
    return None


def _keys(folder: Path) -> list[PlanKey]:
    """What the files call themselves, which need not be true."""
    found = []
    for path in folder.glob(f"*{SUFFIX}"):
        with contextlib.suppress(OSError), path.open("rb") as file:
            known = _header(file.readline(LARGEST_HEADER).rstrip(b"\n"))
            found += [known[0]] if known else []
    return found


def store(folder: Path, key: PlanKey, plan: bytes) -> Path:
    """Keep a plan; it gets its name only when all of it is on the disk. NotKept where that cannot be."""
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
        raise NotKept(f"{target.name} cannot be kept in {folder}: {error.strerror}") from error
    return target


def load_or_build(
    folder: Path, key: PlanKey, build: Callable[[], bytes], refused: Callable[[bytes], bool] = lambda plan: False
) -> tuple[bytes, bool]:
    """The plan, and whether it had to be built. Of two processes that want the same one, the second waits.

    Args:
        folder: Where plans are kept.
        key: Of the plan.
        build: Builds it.
        refused: Whether a plan that is there is of no use all the same; it is built anew then.

    Raises:
        NotKept: It cannot be written down, which is found out before it is built unless the room goes meanwhile.
    """

    def there() -> bytes | None:
        plan = load(folder, key)
        return None if plan is None or refused(plan) else plan

    plan = there()
    if plan is not None:
        return plan, False
    with alone(folder, key.file_name):
        plan = there()
        if plan is not None:
            return plan, False
        _make_sure_of_room(folder, key)
        plan = build()
        store(folder, key, plan)
        return plan, True


def _make_sure_of_room(folder: Path, key: PlanKey) -> None:
    """NotKept where a plan could not be written down: building it takes minutes."""
    if (folder / key.file_name).is_dir():
        raise NotKept(f"{key.file_name} cannot be kept in {folder}: a folder has this name")
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=PART) as file:
            file.write(PROBE)
    except OSError as error:
        raise NotKept(f"{key.file_name} cannot be kept in {folder}: {error.strerror}") from error


def _header(line: bytes) -> tuple[PlanKey, int, str] | None:
    """Key, length and sha256 of a plan, or None for a line that says no such thing."""
    try:
        raw = json.loads(line)
        if raw["format"] != FORMAT:
            return None
        return PlanKey(**raw["key"]), int(raw["bytes"]), str(raw["sha256"])
    except (ValueError, KeyError, TypeError):
        return None
