"""The graphs for GPUs: half where the work is, float32 where it matters, several sessions at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from benchmarks.switches import export_untrained
from engines.errors import ClearcallError
from engines.manifest import BATCH_AXIS, half_family, read_family
from engines.onnx_runtime import OrtEngine
from export.batch import open_batch
from export.bytes import without_bytes
from export.half import to_half
from export.half_check import Planes, compare_half, rounded, rounded_engine
from export.half_family import export_half
from export.onnx_graph import check_operators
from export.parity import synthetic_frame
from tests.engines.test_onnx_runtime import inputs
from tests.export.tiny_family import halves, manifests
from tests.generator.tiny import TINY


def clip(size: int, frames: int = 8) -> list[Planes]:
    rng = np.random.default_rng(3)
    return [synthetic_frame(size, index, rng) for index in range(frames)]


def session(path: Path, batch: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.add_free_dimension_override_by_name(BATCH_AXIS, batch)
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def graph_of(nodes: Sequence[onnx.NodeProto], weights: dict[str, NDArray[Any]], size: int = 4) -> onnx.ModelProto:
    """A graph from x [1, 1, 1, size] to y of the same shape, both float32."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 1, size]) for name in ("x", "y")]
    tensors = [onnx.numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(list(nodes), "g", values[:1], values[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def run(model: onnx.ModelProto, x: list[float]) -> list[float]:
    made = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    out: list[float] = made.run(None, {"x": np.array(x, np.float32).reshape(1, 1, 1, -1)})[0].ravel().tolist()
    return out


def as_half(numbers: list[float]) -> list[float]:
    """What half precision makes of them."""
    with np.errstate(over="ignore"):
        out: list[float] = np.array(numbers, np.float32).astype(np.float16).tolist()
    return out


def test_the_family_stands_beside_the_other_and_reads() -> None:
    made = halves()
    folder = made[0].graph.path.parent
    assert [m.name for m in made] == [m.name for m in read_family("tiny-fp16", folder)]
    assert made[0].family == half_family("tiny") and made[0].shape("y") == manifests()[0].shape("y")
    for manifest in made:
        onnx.checker.check_model(str(manifest.graph.path), full_check=True)
        check_operators(onnx.load(str(manifest.graph.path)))
    assert made[0].weights.path.stat().st_size < 0.7 * manifests()[0].weights.path.stat().st_size


def test_bytes_are_only_where_the_graph_begins_and_ends() -> None:
    """TensorRT refuses any other operator on 8-bit tensors; the graph for CPUs chooses among planes as bytes."""
    for manifest in halves():
        graph = onnx.shape_inference.infer_shapes(onnx.load(str(manifest.graph.path))).graph
        values = (*graph.value_info, *graph.input, *graph.output)
        narrow = {v.name for v in values if v.type.tensor_type.elem_type == TensorProto.UINT8}
        kinds = {node.op_type for node in graph.node if narrow.intersection((*node.input, *node.output))}
        assert kinds <= {"Cast", "Identity"} and narrow


def test_what_was_computed_on_bytes_stays_the_same() -> None:
    names = ("x", "other", "y", "z")
    values = [helper.make_tensor_value_info(name, TensorProto.UINT8, [1, 4]) for name in names]
    keep = helper.make_tensor_value_info("keep", TensorProto.BOOL, [1, 1])
    nodes = [
        helper.make_node("Where", ["keep", "x", "seven"], ["a"]),
        helper.make_node("Identity", ["a"], ["copied"]),
        helper.make_node("Max", ["copied", "other"], ["y"]),
        helper.make_node("Cast", ["a"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["wide"], ["z"], to=TensorProto.UINT8),
    ]
    seven = onnx.numpy_helper.from_array(np.array(7, np.uint8), "seven")
    graph = helper.make_graph(nodes, "g", [*values[:2], keep], values[2:], [seven])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    other = without_bytes(model)
    assert [t.type.tensor_type.elem_type for t in other.graph.output] == [TensorProto.UINT8] * 2
    for flag in (True, False):
        feeds = {
            "x": np.array([[0, 1, 254, 255]], np.uint8),
            "other": np.array([[3, 0, 255, 128]], np.uint8),
            "keep": np.array([[flag]]),
        }
        both = [
            onnxruntime.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, feeds)
            for m in (model, other)
        ]
        assert all(np.array_equal(a, b) for a, b in zip(*both, strict=True))


def test_states_are_half_but_for_the_light_and_the_count_of_frames() -> None:
    """A state read in another type than it was written in would need a copy at every step."""
    manifest = halves()[0]
    kinds = {s.input: s.dtype for s in manifest.states}
    assert kinds["log_gain"] == kinds["frames"] == "float32" and kinds["before_y"] == "uint8"
    wide = ("log_gain", "frames", "before")
    assert {kind for name, kind in kinds.items() if not name.startswith(wide)} == {"float16"}
    # Loading checks the types of both sides against the manifest.
    OrtEngine(manifest)


PREVIOUS = ("previous.y.", "previous.uv.", "previous.differs.", "previous.opens", "previous.closes")
PRECISE = ("illumination.", "stem.patches.", *PREVIOUS)


def test_convolutions_are_half_and_what_matters_is_not() -> None:
    model = onnx.shape_inference.infer_shapes(onnx.load(str(halves()[0].graph.path)))
    values = (*model.graph.value_info, *model.graph.input, *model.graph.output)
    kinds = {v.name: v.type.tensor_type.elem_type for v in values}
    kinds |= {t.name: t.data_type for t in model.graph.initializer}
    for node in model.graph.node:
        # What follows the residual planes is precise, too.
        light = any(part in name for name in node.input for part in PRECISE)
        if node.op_type == "Conv":
            assert kinds[node.output[0]] == (TensorProto.FLOAT if light else TensorProto.FLOAT16), node.name
        if node.op_type in {"Softmax", "ReduceSum", "ReduceMean", "Exp", "Log", "Sqrt", "Div", "Round"}:
            assert kinds[node.output[0]] == TensorProto.FLOAT, node.name
    assert all(kinds[n] == TensorProto.FLOAT for n in ("prompt", "strength", "keep", "regions", "prompt_hat"))


def test_half_is_close_to_float32_over_frames_with_state() -> None:
    difference = compare_half(manifests()[1], halves()[1], [clip(96)])
    assert 0 < difference.largest
    assert difference.beyond < 0.02 and difference.estimate < 0.02


def test_the_untrained_and_strength_zero_give_back_every_bit(tmp_path: Path) -> None:
    """Half cannot hold every sample of 8 bits times a gain: what is added is the change alone, in float32."""
    engine = OrtEngine(halves()[0])
    cached = engine.new_cache()
    for seed in range(3):
        given = inputs(engine.manifest, seed, strength=0.0)
        out = engine.step(given, cached)
        assert np.array_equal(out.y, given.y) and np.array_equal(out.uv, given.uv)
    untrained = OrtEngine(export_half(export_untrained(TINY, "untrained", [64], tmp_path))[0])
    out = untrained.step(given, untrained.new_cache())
    assert np.array_equal(out.y, given.y) and np.array_equal(out.uv, given.uv)


def test_sessions_in_one_batch_do_not_mix() -> None:
    """A constant or a reshape that knows of one session only would smear them, or fail."""
    manifest, count = halves()[0], 3
    single, batch = session(manifest.graph.path, 1), session(manifest.graph.path, count)
    names = [t.name for t in batch.get_outputs()]
    states = [{s.input: np.full(s.shape, s.initial, s.dtype) for s in manifest.states} for _ in range(count)]
    for frame in range(3):
        feeds = []
        for index in range(count):
            given = inputs(manifest, 10 * index + frame)
            # The second session forgets in the middle, the others do not.
            keep = np.full((1, 1), float(frame > 0 and not (frame == 2 and index == 1)), np.float32)
            shown = {"y": given.y, "uv": given.uv, "regions": given.regions, "prompt": given.prompt}
            strength = np.full((1, 1), 1 - 0.2 * index, np.float32)
            feeds.append({**shown, "strength": strength, "keep": keep, **states[index]})
        joined = {name: np.concatenate([feed[name] for feed in feeds]) for name in feeds[0]}
        together = dict(zip(names, batch.run(names, joined), strict=True))
        for index, feed in enumerate(feeds):
            alone = dict(zip(names, single.run(names, feed), strict=True))
            for name, array in alone.items():
                other = together[name][index : index + 1]
                assert np.abs(array.astype(np.float32) - other.astype(np.float32)).max() <= (
                    1 if array.dtype == np.uint8 else 0.02 * max(1.0, float(np.abs(array).max()))
                ), name
            states[index] = {s.input: alone[s.output] for s in manifest.states}


def test_a_constant_that_would_have_to_grow_with_the_batch_is_refused() -> None:
    weights = {"c": np.zeros((1, 1, 1, 2), np.float32)}
    model = graph_of([helper.make_node("Concat", ["x", "c"], ["y"], axis=3)], weights)
    with pytest.raises(ClearcallError, match="joins a constant"):
        open_batch(model)
    shape = {"s": np.array([4, 1, 1, 1])}
    with pytest.raises(ClearcallError, match="mixes the batch"):
        open_batch(graph_of([helper.make_node("Reshape", ["x", "s"], ["y"])], shape))


def test_a_constant_that_half_cannot_hold_keeps_its_node_in_float32() -> None:
    """An epsilon of 1e-12 is zero in half, and the division after it infinite."""
    weights = {"w": np.ones((1, 1, 1, 1), np.float32), "tiny": np.array(1e-12, np.float32)}
    nodes = [helper.make_node("Conv", ["x", "w"], ["a"]), helper.make_node("Add", ["a", "tiny"], ["y"])]
    half = to_half(graph_of(nodes, weights))
    assert [node.op_type for node in half.graph.node] == ["Cast", "Conv", "Cast", "Add"]
    assert run(half, [0, 0, 0, 0]) == pytest.approx([1e-12] * 4)


def test_the_check_rounds_as_half_does() -> None:
    """ONNX Runtime on a CPU computes half in float32 and rounds nowhere: compared with that, every graph is perfect."""
    weights = {"w": np.ones((1, 1, 1, 1), np.float32)}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("Conv", ["a", "w"], ["b"]),
        helper.make_node("Softmax", ["b"], ["c"], axis=0),
        helper.make_node("Sub", ["c", "c"], ["d"]),
        helper.make_node("Add", ["b", "d"], ["y"]),
    ]
    half = to_half(graph_of(nodes, weights))
    given = [1.0003, 3.14159265, -1234.56, 70000.0]
    found = run(rounded(half), given)
    # The softmax of what is infinite is no number.
    assert found[:3] == as_half(given)[:3] and not np.isfinite(found[3])


def test_the_check_rounds_as_half_does_near_zero_and_beyond_its_range() -> None:
    """Kept to 11 bits alone, what half loses near zero was kept, and too much below zero became infinite above it."""
    steps = 2.0**-24 * np.array([0.2, 0.5, 0.7, 1.5, 2.5, 55.9, 1022.5, 1023.4, 1023.5, 1023.9, 1024.5, 1025])
    large = [65503.9, 65504, 65519.5, 65519.996, 65520, 70000, 1e30, 3e38, np.inf]
    rng = np.random.default_rng(5)
    anywhere = rng.uniform(1, 2, 400) * 2.0 ** rng.integers(-30, 18, 400)
    positive = [1e-9, 3.33e-6, *steps.tolist(), *large, *anywhere.tolist()]
    given = [0.0, *positive, *(-x for x in positive)]
    weights = {"w": np.ones((1, 1, 1, 1), np.float32)}
    half = to_half(graph_of([helper.make_node("Conv", ["x", "w"], ["y"])], weights, len(given)))
    assert run(rounded(half), given) == as_half(given)
    expected = np.array(as_half(given))
    assert {float(x) for x in expected if 0 < x < 2.0**-14} and np.isinf(expected).any() and (expected == 0).sum() > 1


def test_the_rounded_engine_has_the_half_graphs_states() -> None:
    engine = rounded_engine(halves()[0])
    cached = engine.new_cache()
    first = engine.step(inputs(engine.manifest, 1), cached).y.copy()
    assert not np.array_equal(engine.step(inputs(engine.manifest, 1), cached).y, first)
