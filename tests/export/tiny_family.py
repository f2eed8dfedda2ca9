"""A tiny exported model, made once for all tests that run graphs."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

from engines.manifest import Manifest, read_family
from export.half_family import export_half
from export.onnx_graph import export_family
from generator.model import Generator
from tests.generator.tiny import shaken, tiny_generator

SIZES = (64, 96, 128)
TRAINING = {"minutes": 1.5, "steps": 7, "attributions": ["CC0"]}

_FOLDER = tempfile.TemporaryDirectory(prefix="clearcall-tests-")
_HALVES = tempfile.TemporaryDirectory(prefix="clearcall-tests-")


@cache
def generator() -> Generator:
    """What was exported: weights at random."""
    return shaken(tiny_generator())


@cache
def manifests() -> list[Manifest]:
    """The graphs of the family `tiny`, by size; the files are not to be changed."""
    return export_family(generator(), "tiny", SIZES, Path(_FOLDER.name), TRAINING)


@cache
def halves() -> list[Manifest]:
    """The same graphs in half precision, `tiny-fp16`, in a folder of their own beside `tiny`."""
    folder = Path(_HALVES.name)
    shutil.copytree(manifests()[0].graph.path.parent, folder, dirs_exist_ok=True)
    return export_half(read_family("tiny", folder))
