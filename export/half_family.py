"""The graphs of a family once more for GPUs: half precision, any number of sessions at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto

from engines.manifest import Manifest, half_family, read_manifest
from export.batch import open_batch
from export.bytes import without_bytes
from export.half import to_half
from export.onnx_graph import SharedWeights, check_operators, stored_file

DTYPES = {TensorProto.FLOAT16: "float16", TensorProto.FLOAT: "float32", TensorProto.UINT8: "uint8"}


def export_half(manifests: Sequence[Manifest]) -> list[Manifest]:
    """Write `<family>-fp16-<size>.onnx` and `.json` beside each graph of one family, and `<family>-fp16.data`."""
    folder, family = manifests[0].graph.path.parent, half_family(manifests[0].family)
    weights = SharedWeights(folder / f"{family}.data")
    made: list[tuple[Path, dict[str, Any]]] = []
    for manifest in manifests:
        model = to_half(open_batch(without_bytes(onnx.load(str(manifest.graph.path)))))
        check_operators(model)
        weights.move_out(model)
        path = folder / f"{family}-{manifest.crop}.onnx"
        onnx.save(model, str(path))
        content = json.loads((folder / f"{manifest.name}.json").read_text(encoding="utf-8"))
        kinds = {v.name: DTYPES[v.type.tensor_type.elem_type] for v in model.graph.input}
        content |= {"name": path.stem, "family": family, "graph": stored_file(path)}
        content["states"] = [{**state, "dtype": kinds[state["input"]]} for state in content["states"]]
        made.append((path.with_suffix(".json"), content))
    weights.write()
    for target, content in made:
        content["weights"] = stored_file(folder / f"{family}.data")
        target.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return [read_manifest(target) for target, _ in made]
