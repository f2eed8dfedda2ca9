"""`clearcall doctor`: shows what this machine has, and says for each missing thing what to do about it."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.errors import ClearcallError, EngineError, ModelError
from engines.install_hint import pip_install, restore_models

PYTHON = (3, 11)
PACKAGES = ("numpy", "av", "aiortc", "aiohttp", "opencv-python-headless", "ai-edge-litert")
RUNTIMES = ("onnxruntime-gpu", "onnxruntime")
"""Either will do; the first also knows NVIDIA's GPUs."""
ENCODERS = {
    "libx264": "files and calls in H.264",
    "ffv1": "clearcall filter --lossless",
    "libvpx": "calls in VP8",
}
"""Encoder to what needs it."""
REINSTALL = restore_models()


@dataclass(slots=True, frozen=True)
class Finding:
    """One line of the table."""

    name: str
    value: str
    hint: str | None = None
    """What to do; None where nothing is missing."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command takes none."""


def run(arguments: argparse.Namespace) -> int:
    """Print the tables; the exit status is 0 if all is there that clearcall needs, else 1."""
    found = examine()
    print(report(found), flush=True)
    print(f"\nfor the webcam alone, where one output will do:\n{report(webcam())}", flush=True)
    return int(any(finding.hint for finding in found))


def examine() -> list[Finding]:
    """Look at this machine."""
    return [
        python(sys.version_info[:3]),
        *packages(),
        cores(),
        providers(),
        *gpu(),
        *encoders(),
        *models(),
        face_models(),
    ]


def report(found: Iterable[Finding]) -> str:
    """The table, and below it one line for each thing that is missing."""
    rows = list(found)
    width = max(len(row.name) for row in rows)
    lines = [f"{'!' if row.hint else ' '} {row.name:<{width}}  {row.value}" for row in rows]
    hints = [f"{row.name}: {row.hint}" for row in rows if row.hint]
    return "\n".join([*lines, "", *(hints or ["all there"])])


def python(version: tuple[int, ...]) -> Finding:
    """The interpreter, given its version."""
    text = f"{'.'.join(map(str, version))} on {platform.system()} {platform.machine()}"
    wanted = ".".join(map(str, PYTHON))
    return Finding("Python", text, None if version[:2] >= PYTHON else f"clearcall needs Python {wanted} or newer")


def packages(version: Callable[[str], str] = importlib.metadata.version) -> list[Finding]:
    """The packages of the run time; `version` tells a package's version or raises PackageNotFoundError."""
    own = _version("clearcall", version)
    found = [Finding("clearcall", own or "run from its folder, not installed")]
    for name in PACKAGES:
        text = _version(name, version)
        found.append(Finding(name, text or "missing", None if text else pip_install(name)))
    runtime = next((f"{name} {text}" for name in RUNTIMES if (text := _version(name, version))), None)
    found.append(Finding("ONNX Runtime", runtime or "missing", None if runtime else pip_install(RUNTIMES[-1])))
    return found


def _version(name: str, version: Callable[[str], str]) -> str | None:
    try:
        return version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def cores() -> Finding:
    """How many processor cores this process may use."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Finding("CPU cores", str(count))


def providers() -> Finding:
    """What ONNX Runtime can run graphs on here."""
    try:
        import onnxruntime
    except ImportError as error:
        return Finding("providers", "none", f"ONNX Runtime cannot be loaded ({error}): {pip_install(RUNTIMES[-1])}")
    names = [str(name).removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers()]
    hint = None if "CPU" in names else f"ONNX Runtime was built without CPU support: {pip_install(RUNTIMES[-1])}"
    return Finding("providers", f"built for {', '.join(names) or 'nothing'}", hint)


def gpu(find: Callable[[], Any] | None = None, library: Callable[[str], Any] | None = None) -> list[Finding]:
    """The GPU and what compiles plans for it; clearcall needs neither.

    `find` opens the GPU and `library` TensorRT by name; both raise EngineError with the reason why not.
    """
    from engines.cuda import cuda_device
    from engines.tensorrt_library import MODULES, open_library

    find, library = find or cuda_device, library or open_library
    try:
        device = find()
        found = [Finding("GPU", f"{device.capability}, {device.memory()[1] / 2**30:.0f} GiB")]
    except EngineError as error:
        found = [Finding("GPU", f"none ({error}): the CPU does the work")]
    for name in MODULES:
        try:
            found.append(Finding(name, library(name).version))
        except EngineError as error:
            found.append(Finding(name, str(error)))
    return found


def encoders(names: Iterable[str] = tuple(ENCODERS)) -> list[Finding]:
    """Whether PyAV's FFmpeg has these encoders."""
    try:
        import av
        from av.codec.codec import UnknownCodecError
    except ImportError as error:
        return [Finding("encoders", "none", f"PyAV cannot be loaded ({error}): {pip_install('av')}")]
    found = []
    for name in names:
        try:
            text = av.Codec(name, "w").long_name
        except UnknownCodecError:
            why = f"this PyAV was built without it ({ENCODERS.get(name, name)})"
            found.append(Finding(name, "missing", f"{why}: {pip_install('--force-reinstall', 'av')}"))
        else:
            found.append(Finding(name, text))
    return found


def models(folder: Path | None = None) -> list[Finding]:
    """The restoration models: each graph and whether its files are the ones its manifest names."""
    from engines.manifest import MODELS, read_manifest

    folder = MODELS if folder is None else folder
    found = []
    for path in sorted(folder.glob("*.json")):
        name = f"model {path.stem}"
        try:
            manifest = read_manifest(path)
            manifest.graph.check()
            manifest.weights.check()
        except ModelError as error:
            found.append(Finding(name, str(error), REINSTALL))
        else:
            found.append(Finding(name, f"{manifest.crop}x{manifest.crop}, sha256 right"))
    return found or [Finding("model", f"none in {folder}", REINSTALL)]


def face_models() -> Finding:
    """Where MediaPipe's face models are; looks only, fetches nothing."""
    from stream.face.models import HELP, cache_directory, find_models

    try:
        there = find_models()
    except ClearcallError as error:
        return Finding("face models", "wrong", str(error))
    if there is None:
        where = f"fetched into {cache_directory()} at first use"
        return Finding("face models", f"not here yet: {where} (without a network, {HELP})")
    return Finding("face models", f"{there.detector.parent}, sha256 right")


def webcam() -> list[Finding]:
    """Cameras and virtual cameras, as `clearcall webcam --list` tells; files and calls need none."""
    try:
        from stream.webcam.listing import examine
        from stream.webcam.settings import WebcamSettings

        return examine(WebcamSettings())
    except Exception as error:  # such as a package that the first table names, or whatever a driver comes up with
        return [Finding("webcam", "not looked at", str(error))]
