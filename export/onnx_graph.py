"""Generator to ONNX graphs of several sizes over one shared weights file, with manifests."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import TensorProto
from torch import nn

from engines.errors import ClearcallError
from engines.manifest import BATCH_AXIS, OFFLINE_STEPS, Manifest, offline_family, read_manifest
from export.fold import folded
from export.wrapper import GraphModule
from generator.model import ONE_STEP, Generator, Integration
from generator.state import state_specs

OPSET = 18
EXTERNAL_FROM = 256
"""Bytes from which on a tensor goes to the shared weights file."""
ALIGNMENT = 64

FORBIDDEN = {"Shape", "Gather", "Loop", "If", "Scan", "Slice", "BatchNormalization"}
"""Operators that a static streaming graph must not need."""

PLANE_OUTPUTS = ["y_out", "uv_out", "prompt_hat"]


class ExportError(ClearcallError):
    """The exported graph breaks the graph contract."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A graph to export."""

    family: str
    size: int
    integration: Integration = ONE_STEP

    @property
    def name(self) -> str:
        """Of the graph and its manifest."""
        return f"{self.family}-{self.size}"


def export_family(
    generator: Generator, family: str, sizes: Sequence[int], folder: Path, training: dict[str, Any]
) -> list[Manifest]:
    """Write `<family>-<size>.onnx` and `.json` for each size, and `<family>.data` that holds the weights of all."""
    return export_variants(generator, [Variant(family, size) for size in sizes], family, folder, training)


def offline_variants(family: str, size: int) -> list[Variant]:
    """All ways of integration that files can be filtered with, at one crop size."""
    ways = [Integration(steps, invert) for steps in OFFLINE_STEPS for invert in (False, True)]
    return [Variant(offline_family(family, way.steps, way.invert), size, way) for way in ways]


def export_variants(
    generator: Generator, variants: Sequence[Variant], data: str, folder: Path, training: dict[str, Any]
) -> list[Manifest]:
    """Write a graph and a manifest for each, and `<data>.data` that holds the weights of all; in the same order."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = SharedWeights(folder / f"{data}.data")
    graphs = [(variant.name, trace(generator, variant.size, variant.integration)) for variant in variants]
    for name, model in graphs:
        check_operators(model)
        weights.move_out(model)
        onnx.save(model, str(folder / f"{name}.onnx"))
    weights.write()
    manifests = []
    for variant in variants:
        content = describe(generator, variant, data, folder, training)
        path = folder / f"{variant.name}.json"
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        manifests.append(read_manifest(path))
    return manifests


def trace(generator: Generator, size: int, integration: Integration = ONE_STEP) -> onnx.ModelProto:
    """The graph of one step at one crop size, batch 1, all shapes static.

    Raises:
        ExportError: The generator cannot run live, or the exporter failed.
    """
    if generator.config.attention == "both_sides":
        raise ExportError("attention on both sides sees frames that a live call has not got: it runs offline, in torch")
    module = GraphModule(folded(generator), size, integration).eval()
    outputs = [*PLANE_OUTPUTS, *(f"next_{n}" for n in module.state_names())]
    return to_onnx(module, module.example_inputs(), outputs)


def to_onnx(module: nn.Module, example: dict[str, torch.Tensor], outputs: Sequence[str]) -> onnx.ModelProto:
    """The graph of a module, for inputs of these names and shapes; ExportError if the exporter has nothing to give."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            tuple(example.values()),
            dynamo=True,
            input_names=list(example),
            output_names=list(outputs),
            opset_version=OPSET,
            optimize=True,
            verbose=False,
        )
    if program is None:
        raise ExportError("the exporter returned nothing")
    model = program.model_proto
    # Names of source files and stack traces help nobody who runs the graph.
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.value_info[:]
    del model.graph.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        del value.metadata_props[:]
    return model


def check_operators(model: onnx.ModelProto) -> None:
    """Raise ExportError for operators that the contract forbids, or shapes that are not static but for the batch."""
    found = {node.op_type for node in model.graph.node} & FORBIDDEN
    if found:
        raise ExportError(f"the graph uses {', '.join(sorted(found))}")
    for value in (*model.graph.input, *model.graph.output):
        first, *others = value.type.tensor_type.shape.dim
        static = [d.WhichOneof("value") == "dim_value" for d in (first, *others)]
        if not all(static[1:]) or not (static[0] or first.dim_param == BATCH_AXIS):
            raise ExportError(f"{value.name} has no static shape")


class SharedWeights:
    """One external-data file for several graphs: equal tensors are stored once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = bytearray()
        self._known: dict[bytes, int] = {}

    def move_out(self, model: onnx.ModelProto) -> None:
        """Replace the large initialisers of a graph by references into the file."""
        for tensor in model.graph.initializer:
            raw = onnx.numpy_helper.to_array(tensor).tobytes()
            if len(raw) < EXTERNAL_FROM:
                continue
            key = hashlib.sha256(raw).digest()
            if key not in self._known:
                self._content += bytes(-len(self._content) % ALIGNMENT)
                self._known[key] = len(self._content)
                self._content += raw
            for field in ("raw_data", "float_data", "int64_data", "int32_data"):
                tensor.ClearField(field)
            tensor.data_location = TensorProto.EXTERNAL
            del tensor.external_data[:]
            for name, value in (("location", self._path.name), ("offset", self._known[key]), ("length", len(raw))):
                entry = tensor.external_data.add()
                entry.key, entry.value = name, str(value)

    def write(self) -> None:
        """Write the file."""
        self._path.write_bytes(self._content)


def describe(
    generator: Generator, variant: Variant, data: str, folder: Path, training: dict[str, Any]
) -> dict[str, Any]:
    """The manifest's content for one graph."""
    module = GraphModule(generator, variant.size)
    example = module.example_inputs()
    with torch.no_grad():
        results = module(*example.values())
    states = module.state_names()
    controls = [name for name in example if name not in states]
    return {
        "name": variant.name,
        "family": variant.family,
        "crop": variant.size,
        "graph": stored_file(folder / f"{variant.name}.onnx"),
        "weights": stored_file(folder / f"{data}.data"),
        "inputs": [_tensor(name, example[name]) for name in controls],
        "outputs": [_tensor(name, t) for name, t in zip(PLANE_OUTPUTS, results[: len(PLANE_OUTPUTS)], strict=True)],
        "states": [
            _state(name, example[name], spec.stride) for name, spec in state_specs(generator.config).items()
        ],
        "prompts": list(generator.config.prompts),
        "regions": list(generator.config.regions),
        "training": training,
    }


def stored_file(path: Path) -> dict[str, str]:
    """A file as the manifest names it."""
    return {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _state(name: str, value: torch.Tensor, stride: int) -> dict[str, Any]:
    ends = {"input": name, "output": f"next_{name}"}
    shape, dtype = list(value.shape), str(value.dtype).removeprefix("torch.")
    return {**ends, "shape": shape, "dtype": dtype, "initial": 0.0, "stride": stride}


def _tensor(name: str, value: torch.Tensor) -> dict[str, Any]:
    return {"name": name, "shape": list(value.shape), "dtype": str(value.dtype).removeprefix("torch.")}
