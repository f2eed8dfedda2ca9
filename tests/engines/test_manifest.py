"""Manifests: read in full, and damage is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engines.errors import BadInput, ModelError
from engines.manifest import MODELS, StoredFile, read_family, read_manifest
from tests.export.tiny_family import manifests

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the tiny model, to be damaged."""
    shutil.copytree(manifests()[0].graph.path.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path


CHANGES: list[Change] = [
    lambda raw: raw.pop("crop"),
    lambda raw: raw.update(colour=1),
    lambda raw: raw.update(crop=100),
    lambda raw: raw.update(crop="64"),
    lambda raw: raw.update(name="other"),
    lambda raw: raw.update(inputs=raw["inputs"][:-1]),
    lambda raw: raw.update(outputs=raw["outputs"][1:]),
    lambda raw: raw.update(outputs=None),
    lambda raw: raw["graph"].update(file="../tiny-64.onnx"),
    lambda raw: raw["graph"].pop("sha256"),
    lambda raw: raw["inputs"][0].update(dtype="complex64"),
    lambda raw: raw["inputs"][0].update(shape=[1, "n"]),
    lambda raw: raw["states"][0].update(initial="none"),
    lambda raw: raw["states"][0].update(stride=0),
    lambda raw: raw["states"][0].pop("stride"),
    lambda raw: raw.update(unfit=["fog"]),
    lambda raw: raw.update(unfit=5),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_manifest_that_does_not_make_sense_is_refused(folder: Path, change: Change) -> None:
    path = folder / "tiny-64.json"
    raw = json.loads(path.read_text())
    change(raw)
    path.write_text(json.dumps(raw))
    with pytest.raises(ModelError, match=r"tiny-64\.json is damaged"):
        read_manifest(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00"])
def test_a_file_that_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(ModelError, match=r"x\.json"):
        read_manifest(path)
    with pytest.raises(ModelError, match=r"y\.json"):
        read_manifest(tmp_path / "y.json")


def test_an_unknown_model_is_told_the_known_ones(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(BadInput, match="unknown model 'large'; known models: tiny"):
        read_family("large", folder)
    with pytest.raises(BadInput, match="none"):
        read_family("tiny", tmp_path_factory.mktemp("empty"))


def test_an_unknown_tensor_is_named() -> None:
    with pytest.raises(ModelError, match="depth"):
        manifests()[0].shape("depth")


def test_only_a_shipped_model_can_be_had_again(folder: Path) -> None:
    # Guards against sending somebody to git for a model of his own.
    with pytest.raises(ModelError, match="checkout engines/models$"):
        StoredFile(MODELS / "__init__.py", "0" * 64).check()
    with pytest.raises(ModelError, match="not the manifest's\\)$"):
        StoredFile(next(folder.glob("*.onnx")), "0" * 64).check()
