"""The models in the package: complete, undamaged, and what their manifests say."""

from __future__ import annotations

import numpy as np
import pytest

from engines.engine import StepInputs
from engines.manifest import MODELS, Manifest, read_family, read_manifest
from engines.onnx_runtime import OrtEngine
from stream.face.regions import REGION_NAMES


def family() -> list[Manifest]:
    return read_family("lite")


SIZES = (256, 384, 512)


def of_size(size: int) -> Manifest:
    return next(m for m in family() if m.crop == size)


def test_the_small_model_is_there_in_three_sizes() -> None:
    assert tuple(m.crop for m in family()) == SIZES
    assert len({m.weights for m in family()}) == 1


def test_no_file_is_left_over() -> None:
    manifests = [read_manifest(path) for path in MODELS.glob("*.json")]
    assert all(m.family.startswith("lite") for m in manifests)
    described = {name for m in manifests for name in (m.graph.path.name, m.weights.path.name, f"{m.name}.json")}
    assert {p.name for p in MODELS.iterdir() if p.suffix in {".onnx", ".json", ".data"}} == described


@pytest.mark.parametrize("size", SIZES)
def test_a_shipped_model_loads_and_leaves_a_picture_alone_when_told_so(size: int) -> None:
    manifest = of_size(size)
    engine = OrtEngine(manifest)
    rng = np.random.default_rng(1)
    y, uv = (rng.integers(0, 256, manifest.shape(name), np.uint8) for name in ("y", "uv"))
    regions, prompt = (np.zeros(manifest.shape(name), np.float32) for name in ("regions", "prompt"))
    cache = engine.new_cache()
    for strength, weights in ((0.0, prompt + 1), (1.0, prompt)):
        out = engine.step(StepInputs(y, uv, regions, weights, strength), cache)
        assert np.array_equal(out.y, y) and np.array_equal(out.uv, uv)
        assert out.prompt_hat.min() >= 0 and out.prompt_hat.max() <= 1


@pytest.mark.parametrize("size", SIZES)
def test_a_shipped_model_tells_where_it_comes_from(size: int) -> None:
    manifest = of_size(size)
    assert manifest.regions == REGION_NAMES
    assert {"command", "files", "seed", "device", "attributions", "minutes", "steps", "dev"} <= manifest.training.keys()
    assert (MODELS / f"{manifest.family}.train.log").is_file()
