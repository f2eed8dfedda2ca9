"""The engine: same input and state, same bits; sessions apart; damage found at the start."""

from __future__ import annotations

import dataclasses
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from engines.engine import StepInputs
from engines.errors import EngineError, ModelError
from engines.manifest import Manifest, read_manifest
from engines.onnx_runtime import OrtCache, OrtEngine
from tests.export.tiny_family import manifests


@pytest.fixture(scope="module")
def engine() -> OrtEngine:
    return OrtEngine(manifests()[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the tiny model, to be damaged."""
    shutil.copytree(manifests()[0].graph.path.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path


def inputs(manifest: Manifest, seed: int, strength: float = 1.0) -> StepInputs:
    rng = np.random.default_rng(seed)
    y, uv = (rng.integers(0, 256, manifest.shape(name), np.uint8) for name in ("y", "uv"))
    regions, prompt = (rng.random(manifest.shape(name), np.float32) for name in ("regions", "prompt"))
    return StepInputs(y, uv, regions, prompt, strength)


def pictures(engine: OrtEngine, cache: OrtCache, seeds: list[int]) -> list[bytes]:
    """The luma planes of a run of frames."""
    return [engine.step(inputs(engine.manifest, s), cache).y.tobytes() for s in seeds]


def test_the_past_counts_and_can_be_forgotten(engine: OrtEngine) -> None:
    cache = engine.new_cache()
    first = pictures(engine, cache, [1, 2, 3, 1])
    assert first[3] != first[0]
    cache.forget()
    assert pictures(engine, cache, [1, 2, 3, 1]) == first
    assert pictures(engine, engine.new_cache(), [1, 2, 3, 1]) == first


def test_strength_zero_gives_back_every_bit(engine: OrtEngine) -> None:
    cache = engine.new_cache()
    for seed in range(3):
        given = inputs(engine.manifest, seed, strength=0.0)
        out = engine.step(given, cache)
        assert np.array_equal(out.y, given.y) and np.array_equal(out.uv, given.uv)
        assert out.prompt_hat.shape == engine.manifest.shape("prompt_hat")


def test_two_caches_do_not_mix(engine: OrtEngine) -> None:
    alone = [pictures(engine, engine.new_cache(), seeds) for seeds in ([1, 2, 3], [4, 5, 6])]
    one, two = engine.new_cache(), engine.new_cache()
    together = [(*pictures(engine, one, [a]), *pictures(engine, two, [b])) for a, b in ((1, 4), (2, 5), (3, 6))]
    assert [list(run) for run in zip(*together, strict=True)] == alone


def test_sessions_may_run_at_the_same_time(engine: OrtEngine) -> None:
    runs = [[10 * i + j for j in range(6)] for i in range(4)]
    alone = [pictures(engine, engine.new_cache(), seeds) for seeds in runs]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda seeds: pictures(engine, engine.new_cache(), seeds), runs)) == alone


def test_outputs_stay_during_the_next_step(engine: OrtEngine) -> None:
    cache = engine.new_cache()
    before = engine.step(inputs(engine.manifest, 1), cache)
    y, uv, prompt_hat = before.y.copy(), before.uv.copy(), before.prompt_hat.copy()
    after = engine.step(inputs(engine.manifest, 2), cache)
    assert np.array_equal(before.y, y) and np.array_equal(before.uv, uv)
    assert np.array_equal(before.prompt_hat, prompt_hat)
    assert not np.shares_memory(before.y, after.y)


@pytest.mark.parametrize("name", ["y", "uv", "regions", "prompt"])
def test_a_wrong_shape_or_type_fails_and_forgets(engine: OrtEngine, name: str) -> None:
    fresh = pictures(engine, engine.new_cache(), [1])
    good = inputs(engine.manifest, 2)
    array = getattr(good, name)
    for wrong in (array[:, :, :-2] if array.ndim > 2 else array[:, :-1], array.astype(np.float64)):
        cache = engine.new_cache()
        pictures(engine, cache, [3, 4])
        with pytest.raises(EngineError):
            engine.step(dataclasses.replace(good, **{name: wrong}), cache)
        assert pictures(engine, cache, [1]) == fresh


def test_planes_cut_out_of_a_larger_one_will_do(engine: OrtEngine) -> None:
    given = inputs(engine.manifest, 1)
    large = np.zeros((1, 1, 80, 80), np.uint8)
    large[:, :, 8:72, 8:72] = given.y
    out = engine.step(dataclasses.replace(given, y=large[:, :, 8:72, 8:72]), engine.new_cache())
    assert out.y.tobytes() == pictures(engine, engine.new_cache(), [1])[0]


def test_another_engines_cache_is_refused(engine: OrtEngine) -> None:
    other = OrtEngine(manifests()[1])
    with pytest.raises(EngineError, match="another engine"):
        engine.step(inputs(engine.manifest, 1), other.new_cache())


def test_idle_threads_do_not_spin(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[onnxruntime.SessionOptions] = []
    session = onnxruntime.InferenceSession

    def opened(path: str, options: onnxruntime.SessionOptions, providers: list[str]) -> object:
        seen.append(options)
        return session(path, options, providers=providers)

    monkeypatch.setattr(onnxruntime, "InferenceSession", opened)
    OrtEngine(manifests()[0], threads=2)
    assert seen[0].get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert seen[0].intra_op_num_threads == 2


@pytest.mark.parametrize("name", ["tiny-64.onnx", "tiny.data"])
def test_damaged_files_are_found_by_their_sha256(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match="sha256"):
        OrtEngine(read_manifest(folder / "tiny-64.json"))
    (folder / name).unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        OrtEngine(read_manifest(folder / "tiny-64.json"))


def test_a_file_that_is_no_graph_is_refused(folder: Path) -> None:
    manifest = manifests()[0]
    with pytest.raises(ModelError, match="cannot be loaded"):
        OrtEngine(dataclasses.replace(manifest, graph=manifest.weights))


@pytest.mark.parametrize(("field", "value"), [("shape", [1, 1, 32, 32]), ("dtype", "float32")])
def test_a_manifest_of_another_graph_is_refused(folder: Path, field: str, value: object) -> None:
    path = folder / "tiny-64.json"
    raw = json.loads(path.read_text())
    raw["inputs"][0][field] = value
    path.write_text(json.dumps(raw))
    with pytest.raises(ModelError, match="does not match its manifest in y"):
        OrtEngine(read_manifest(path))
