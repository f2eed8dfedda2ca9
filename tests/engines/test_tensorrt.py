"""A plan as an engine, against a library that only notes what it is told: a GPU is not needed, nor is TensorRT."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engines import plan_supply
from engines.cuda import CudaDevice
from engines.errors import EngineError, EngineLost, ModelError
from engines.manifest import Manifest
from engines.plan_build import profiles
from engines.plan_cache import KERNELS, key_of, load, store
from engines.plan_lock import NotKept
from engines.tensorrt import PlanRunner, open_tensorrt
from engines.tensorrt_library import Library
from tests.engines.fake_device import FakeDevice, FakeQueue
from tests.export.tiny_family import halves, manifests

KINDS = {"float32": "FLOAT", "float16": "HALF", "uint8": "UINT8"}


class FakeContext:
    def __init__(self, settings: Any) -> None:
        self.settings = settings
        self.calls: list[tuple[Any, ...]] = []
        self.refuses: set[str] = set()

    def _called(self, name: str, *arguments: Any) -> bool:
        self.calls.append((name, *arguments))
        return name not in self.refuses

    def set_optimization_profile_async(self, index: int, stream: int) -> bool:
        return self._called("profile", index, stream)

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        return self._called("shape", name, shape)

    def set_tensor_address(self, name: str, address: int) -> bool:
        return self._called("address", name, address)

    def set_device_memory(self, memory: int, size: int) -> None:
        self._called("memory", memory, size)

    def execute_async_v3(self, stream: int) -> bool:
        return self._called("execute", stream)


class FakeKernels:
    def __init__(self) -> None:
        self.content = b""

    def deserialize(self, content: bytes) -> None:
        self.content = content

    def serialize(self) -> bytes:
        return self.content + b"+"


class FakeSettings:
    kernels: FakeKernels | None = None
    dynamic_shapes_kernel_specialization_strategy = "LAZY"

    strategy = "STATIC"

    def set_execution_context_allocation_strategy(self, strategy: str) -> None:
        self.strategy = strategy

    def create_runtime_cache(self) -> FakeKernels:
        return FakeKernels()

    def set_runtime_cache(self, kernels: FakeKernels) -> None:
        self.kernels = kernels

    def get_runtime_cache(self) -> FakeKernels | None:
        return self.kernels


class FakePlan:
    """An engine of the library, as its plan says: all tensors of a manifest, and profiles up to a batch."""

    def __init__(self, manifest: Manifest, max_batch: int) -> None:
        axis = -1 if max_batch > 1 else 1
        self.tensors = {t.name: ((axis, *t.shape[1:]), KINDS[t.dtype]) for t in (*manifest.inputs, *manifest.outputs)}
        for s in manifest.states:
            self.tensors |= {name: ((axis, *s.shape[1:]), KINDS[s.dtype]) for name in (s.input, s.output)}
        self.ranges = profiles(max_batch)
        self.num_optimization_profiles = len(self.ranges)
        self.contexts: list[FakeContext] = []
        self.full = False
        self.device_memory_size_v2 = 4096

    @property
    def num_io_tensors(self) -> int:
        return len(self.tensors)

    def get_tensor_name(self, index: int) -> str:
        return list(self.tensors)[index]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self.tensors[name][0]

    def get_tensor_dtype(self, name: str) -> str:
        return self.tensors[name][1]

    def get_tensor_profile_shape(self, name: str, index: int) -> list[tuple[int, ...]]:
        return [(size, *self.tensors[name][0][1:]) for size in self.ranges[index]]

    def create_runtime_config(self) -> FakeSettings:
        return FakeSettings()

    def create_execution_context(self, settings: FakeSettings | str) -> FakeContext | None:
        if self.full:
            return None
        self.contexts.append(FakeContext(settings))
        return self.contexts[-1]


class ILogger:
    ERROR = 1


def library(plan: FakePlan | None, rtx: bool = False) -> Library:
    def deserialize(said: Any, content: bytes) -> FakePlan | None:
        if plan is None or content == b"bad":
            said.log(ILogger.ERROR, "Serialization assertion failed.\nmore")
            return None
        return plan

    module = SimpleNamespace(
        ILogger=ILogger,
        Runtime=lambda said: SimpleNamespace(deserialize_cuda_engine=lambda content: deserialize(said, content)),
        float32="FLOAT",
        float16="HALF",
        uint8="UINT8",
        ExecutionContextAllocationStrategy=SimpleNamespace(USER_MANAGED="USER_MANAGED"),
        ComputeCapability=SimpleNamespace(__members__={"SM89": 5}),
    )
    if rtx:
        module.DynamicShapesKernelSpecializationStrategy = SimpleNamespace(EAGER="EAGER")
    return Library("tensorrt-rtx" if rtx else "tensorrt", module, "10.9")


def runner(plan: FakePlan | None, rtx: bool = False, kernels: Path | None = None) -> PlanRunner:
    return plan_runner(library(plan, rtx), halves()[0], kernels)


def plan_runner(made: Library, manifest: Manifest, kernels: Path | None = None) -> PlanRunner:
    device = FakeDevice()
    device.enter()
    return PlanRunner(made, b"plan", manifest, device, device.queue(), kernels)


def addresses() -> dict[str, int]:
    return {name: 256 * (index + 1) for index, name in enumerate(FakePlan(halves()[0], 4).tensors)}


def test_each_size_has_a_context_of_its_own_whose_shapes_stay() -> None:
    """A recording refers to its context: one that served several sizes changed its shapes under what was recorded."""
    plan = FakePlan(halves()[0], 8)
    made = runner(plan)
    assert made.max_batch == 8 and made.capturable
    for batch in (1, 3, 4, 3, 1):
        made.run(batch, addresses(), FakeDevice().queue())
    inputs = [t.name for t in halves()[0].inputs] + [s.input for s in halves()[0].states]
    for context, batch, profile in zip(plan.contexts, (1, 3, 4), (0, 1, 1), strict=True):
        assert [c for c in context.calls if c[0] == "profile"] == ([("profile", profile, 1)] if profile else [])
        shapes = [c for c in context.calls if c[0] == "shape"]
        assert [c[1] for c in shapes] == inputs and {c[2][0] for c in shapes} == {batch}
        assert {c[1:] for c in context.calls if c[0] == "address"} == set(addresses().items())
        assert context.calls[-1] == ("execute", 1)
    assert shapes[0] == ("shape", "y", (4, 1, 64, 64))


@pytest.mark.parametrize("rtx", [False, True])
def test_all_contexts_share_one_room(rtx: bool) -> None:
    """Each with its own would take that of the largest batch, as often as there are sizes."""
    plan = FakePlan(halves()[0], 4)
    made = runner(plan, rtx)
    for batch in (1, 2, 4):
        made.run(batch, addresses(), FakeDevice().queue())
    rooms = [c for context in plan.contexts for c in context.calls if c[0] == "memory"]
    assert len(rooms) == 3 and len(set(rooms)) == 1 and rooms[0][2] == plan.device_memory_size_v2
    for context in plan.contexts:
        assert (context.settings.strategy if rtx else context.settings) == "USER_MANAGED"


def test_a_plan_for_one_session_has_one_context_and_no_shapes() -> None:
    plan = FakePlan(manifests()[0], 1)
    made = plan_runner(library(plan), manifests()[0])
    made.run(1, addresses(), FakeDevice().queue())
    assert made.max_batch == 1 and not [c for c in plan.contexts[0].calls if c[0] in {"shape", "profile"}]


@pytest.mark.parametrize("refused", ["profile", "shape", "execute"])
def test_what_the_library_refuses_loses_the_engine(refused: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeContext, "_called", lambda self, name, *_: name != refused)
    with pytest.raises(EngineLost):
        runner(FakePlan(halves()[0], 4)).run(2, addresses(), FakeDevice().queue())


def test_without_room_for_a_context_the_engine_is_lost() -> None:
    plan = FakePlan(halves()[0], 4)
    made = runner(plan)
    plan.full = True
    with pytest.raises(EngineLost, match="no room"):
        made.run(1, addresses(), FakeDevice().queue())


def test_a_plan_that_is_refused_says_why() -> None:
    with pytest.raises(EngineError, match=r"is refused: Serialization assertion failed\.$"):
        runner(None)


@pytest.mark.parametrize("change", ["gone", "more", "shape", "dtype"])
def test_a_plan_of_another_graph_is_not_used(change: str) -> None:
    plan = FakePlan(halves()[0], 4)
    shape, kind = plan.tensors["uv"]
    if change == "gone":
        del plan.tensors["uv"]
    else:
        name = "other" if change == "more" else "uv"
        plan.tensors[name] = ((*shape[:-1], 99) if change == "shape" else shape, "HALF" if change == "dtype" else kind)
    with pytest.raises(ModelError, match="does not match its manifest in (uv|other)"):
        runner(plan)


def test_rtx_compiles_all_sizes_before_it_is_ready_and_keeps_what_it_compiled(tmp_path: Path) -> None:
    """A size that first comes in a call would stop that call until its kernels are compiled."""
    plan, kernels = FakePlan(halves()[0], 4), tmp_path / f"x{KERNELS}"
    made = runner(plan, rtx=True, kernels=kernels)
    made.run(1, addresses(), FakeDevice().queue())
    assert plan.contexts[0].settings.dynamic_shapes_kernel_specialization_strategy == "EAGER"
    made.keep_kernels()
    assert kernels.read_bytes() == b"+"
    runner(plan, rtx=True, kernels=kernels).keep_kernels()
    assert kernels.read_bytes() == b"++"


class FakeGpu(FakeDevice):
    capability = "sm90"


def test_an_engine_is_opened_from_its_plan_and_warmed_up(tmp_path: Path) -> None:
    plan, manifest, gpu = FakePlan(halves()[0], 4), halves()[0], FakeGpu()
    with pytest.raises(EngineError, match="no plan of tiny-fp16-64 for sm90 yet: clearcall build makes it"):
        open_tensorrt(library(plan), manifest, cast(CudaDevice, gpu), 4, folder=tmp_path)
    store(tmp_path, key_of(manifest, "tensorrt", "10.9", "sm90", 4, "fake"), b"plan")
    engine = open_tensorrt(library(plan), manifest, cast(CudaDevice, gpu), 4, folder=tmp_path)
    assert engine.name == "tensorrt" and engine.max_batch == 4
    # Once as it is, once to be recorded, and then what was recorded.
    assert [len([c for c in context.calls if c[0] == "execute"]) for context in plan.contexts] == [2] * 4
    assert isinstance(gpu.last, FakeQueue) and gpu.last.waited == 8
    assert (gpu.last.recorded, gpu.last.launched) == (4, 4)


class Builds:
    """Stands for the building: gives out one plan after the other, and the last again and again."""

    def __init__(self, *plans: bytes) -> None:
        self.plans = list(plans)
        self.asked: list[tuple[Any, ...]] = []

    def __call__(self, *arguments: Any) -> bytes:
        self.asked.append(arguments[1:4])
        return self.plans.pop(0) if len(self.plans) > 1 else self.plans[0]


@pytest.mark.parametrize(("capability", "named"), [("sm89", "sm89"), ("sm90", None)])
def test_one_that_is_demanded_is_built_where_there_is_no_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capability: str, named: str | None
) -> None:
    builds = Builds(b"plan")
    monkeypatch.setattr(plan_supply, "build", builds)
    plan, gpu = FakePlan(halves()[0], 4), FakeGpu()
    monkeypatch.setattr(gpu, "capability", capability, raising=False)
    for _ in range(2):
        open_tensorrt(library(plan, rtx=True), halves()[0], cast(CudaDevice, gpu), 4, may_build=True, folder=tmp_path)
    assert builds.asked == [(halves()[0], named, 4)]


def test_a_plan_for_another_number_of_sessions_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Doors ask for one size alone: what `clearcall build --max-batch 4` made was never found."""
    builds = Builds(b"plan")
    monkeypatch.setattr(plan_supply, "build", builds)
    gpu, known = cast(CudaDevice, FakeGpu()), library(FakePlan(halves()[0], 4), rtx=True)
    store(tmp_path, key_of(halves()[0], "tensorrt-rtx", "10.9", "sm90", 4), b"plan")
    assert open_tensorrt(known, halves()[0], gpu, 8, folder=tmp_path).max_batch == 4
    assert open_tensorrt(known, halves()[0], gpu, 2, may_build=True, folder=tmp_path).max_batch == 4
    assert not builds.asked
    # What may build does not make do with less.
    open_tensorrt(known, halves()[0], gpu, 8, may_build=True, folder=tmp_path)
    assert [batch for _, _, batch in builds.asked] == [8]


def test_plans_of_tensorrt_are_for_one_model_of_gpu(tmp_path: Path) -> None:
    """H100 and H200 are both sm90; what was timed on one is slow on the other, or refused."""
    gpu = cast(CudaDevice, FakeGpu())
    for known in (library(FakePlan(halves()[0], 4)), library(FakePlan(halves()[0], 4), rtx=True)):
        store(tmp_path, key_of(halves()[0], known.name, "10.9", "sm90", 4, known.bound_to("another")), b"plan")
    with pytest.raises(EngineError, match="no plan of"):
        open_tensorrt(library(FakePlan(halves()[0], 4)), halves()[0], gpu, 4, folder=tmp_path)
    open_tensorrt(library(FakePlan(halves()[0], 4), rtx=True), halves()[0], gpu, 4, folder=tmp_path)


@pytest.mark.parametrize("fresh", [b"plan", b"bad"])
def test_a_plan_that_is_refused_is_built_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: bytes
) -> None:
    """Whole, but of no use, it was found again at each start, and never replaced."""
    builds, manifest, gpu = Builds(fresh), halves()[0], cast(CudaDevice, FakeGpu())
    monkeypatch.setattr(plan_supply, "build", builds)
    key = key_of(manifest, "tensorrt-rtx", "10.9", "sm90", 4)
    store(tmp_path, key, b"bad")
    known = library(FakePlan(manifest, 4), rtx=True)
    with pytest.raises(EngineError, match="is refused: Serialization"):
        open_tensorrt(known, manifest, gpu, 4, folder=tmp_path)
    if fresh == b"plan":
        open_tensorrt(known, manifest, gpu, 4, may_build=True, folder=tmp_path)
        assert load(tmp_path, key) == b"plan"
    else:
        with pytest.raises(EngineError, match="is refused: Serialization"):
            open_tensorrt(known, manifest, gpu, 4, may_build=True, folder=tmp_path)
    assert len(builds.asked) == 1


@pytest.mark.parametrize("built_before", [False, True])
def test_a_plan_that_cannot_be_kept_is_used_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, built_before: bool
) -> None:
    """On a full disk minutes of building were thrown away."""

    def full(*_: Any) -> None:
        raise NotKept("plans cannot be kept: No space left on device")

    builds = Builds(b"plan")
    monkeypatch.setattr(plan_supply, "build", builds)
    monkeypatch.setattr("engines.plan_cache." + ("store" if built_before else "_make_sure_of_room"), full)
    gpu, known = cast(CudaDevice, FakeGpu()), library(FakePlan(halves()[0], 4))
    engine = open_tensorrt(known, halves()[0], gpu, 4, may_build=True, folder=tmp_path)
    assert engine.max_batch == 4 and len(builds.asked) == 1
    assert "No space left on device; the next start has to build it again" in caplog.text


@pytest.mark.parametrize("may_build", [False, True])
def test_graphs_in_float32_are_refused_for_what_they_are(tmp_path: Path, may_build: bool) -> None:
    """`clearcall build makes it` was promised of graphs that no library can read."""
    with pytest.raises(EngineError, match="TensorRT runs only graphs in half precision, tiny-64 is not"):
        open_tensorrt(library(None), manifests()[0], cast(CudaDevice, FakeGpu()), may_build=may_build, folder=tmp_path)
