"""How far the half-precision graph is from the float32 one, told on a CPU.

ONNX Runtime's CPU kernels compute half precision in float32 and drop the roundings in between, so the half graph itself
would prove nothing there. It is therefore rewritten: all float32, and after each node that is half an explicit rounding
to half's 11 bits (Veltkamp's splitting), to multiples of half's least step near zero, infinite where half would be.
That is half storage with float32 sums, which is what tensor cores do.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from engines.engine import StepInputs
from engines.manifest import Manifest, StoredFile
from engines.onnx_runtime import OrtEngine
from export.onnx_graph import stored_file

NUMBERS = {
    # 2**13 + 1: leaves 24 - 13 = 11 of float32's bits.
    "splitter": 8193.0,
    # From here on half rounds to infinity.
    "too_large": 65520.0,
    "infinite": np.inf,
    # Below this half has no exponents left: all its numbers are as far apart as the least one is from zero.
    "least_normal": 2.0**-14,
    "least": 2.0**-24,
    "least_inverse": 2.0**24,
}
"""Constants of the rounding, under their names in the graph."""
WITHIN = 1
"""Steps of 8 bits that a sample may be off."""
SHARE = 0.999
"""of the samples that must be within"""

Planes = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""y [1, 1, H, W] and uv [1, 2, H/2, W/2]"""


@dataclass(frozen=True, slots=True)
class Difference:
    """Half against float32, over all frames."""

    largest: int
    """Steps of 8 bits"""
    beyond: float
    """Share of samples that differ by more than `WITHIN`"""
    estimate: float
    """Largest difference of the prompt estimate"""

    @property
    def good(self) -> bool:
        """Whether the half graph may be used."""
        return self.beyond <= 1 - SHARE


def compare_half(whole: Manifest, half: Manifest, clips: Iterable[Sequence[Planes]]) -> Difference:
    """Run both over clips, each clip from a forgotten state on."""
    engines = OrtEngine(whole), rounded_engine(half)
    regions = np.full(whole.shape("regions"), 1 / len(whole.regions), np.float32)
    prompt = np.ones(whole.shape("prompt"), np.float32)
    largest, beyond, total, estimate = 0, 0, 0, 0.0
    for clip in clips:
        caches = [engine.new_cache() for engine in engines]
        for y, uv in clip:
            given = StepInputs(y, uv, regions, prompt, 1.0)
            one, two = (engine.step(given, cache) for engine, cache in zip(engines, caches, strict=True))
            for a, b in ((one.y, two.y), (one.uv, two.uv)):
                steps = np.abs(a.astype(np.int16) - b.astype(np.int16))
                largest = max(largest, int(steps.max()))
                beyond += int((steps > WITHIN).sum())
                total += steps.size
            estimate = max(estimate, float(np.abs(one.prompt_hat - two.prompt_hat).max()))
    return Difference(largest, beyond / total, estimate)


def rounded_engine(half: Manifest) -> OrtEngine:
    """An engine that computes as half precision does."""
    with tempfile.TemporaryDirectory(prefix="clearcall-") as folder:
        path = Path(folder) / half.graph.path.name
        onnx.save(rounded(onnx.load(str(half.graph.path))), str(path))
        return OrtEngine(replace(half, graph=StoredFile(path, stored_file(path)["sha256"])))


def rounded(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph in float32, with each half value rounded as half would; inputs and outputs keep their types."""
    out = copy.deepcopy(model)
    graph = out.graph
    half = _half_values(out)
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT16:
            wide = onnx.numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(wide, tensor.name))
    nodes: list[onnx.NodeProto] = []
    for value in graph.input:
        if value.name in half:
            nodes.append(_cast(value.name, _wide(value.name), TensorProto.FLOAT))
    outputs = {v.name for v in graph.output}
    for node in graph.node:
        made = [name for name in node.output if name in half]
        if node.op_type == "Cast" and (made or node.input[0] in half):
            # What was a change of type is now one of precision only, or nothing.
            node.op_type = "Identity"
            del node.attribute[:]
        for index, name in enumerate(node.input):
            node.input[index] = _wide(name) if name in half else name
        for index, name in enumerate(node.output):
            node.output[index] = f"{name}.exact" if name in half else name
        nodes.append(node)
        for name in made:
            nodes += _rounding(f"{name}.exact", _wide(name))
            if name in outputs:
                nodes.append(_cast(_wide(name), name, TensorProto.FLOAT16))
    del graph.node[:]
    graph.node.extend(nodes)
    for name, number in NUMBERS.items():
        graph.initializer.append(onnx.numpy_helper.from_array(np.array(number, np.float32), name))
    del graph.value_info[:]
    return out


def _half_values(model: onnx.ModelProto) -> set[str]:
    inferred = onnx.shape_inference.infer_shapes(model).graph
    values = (*inferred.input, *inferred.output, *inferred.value_info)
    return {v.name for v in values if v.type.tensor_type.elem_type == TensorProto.FLOAT16}


def _wide(name: str) -> str:
    return f"{name}.wide"


def _cast(source: str, target: str, kind: int) -> onnx.NodeProto:
    return onnx.helper.make_node("Cast", [source], [target], to=kind)


def _rounding(source: str, target: str) -> list[onnx.NodeProto]:
    def node(kind: str, inputs: list[str], step: str) -> onnx.NodeProto:
        return onnx.helper.make_node(kind, inputs, [f"{target}.{step}"])

    size, apart, split = f"{target}.size", f"{target}.apart", f"{target}.split"
    return [
        node("Abs", [source], "size"),
        node("Mul", [source, "splitter"], "apart"),
        node("Sub", [apart, source], "rest"),
        node("Sub", [apart, f"{target}.rest"], "split"),
        # Times infinity, not infinity: it keeps the sign.
        node("Mul", [source, "infinite"], "endless"),
        node("GreaterOrEqual", [size, "too_large"], "is_large"),
        node("Where", [f"{target}.is_large", f"{target}.endless", split], "normal"),
        node("Mul", [source, "least_inverse"], "in_steps"),
        node("Round", [f"{target}.in_steps"], "whole_steps"),
        node("Mul", [f"{target}.whole_steps", "least"], "subnormal"),
        node("Less", [size, "least_normal"], "is_small"),
        onnx.helper.make_node("Where", [f"{target}.is_small", f"{target}.subnormal", f"{target}.normal"], [target]),
    ]
