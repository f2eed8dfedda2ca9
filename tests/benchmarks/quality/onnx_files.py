"""Small ONNX files for the tests."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper


def write_scaling(path: Path, factor: float, edge: int | None = None, channels: int = 3) -> Path:
    """A model that multiplies a picture by `factor`; of any size unless there is an edge."""
    shape = [1, channels, edge or "h", edge or "w"]
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "f"], ["y"])],
        "scaling",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [helper.make_tensor("f", TensorProto.FLOAT, [], [factor])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, str(path))
    return path
