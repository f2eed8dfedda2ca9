"""What runs on which frame, without a model."""

from __future__ import annotations

import numpy as np

from stream.face import decision
from stream.face.decision import State, Step, is_same, next_step


def steps(state: State, every: int, count: int) -> list[Step]:
    """The steps of `count` frames in which whatever is tried succeeds."""
    taken = []
    for _ in range(count):
        step = next_step(state, cut=False, every=every)
        taken.append(step)
        match step:
            case Step.DETECT:
                state = decision.found(every)
            case Step.MESH:
                state = decision.seen()
            case Step.FLOW:
                state = decision.followed(state)
            case Step.NOTHING:
                state = decision.rested(state)
    return taken


def test_detects_once_then_follows() -> None:
    # The mesh runs twice at the start: the detector's square is rough.
    d, m, f = Step.DETECT, Step.MESH, Step.FLOW
    assert steps(State(), every=3, count=9) == [d, m, f, f, m, f, f, m, f]
    assert steps(State(), every=1, count=4) == [d, m, m, m]


def test_a_cut_detects_at_once() -> None:
    for state in (State(), decision.found(3), decision.seen(), decision.missed(decision.missed(State()))):
        assert next_step(state, cut=True, every=3) is Step.DETECT


def test_the_detector_rests_when_nobody_is_there() -> None:
    # Guards against an empty room costing a run of the detector each frame.
    state, runs = State(), []
    for frame in range(40):
        if next_step(state, cut=False, every=3) is Step.DETECT:
            runs.append(frame)
            state = decision.missed(state)
        else:
            state = decision.rested(state)
    gaps = np.diff(runs)
    assert gaps[0] == 2 and gaps.max() == 5 == gaps[-1]


def test_a_face_just_lost_is_looked_for_soon() -> None:
    assert decision.missed(decision.seen()).rest == 1


def test_same_face() -> None:
    assert is_same((0, 0, 100, 100), (20, 10, 120, 110))
    assert not is_same((0, 0, 100, 100), (100, 0, 200, 100))
    assert not is_same((0, 0, 0, 0), (0, 0, 0, 0))
