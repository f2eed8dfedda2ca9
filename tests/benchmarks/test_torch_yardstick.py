"""Torch as the yardstick: half precision throughout, nothing converted anew that need not be, and errors stay rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from benchmarks import torch_yardstick
from benchmarks.torch_yardstick import WAYS, Case, main, measure
from export.fold import folded
from export.wrapper import GraphModule
from generator.config import CONFIGS
from tests.generator.tiny import TINY, tiny_generator


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own
    """Notes what is called, and the shapes and devices that go in and come out."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's own
        self.converted: set[int] = set()
        self.from_memory: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        tensors = [t for t in tree_leaves((args, kwargs, out)) if isinstance(t, torch.Tensor)]
        if any(t.device.type == "cpu" for t in tensors):
            self.from_memory.append(str(func))
        if "_to_copy" in str(func):
            self.converted.add(args[0].data_ptr())
        return out


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONFIGS, "tiny", TINY)


def test_a_step_needs_nothing_from_ordinary_memory() -> None:
    """A CUDA graph can record no copy from there; `meta` stands for any device that is not the CPU."""
    module = GraphModule(folded(tiny_generator()), 64).eval().to("meta")
    inputs = [tensor.to("meta") for tensor in module.example_inputs(2).values()]
    with Watch() as watch, torch.no_grad():
        module(*inputs)
    assert watch.from_memory == []


def test_weights_are_half_once_and_for_all_and_states_are_carried() -> None:
    case = Case("tiny", 64, 2, compiled=False, device="cpu")
    module = case._module
    assert isinstance(module, GraphModule)
    weights = [*module.parameters(), *module.buffers()]
    assert {w.dtype for w in weights if w.is_floating_point()} == {torch.float16}
    assert case.inputs["key0_1"].dtype == torch.float16
    case._host["y"].random_(256)
    case.enqueue()
    before = case.inputs["restored"].clone()
    case._host["y"].random_(256)
    with Watch() as watch:
        case.enqueue()
    assert not watch.converted.intersection(w.data_ptr() for w in weights)
    assert before.any() and not torch.equal(before, case.inputs["restored"])
    assert case.back[0].float().std() > 1
    assert all(torch.isfinite(case.inputs[name]).all() for name in case.states)


def test_what_fails_is_a_row_with_its_reason() -> None:
    row = measure("no such", 64, 1, "eager")
    assert row["error"] == "'no such'" and row["engine"] == "torch eager"


def test_without_a_gpu_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main(tmp_path / "out.json", "graph") == 1
    assert "no CUDA device" in json.loads((tmp_path / "out.json").read_text())["missing"]["torch"]


def test_after_a_lost_device_the_rest_is_named_as_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int, int]] = []

    def failing(name: str, size: int, batch: int, way: str) -> dict[str, Any]:
        asked.append((name, size, batch))
        return {"graph": name, "error": "capture failed"}

    def lost() -> None:
        raise RuntimeError("CUDA error: an illegal memory access\nmore")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "some GPU")
    monkeypatch.setattr(torch.cuda, "synchronize", lost)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    monkeypatch.setattr(torch_yardstick, "measure", failing)
    assert main(tmp_path / "out.json", WAYS[0]) == 0
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert len(asked) == 1 and len(rows) == 8
    assert rows[0]["error"] == "capture failed"
    assert {row["error"] for row in rows[1:]} == {"not run after: CUDA error: an illegal memory access"}
