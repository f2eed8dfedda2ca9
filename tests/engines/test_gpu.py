"""The engine on a GPU, with a device made of host memory: states, batches, recordings, errors."""

from __future__ import annotations

import dataclasses
import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engines.engine import StepInputs
from engines.errors import EngineError, EngineLost, OutOfDeviceMemory
from engines.gpu import GpuEngine
from engines.gpu_memory import GpuCache, moved
from engines.manifest import StateSpec
from engines.onnx_runtime import OrtEngine
from tests.engines.fake_device import FakeDevice, FakeQueue, FakeRunner, lost
from tests.engines.test_onnx_runtime import inputs
from tests.export.tiny_family import halves


class Rig:
    """An engine with what it stands on."""

    def __init__(self, room: int = 1 << 40, no_recording: Exception | None = None) -> None:
        self.device = FakeDevice(room)
        self.queue: FakeQueue = self.device.queue()
        self.queue.no_recording = no_recording
        self.runner = FakeRunner(halves()[0], self.device)
        self.engine = GpuEngine(halves()[0], self.device, self.queue, self.runner)
        self.warm_up = self.runner.batches.copy()
        self.runner.batches.clear()

    def together(self, frames: list[tuple[GpuCache, StepInputs]]) -> list[bytes]:
        """One batch; the luma planes."""
        out = self.engine.step_together([(given, cache) for cache, given in frames])
        return [step.y.tobytes() for step in out]


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture(scope="module")
def reference() -> OrtEngine:
    return OrtEngine(halves()[0])


def given(seed: int) -> StepInputs:
    return inputs(halves()[0], seed)


def test_it_does_what_the_engine_on_the_cpu_does(rig: Rig, reference: OrtEngine) -> None:
    ours, theirs = rig.engine.new_cache(), reference.new_cache()
    for seed in range(8):
        if seed == 3:
            ours.forget()
            theirs.forget()
        if seed in {5, 6}:
            assert ours.shift(32, -32) and theirs.shift(32, -32)
        a, b = rig.engine.step(given(seed), ours), reference.step(given(seed), theirs)
        assert np.array_equal(a.y, b.y) and np.array_equal(a.uv, b.uv), seed
        assert np.array_equal(a.prompt_hat, b.prompt_hat), seed
    assert rig.queue.launched > 0


def test_two_moves_before_one_step_add_up(rig: Rig, reference: OrtEngine) -> None:
    ours, theirs = rig.engine.new_cache(), reference.new_cache()
    for cache in (ours, theirs):
        engine = rig.engine if cache is ours else reference
        engine.step(given(1), cache)
        assert cache.shift(32, 0) and cache.shift(-32, 32) and not cache.shift(1, 0)
    assert np.array_equal(rig.engine.step(given(2), ours).y, reference.step(given(2), theirs).y)


def test_what_is_forgotten_does_not_move(rig: Rig) -> None:
    cache = rig.engine.new_cache()
    rig.engine.step(given(1), cache)
    cache.shift(32, 0)
    cache.forget()
    assert np.array_equal(rig.engine.step(given(2), cache).y, rig.engine.step(given(2), rig.engine.new_cache()).y)
    assert not cache.shifts


def test_a_batch_gives_each_session_its_own(rig: Rig) -> None:
    """Half precision may round otherwise in a larger batch, by a step of 8 bits; another session's state would show."""
    alone = [rig.engine.new_cache() for _ in range(3)]
    joint = [rig.engine.new_cache() for _ in range(3)]
    for frame in range(4):
        seeds = [10 * index + frame for index in range(3)]
        apart = [rig.engine.step(given(s), c).y.astype(int) for s, c in zip(seeds, alone, strict=True)]
        rig.together([(c, given(s)) for s, c in zip(seeds, joint, strict=True)])
        for expected, cache in zip(apart, joint, strict=True):
            assert np.abs(cache.outputs[1 - cache.turn]["y_out"].astype(int) - expected).max() <= 1
    assert rig.runner.batches.count(3) == 4


def test_a_session_may_be_in_a_batch_now_and_alone_then(rig: Rig, reference: OrtEngine) -> None:
    cache, other, theirs = rig.engine.new_cache(), rig.engine.new_cache(), reference.new_cache()
    for frame in range(6):
        expected = reference.step(given(frame), theirs).y.astype(int)
        if frame % 2:
            rig.together([(other, given(50 + frame)), (cache, given(frame))])
        else:
            rig.engine.step(given(frame), cache)
        found = cache.outputs[1 - cache.turn]["y_out"].astype(int)
        assert np.abs(found - expected).max() <= 1


def test_what_runs_the_graph_is_recorded_once_for_each_size_and_serves_every_session(rig: Rig) -> None:
    """Recorded for each set of sessions, hardly a batch came again: recording delayed everybody and served nobody."""
    assert (rig.queue.recorded, rig.queue.launched) == (4, 4)
    fresh = [rig.engine.step(given(s), rig.engine.new_cache()).y.tobytes() for s in range(3)]
    # What was recorded reads what lies there now.
    for seed in range(3):
        assert rig.engine.step(given(seed), rig.engine.new_cache()).y.tobytes() == fresh[seed]
    caches = [rig.engine.new_cache() for _ in range(5)]
    for frame in range(12):
        pair = caches[frame % 4 : frame % 4 + 2]
        rig.together([(cache, given(frame)) for cache in pair])
    assert (rig.queue.recorded, rig.queue.launched) == (4, 4 + 6 + 12)


def test_one_copy_up_and_one_down_however_many_sessions(rig: Rig) -> None:
    """A call of the driver for each tensor of each session takes longer than a small graph."""
    caches = [rig.engine.new_cache() for _ in range(4)]
    states = len(halves()[0].states)
    for count, copies in ((1, 2), (4, 2 * states)):
        queue = rig.queue
        before = (queue.uploads, queue.downloads, queue.copies)
        rig.together([(cache, given(1)) for cache in caches[:count]])
        assert (queue.uploads, queue.downloads, queue.copies) == (before[0] + 1, before[1] + 1, before[2] + copies)


def test_sessions_that_lie_apart_and_in_any_order_get_their_own(rig: Rig, reference: OrtEngine) -> None:
    """Copies take several sessions' states at once: a wrong row would be another session's memory."""
    ours = [rig.engine.new_cache() for _ in range(7)]
    theirs = [reference.new_cache() for _ in range(7)]
    rows = sorted(cache.states for cache in ours)
    assert len(set(rows)) == 7
    for frame, chosen in enumerate([(0, 1, 2, 3), (6, 0, 2), (4, 3), (5, 1, 4, 6), (2, 6, 5, 0), (3, 2, 1)]):
        rig.together([(ours[c], given(10 * c + frame)) for c in chosen])
        for c in chosen:
            expected = reference.step(given(10 * c + frame), theirs[c])
            found = ours[c].outputs[1 - ours[c].turn]
            assert np.abs(found["y_out"].astype(int) - expected.y.astype(int)).max() <= 1
            assert np.abs(found["prompt_hat"].astype(float) - expected.prompt_hat).max() < 0.01


def test_rows_are_used_again_the_lowest_first(rig: Rig) -> None:
    caches = [rig.engine.new_cache() for _ in range(4)]
    rows = [cache.states for cache in caches]
    blocks = len(rig.device.blocks)
    del caches[1:3]
    gc.collect()
    again = [rig.engine.new_cache() for _ in range(2)]
    assert [cache.states for cache in again] == rows[1:3] and len(rig.device.blocks) == blocks
    assert rig.engine._pool.runs(rows) == [(0, 4)] and rig.engine._pool.runs([rows[0], *rows[2:]]) == [(0, 1), (1, 2)]


def test_what_was_recorded_goes_with_its_engine() -> None:
    rig = Rig()
    queue, device = rig.queue, rig.device
    del rig
    gc.collect()
    assert queue.released == 4 and not device.blocks


@pytest.mark.parametrize("error", [EngineLost("cuStreamBeginCapture: not permitted"), RuntimeError("a library's own")])
def test_where_nothing_can_be_recorded_it_goes_on(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig(no_recording=error)
    cache = rig.engine.new_cache()
    for seed in range(5):
        rig.engine.step(given(seed), cache)
    assert not rig.engine.recorded and rig.queue.launched == 0
    assert f"cannot be recorded: {error}" in caplog.text


def test_warming_up_runs_every_size(reference: OrtEngine) -> None:
    rig = Rig()
    assert rig.warm_up == [1, 1, 2, 2, 3, 3, 4, 4]
    gc.collect()
    # Only what batches are gathered in is still there.
    assert len(rig.device.blocks) == 2
    out = rig.engine.step(given(1), rig.engine.new_cache())
    assert np.array_equal(out.y, reference.step(given(1), reference.new_cache()).y)


def test_one_wait_a_frame(rig: Rig) -> None:
    cache, before = rig.engine.new_cache(), rig.queue.waited
    for seed in range(5):
        rig.engine.step(given(seed), cache)
    assert rig.queue.waited - before == 5


def test_outputs_stay_during_the_next_step(rig: Rig) -> None:
    cache = rig.engine.new_cache()
    before = rig.engine.step(given(1), cache)
    y, uv, prompt_hat = before.y.copy(), before.uv.copy(), before.prompt_hat.copy()
    rig.engine.step(given(2), cache)
    assert np.array_equal(before.y, y) and np.array_equal(before.uv, uv)
    assert np.array_equal(before.prompt_hat, prompt_hat)


def test_sessions_of_many_threads(rig: Rig) -> None:
    """Whatever batches come about: each session sees its own past."""
    runs = [[100 * i + j for j in range(6)] for i in range(4)]

    def pictures(seeds: list[int]) -> list[np.ndarray]:
        cache = rig.engine.new_cache()
        return [rig.engine.step(given(seed), cache).y.astype(int) for seed in seeds]

    alone = [pictures(seeds) for seeds in runs]
    with ThreadPoolExecutor(4) as pool:
        for expected, found in zip(alone, pool.map(pictures, runs), strict=True):
            assert all(np.abs(a - b).max() <= 1 for a, b in zip(expected, found, strict=True))


@pytest.mark.parametrize("name", ["y", "uv", "regions", "prompt"])
def test_a_wrong_shape_or_type_fails_and_forgets(rig: Rig, name: str) -> None:
    fresh = rig.engine.step(given(1), rig.engine.new_cache()).y.tobytes()
    array = getattr(given(2), name)
    for wrong in (array[..., :1], array.astype(np.float64)):
        cache = rig.engine.new_cache()
        rig.engine.step(given(3), cache)
        with pytest.raises(EngineError, match=name):
            rig.engine.step(dataclasses.replace(given(2), **{name: wrong}), cache)
        assert rig.engine.step(given(1), cache).y.tobytes() == fresh


def test_a_lost_device_is_told_and_nothing_is_remembered(rig: Rig) -> None:
    cache = rig.engine.new_cache()
    fresh = rig.engine.step(given(1), cache).y.tobytes()
    rig.engine.step(given(2), cache)
    rig.queue.broken = lost()
    with pytest.raises(EngineLost, match="fell off the bus"):
        rig.engine.step(given(3), cache)
    rig.queue.broken = None
    assert rig.engine.step(given(1), cache).y.tobytes() == fresh


def test_an_error_of_a_library_is_one_line(rig: Rig) -> None:
    rig.queue.broken = RuntimeError("first\nsecond")
    with pytest.raises(EngineError, match="failed: first$"):
        rig.engine.step(given(1), rig.engine.new_cache())


def test_no_room_for_a_session() -> None:
    rig = Rig(room=400_000)
    caches = []
    with pytest.raises(OutOfDeviceMemory):
        for _ in range(1000):
            caches.append(rig.engine.new_cache())
    assert caches
    caches.clear()
    gc.collect()
    rig.engine.new_cache()


def test_a_batch_is_of_different_sessions_of_this_engine(rig: Rig) -> None:
    cache = rig.engine.new_cache()
    for caches in ([cache, cache], [cache, Rig().engine.new_cache()]):
        with pytest.raises(EngineError, match="different ones of this engine"):
            rig.engine.step_together([(given(1), c) for c in caches])


def test_another_engines_cache_is_refused(rig: Rig) -> None:
    with pytest.raises(EngineError, match="another engine"):
        rig.engine.step(given(1), Rig().engine.new_cache())


def test_what_stays_in_sight() -> None:
    spec = StateSpec("s", "next_s", (1, 3, 4, 6), "float16", 0.0, 16)
    box = moved(spec, 1, -2)
    assert box is not None
    assert (box.planes, box.rows, box.row_bytes, box.pitch, box.height) == (3, 3, 8, 12, 4)
    assert (box.from_row, box.from_byte, box.to_row, box.to_byte) == (1, 0, 0, 4)
    assert moved(spec, 4, 0) is None and moved(spec, 0, -6) is None
