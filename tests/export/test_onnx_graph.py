"""Exported graphs: the generator's results, the graph contract, and files that belong together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor

from engines.manifest import read_family, read_manifest
from export.onnx_graph import FORBIDDEN, ExportError, check_operators, export_family
from export.parity import LARGEST, compare, synthetic_frame
from export.wrapper import GraphModule
from generator.model import Generator
from tests.export.tiny_family import SIZES, TRAINING, generator, manifests
from tests.generator.tiny import TINY, tiny_generator


@torch.no_grad()
def run(model: Generator, strength: float) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Planes in and out of the wrapped generator."""
    module = GraphModule(model, 96)
    y, uv = (torch.from_numpy(p) for p in synthetic_frame(96, 0, np.random.default_rng(1)))
    inputs = {**module.example_inputs(), "y": y, "uv": uv, "strength": torch.full((1, 1), strength)}
    inputs["prompt"] = torch.ones(1, len(TINY.prompts))
    out = module(*inputs.values())
    return (y, uv), (out[0], out[1])


def test_untrained_it_is_the_identity() -> None:
    given, out = run(tiny_generator(), 1.0)
    assert all(torch.equal(a, b) for a, b in zip(given, out, strict=True))


def test_at_strength_zero_it_is_the_identity() -> None:
    given, out = run(generator(), 0.0)
    assert all(torch.equal(a, b) for a, b in zip(given, out, strict=True))
    given, out = run(generator(), 1.0)
    assert not any(torch.equal(a, b) for a, b in zip(given, out, strict=True))


@pytest.mark.parametrize("index", range(len(SIZES)))
def test_graph_and_generator_agree(index: int) -> None:
    parity = compare(generator(), manifests()[index])
    assert parity.largest <= LARGEST
    assert parity.unequal < 0.01


def test_a_graph_of_other_weights_does_not_agree() -> None:
    assert compare(tiny_generator(), manifests()[0], frames=2).largest > LARGEST


@pytest.mark.parametrize("index", range(len(SIZES)))
def test_graphs_keep_the_contract(index: int) -> None:
    model = onnx.load(str(manifests()[index].graph.path))
    check_operators(model)
    found = {node.op_type for node in model.graph.node}
    assert not found & FORBIDDEN and "Conv" in found
    assert not any(node.doc_string or node.metadata_props for node in model.graph.node)


def test_forbidden_operators_and_loose_shapes_are_refused() -> None:
    def model(operator: str, edge: int | str) -> onnx.ModelProto:
        x, y = (onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, edge]) for n in "xy")
        return onnx.helper.make_model(
            onnx.helper.make_graph([onnx.helper.make_node(operator, ["x"], ["y"])], "g", [x], [y])
        )

    check_operators(model("Relu", 4))
    with pytest.raises(ExportError, match="Shape"):
        check_operators(model("Shape", 4))
    with pytest.raises(ExportError, match="static"):
        check_operators(model("Relu", "n"))


def test_all_sizes_share_one_file_of_weights() -> None:
    first, second = manifests()
    assert first.weights == second.weights
    used = [
        {entry.value for t in onnx.load(str(m.graph.path), load_external_data=False).graph.initializer
         for entry in t.external_data if entry.key in {"location", "offset"}}
        for m in (first, second)
    ]  # fmt: skip
    assert used[0] == used[1] and "tiny.data" in used[0]
    assert first.weights.path.stat().st_size < 1.1 * 4 * sum(p.numel() for p in generator().parameters())


def test_manifests_say_it_all() -> None:
    folder = manifests()[0].graph.path.parent
    assert read_family("tiny", folder) == manifests()
    for manifest, size in zip(manifests(), SIZES, strict=True):
        assert read_manifest(folder / f"tiny-{size}.json") == manifest
        assert (manifest.name, manifest.family, manifest.crop) == (f"tiny-{size}", "tiny", size)
        assert manifest.shape("y") == manifest.shape("y_out") == (1, 1, size, size)
        assert manifest.shape("uv") == manifest.shape("uv_out") == (1, 2, size // 2, size // 2)
        assert manifest.shape("regions") == (1, len(TINY.regions), size // 16, size // 16)
        assert manifest.shape("prompt") == manifest.shape("prompt_hat") == (1, len(TINY.prompts))
        assert len(manifest.states) == 2 * TINY.flow_blocks * TINY.window
        assert (manifest.prompts, manifest.regions) == (TINY.prompts, TINY.regions)
        assert manifest.training == TRAINING
        manifest.graph.check()
        manifest.weights.check()


def test_a_second_export_is_the_same_to_the_byte(tmp_path: Path) -> None:
    export_family(generator(), "tiny", SIZES, tmp_path, TRAINING)
    first = manifests()[0].graph.path.parent
    names = sorted(p.name for p in first.iterdir())
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    assert all((tmp_path / name).read_bytes() == (first / name).read_bytes() for name in names)
