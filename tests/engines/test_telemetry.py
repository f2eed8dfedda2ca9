"""Nothing that clearcall runs reports to anybody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "first", ["stream.cli", "engines.self_timing", "export.int8_frames", "benchmarks.engine", "benchmarks.gpu_limits"]
)
def test_onnx_runtime_keeps_no_record_of_who_uses_it(first: str, tmp_path: Path) -> None:
    """Guards against a device number and a queue of events in the user's cache, sent to ONNX Runtime's maker.

    It is told not to by a variable that must be there before it is imported, whatever is imported first.
    """
    program = f"import {first}, onnxruntime; from pathlib import Path; import engines\n"
    program += "graph = Path(engines.__file__).parent / 'models' / 'lite-256.onnx'\n"
    program += "onnxruntime.InferenceSession(str(graph), providers=['CPUExecutionProvider'])"
    home = {name: str(tmp_path) for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    subprocess.run([sys.executable, "-c", program], env={**kept, **home}, check=True, timeout=120)
    assert not list(tmp_path.rglob("*"))
