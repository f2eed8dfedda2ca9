"""What runs on which frame, without a model."""

from __future__ import annotations

import numpy as np

from stream.face import decision
from stream.face.decision import State, Step, is_cut, is_same, next_step, thumbnail
from tests.stream.face.shapes import texture


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


def test_another_scene_is_a_cut() -> None:
    assert is_cut(thumbnail(texture(720, 1280)), thumbnail(texture(720, 1280, seed=5)))


def test_light_noise_and_movement_are_no_cut() -> None:
    # Guards against a lamp, an exposure hunt or a noisy dark room making the tracker start over.
    rng = np.random.default_rng(0)
    scene = np.linspace(40, 180, 1280)[None] * np.linspace(0.4, 1, 720)[:, None]
    before = thumbnail(scene.astype(np.uint8))
    for after in (scene * 0.6, scene + 40, np.roll(scene, 60, axis=1), scene + rng.normal(0, 25, scene.shape)):
        assert not is_cut(before, thumbnail(np.clip(after, 0, 255).astype(np.uint8)))
    noise = [np.clip(rng.normal(17, 6, (720, 1280)), 0, 255).astype(np.uint8) for _ in range(2)]
    assert not is_cut(thumbnail(noise[0]), thumbnail(noise[1]))


def test_thumbnails_of_any_frame() -> None:
    for shape in ((16, 16), (17, 401), (1080, 1920), (91, 33)):
        assert thumbnail(np.full(shape, 99, np.uint8)).shape == (9, 16)


def test_same_face() -> None:
    assert is_same((0, 0, 100, 100), (20, 10, 120, 110))
    assert not is_same((0, 0, 100, 100), (100, 0, 200, 100))
    assert not is_same((0, 0, 0, 0), (0, 0, 0, 0))
