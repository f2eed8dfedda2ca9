"""What is restored of a call: the face on a CPU, the frame only where it was measured to fit."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from engines.errors import EngineError
from stream.models import Model
from stream.scope import ROOM, STEPS, of_call
from tests.stream.fakes import FakeEngine, fake_model

BUDGET_S = 0.032


def named(model: Model, name: str) -> Model:
    """The model on an engine of another name."""
    engines = {edge: replace(e, name=name) for edge, e in model.engines.items() if isinstance(e, FakeEngine)}
    return replace(model, engines=dict(engines))


@pytest.mark.parametrize(("share", "whole"), [(ROOM, True), (1.5 * ROOM, False)])
def test_a_gpu_restores_the_frame_where_its_tiles_leave_room(share: float, whole: bool) -> None:
    model, calls, _ = fake_model(512)
    times = (i * share * BUDGET_S for i in count())
    scope = of_call(model, BUDGET_S, lambda: next(times))
    assert scope.whole == whole
    named = "frame" if whole else "face"
    assert scope.why == f"scope {named}, because a frame's tiles take {32 * share:.1f} ms of a budget of 32 ms"
    # All tiles of a 720p frame, each time.
    assert len(calls) == 6 * STEPS


def test_the_fastest_frame_counts() -> None:
    # Guards against a scope that depends on what another program did in that moment.
    model, _, _ = fake_model(512)
    taken = [0.5, 0.5, 0.004, 0.5, 0.5, 0.5]
    times = iter([at for i, t in enumerate(taken) for at in (float(i), i + t)])
    assert of_call(model, BUDGET_S, lambda: next(times)).whole


def test_a_cpu_restores_the_face_and_is_not_kept_waiting() -> None:
    model, calls, _ = fake_model(512)
    scope = of_call(named(model, "onnxruntime-cpu"), 1.0)
    assert not scope.whole and "CPU" in scope.why and not calls


def test_tiles_that_fail_are_not_called_for() -> None:
    model, _, engines = fake_model(512)

    def fail() -> None:
        raise EngineError("out of memory")

    engines[512].before = fail
    scope = of_call(model, BUDGET_S)
    assert not scope.whole and "out of memory" in scope.why
