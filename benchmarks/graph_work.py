"""Operations and bytes of a step, counted from the graph: what no engine can do without (needs onnx)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import TensorProto

BYTES = {TensorProto.FLOAT: 4, TensorProto.FLOAT16: 2, TensorProto.UINT8: 1}


@dataclass(frozen=True, slots=True)
class Work:
    """Of one step of one session."""

    macs: int
    """Multiply-accumulates of convolutions and matrix products"""
    weight_bytes: int
    """Read once a step, whatever the batch"""
    session_bytes: int
    """Inputs and states read, outputs and states written"""

    def bytes(self, batch: int) -> int:
        """The least that a step of so many sessions has to move."""
        return self.weight_bytes + batch * self.session_bytes

    def seconds(self, batch: int, bytes_per_s: float, macs_per_s: float) -> float:
        """The roofline: what a step takes at least, limited by the memory or by the arithmetic."""
        return max(self.bytes(batch) / bytes_per_s, batch * self.macs / macs_per_s)


def count(path: Path) -> Work:
    """Count one graph; an open batch is taken as one session."""
    model = onnx.load(str(path))
    graph = onnx.shape_inference.infer_shapes(model).graph
    values = (*graph.input, *graph.output, *graph.value_info)
    shapes = {v.name: [d.dim_value or 1 for d in v.type.tensor_type.shape.dim] for v in values}
    shapes |= {t.name: list(t.dims) for t in graph.initializer}
    return Work(
        sum(_macs(node, shapes) for node in graph.node),
        sum(math.prod(t.dims) * BYTES.get(t.data_type, 0) for t in graph.initializer),
        sum(math.prod(shapes[v.name]) * BYTES[v.type.tensor_type.elem_type] for v in (*graph.input, *graph.output)),
    )


def _macs(node: onnx.NodeProto, shapes: dict[str, list[int]]) -> int:
    out = math.prod(shapes.get(node.output[0], [0]))
    if node.op_type == "Conv":
        # [out, in / groups, kernel ...]
        return out * math.prod(shapes[node.input[1]][1:])
    if node.op_type == "MatMul":
        return out * shapes[node.input[0]][-1]
    if node.op_type == "Gemm":
        turned = any(a.name == "transA" and a.i for a in node.attribute)
        return out * shapes[node.input[0]][0 if turned else -1]
    return 0
