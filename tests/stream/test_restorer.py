"""One face from frame to frame: what the engine gets, what it may remember, what comes back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import av
import numpy as np
import pytest

from engines.errors import EngineError
from stream.face.crop import next_crop
from stream.face.regions import region_maps
from stream.face.tracker import Face
from stream.frames.cut import CutBuffer, cut
from stream.frames.levels import LUMA_TO_LIMITED
from stream.frames.pixels import channels, read_planes
from stream.ladder import ladder
from stream.models import Cheaper, Model
from stream.prompt import Weights, prompt_from_estimate
from stream.restorer import STAGES, FaceRestorer
from stream.timing import Stages
from tests.stream.fakes import CHANGE, GRID, PROMPTS, Call, face, fake_model, noise_frame
from tests.stream.frames.pictures import contents

NOISE = np.array([0.75, 0.0], np.float32)

Restore = Callable[..., av.VideoFrame]


def restoring(model: Model) -> tuple[FaceRestorer, Restore]:
    restorer = FaceRestorer(model)

    def restore(
        shown: Face, frame: av.VideoFrame | None = None, prompt: Weights | None = NOISE, strength: float = 1.0
    ) -> av.VideoFrame:
        frame = frame or noise_frame()
        return restorer.restore(frame, read_planes(frame), shown, prompt, strength, Stages(STAGES))

    return restorer, restore


def test_the_engine_gets_the_square_round_the_face_and_its_regions() -> None:
    model, calls, _ = fake_model(64, 128)
    restorer, restore = restoring(model)
    frame, shown = noise_frame(), face(150, 110, 50)
    restore(shown, frame, strength=0.7)
    crop = next_crop(None, shown.box, 320, 240, (64, 128))
    assert restorer.crop == crop and crop.size == 128
    expected = CutBuffer(128)
    cut(read_planes(frame), crop.x, crop.y, 128, False, expected)
    (call,) = calls
    assert call.graph == 128 and call.strength == 0.7 and call.prompt == [0.75, 0]
    assert np.array_equal(call.y, expected.y) and np.array_equal(call.uv, expected.uv)
    assert np.array_equal(call.regions[0], region_maps(shown.landmarks, crop.x, crop.y, 128, GRID))
    # The nose is where the face is.
    assert call.regions[0, 4].max() > 0.3


def test_the_square_changes_and_nothing_else() -> None:
    model, _, _ = fake_model(64)
    restorer, restore = restoring(model)
    frame = noise_frame()
    before = contents(frame)
    out = restore(face(160, 120, 30), frame)
    assert all(np.array_equal(a, b) for a, b in zip(before, contents(frame), strict=True))
    crop = restorer.crop
    assert crop is not None
    change = channels(out)[0].astype(int) - channels(frame)[0]
    inside = np.zeros(change.shape, bool)
    inside[crop.y : crop.y + 64, crop.x : crop.x + 64] = True
    assert not change[~inside].any()
    # The face gets all of an even change; from there it fades.
    assert (change[108:132, 150:170] == CHANGE).all()
    assert (change[crop.y + 8 : crop.y + 56, crop.x + 8 : crop.x + 56] > 0).all() and change.max() == CHANGE
    assert all(np.array_equal(a, b) for a, b in zip(contents(out)[1:], before[1:], strict=True))


def test_full_range_reaches_the_engine_limited() -> None:
    model, calls, _ = fake_model(64)
    restorer, restore = restoring(model)
    frame = noise_frame(name="yuvj420p")
    restore(face(160, 120, 30), frame)
    crop = restorer.crop
    assert crop is not None
    luma = channels(frame)[0][crop.y : crop.y + 64, crop.x : crop.x + 64]
    assert np.array_equal(calls[0].y[0, 0], LUMA_TO_LIMITED[luma])


def test_the_state_lives_as_long_as_the_track() -> None:
    # Guards against one person's latents in another's face.
    model, calls, _ = fake_model(64)
    restorer, restore = restoring(model)
    for track in (1, 1, 1, 2, 2):
        restore(face(160, 120, 30, track))
    restorer.forget()
    restorer.forget()
    restore(face(160, 120, 30, 2))
    assert [call.fresh for call in calls] == [True, False, False, True, False, True]


def test_a_crop_that_moves_takes_its_state_along() -> None:
    # Guards against latents that lie beside the face they were made from.
    model, calls, _ = fake_model(64)
    restorer, restore = restoring(model)
    places = []
    for x in (160, 162, 240, 240):
        restore(face(x, 120, 30))
        places.append(restorer.crop)
    assert places[0] == places[1] != places[2] == places[3]
    assert [call.fresh for call in calls] == [True, False, False, False]
    assert places[0] is not None and places[2] is not None
    assert calls[-1].shifted == (places[2].x - places[0].x, 0) != (0, 0)


def test_a_crop_that_leaves_its_grid_or_scale_forgets() -> None:
    model, calls, _ = fake_model(64)
    _, restore = restoring(model)
    for width in (30, 30, 60, 60):
        restore(face(160, 120, width))
    assert [call.fresh for call in calls] == [True, False, True, False]


def test_a_graph_taken_up_again_starts_from_nothing() -> None:
    # Guards against the small graph's state of a minute ago coming back with the small face.
    model, calls, _ = fake_model(64, 128)
    _, restore = restoring(model)
    for width in (26, 26, 50, 50, 26, 26):
        restore(face(160, 120, width))
    assert [call.graph for call in calls] == [64, 64, 128, 128, 64, 64]
    assert [call.fresh for call in calls] == [True, False, True, False, True, False]


def test_a_face_larger_than_the_graph() -> None:
    model, calls, _ = fake_model(64)
    restorer, restore = restoring(model)
    frame = noise_frame()
    out = restore(face(160, 120, 60), frame)
    crop = restorer.crop
    assert crop is not None and (crop.size, crop.graph) == (128, 64) and calls[0].graph == 64
    change = channels(out)[0].astype(int) - channels(frame)[0]
    assert (change[100:140, 140:180] == CHANGE).all()
    assert (change[crop.y + 20 : crop.y + 108, crop.x + 20 : crop.x + 108] > 0).all()


def test_frames_that_change_their_size() -> None:
    # Guards against a crop that hangs over the edge of a call's smaller picture.
    model, calls, _ = fake_model(64)
    restorer, restore = restoring(model)
    restore(face(280, 200, 30), noise_frame(320, 240))
    for width, height in ((160, 120), (161, 91), (50, 40), (320, 240)):
        out = restore(face(0.8 * width, 0.8 * height, 30), noise_frame(width, height))
        assert (out.width, out.height) == (width, height)
    assert all(call.fresh for call in calls)


def test_auto_looks_first_and_then_follows() -> None:
    # Guards against a first frame restored under no prompt at all, and against latents made by that look.
    model, calls, engines = fake_model(64)
    restorer, restore = restoring(model)
    shown = face(160, 120, 30)
    restore(shown, prompt=None)
    assert [(call.prompt, call.fresh) for call in calls] == [([0, 0], True), ([pytest.approx(0.5), 0], True)]
    assert np.array_equal(calls[0].y, calls[1].y)
    engines[64].estimate = (1.0, 1.0)
    restore(shown, prompt=None)
    restore(shown, prompt=None)
    assert len(calls) == 4 and not calls[2].fresh and not calls[3].fresh
    assert calls[2].prompt == [pytest.approx(0.5), 0]
    after_one = prompt_from_estimate(np.array([0.55 + 0.045, 0.1], np.float32), PROMPTS)
    assert calls[3].prompt == pytest.approx(after_one.tolist())
    assert restorer.prompt.tolist() == calls[3].prompt


def test_the_prompt_is_told_of_whole_frames_also_while_the_engine_works() -> None:
    # Whoever looked in between, and that is most of the time, was told of a first look's prompt: of nothing.
    model, calls, engines = fake_model(64)
    restorer, restore = restoring(model)
    restore(face(160, 120, 30))
    told: list[list[float]] = []
    engines[64].before = lambda: told.append(restorer.prompt.tolist())
    restore(face(160, 120, 30, track=2), prompt=None)
    assert [call.prompt for call in calls] == [[0.75, 0], [0, 0], [pytest.approx(0.5), 0]]
    assert told == [[0.75, 0]] * 2
    assert restorer.prompt.tolist() == [pytest.approx(0.5), 0]


def test_auto_starts_anew_with_a_face_but_not_with_a_crop() -> None:
    model, calls, _ = fake_model(64)
    _, restore = restoring(model)
    for x, track in ((160, 1), (240, 1), (240, 2)):
        restore(face(x, 120, 30, track), prompt=None)
    # Two looks at each new face, one after a move.
    assert [call.prompt == [0, 0] for call in calls] == [True, False, False, True, False]


def test_from_a_prompt_of_ones_own_back_to_auto() -> None:
    # Guards against a change of the prompt that makes the picture jump: the state was lost to a first look.
    model, calls, engines = fake_model(64)
    _, restore = restoring(model)
    engines[64].estimate = (0.0, 1.0)
    for prompt in (NOISE, NOISE, None, NOISE):
        restore(face(160, 120, 30), prompt=prompt)
    assert [call.prompt for call in calls] == [[0.75, 0], [0.75, 0], [0, 1], [0.75, 0]]
    assert [call.fresh for call in calls] == [True, False, False, False]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_estimate_that_is_no_number_spoils_nothing_for_later(value: float) -> None:
    # Guards against one bad step staying for good: in the average of the prompts, and in latents times zero.
    model, calls, engines = fake_model(64)
    restorer, restore = restoring(model)
    restore(face(160, 120, 30), prompt=None)
    engines[64].estimate = (value, 0.0)
    with pytest.raises(EngineError, match="not a number"):
        restore(face(160, 120, 30), prompt=None)
    engines[64].estimate = (0.55, 0.0)
    restore(face(160, 120, 30), prompt=None)
    assert calls[-1].fresh and calls[-1].prompt == [pytest.approx(0.5), 0]
    assert np.isfinite(restorer.prompt).all()


def test_a_failed_frames_crop_does_not_come_back() -> None:
    # Guards against a face that lags behind its frame from the first failure on.
    model, calls, engines = fake_model(64)
    _, restore = restoring(model)

    def fail() -> None:
        raise EngineError("out of order")

    engines[64].before = fail
    for seed in (1, 2):
        with pytest.raises(EngineError):
            restore(face(160, 120, 30), noise_frame(seed=seed))
    with pytest.raises((ValueError, OverflowError)):
        restore(Face(np.full((468, 2), np.nan, np.float32), 1))
    engines[64].before = lambda: None
    frame = noise_frame(seed=3)
    out = restore(face(160, 120, 30), frame)
    change = channels(out)[0].astype(int) - channels(frame)[0]
    assert set(np.unique(change)) <= set(range(CHANGE + 1))


def test_stages_are_told_apart() -> None:
    model, _, _ = fake_model(64)
    stages = Stages(STAGES)
    frame = noise_frame()
    FaceRestorer(model).restore(frame, read_planes(frame), face(160, 120, 30), NOISE, 1.0, stages)
    assert set(stages.figures()) == {"crop", "engine", "paste"}


def levelled(model: Model) -> tuple[FaceRestorer, Restore]:
    """A restorer that may be put on any level of the model's ladder."""
    restorer = FaceRestorer(model, ladder(tuple(model.engines), model.costs))

    def restore(
        level: int, shown: Face, frame: av.VideoFrame | None = None, prompt: Weights | None = NOISE
    ) -> av.VideoFrame:
        frame = frame or noise_frame()
        restorer.level = ladder(tuple(model.engines), model.costs)[level]
        return restorer.restore(frame, read_planes(frame), shown, prompt, 1.0, Stages(STAGES))

    return restorer, restore


def test_a_lower_level_takes_a_smaller_graph_for_the_same_face() -> None:
    model, calls, _ = fake_model(64, 128)
    _, restore = levelled(model)
    for level in (0, 0, 1, 1, 0):
        restore(level, face(160, 120, 60))
    assert [call.graph for call in calls] == [128, 128, 64, 64, 128]
    assert [call.fresh for call in calls] == [True, False, True, False, True]


def two_precisions(*unfit: str) -> tuple[Model, list[Call], list[Call]]:
    """A model with 8-bit integers beside it, and what each is called with."""
    model, calls, _ = fake_model(64, 128)
    other, cheap, engines = fake_model(64, 128)
    for engine in engines.values():
        engine.manifest = replace(engine.manifest, unfit=unfit)
    return Model(model.name, model.engines, cheaper={"int8": Cheaper(other.engines, 0.6)}), calls, cheap


def test_another_precision_goes_on_from_the_same_state() -> None:
    # Guards against noise that comes back at each change, and the state of a minute ago in the cache of the other.
    model, calls, cheap = two_precisions()
    _, restore = levelled(model)
    for level, x in ((0, 160), (0, 160), (1, 160), (1, 192), (0, 192), (0, 192)):
        restore(level, face(x, 120, 30))
    assert [call.fresh for call in calls] == [True, False, False, False]
    assert [call.fresh for call in cheap] == [False, False]
    # Moved with the crop while the other ran.
    assert calls[-1].shifted == cheap[-1].shifted != (0, 0)


def test_a_smaller_graph_of_the_cheaper_precision_begins_anew() -> None:
    model, calls, cheap = two_precisions()
    _, restore = levelled(model)
    for level in (0, 2, 1, 0):
        restore(level, face(160, 120, 60))
    assert [(call.graph, call.fresh) for call in cheap] == [(64, True), (128, True)]
    assert [(call.graph, call.fresh) for call in calls] == [(128, True), (128, False)]


def test_what_integers_are_not_good_enough_for_is_restored_in_the_best_precision() -> None:
    """Guards against: a dark room, whose gains integers round visibly, runs in integers since they are faster."""
    model, calls, cheap = two_precisions("blur")
    _, restore = levelled(model)
    blurred = np.array([0.5, 0.25], np.float32)
    for prompt in (NOISE, blurred, blurred, NOISE):
        restore(1, face(160, 120, 30), prompt=prompt)
    assert [call.prompt for call in cheap] == [[0.75, 0], [0.75, 0]]
    assert [call.prompt for call in calls] == [[0.5, 0.25]] * 2
    assert [call.fresh for call in (*cheap, *calls)] == [True, False, False, False]


def test_what_hardly_moved_is_not_computed_again() -> None:
    model, calls, _ = fake_model(64)
    restorer, restore = levelled(model)
    frame, shown = noise_frame(), face(160, 120, 30)
    outs = []
    for _ in range(4):
        outs.append(channels(restore(2, shown, frame))[0])
        assert (restorer.engine_s > 0) == (len(outs) in (1, 4))
    # Two of three frames are spared, and every one is restored.
    assert len(calls) == 2 and all(np.array_equal(out, outs[0]) for out in outs)
    assert not np.array_equal(outs[0], channels(frame)[0])
    restore(1, shown, frame)
    restore(1, shown, frame)
    assert len(calls) == 4, "no level above reuses"


def test_what_was_made_of_another_face_is_not_used_again() -> None:
    model, calls, _ = fake_model(64)
    _, restore = levelled(model)
    frame = noise_frame()
    for track in (1, 2):
        restore(2, face(160, 120, 30, track), frame)
    assert len(calls) == 2 and calls[1].fresh


def test_a_word_takes_its_weight_from_the_picture() -> None:
    # Guards against a first frame under the strongest prompt there is: it would flash.
    model, calls, engines = fake_model(64)
    _, restore = restoring(model)
    engines[64].estimate = (0.5, 0.9)
    restore(face(160, 120, 30), prompt=np.array([1.0, 0.0], np.float32))
    assert [call.prompt for call in calls] == [[0, 0], [0.5, 0]]
