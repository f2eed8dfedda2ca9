"""What is round the face, in both scopes: who does what, and what stays as it came."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import av
import numpy as np
import pytest

from stream.asked import Asked
from stream.face.crop import Crop
from stream.frames.cut import CutBuffer, cut
from stream.frames.pixels import channels, read_planes
from stream.frames.planes import Planes
from stream.ladder import ladder
from stream.models import Model
from stream.prompt import LIGHT, Weights
from stream.restorer import STAGES, FaceRestorer
from stream.surroundings import Restored, Surroundings
from stream.tiles.restorer import TileRestorer
from stream.timing import Stages
from tests.stream.fakes import CHANGE, Call, face, fake_model, noise_frame
from tests.stream.frames.pictures import picture, smooth

NOISE, BLUR, NOTHING = (np.array(w, np.float32) for w in ((1, 0), (0, 1), (0, 0)))
SHOWN = face(160, 120, 30)


def frames(model: Model, prompt: Weights, tiles: bool) -> av.VideoFrame:
    restorer = FaceRestorer(model, tiles=TileRestorer(model) if tiles else None)
    frame = noise_frame()
    return restorer.restore(frame, read_planes(frame), SHOWN, prompt, 1.0, Stages(STAGES))


def test_scope_frame_changes_all_of_it_and_the_face_once() -> None:
    # Guards against a face that gets the tiles' change on top of its own.
    model, calls, _ = fake_model(64)
    out = frames(model, BLUR, tiles=True)
    change = channels(out)[0].astype(int) - channels(noise_frame())[0]
    assert set(np.unique(change)) <= {CHANGE - 1, CHANGE, CHANGE + 1} and (change == CHANGE).mean() > 0.99
    assert len(calls) > 20


@pytest.mark.parametrize("tiles", [True, False])
@pytest.mark.parametrize("shown", [True, False])
def test_the_tiles_time_is_told_apart(tiles: bool, shown: bool) -> None:
    # Guards against a paste that seems to take a quarter of a second.
    model, _, _ = fake_model(64)
    restorer = FaceRestorer(model, tiles=TileRestorer(model) if tiles else None)
    stages, frame = Stages(STAGES), noise_frame()
    stages.start()
    if shown:
        restorer.restore(frame, read_planes(frame), SHOWN, BLUR, 1.0, stages)
    else:
        restorer.without_face(frame, read_planes(frame), BLUR, 1.0, stages)
    with_face = {"crop", "engine", "paste"} if shown else set()
    assert set(stages.figures()) == with_face | ({"tiles", "paste"} if tiles else set())


def test_scope_face_changes_its_square_alone() -> None:
    model, calls, _ = fake_model(64)
    out = frames(model, BLUR, tiles=False)
    change = channels(out)[0].astype(int) - channels(noise_frame())[0]
    # A first look, because the word alone does not say how much, and the step.
    assert (change != 0).mean() < 0.06 and len(calls) == 2


def test_a_paste_asks_for_no_room_of_a_pictures_size() -> None:
    # Guards against megabytes of floats that the system gives and takes back for each frame.
    edge = 256
    frame, buffer = picture("yuv420p", 640, 480), CutBuffer(edge)
    planes, stages = read_planes(frame), Stages(STAGES)
    cut(planes, 96, 64, edge, False, buffer)
    made = Restored(Crop(96, 64, edge, edge), buffer, buffer.y[0, 0] + 3, buffer.uv[0] + 3, SHOWN.landmarks)
    around, peaks = Surroundings(("noise", "blur")), []
    for _ in range(3):
        stages.start()
        tracemalloc.start()
        around.with_face(frame, planes, made, Asked(BLUR, 1.0, in_words=True), stages)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[0] > edge * edge > peaks[-1]


def test_a_large_face_loses_the_noise_that_its_graph_cannot_see() -> None:
    edge, size = 64, 128
    frame = av.VideoFrame.from_ndarray(
        np.clip(np.random.default_rng(1).normal(110, 12, (360, 320)), 0, 255).astype(np.uint8), format="yuv420p"
    )
    planes, before = read_planes(frame), CutBuffer(edge)
    cut(planes, 96, 64, size, False, before)
    after = np.full((edge, edge), 110, np.uint8)
    made = Restored(Crop(96, 64, size, edge), before, after, before.uv[0], SHOWN.landmarks)
    inside = np.s_[64 + 32 : 64 + 96, 96 + 32 : 96 + 96]

    def left(prompt: Weights) -> float:
        stages = Stages(STAGES)
        stages.start()
        out = Surroundings(("noise", "blur")).with_face(frame, planes, made, Asked(prompt, 1.0, in_words=True), stages)
        return float(np.std(channels(out)[0][inside])) / float(np.std(planes.y[inside]))

    assert left(NOISE) < 0.2 and left(BLUR) > 0.7


def test_tiles_run_only_while_there_is_time() -> None:
    # Guards against a call that goes on being late, and against memory of frames that were passed over.
    model, calls, _ = fake_model(64, 128)
    restorer = FaceRestorer(model, ladder((64, 128), {"fp32": 1.0}), tiles=TileRestorer(model))
    frame = noise_frame()

    def tiles_of(size: int, shown: bool) -> list[Call]:
        calls.clear()
        restorer.level = replace(restorer.level, size=size)
        planes, stages = read_planes(frame), Stages(STAGES)
        if shown:
            restorer.restore(frame, planes, SHOWN, BLUR, 1.0, stages)
        else:
            restorer.without_face(frame, planes, BLUR, 1.0, stages)
        return [call for call in calls if call.graph == 128][shown:]

    for shown in (True, False):
        restorer.forget()
        assert len(tiles_of(128, shown)) > 8
        assert not any(call.fresh for call in tiles_of(128, shown)[-8:])
        assert not tiles_of(64, shown)
        assert all(call.fresh for call in tiles_of(128, shown)[-8:])


def test_tiles_do_not_run_for_nothing() -> None:
    model, calls, _ = fake_model(64)
    frames(model, NOTHING, tiles=True)
    assert len(calls) == 1


def test_without_a_face_the_frame_is_restored_all_the_same() -> None:
    model, _, _ = fake_model(64)
    frame = noise_frame()
    for wanted, changes in ((BLUR, True), (None, True), (NOTHING, False)):
        restorer = FaceRestorer(model, tiles=TileRestorer(model))
        out = restorer.without_face(frame, read_planes(frame), wanted, 1.0, Stages(STAGES))
        assert (out is not frame) == changes
        if changes:
            assert (channels(out)[0] == channels(frame)[0] + CHANGE).all()
    restorer = FaceRestorer(model)
    assert restorer.without_face(frame, read_planes(frame), BLUR, 1.0, Stages(STAGES)) is frame


def test_a_word_means_as_much_as_the_tiles_need_where_no_face_tells() -> None:
    # Guards against a picture without a face restored under the strongest prompt there is.
    model, calls, engines = fake_model(64)
    engines[64].estimate = (0.0, 0.5)
    frame = noise_frame()
    FaceRestorer(model, tiles=TileRestorer(model)).without_face(frame, read_planes(frame), BLUR, 1.0, Stages(STAGES))
    assert {tuple(call.prompt) for call in calls} == {(0.0, 0.0), (0.0, 0.5)}


def dark_frame() -> av.VideoFrame:
    """A dim room of slow waves."""
    frame = picture("yuv420p", 320, 240)
    channels(frame)[0][:] = np.rint(smooth(240, 320, 24, 90)).astype(np.uint8)
    return frame


def test_a_head_that_turns_away_leaves_the_room_lit() -> None:
    # Guards against a room that goes dark whenever the face is lost.
    around = Surroundings(("noise", LIGHT))
    frame = dark_frame()
    planes = read_planes(frame)
    crop = Crop(96, 64, 128, 128)
    before = CutBuffer(128)
    cut(planes, crop.x, crop.y, crop.size, False, before)
    brighter = np.rint((before.y[0, 0].astype(float) - 16) * 1.8 + 16).astype(np.uint8)
    made = Restored(crop, before, brighter, before.uv[0], SHOWN.landmarks)
    asked = Asked(np.array([0, 1], np.float32), 1.0, in_words=True)
    with_face = channels(around.with_face(frame, planes, made, asked, Stages(STAGES)))[0]
    without = channels(around.without_face(frame, planes, None, 1.0, Stages(STAGES)))[0]
    outside = np.ones(with_face.shape, bool)
    outside[crop.y : crop.y + 128, crop.x : crop.x + 128] = False
    assert np.array_equal(with_face[outside], without[outside])
    assert without.mean() - 16 > 1.6 * (channels(frame)[0].mean() - 16)
    assert np.abs(without.astype(int) - with_face)[~outside].mean() < 2
    # Another scene has its own light.
    around.new_scene()
    cut_to = noise_frame()
    assert around.without_face(cut_to, read_planes(cut_to), None, 1.0, Stages(STAGES)) is cut_to


def noisy_frame(seed: int, other: bool = False) -> av.VideoFrame:
    """A room, or another one, under noise of 8 levels."""
    frame = picture("yuv420p", 320, 240)
    clean, rng = smooth(240, 320, 60, 180), np.random.default_rng(seed)
    clean = 240 - clean if other else clean
    channels(frame)[0][:] = np.rint(clean + rng.normal(0, 8, clean.shape)).astype(np.uint8)
    return frame


def as_given(around: Surroundings, frame: av.VideoFrame, planes: Planes, asked: Asked) -> av.VideoFrame:
    """The frame, with a face of which the generator made nothing new."""
    crop, before = Crop(96, 64, 128, 128), CutBuffer(128)
    cut(planes, crop.x, crop.y, crop.size, False, before)
    made = Restored(crop, before, before.y[0, 0].copy(), before.uv[0].copy(), SHOWN.landmarks)
    return around.with_face(frame, planes, made, asked, Stages(STAGES))


def after_a_noisy_face(in_words: bool) -> Surroundings:
    around = Surroundings(("noise", "blur"))
    for seed in range(6):
        frame = noisy_frame(seed)
        as_given(around, frame, read_planes(frame), Asked(NOISE, 1.0, in_words))
    assert around.noise.on
    return around


def without(around: Surroundings, frame: av.VideoFrame, wanted: Weights | None, strength: float = 1.0) -> av.VideoFrame:
    return around.without_face(frame, read_planes(frame), wanted, strength, Stages(STAGES))


@pytest.mark.parametrize("in_words", [True, False])
def test_what_is_said_while_the_face_is_away_counts(in_words: bool) -> None:
    # Guards against "none", or another task, that does nothing until the face is back.
    around, wanted = after_a_noisy_face(in_words), NOISE if in_words else None
    frame = noisy_frame(7)
    assert without(around, frame, wanted) is not frame
    for other in (NOTHING, BLUR):
        assert without(around, frame, other) is frame
    for seed in range(8, 12):
        frame = noisy_frame(seed)
        out = without(around, frame, wanted)
    assert out is not frame


def test_what_an_estimate_said_counts_again_under_auto() -> None:
    around = after_a_noisy_face(in_words=False)
    frame = noisy_frame(7)
    assert without(around, frame, NOTHING) is frame
    for seed in range(8, 12):
        frame = noisy_frame(seed)
        out = without(around, frame, None)
    assert out is not frame


def test_strength_counts_while_the_face_is_away() -> None:
    around = after_a_noisy_face(in_words=True)
    frame = noisy_frame(7)
    changes = [
        np.abs(channels(without(around, frame, NOISE, strength))[0].astype(int) - channels(frame)[0]).mean()
        for strength in (1.0, 0.5)
    ]
    assert 0 < changes[1] < 0.7 * changes[0]


def test_another_scene_without_a_face_is_looked_at_anew() -> None:
    # Guards against the last scene's needs in this one.
    model, calls, engines = fake_model(64)
    restorer = FaceRestorer(model, tiles=TileRestorer(model))
    engines[64].estimate = (0.0, 0.5)
    one, other = dark_frame(), noise_frame()
    assert restorer.without_face(one, read_planes(one), None, 1.0, Stages(STAGES)) is not one
    engines[64].estimate = (0.0, 0.0)
    again = dark_frame()
    assert restorer.without_face(again, read_planes(again), None, 1.0, Stages(STAGES)) is not again
    restorer.new_scene()
    assert restorer.without_face(other, read_planes(other), None, 1.0, Stages(STAGES)) is other
    # And without tiles nothing is known of it.
    around = after_a_noisy_face(in_words=False)
    around.new_scene()
    for seed in range(7, 12):
        frame = noisy_frame(seed, other=True)
        assert without(around, frame, None) is frame


def test_grain_is_measured_anew_when_frames_were_passed_by() -> None:
    # Guards against a pair of frames with a gap between them that is taken for noise.
    around = after_a_noisy_face(in_words=True)
    around.forget()
    assert not around.noise.on and around.noise.levels is None


LIT, ASKS_NOISE = np.array([0, 1], np.float32), np.array([1, 0], np.float32)


def lit(frame: av.VideoFrame) -> tuple[Surroundings, av.VideoFrame]:
    """A dim room after a face that was made brighter."""
    around, planes, crop = Surroundings(("noise", LIGHT)), read_planes(frame), Crop(96, 64, 128, 128)
    before = CutBuffer(128)
    cut(planes, crop.x, crop.y, crop.size, False, before)
    brighter = np.rint((before.y[0, 0].astype(float) - 16) * 1.8 + 16).astype(np.uint8)
    made = Restored(crop, before, brighter, before.uv[0], SHOWN.landmarks)
    return around, around.with_face(frame, planes, made, Asked(LIT, 1.0, in_words=True), Stages(STAGES))


def test_the_rooms_light_goes_when_nobody_asks_for_it() -> None:
    frame = dark_frame()
    around, _ = lit(frame)
    means = [float(channels(without(around, frame, LIT))[0].mean())]
    for _ in range(120):
        out = without(around, frame, ASKS_NOISE)
        means.append(float(channels(out)[0].mean()))
    assert out is frame and np.abs(np.diff(means)).max() < 5
    # Half of the strength is half of the light.
    around, _ = lit(frame)
    for _ in range(90):
        half = without(around, frame, LIT, 0.5)
    assert 1.2 < (channels(half)[0].mean() - 16) / (channels(frame)[0].mean() - 16) < 1.5


def test_a_lamp_that_comes_on_while_the_face_is_away_does_not_burn_out() -> None:
    # Guards against highlights that clip until the head turns back.
    frame = dark_frame()
    around, _ = lit(frame)
    bright = dark_frame()
    channels(bright)[0][100:140, 200:260] = 190
    for _ in range(10):
        out = without(around, bright, LIT)
    shown = channels(out)[0]
    assert shown[110:130, 210:250].max() <= 235 and shown.mean() > channels(bright)[0].mean() + 10
