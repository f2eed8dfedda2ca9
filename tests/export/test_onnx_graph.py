"""Exported graphs: the generator's results, the graph contract, and files that belong together."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from engines.manifest import read_family, read_manifest
from export.fold import folded
from export.onnx_graph import (
    FORBIDDEN,
    ExportError,
    Variant,
    check_operators,
    export_family,
    export_variants,
    offline_variants,
)
from export.parity import LARGEST, compare, synthetic_frame
from export.wrapper import GraphModule
from generator.model import Generator
from generator.state import state_specs
from tests.export.tiny_family import SIZES, TRAINING, generator, manifests
from tests.generator.tiny import TINY, by_frames, clip_inputs, shaken, tiny_generator

SWITCHES: list[dict[str, Any]] = [
    {"attention": "off", "temporal_codes": False, "taps": False, "recurrence": False, "previous": False},
    {"attention": "ema", "fusion": "swapped", "context": False, "illumination": False, "prompting": False},
]


@torch.no_grad()
def run(model: Generator, strength: float, frames: int = 3) -> list[tuple[Tensor, Tensor]]:
    """Planes in and out of the wrapped generator, as it is exported, one pair a plane and frame."""
    module = GraphModule(folded(model), 96)
    inputs = {**module.example_inputs(), "strength": torch.full((1, 1), strength)}
    inputs["prompt"] = torch.ones(1, len(TINY.prompts))
    rng, pairs = np.random.default_rng(1), []
    for index in range(frames):
        inputs["y"], inputs["uv"] = (torch.from_numpy(p) for p in synthetic_frame(96, index, rng))
        out = module(*inputs.values())
        pairs += [(inputs["y"], out[0]), (inputs["uv"], out[1])]
        inputs |= dict(zip(module.state_names(), out[3:], strict=True))
        inputs["keep"] = torch.ones(1, 1)
    return pairs


def test_untrained_it_is_the_identity() -> None:
    assert all(torch.equal(given, out) for given, out in run(tiny_generator(), 1.0))


def test_at_strength_zero_it_is_the_identity() -> None:
    assert all(torch.equal(given, out) for given, out in run(generator(), 0.0))
    assert not any(torch.equal(given, out) for given, out in run(generator(), 1.0))


def test_what_is_folded_away_is_not_missed() -> None:
    """Eight bits hide rounding: the folded generator is compared before that."""
    model, clip = generator(), clip_inputs(frames=3)
    bytewise = replace(clip, y=255 * clip.y, uv=255 * clip.uv)
    for before, after in zip(by_frames(model, clip), by_frames(folded(model), bytewise), strict=True):
        torch.testing.assert_close(255 * before.change_y, after.change_y, atol=0.02, rtol=0)
        torch.testing.assert_close(255 * before.change_uv, after.change_uv, atol=0.02, rtol=0)
        torch.testing.assert_close(before.prompt_hat, after.prompt_hat, atol=1e-4, rtol=0)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded(model).modules())
    assert any(isinstance(m, nn.BatchNorm2d) for m in model.modules())


@pytest.mark.parametrize("index", range(len(SIZES)))
def test_graph_and_generator_agree(index: int) -> None:
    parity = compare(generator(), manifests()[index], frames=30)
    assert parity.largest <= LARGEST
    assert parity.unequal < 0.01


@pytest.mark.parametrize("change", SWITCHES)
def test_a_generator_without_some_parts_is_exported_as_well(change: dict[str, Any], tmp_path: Path) -> None:
    model = shaken(tiny_generator(replace(TINY, flow_blocks=1, middle_blocks=2, **change)))
    manifest = export_family(model, "less", [64], tmp_path, {})[0]
    parity = compare(model, manifest, frames=6)
    assert parity.largest <= LARGEST and parity.unequal < 0.01


def test_more_steps_are_graphs_of_their_own_over_the_same_weights(tmp_path: Path) -> None:
    model = generator()
    variants = [Variant("tiny", 64), *offline_variants("tiny", 64)[:4]]
    made = export_variants(model, variants, "tiny", tmp_path, {})
    families = ["tiny", "tiny-2step", "tiny-2step-inverted", "tiny-4step", "tiny-4step-inverted"]
    assert [m.family for m in made] == families
    assert {m.weights for m in made} == {made[0].weights}
    for variant, manifest in zip(variants, made, strict=True):
        parity = compare(model, manifest, 4, variant.integration)
        assert parity.largest <= LARGEST and parity.unequal < 0.01
    # Not just one graph under five names.
    assert compare(model, made[3], 4).unequal > 0.01


def test_what_sees_the_future_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="both sides"):
        export_family(tiny_generator(replace(TINY, attention="both_sides")), "both", [64], tmp_path, {})
    assert not list(tmp_path.glob("*.onnx"))


def test_layout_is_changed_no_more_often_than_necessary(tmp_path: Path) -> None:
    """Into and out of the CPU's blocked layout: around attention and memory, not within the trunk."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(manifests()[0].graph.path), options, providers=["CPUExecutionProvider"])
    graph = onnx.load(options.optimized_model_filepath, load_external_data=False).graph
    kinds = Counter(node.op_type for node in graph.node)
    assert kinds["ReorderOutput"] <= 35 and kinds["ReorderInput"] <= 20


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
    first, second = manifests()[:2]
    assert first.weights == second.weights
    used = [
        {entry.value for t in onnx.load(str(m.graph.path), load_external_data=False).graph.initializer
         for entry in t.external_data if entry.key in {"location", "offset"}}
        for m in (first, second)
    ]  # fmt: skip
    # Only the matrices that spread gains and shares over two planes each, from left and right, depend on the size.
    assert all(len(used[i] - used[1 - i]) == 8 for i in (0, 1)) and "tiny.data" in used[0]
    assert first.weights.path.stat().st_size < 1.3 * 4 * sum(p.numel() for p in generator().parameters())


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
        assert {s.input: s.stride for s in manifest.states} == {n: s.stride for n, s in state_specs(TINY).items()}
        assert all(s.output == f"next_{s.input}" and s.initial == 0 for s in manifest.states)
        kinds = {s.input: s.dtype for s in manifest.states}
        assert {n for n, kind in kinds.items() if kind == "uint8"} == {"before_y", "before_uv"}
        assert (manifest.prompts, manifest.regions) == (TINY.prompts, TINY.regions)
        assert manifest.training == TRAINING
        manifest.graph.check()
        manifest.weights.check()


def test_a_second_export_is_the_same_to_the_byte(tmp_path: Path) -> None:
    again = export_family(generator(), "tiny", SIZES[:1], tmp_path, TRAINING)[0]
    first = manifests()[0]
    assert again.graph.path.read_bytes() == first.graph.path.read_bytes()
    # The other sizes' own matrices come after.
    assert first.weights.path.read_bytes().startswith(again.weights.path.read_bytes())
