"""What lies in the plan cache: a table of it, and what of it can go."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engines.errors import EngineError
from engines.manifest import Manifest
from engines.plan_cache import KERNELS, SUFFIX, PlanKey, key_of, read_plan
from engines.whole_file import PART

CURRENT, OUT_OF_DATE, UNUSED = "current", "out of date", "unused"
LEFT_S = 3600.0
"""Age of a file being written that nobody is writing any more; a plan takes seconds."""

State = Callable[[PlanKey], str]
"""CURRENT, OUT_OF_DATE or UNUSED, of a whole plan"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A plan in the cache."""

    path: Path
    bytes: int
    key: PlanKey | None
    """None for a file that cannot be used"""
    fault: str = ""
    """Why not"""


def entries(folder: Path) -> list[Entry]:
    """All plans of the cache, by name, read to their end; EngineError where the folder cannot be looked into."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise EngineError(f"{folder} cannot be read: {error.strerror}") from error
    return [_entry(path) for path in paths]


def _entry(path: Path) -> Entry:
    size = 0
    try:
        size = path.lstat().st_size
        found = read_plan(path)
    except OSError as error:
        return Entry(path, size, None, f"cannot be read: {error.strerror}")
    return Entry(path, size, None, "damaged") if found is None else Entry(path, size, found[0])


def state_of(versions: dict[str, str], known: list[Manifest]) -> State:
    """Says whether a plan is of an installed library, by name and version, and of a known graph.

    A plan is unused while its library cannot be loaded: it may be tomorrow, and the plan took minutes.
    """

    def state(key: PlanKey) -> str:
        same = (key.library, key.version, key.capability, key.max_batch, key.gpu)
        if not any(key == key_of(manifest, *same) for manifest in known):
            return OUT_OF_DATE
        version = versions.get(key.library)
        return UNUSED if version is None else CURRENT if version == key.version else OUT_OF_DATE

    return state


def listing(folder: Path, found: list[Entry], state: State) -> str:
    """A table of plans."""
    if not found:
        return f"no plans in {folder}"
    lines = [f"{'model':<20}{'for':<7}{'library':<26}{'precision':<11}{'batch':>5}{'MB':>8}  state"]
    for entry in found:
        key, size = entry.key, entry.bytes / 1e6
        if key is None:
            lines.append(f"{entry.path.name}  {size:.1f} MB  {entry.fault}")
            continue
        library = f"{key.library} {key.version}"
        lines.append(
            f"{key.model:<20}{key.capability:<7}{library:<26}{key.precision:<11}{key.max_batch:>5}{size:>8.1f}"
            f"  {state(key)}{f', {key.gpu}' if key.gpu else ''}"
        )
    return "\n".join([*lines, str(folder)])


def prune(folder: Path, state: State) -> tuple[list[Path], list[str]]:
    """Delete plans that are damaged or out of date, and what lies about without a plan.

    Returns:
        What was deleted, and what could not be, with the reason.

    Raises:
        EngineError: The folder cannot be looked into.
    """
    gone, stuck = [], []
    old = [entry.path for entry in entries(folder) if entry.key is None or state(entry.key) == OUT_OF_DATE]
    for path in (*old, *_left(folder, old)):
        try:
            path.unlink()
            gone.append(path)
        except OSError as error:
            stuck.append(f"{path} cannot be deleted: {error.strerror}")
    return gone, stuck


def _left(folder: Path, old: list[Path]) -> Iterator[Path]:
    """Files of plans that are not there, or will be gone, and of writing that was broken off."""
    for path in folder.glob(f"*{KERNELS}"):
        plan = path.with_suffix(SUFFIX)
        if plan in old or not plan.exists():
            yield path
    for path in folder.glob(f"{PART}*"):
        with contextlib.suppress(OSError):
            # Another process may be about to finish it.
            if time.time() - path.stat().st_mtime > LEFT_S:
                yield path
