"""The check's own model: an engine would refuse it if half precision overflowed in it."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from benchmarks.gpu_models import export_models, fit_for_use
from engines.errors import EngineError
from generator.config import CONFIGS
from tests.export.tiny_family import halves, manifests
from tests.generator.tiny import TINY


def test_all_graphs_are_written_and_fit_for_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(CONFIGS, "tiny", TINY)
    assert [m.name for m in export_models(tmp_path, {"tiny": (64,)})] == ["tiny-64", "tiny-fp16-64"]
    assert "tiny-fp16-64: off by" in capsys.readouterr().out


def test_one_that_overflows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half precision ends at 65504."""
    from export import half_check

    real = half_check.rounded

    def overflowing(model: onnx.ModelProto) -> onnx.ModelProto:
        out = real(model)
        for tensor in out.graph.initializer:
            if tensor.name == "too_large":
                tensor.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor) / 1e5, tensor.name))
        return out

    monkeypatch.setattr(half_check, "rounded", overflowing)
    with pytest.raises(EngineError, match="tiny-fp16-64"):
        fit_for_use(manifests()[0], halves()[0])
