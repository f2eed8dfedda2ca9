"""Building plans: the rules, and every kind of graph compiled in earnest, ahead of time and without a GPU."""

from __future__ import annotations

import importlib.util
import itertools
import os
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import onnx
import pytest

from engines.errors import BadInput, EngineError, ModelError
from engines.manifest import StoredFile, half_family, read_family
from engines.plan_build import MAX_BATCH, build, profile_of, profiles
from engines.plan_progress import Steps
from engines.tensorrt_library import Library, find_library, open_library
from export.half_family import export_half
from export.onnx_graph import stored_file
from tests.export.tiny_family import halves, manifests

REQUIRED = "CLEARCALL_REQUIRE_TENSORRT_RTX"
"""Set where a missing library must not pass for tests that ran."""
MISSING = "tensorrt-rtx is not installed (pip install tensorrt-rtx): plans are not compiled"
CAPABILITIES = ("sm89", "sm120")


def silent(what: str, share: float) -> None:
    pass


@pytest.fixture(scope="module")
def library() -> Library:
    if importlib.util.find_spec("tensorrt_rtx") is None:
        (pytest.fail if os.environ.get(REQUIRED) else pytest.skip)(MISSING)
    return open_library("tensorrt-rtx")


def test_every_batch_has_a_profile() -> None:
    assert profiles(1) == [(1, 1, 1)]
    assert profiles(2) == [(1, 1, 1), (2, 2, 2)]
    assert profiles(8) == [(1, 1, 1), (2, 4, 4), (5, 8, 8)]
    assert profiles(20) == [(1, 1, 1), (2, 4, 4), (5, 8, 8), (9, 16, 16), (17, 20, 20)]
    for most in range(1, 40):
        ranges = profiles(most)
        assert [b for low, _, high in ranges for b in range(low, high + 1)] == list(range(1, most + 1))
        for batch in range(1, most + 1):
            low, best, high = ranges[profile_of(batch, ranges)]
            assert low <= batch <= high and low <= best <= high
        with pytest.raises(ValueError, match="no plan"):
            profile_of(most + 1, ranges)


def test_progress_rises_to_its_end_and_never_falls() -> None:
    """Libraries begin phases within phases, and the same ones again: a bar that jumps back is no bar."""
    steps, seen = Steps(), []
    seen.append(steps.start("all", 2))
    for part in range(2):
        seen.append(steps.start("part", 4))
        seen += [steps.step("part", index) for index in range(4)]
        seen += [steps.finish("part"), steps.step("all", part)]
    seen += [steps.start("again", 0), steps.step("again", 0), steps.step("unknown", 5), steps.finish("unknown")]
    seen += [steps.finish("again"), steps.finish("all")]
    assert seen == sorted(seen) and seen[0] == 0 and seen[-1] == 1.0
    assert seen[2:6] == [0.125, 0.25, 0.375, 0.5]


def test_a_library_that_is_not_there_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorrt", None)
    with pytest.raises(BadInput, match="tensorrt not installed: .* pip install --upgrade tensorrt$"):
        find_library("tensorrt")
    monkeypatch.setitem(__import__("sys").modules, "tensorrt_rtx", None)
    with pytest.raises(BadInput, match="tensorrt-rtx not installed: .* --upgrade tensorrt-rtx, or tensorrt$"):
        find_library("auto")
    with pytest.raises(BadInput, match="--backend must be auto, tensorrt, tensorrt-rtx, not 'cuda'"):
        find_library("cuda")


def test_a_library_that_does_not_load_tells_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(name: str) -> None:
        raise OSError("libnvinfer.so.10: cannot open shared object file\nmore")

    monkeypatch.setattr("engines.tensorrt_library.importlib.import_module", fail)
    with pytest.raises(EngineError, match="cannot be loaded: libnvinfer.so.10: cannot open shared object file$"):
        open_library("tensorrt")


@pytest.mark.parametrize(("version", "good"), [("10.8.0.43", False), ("10.9.0.34", True), ("11.0", True)])
def test_a_library_older_than_the_package_asks_for_is_refused(
    monkeypatch: pytest.MonkeyPatch, version: str, good: bool
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorrt", SimpleNamespace(__version__=version))
    if good:
        assert open_library("tensorrt").version == version
        return
    with pytest.raises(EngineError, match="version 10.8.0.43 is too old, 10.9 is the oldest"):
        open_library("tensorrt")


def test_damaged_graphs_are_not_built() -> None:
    fake = Library("tensorrt", None, "10.9")
    manifest = replace(halves()[0], graph=StoredFile(halves()[0].graph.path, "0" * 64))
    with pytest.raises(ModelError, match="damaged"):
        build(fake, manifest, None, 4, silent)


@pytest.mark.parametrize("size", [256, 384, 512])
def test_every_shipped_graph_compiles_for_gpus_that_are_not_here(library: Library, size: int) -> None:
    """Weights decide what is kept in float32: an untrained graph that compiles does not speak for the one that ships.

    `base` is not among them: weights at random take it a minute to export and twenty seconds to compile.
    """
    manifest = next(m for m in read_family(half_family("lite")) if m.crop == size)
    # Batches are profiles of one plan, whatever the GPU: those of several sessions once.
    for capability, most in zip(CAPABILITIES, (MAX_BATCH, 1), strict=True):
        plan = build(library, manifest, capability, most, silent)
        assert len(plan) > manifest.weights.path.stat().st_size // 2


def test_graphs_of_several_steps_compile(tmp_path: Path, library: Library) -> None:
    from export.onnx_graph import export_variants, offline_variants
    from tests.export.tiny_family import generator

    variants = offline_variants("tiny", 64)
    made = export_variants(generator(), variants[:2], "steps", tmp_path, {})
    for manifest, capability in zip(made, CAPABILITIES, strict=True):
        assert build(library, export_half([manifest])[0], capability, 1, silent)


def test_progress_is_told(library: Library) -> None:
    shares: list[float] = []

    def note(what: str, share: float) -> None:
        shares.append(share)

    build(library, halves()[0], "sm89", 2, note)
    assert shares == sorted(shares) and shares[-1] > 0.8 and len(set(shares)) > 10


def test_a_signal_stops_it(library: Library) -> None:
    """Guards against a build that goes on: what a handler raises within the library is swallowed there."""
    count = itertools.count()

    def press(what: str, share: float) -> None:
        if next(count) == 30:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        build(library, halves()[0], "sm89", 2, press)
    assert next(count) < 60


def test_a_graph_that_it_cannot_read_is_said_in_one_line(tmp_path: Path, library: Library) -> None:
    model = onnx.load(str(halves()[0].graph.path))
    model.graph.node[5].op_type = "Nonsense"
    path = tmp_path / "x.onnx"
    onnx.save(model, str(path))
    manifest = replace(halves()[0], graph=StoredFile(path, stored_file(path)["sha256"]))
    with pytest.raises(EngineError, match="tensorrt-rtx cannot read tiny-fp16-64: .*Nonsense") as raised:
        build(library, manifest, "sm89", 1, silent)
    assert "\n" not in str(raised.value)


def test_a_build_that_fails_leaves_nothing_in_the_next_plan(library: Library) -> None:
    """What TensorRT-RTX 1.7 compiled for sm75 until it gave up was in the plan for sm89, which was 4 MB larger."""
    lite = read_family(half_family("lite"))[0]
    good = build(library, lite, "sm89", 1, silent)
    with pytest.raises(EngineError, match="cannot build lite-fp16-256: .*FP32 GEMM is not supported"):
        build(library, lite, "sm75", 1, silent)
    assert abs(len(build(library, lite, "sm89", 1, silent)) - len(good)) < 100_000


def test_it_builds_for_what_it_says(library: Library) -> None:
    """A name that the library has no more would only be found out where it is built for."""
    assert set(CAPABILITIES) <= set(library.capabilities())


def test_capabilities_are_told_by_number() -> None:
    """By name sm120 would come before sm75; what is no capability is none to build for."""
    module = SimpleNamespace(ComputeCapability=SimpleNamespace(__members__=dict.fromkeys(["SM120", "NONE", "SM75"])))
    assert Library("tensorrt-rtx", module, "1.7").capabilities() == ["sm75", "sm120"]
    assert Library("tensorrt", module, "10.9").capabilities() == []


def test_the_two_families_are_apart() -> None:
    folder = halves()[0].graph.path.parent
    assert [m.name for m in read_family("tiny", folder)] == [m.name for m in manifests()]
