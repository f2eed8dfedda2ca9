"""TensorRT or TensorRT-RTX, whichever is installed: the same Python interface, other rules."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from engines.errors import BadInput, EngineError, first_line

MODULES = {"tensorrt": "tensorrt", "tensorrt-rtx": "tensorrt_rtx"}
"""Name of the distribution to its module, the better one first."""
LOWEST = (10, 9)
"""Of TensorRT; the package asks for the same. Before 10.0 nearly everything has other names and strongly typed networks
are new, before 10.8 there is no sm120; nothing older than this was looked at."""


@dataclass(frozen=True, slots=True)
class Library:
    """An installed library."""

    name: str
    module: Any
    version: str

    @property
    def ahead_of_time(self) -> bool:
        """Whether it builds plans for GPUs that are not there."""
        return self.name == "tensorrt-rtx"

    def capabilities(self) -> list[str]:
        """What it can build for ahead of time, such as sm89."""
        if not self.ahead_of_time:
            return []
        names = [n.lower() for n in self.module.ComputeCapability.__members__ if n.startswith("SM")]
        return sorted(names, key=lambda name: int(name[2:]))

    def named(self, capability: str) -> str | None:
        """A GPU's capability as the library is told it; None where it has no name for one that may still be here."""
        return capability if capability in self.capabilities() else None

    def bound_to(self, gpu: str) -> str:
        """The one GPU model that its plans are for, given the name of the GPU; empty where others can use them."""
        return "" if self.ahead_of_time else gpu


def open_library(name: str) -> Library:
    """Import a library; EngineError says why it cannot be used."""
    try:
        module = importlib.import_module(MODULES[name])
        version = str(module.__version__)
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == MODULES[name]
        raise EngineError("not installed" if missing else f"cannot be loaded: {first_line(error)}") from error
    except Exception as error:  # its own loader raises whatever comes
        raise EngineError(f"cannot be loaded: {first_line(error)}") from error
    if name == "tensorrt" and tuple(int(part) for part in version.split(".")[:2]) < LOWEST:
        raise EngineError(f"version {version} is too old, {LOWEST[0]}.{LOWEST[1]} is the oldest that will do")
    return Library(name, module, version)


def find_library(backend: str) -> Library:
    """The library named, or with `auto` the best that is installed; BadInput where there is none."""
    if backend != "auto" and backend not in MODULES:
        raise BadInput(f"--backend must be auto, {', '.join(MODULES)}, not {backend!r}")
    reasons = []
    for name in MODULES if backend == "auto" else (backend,):
        try:
            return open_library(name)
        except EngineError as error:
            reasons.append(f"{name} {error}")
    wanted = "tensorrt-rtx, or tensorrt" if backend == "auto" else backend
    raise BadInput(f"{'; '.join(reasons)}: pip install --upgrade {wanted}")
