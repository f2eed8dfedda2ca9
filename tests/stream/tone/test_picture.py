"""One picture out of the real filter: a damaged call comes back without a border round the face."""

from __future__ import annotations

from itertools import islice

import av
import numpy as np
import pytest

from benchmarks.quality.border import Square, visibility
from benchmarks.quality.pictures import from_i420, video_frames
from stream.filter import FaceFilter
from stream.models import Model, open_model
from tests.media import CALL_VIDEO, needs_shared
from training.degrade import Degradation, Planar, degrade, to_planes
from training.faces import Picture

pytestmark = needs_shared
FRAMES = 3


@pytest.fixture(scope="module")
def lite() -> Model:
    return open_model("lite")


@pytest.fixture(scope="module")
def call() -> list[Picture]:
    with av.open(str(CALL_VIDEO)) as container:
        frames = [f.to_ndarray(format="bgr24") for f in islice(container.decode(video=0), FRAMES)]
    return [np.ascontiguousarray(frame) for frame in frames]


def restored(model: Model, bad: Planar, prompt: str) -> tuple[Planar, list[Square | None]]:
    face_filter, out, squares = FaceFilter(model, prompt), [], []
    for frame in video_frames(bad):
        out.append(np.asarray(face_filter.process(frame).to_ndarray(), np.uint8))
        crop = face_filter.figures()["crop"]
        squares.append((crop["x"], crop["y"], crop["size"]) if isinstance(crop, dict) else None)
    return from_i420(out), squares


TASKS = {"low light": 0.7, "haze": 0.5, "noise": 0.5, "compression": 0.8, "rain": 0.8}


@pytest.mark.parametrize("worded", [True, False])
@pytest.mark.parametrize("task", TASKS)
def test_the_paste_has_no_border(lite: Model, call: list[Picture], task: str, worded: bool) -> None:
    # Guards against a bright square in a dark room.
    bad = degrade(call, Degradation({task: TASKS[task]}), np.random.default_rng(4))
    out, squares = restored(lite, bad, task if worded else "auto")
    seen = visibility(out, to_planes(call), squares, bad)
    assert all(squares) and seen is not None and seen < 1.1


def test_the_room_follows_the_face(lite: Model, call: list[Picture]) -> None:
    # Guards against a tone that is found and not applied: face and room must both come back, and agree.
    bad = degrade(call, Degradation({"low light": 0.7}), np.random.default_rng(4))
    out, squares = restored(lite, bad, "low light")
    square = squares[-1]
    assert square is not None
    x, y, size = square
    clean, inside = to_planes(call), np.zeros(call[0].shape[:2], bool)
    inside[y : y + size, x : x + size] = True

    def stops(planes: Planar, where: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
        ours, theirs = (float(p[0][-1, 0][where].mean()) - 16 for p in (planes, clean))
        return float(np.log2(ours / theirs))

    assert stops(bad, ~inside) < -0.8
    assert abs(stops(out, inside) - stops(out, ~inside)) < 0.15
    assert stops(out, ~inside) > stops(bad, ~inside) + 0.6


def test_clean_frames_keep_every_bit_of_the_room(lite: Model, call: list[Picture]) -> None:
    clean = to_planes(call)
    out, squares = restored(lite, clean, "auto")
    for index, square in enumerate(squares):
        assert square is not None
        x, y, size = square
        outside = np.ones(call[0].shape[:2], bool)
        outside[y : y + size, x : x + size] = False
        assert np.array_equal(out[0][index, 0][outside], clean[0][index, 0][outside])
        assert np.array_equal(out[1][index][:, outside[::2, ::2]], clean[1][index][:, outside[::2, ::2]])
