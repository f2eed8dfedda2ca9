"""A graph in half precision for GPUs: half where the work is, float32 where it matters.

TensorRT is strongly typed: what the graph says is what runs. Convolutions and matrix products run in half. What sums
over many values, divides, or takes roots and exponents stays in float32, and so do the illumination, whose errors are
seen as flicker, what reads the picture first, and all that follows the residual planes up to the final add. Everything
else follows the largest of its operands.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

HEAVY = {"Conv", "ConvTranspose", "Gemm", "MatMul"}
LIGHT = {
    "Abs", "Add", "AveragePool", "Clip", "Concat", "DepthToSpace", "Identity", "Max", "MaxPool", "Min", "Mul", "Relu",
    "Reshape", "Resize", "Split", "Squeeze", "Sub", "Transpose", "Unsqueeze", "Where",
}  # fmt: skip
"""Operators that follow their largest operand; those in neither set are kept in float32."""
FIRST_ONLY = {"Resize", "Reshape", "Squeeze", "Unsqueeze", "Split"}
"""Operators whose other inputs are sizes and places, of a type that the operator fixes."""
PRECISE = "illumination."
"""In the name of a weight: its node, and all nodes that follow it, stay in float32."""
FIRST = ("stem.patches.",)
"""In the name of a weight: its node alone stays in float32. It reads the picture, and rounded to half's 11 bits its
output is all that half precision costs: 0.11 % of samples off by more than a step, and none without."""
LAST = ("decoder.y.", "decoder.uv.")
"""In the name of a weight: its node puts out residual planes, and all nodes that follow it stay in float32."""
STATE_OUTPUT = "next_"

Kind = int
FLOAT: Kind = TensorProto.FLOAT
HALF: Kind = TensorProto.FLOAT16


def to_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with half-precision weights, activations and states; the weights must lie in the model.

    Inputs and outputs that are no states keep their types.
    """
    out = copy.deepcopy(model)
    graph = _Graph(out)
    # A state has one type on both sides: what comes out in float32 has to go in so, and that may change what follows.
    states = {v.name for v in graph.floats(out.graph.input) if graph.is_state(v.name)}
    half = set(states)
    while True:
        kinds = graph.kinds(half)
        wide = {name for name in half if kinds[STATE_OUTPUT + name] == FLOAT}
        if not wide:
            break
        half -= wide
    graph.rewrite(kinds)
    return out


class _Graph:
    """What is asked again and again of one graph."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._graph = model.graph
        self._outputs = {v.name for v in model.graph.output}
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
        self._weights = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
        values = [*inferred.input, *inferred.output, *inferred.value_info]
        self._sizes = {v.name: math.prod(d.dim_value or 1 for d in v.type.tensor_type.shape.dim) for v in values}
        self._is_float = {v.name for v in self.floats(values)}
        self._is_float |= {name for name, array in self._weights.items() if array.dtype == np.float32}
        self._precise = self._find_precise()

    @staticmethod
    def floats(values: Iterable[onnx.ValueInfoProto]) -> list[onnx.ValueInfoProto]:
        """Those that hold float32."""
        return [v for v in values if v.type.tensor_type.elem_type == FLOAT]

    def is_state(self, name: str) -> bool:
        """Whether an input of this name is a state."""
        return STATE_OUTPUT + name in self._outputs

    def _find_precise(self) -> set[str]:
        """Outputs of the nodes that stay in float32 for what they are part of."""
        found: set[str] = set()
        after: set[str] = set()
        for node in self._graph.node:
            if after.intersection(node.input) or any(PRECISE in name for name in node.input):
                found.update(node.output)
                after.update(node.output)
            elif any(last in name for name in node.input for last in LAST):
                after.update(node.output)
            elif any(first in name for name in node.input for first in FIRST):
                found.update(node.output)
        return found

    def operands(self, node: onnx.NodeProto) -> list[str]:
        """The float inputs that share the node's type."""
        names = node.input[:1] if node.op_type in FIRST_ONLY else node.input
        return [name for name in names if name in self._is_float]

    def kinds(self, half_inputs: set[str]) -> dict[str, Kind]:
        """Name of each float value to its type, when these inputs are half."""
        kinds = {v.name: HALF if v.name in half_inputs else FLOAT for v in self.floats(self._graph.input)}
        for node in self._graph.node:
            kind = self._kind(node, kinds)
            kinds.update({name: kind for name in node.output if name in self._is_float})
        return kinds

    def _kind(self, node: onnx.NodeProto, kinds: dict[str, Kind]) -> Kind:
        operands = self.operands(node)
        weights = [self._weights[name] for name in operands if name in self._weights]
        if node.output[0] in self._precise or not all(_fits(array) for array in weights):
            return FLOAT
        if node.op_type in HEAVY:
            return HALF
        computed = [name for name in operands if name in kinds]
        if node.op_type not in LIGHT or not computed:
            return FLOAT
        largest = max(self._sizes[name] for name in computed)
        return HALF if all(kinds[name] == HALF for name in computed if self._sizes[name] == largest) else FLOAT

    def rewrite(self, kinds: dict[str, Kind]) -> None:
        """Give each node inputs of its own type; casts are shared, weights stored once for each type in use."""
        nodes: list[onnx.NodeProto] = []
        made: dict[tuple[str, Kind], str] = {}
        weights: dict[str, TensorProto] = {t.name: t for t in self._graph.initializer}
        used: dict[str, TensorProto] = {}
        for node in self._graph.node:
            floats = [name for name in node.output if name in self._is_float]
            kind = kinds[floats[0]] if floats else FLOAT
            operands = set(self.operands(node))
            for index, name in enumerate(node.input):
                wanted = kind if name in operands else FLOAT
                if name in weights:
                    tensor = _as_half(weights[name]) if name in operands and kind == HALF else weights[name]
                    used[tensor.name] = tensor
                    node.input[index] = tensor.name
                elif name in operands and kinds[name] != wanted:
                    if (name, wanted) not in made:
                        made[name, wanted] = f"{name}_as_{'half' if wanted == HALF else 'float'}"
                        nodes.append(onnx.helper.make_node("Cast", [name], [made[name, wanted]], to=wanted))
                    node.input[index] = made[name, wanted]
            nodes.append(node)
        del self._graph.node[:]
        self._graph.node.extend(nodes)
        del self._graph.initializer[:]
        self._graph.initializer.extend(used.values())
        del self._graph.value_info[:]
        for value in (*self._graph.input, *self._graph.output):
            if value.name in kinds and (self.is_state(value.name) or value.name.startswith(STATE_OUTPUT)):
                value.type.tensor_type.elem_type = kinds[value.name]


def _fits(array: NDArray[np.generic]) -> bool:
    """Whether half precision holds it: nothing becomes infinite, and not all that is there vanishes."""
    with np.errstate(over="ignore"):
        half = array.astype(np.float16)
    return bool(np.isfinite(half).all()) and bool((half != 0).any() or not (array != 0).any())


def _as_half(tensor: TensorProto) -> TensorProto:
    return onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor).astype(np.float16), f"{tensor.name}_half")
