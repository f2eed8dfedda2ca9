"""The plan that this machine's GPU needs: from the cache, or built."""

from __future__ import annotations

import logging
from pathlib import Path

from engines.cuda import CudaDevice
from engines.errors import EngineError
from engines.manifest import Manifest
from engines.plan_build import build, logger
from engines.plan_cache import PlanKey, find, key_of, load_or_build
from engines.plan_lock import NotKept
from engines.precision import in_half
from engines.tensorrt_library import Library

TIMING = "timing.cache"
"""Beside the plans"""
ONLY_HALF = "TensorRT runs only graphs in half precision"
"""It cannot read those in float32, which pick bytes, nor those with 8-bit integers."""

log = logging.getLogger(__name__)


def plan_for(
    library: Library, manifest: Manifest, device: CudaDevice, max_batch: int, may_build: bool, folder: Path
) -> tuple[PlanKey, bytes]:
    """A plan and its key.

    Args:
        library: What runs it.
        manifest: The graph.
        device: The GPU, entered.
        max_batch: Sessions of one step; a plan for more does as well, and where none may be built one for fewer, too.
        may_build: Whether it is built where there is none, or none that the library takes.
        folder: Where plans are kept.

    Raises:
        EngineError: There is no plan and none may be built, or it cannot be built.
        ModelError: The graph is damaged.
    """
    if not in_half(manifest):
        raise EngineError(f"{ONLY_HALF}, {manifest.name} is not")
    bound = library.bound_to(device.name)
    key = key_of(manifest, library.name, library.version, device.capability, max_batch, bound)
    found = find(folder, key, least=key.max_batch if may_build else 1)
    if not may_build:
        if found is None:
            raise EngineError(f"no plan of {manifest.name} for {device.capability} yet: clearcall build makes it")
        return found
    if found is not None and refusal(library, found[1]) is None:
        return found
    return key, _built(library, manifest, key, folder)


def _built(library: Library, manifest: Manifest, key: PlanKey, folder: Path) -> bytes:
    """The plan, of use also where it cannot be kept."""
    made: list[bytes] = []

    def building() -> bytes:
        log.warning("building a plan of %s, which may take minutes (clearcall build does so ahead)", manifest.name)
        named = library.named(key.capability)
        plan = build(library, manifest, named, key.max_batch, lambda what, share: None, folder / TIMING)
        made.append(accepted(library, manifest, plan))
        return plan

    try:
        return load_or_build(folder, key, building, lambda plan: refusal(library, plan) is not None)[0]
    except NotKept as error:
        log.warning("%s; the next start has to build it again", error)
        return made[0] if made else building()


def refusal(library: Library, plan: bytes) -> str | None:
    """Why the library does not take a plan on this machine's GPU; None where it does."""
    said = logger(library.module)
    runtime = library.module.Runtime(said)
    return str(said.last) if runtime.deserialize_cuda_engine(plan) is None else None


def accepted(library: Library, manifest: Manifest, plan: bytes) -> bytes:
    """The plan, just built on this machine for its own GPU; EngineError where the library refuses it all the same."""
    why = refusal(library, plan)
    if why is not None:
        raise EngineError(f"the plan of {manifest.name} is refused: {why}")
    return plan
