"""A graph with convolutions of 8-bit integers for CPUs: quantised where the work is, float32 where it is seen.

Static quantisation (Jacob et al., 2018, arXiv:1712.05877) by ONNX Runtime's own tool: weights signed with a scale for
each output channel, activations unsigned with one scale each, whose range is what calibration frames reach. Weights
have 7 bits: where a CPU lacks VNNI, sums of products of 8 bits overflow 16.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

Feeds = dict[str, NDArray[np.generic]]
"""Input name to array, states included"""

SHARE = 0.01
"""Of a graph's multiply-accumulates: convolutions below it cost less than turning what they read into integers."""
FLOAT32 = ("stem.patches.", "decoder.y.", "decoder.uv.", "sharpening.", "previous.", "illumination.")
"""In the name of a weight: these stay float32. The first ones read the picture, whose 8 bits they would lose to the
scale, as sharpening does; the others write what is added to it; errors of the illumination are seen as flicker."""


def convolutions(model: onnx.ModelProto, kept: Collection[str] = ()) -> dict[str, str]:
    """Name of each weight that is worth quantising to its node, the one with the most work first.

    Args:
        model: Shapes static.
        kept: Names of weights that stay float32 besides `FLOAT32`.
    """
    graph = onnx.shape_inference.infer_shapes(model).graph
    shapes = {
        v.name: [d.dim_value for d in v.type.tensor_type.shape.dim]
        for v in (*graph.value_info, *graph.input, *graph.output)
    }
    weights = {t.name: list(t.dims) for t in graph.initializer}
    work = {}
    for node in graph.node:
        if node.op_type == "Conv" and node.input[1] in weights:
            name = node.input[1]
            work[node.name] = name, math.prod(weights[name][1:]) * math.prod(shapes[node.output[0]])
    least = SHARE * sum(macs for _, macs in work.values())
    chosen = sorted(work.items(), key=lambda item: -item[1][1])
    return {
        name: node
        for node, (name, macs) in chosen
        if macs >= least and name not in kept and not any(part in name for part in FLOAT32)
    }


class _Frames:
    """What ONNX Runtime's tool reads calibration frames from."""

    def __init__(self, frames: Iterable[Feeds]) -> None:
        self._frames = iter(frames)

    def get_next(self) -> Feeds | None:
        return next(self._frames, None)


def to_int8(model: onnx.ModelProto, nodes: Collection[str], frames: Iterable[Feeds]) -> onnx.ModelProto:
    """The same graph with these convolutions in integers, between QuantizeLinear and DequantizeLinear.

    Args:
        model: Its weights lie in it.
        nodes: Names of convolutions.
        frames: What the graph gets in a call; the ranges of its activations are taken over all of them.
    """
    # Here and not above: it takes a second, and only this needs it.
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    with tempfile.TemporaryDirectory(prefix="clearcall-") as folder:
        source, target = Path(folder) / "float32.onnx", Path(folder) / "int8.onnx"
        onnx.save(model, str(source))
        quantize_static(
            str(source),
            str(target),
            _Frames(frames),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            nodes_to_quantize=list(nodes),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        out = onnx.load(str(target))
    del out.graph.value_info[:]
    del out.metadata_props[:]
    return out
