"""The choice of engine: the best that really works, and for each better one the reason why not."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import pytest

from engines.choice import Candidate, candidates, choose, half_or
from engines.engine import Engine
from engines.errors import BadInput, EngineError, EngineLost, ModelError
from engines.manifest import Manifest, read_family
from tests.engines.fakes import FakeEngine
from tests.engines.test_onnx_runtime import inputs
from tests.export.tiny_family import halves, manifests


def raising(error: BaseException) -> Callable[[Manifest], Engine]:
    def opened(manifest: Manifest) -> Engine:
        raise error

    return opened


def working(name: str) -> Candidate:
    return Candidate(name, lambda manifest: FakeEngine(manifest, name))


def spoiling(manifest: Manifest) -> Engine:
    engine = FakeEngine(manifest)
    engine.spoils = True
    return engine


def nan(manifest: Manifest) -> Engine:
    engine = FakeEngine(manifest)
    engine.estimate = float("nan")
    return engine


def failing(manifest: Manifest) -> Engine:
    engine = FakeEngine(manifest)
    engine.failing = EngineLost("the device fell off the bus")
    return engine


def full(manifest: Manifest) -> Engine:
    engine = FakeEngine(manifest)
    engine.full = EngineLost("no room")
    return engine


def only_the_smallest(manifest: Manifest) -> Engine:
    if manifest.crop != manifests()[0].crop:
        raise EngineError("no plan of this one")
    return FakeEngine(manifest)


FAILURES: list[tuple[Callable[[Manifest], Engine], str]] = [
    (raising(EngineError("not installed")), "not installed"),
    (raising(ImportError("libnvinfer.so.10: cannot open shared object file\nmore")), "libnvinfer.so.10: cannot open"),
    (raising(OSError("no such driver")), "no such driver"),
    (raising(RuntimeError()), "RuntimeError"),
    (raising(ModelError("the plan does not match its manifest")), "does not match"),
    (raising(EngineLost("cuInit: no device")), "no device"),
    (spoiling, "changes the picture at strength 0"),
    (nan, "not a number"),
    (failing, "fell off the bus"),
    (full, "no room"),
    (only_the_smallest, "no plan of this one"),
]


@pytest.mark.parametrize(("opening", "reason"), FAILURES)
def test_one_that_fails_is_passed_over_and_the_reason_kept(opening: Callable[[Manifest], Engine], reason: str) -> None:
    chosen = choose(manifests(), [Candidate("best", opening), working("next"), working("last")])
    assert chosen.name == "next" and list(chosen.refused) == ["best"] and reason in chosen.refused["best"]
    assert "\n" not in chosen.refused["best"]
    assert list(chosen.engines) == [m.crop for m in manifests()]


@pytest.mark.parametrize(("opening", "reason"), FAILURES)
def test_one_that_is_demanded_is_not_replaced(opening: Callable[[Manifest], Engine], reason: str) -> None:
    offered = [working("better"), Candidate("wanted", opening), working("last")]
    with pytest.raises(EngineError, match=rf"engine wanted cannot be used: .*{reason[:12]}"):
        choose(manifests(), offered, "wanted")


def test_the_first_that_works_is_taken_and_stands_in_line() -> None:
    chosen = choose(manifests()[:1], [working("best"), working("next")])
    engine = chosen.engines[manifests()[0].crop]
    assert chosen.name == engine.name == "best" and not chosen.refused
    first = choose(manifests()[:1], [Candidate("best", lambda m: _remember(m)), working("next")])
    engine = first.engines[manifests()[0].crop]
    cache = engine.new_cache()
    _made[-1].failing = EngineLost("gone")
    engine.step(inputs(manifests()[0], 1), cache)
    assert engine.name == "next"


_made: list[FakeEngine] = []


def _remember(manifest: Manifest) -> Engine:
    _made.append(FakeEngine(manifest, "best"))
    return _made[-1]


def test_one_that_is_demanded_has_nobody_behind_it() -> None:
    chosen = choose(manifests()[:1], [Candidate("best", _remember), working("next")], "best")
    engine = chosen.engines[manifests()[0].crop]
    cache = engine.new_cache()
    _made[-1].failing = EngineLost("gone")
    with pytest.raises(EngineLost):
        engine.step(inputs(manifests()[0], 1), cache)


def test_when_none_works_all_reasons_are_told() -> None:
    offered = [Candidate("a", raising(EngineError("no a"))), Candidate("b", raising(EngineError("no b")))]
    with pytest.raises(EngineError, match="no engine can be used: a: no a; b: no b"):
        choose(manifests(), offered)
    # Damaged files are no fault of an engine.
    with pytest.raises(ModelError, match="damaged"):
        choose(manifests(), [offered[0], Candidate("cpu", raising(ModelError("damaged")))])


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(BadInput, match="--engine must be auto, tensorrt, tensorrt-rtx, onnxruntime-cuda, onnxruntime-"):
        choose(manifests(), candidates(), "cuda")


def test_without_a_gpu_the_cpu_is_chosen_and_the_rest_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    from engines.cuda import cuda_device

    cuda_device.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", missing)
    chosen = choose(manifests()[:1], candidates())
    assert chosen.name == "onnxruntime-cpu"
    assert list(chosen.refused) == ["tensorrt", "tensorrt-rtx", "onnxruntime-cuda"]
    assert all("no NVIDIA GPU" in reason for reason in chosen.refused.values())


def test_half_precision_is_taken_where_there_is_one() -> None:
    folder = halves()[0].graph.path.parent
    assert half_or(read_family("tiny", folder)[1]).name == "tiny-fp16-96"
    assert half_or(manifests()[1]).name == "tiny-96"
