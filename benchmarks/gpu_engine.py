"""One engine on one graph, as a part of the check of a GPU; needs numpy, onnx and onnxruntime, and nothing else.

Started as `python -m benchmarks.gpu_engine FILE.json FOLDER MODEL SIZE ENGINE [LIMITS.json]`: a file for the figures,
the graphs' folder, which graph, which engine, and what `benchmarks.gpu_limits` wrote.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.all_engines import measure
from benchmarks.json_file import write_json
from engines.errors import ClearcallError
from engines.manifest import read_family

BATCHES = (1, 4, 8, 16)
STEPS = 100


def main(arguments: Sequence[str], batches: Sequence[int] = BATCHES, steps: int = STEPS) -> int:
    """Measure, writing down after each figure; 1 where the engine cannot be used."""
    target, folder, model, size, engine, *rest = arguments
    try:
        manifests = [m for m in read_family(model, Path(folder)) if m.crop == int(size)]
        content = measure(
            manifests, [engine], batches, steps, limits=_limits(rest), keep=lambda c: write_json(Path(target), c)
        )
    except ClearcallError as error:
        content = {"rows": [], "missing": {engine: str(error)}}
    write_json(Path(target), content)
    return int(bool(content["missing"]))


def _limits(given: Sequence[str]) -> dict[str, Any] | None:
    """What was measured before, if it was."""
    try:
        found: dict[str, Any] | None = json.loads(Path(given[0]).read_text(encoding="utf-8")).get("limits")
    except (IndexError, OSError, ValueError):
        return None
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
