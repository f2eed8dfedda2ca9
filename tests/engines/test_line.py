"""When an engine is lost the next takes over: the frame that failed is restored by it, and the call goes on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from engines.errors import EngineError, EngineLost, OutOfDeviceMemory
from engines.line import EngineLine, LineCache, Place
from tests.engines.fakes import FakeEngine
from tests.engines.test_onnx_runtime import inputs
from tests.export.tiny_family import manifests


class Rig:
    """Three engines in line, and who was opened."""

    def __init__(self) -> None:
        manifest = manifests()[0]
        self.engines = [FakeEngine(manifest, name) for name in ("gpu", "other", "cpu")]
        self.opened: list[str] = []
        self.line = EngineLine(self.engines[0], [Place(e.name, lambda e=e: self._open(e)) for e in self.engines[1:]])  # type: ignore[misc]
        self.given = inputs(manifest, 1)

    def _open(self, engine: FakeEngine) -> FakeEngine:
        self.opened.append(engine.name)
        return engine

    def seen(self, cache: LineCache) -> int:
        """Step, and how many steps the engine's cache has seen with it."""
        return int(self.line.step(self.given, cache).prompt_hat[0, 0])


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_as_long_as_all_is_well_nobody_else_is_opened(rig: Rig) -> None:
    cache = rig.line.new_cache()
    assert [rig.seen(cache) for _ in range(3)] == [1, 2, 3]
    assert rig.line.name == "gpu" and not rig.opened and not rig.line.lost


def test_a_lost_engine_hands_over_all_its_sessions(rig: Rig) -> None:
    one, two = rig.line.new_cache(), rig.line.new_cache()
    rig.seen(one)
    rig.seen(two)
    rig.engines[0].failing = EngineLost("the device fell off the bus")
    assert [rig.seen(one), rig.seen(one)] == [1, 2]
    # The second session is not sent to the lost engine once more.
    rig.engines[0].failing = None
    assert rig.seen(two) == 1 and rig.engines[0].steps == 2
    assert rig.line.name == "other" and rig.opened == ["other"]
    assert rig.line.lost == {"gpu": "the device fell off the bus"}
    assert rig.seen(rig.line.new_cache()) == 1


def test_no_room_sends_only_the_new_session_on(rig: Rig) -> None:
    one = rig.line.new_cache()
    rig.seen(one)
    rig.engines[0].full = OutOfDeviceMemory("no room")
    two = rig.line.new_cache()
    assert rig.seen(two) == 1 and rig.engines[1].steps == 1
    # It still serves whoever it has room for: nothing was lost to all.
    assert not rig.line.lost and not rig.line.passed and rig.line.rank == 0
    assert rig.seen(one) == 2 and rig.engines[0].steps == 2
    rig.engines[0].full = None
    rig.seen(rig.line.new_cache())
    assert rig.engines[0].steps == 3


def test_no_room_in_the_middle_of_a_call(rig: Rig) -> None:
    cache = rig.line.new_cache()
    rig.engines[0].failing = OutOfDeviceMemory("no room")
    assert rig.seen(cache) == 1 and rig.engines[1].steps == 1
    assert rig.line.name == "gpu"


def test_who_cannot_be_opened_is_passed_over(rig: Rig) -> None:
    def refuse() -> FakeEngine:
        raise EngineError("no plan")

    line = EngineLine(rig.engines[0], [Place("other", refuse), Place("cpu", lambda: rig.engines[2])])
    cache = line.new_cache()
    rig.engines[0].failing = EngineLost("gone")
    line.step(rig.given, cache)
    assert line.name == "cpu" and line.lost == line.passed == {"gpu": "gone", "other": "no plan"}


def test_an_opener_may_raise_anything(rig: Rig) -> None:
    """Only errors of clearcall's own were taken for a reason: a library's failed the frame, and it was lost."""

    def refuse() -> FakeEngine:
        raise RuntimeError("cudaErrorUnknown\nmore")

    line = EngineLine(rig.engines[0], [Place("other", refuse), Place("cpu", lambda: rig.engines[2])])
    cache = line.new_cache()
    rig.engines[0].failing = EngineLost("gone")
    assert int(line.step(rig.given, cache).prompt_hat[0, 0]) == 1
    assert line.name == "cpu" and line.rank == 2 and line.passed == {"gpu": "gone", "other": "cudaErrorUnknown"}


def test_what_is_behind_the_engine_in_use_is_not_better(rig: Rig) -> None:
    def refuse() -> FakeEngine:
        raise EngineError("no plan")

    line = EngineLine(rig.engines[0], [Place("other", refuse), Place("cpu", lambda: rig.engines[2])])
    rig.engines[0].full = OutOfDeviceMemory("no room")
    line.new_cache()
    assert line.name == "gpu" and not line.passed and line.lost == {"other": "no plan"}


def test_when_all_are_lost_that_is_an_error_of_the_step(rig: Rig) -> None:
    cache = rig.line.new_cache()
    for engine in rig.engines:
        engine.failing = EngineLost(f"{engine.name} gone")
    for _ in range(2):
        with pytest.raises(EngineError, match=r"no engine is left \(gpu: gpu gone; other: other gone; cpu: cpu gone\)"):
            rig.line.step(rig.given, cache)


def test_an_error_of_the_step_alone_changes_nothing(rig: Rig) -> None:
    cache = rig.line.new_cache()
    rig.engines[0].failing = EngineError("y has shape (1,)")
    with pytest.raises(EngineError, match="shape"):
        rig.line.step(rig.given, cache)
    assert not rig.opened and rig.line.name == "gpu"


def test_many_sessions_that_lose_their_engine_at_once_open_the_next_once(rig: Rig) -> None:
    caches = [rig.line.new_cache() for _ in range(8)]
    rig.engines[0].failing = EngineLost("gone")
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(rig.seen, caches)) == [1] * 8
    assert rig.opened == ["other"]


def test_forgetting_and_moving_reach_the_engines_cache(rig: Rig) -> None:
    cache = rig.line.new_cache()
    cache.forget()
    assert cache.shift(32, 0) and cache.inner.forgotten == 1  # type: ignore[attr-defined]
    with pytest.raises(EngineError, match="another engine"):
        rig.line.step(rig.given, rig.engines[0].new_cache())
