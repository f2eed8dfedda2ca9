"""Bytes only where a graph begins and ends: TensorRT takes 8-bit tensors as inputs and outputs, not in between."""

from __future__ import annotations

import copy

import numpy as np
import onnx
from onnx import TensorProto

ALLOWED = {"Cast", "Identity"}
"""Operators that TensorRT runs on bytes."""


def without_bytes(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with float32 wherever it computed on bytes; inputs and outputs keep their types."""
    out = copy.deepcopy(model)
    graph = out.graph
    inferred = onnx.shape_inference.infer_shapes(out).graph
    values = (*inferred.input, *inferred.output, *inferred.value_info)
    narrow = {v.name for v in values if v.type.tensor_type.elem_type == TensorProto.UINT8}
    constants = {t.name: t for t in graph.initializer if t.data_type == TensorProto.UINT8}
    outputs = {v.name for v in graph.output}
    wide: dict[str, str] = {}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        concerned = node.op_type not in ALLOWED and narrow.union(constants).intersection((*node.input, *node.output))
        for index, name in enumerate(node.input):
            if name not in wide and concerned and name in constants:
                wide[name] = f"{name}.float"
                array = onnx.numpy_helper.to_array(constants[name]).astype(np.float32)
                graph.initializer.append(onnx.numpy_helper.from_array(array, wide[name]))
            elif name not in wide and concerned and name in narrow:
                wide[name] = f"{name}.float"
                nodes.append(_cast(name, wide[name], TensorProto.FLOAT))
            if concerned or (node.op_type == "Cast" and name in wide):
                node.input[index] = wide.get(name, name)
        nodes.append(node)
        for index, name in enumerate(node.output):
            if concerned and name in narrow:
                node.output[index] = wide[name] = f"{name}.float"
                if name in outputs or _used_as_bytes(graph, name):
                    nodes.append(_cast(wide[name], name, TensorProto.UINT8))
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    return out


def _used_as_bytes(graph: onnx.GraphProto, name: str) -> bool:
    return any(node.op_type == "Identity" and name in node.input for node in graph.node)


def _cast(source: str, target: str, kind: int) -> onnx.NodeProto:
    return onnx.helper.make_node("Cast", [source], [target], to=kind)
