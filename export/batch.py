"""A graph that takes any number of sessions at once: its first axis is left open."""

from __future__ import annotations

import copy

import numpy as np
import onnx
from onnx import TensorProto

from engines.errors import ClearcallError
from engines.manifest import BATCH_AXIS

PER_SESSION = "keep"
"""An input [B,1] from which a constant takes the length of the batch."""


def open_batch(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with the axis `batch` in front of all inputs and outputs.

    Raises:
        ClearcallError: The graph holds a constant that would have to be as long as the batch.
    """
    out = copy.deepcopy(model)
    graph = out.graph
    constants = {t.name: t for t in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type == "Reshape":
            _keep_first_axis(node, constants, graph)
        elif node.op_type == "Concat":
            nodes += _repeat_constants(node, constants, graph)
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = BATCH_AXIS
    _remove_unused(graph)
    return out


def _keep_first_axis(node: onnx.NodeProto, constants: dict[str, TensorProto], graph: onnx.GraphProto) -> None:
    """Write 0, which means as it is, for the first axis."""
    shape = onnx.numpy_helper.to_array(constants[node.input[1]])
    if shape[0] != 1:
        raise ClearcallError(f"{node.name} mixes the batch with another axis: {shape.tolist()}")
    name = f"{node.input[1]}_batch"
    if name not in constants:
        constants[name] = onnx.numpy_helper.from_array(np.array([0, *shape[1:]], np.int64), name)
        graph.initializer.append(constants[name])
    node.input[1] = name
    for attribute in node.attribute:
        if attribute.name == "allowzero":
            attribute.i = 0


def _repeat_constants(
    node: onnx.NodeProto, constants: dict[str, TensorProto], graph: onnx.GraphProto
) -> list[onnx.NodeProto]:
    """Nodes that repeat what a concatenation takes from constants once for each session."""
    made = []
    for index, name in enumerate(node.input):
        if name not in constants:
            continue
        if len(constants[name].dims) != 2:
            raise ClearcallError(f"{node.name} joins a constant with {list(constants[name].dims)} values to a batch")
        zero = f"{name}_zero"
        if zero not in constants:
            constants[zero] = onnx.numpy_helper.from_array(np.zeros((), np.float32), zero)
            graph.initializer.append(constants[zero])
            made += [
                onnx.helper.make_node("Mul", [PER_SESSION, zero], [f"{name}_none"]),
                onnx.helper.make_node("Add", [f"{name}_none", name], [f"{name}_each"]),
            ]
        node.input[index] = f"{name}_each"
    return made


def _remove_unused(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    kept = [t for t in graph.initializer if t.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
