"""The whole of a real frame through the shipped graphs: no seams, and the same each time."""

from __future__ import annotations

import av
import numpy as np
import pytest

from benchmarks.quality.pictures import from_i420, video_frames
from stream.filter import FaceFilter
from stream.models import Model, open_model
from stream.tiles.grid import OVERLAP, grid_of
from stream.tiles.restorer import TileRestorer
from tests.media import CALL_VIDEO, needs_shared
from training.degrade import Degradation, Planar, degrade, to_planes
from training.faces import Picture

pytestmark = needs_shared
TASK = "rain"


@pytest.fixture(scope="module")
def lite() -> Model:
    return open_model("lite")


@pytest.fixture(scope="module")
def frame() -> Picture:
    with av.open(str(CALL_VIDEO)) as container:
        return np.ascontiguousarray(next(container.decode(video=0)).to_ndarray(format="bgr24"))


def restored(model: Model, bad: Planar, at_once: int = 1) -> Planar:
    face_filter = FaceFilter(model, TASK, tiles=TileRestorer(model, at_once))
    out = [np.asarray(face_filter.process(f).to_ndarray(), np.uint8) for f in video_frames(bad)]
    figures = face_filter.figures()
    face_filter.close()
    assert figures["changed"] == len(out) and figures["failures"] == {}
    return from_i420(out)


def test_seams_show_no_more_than_anything_else(lite: Model, frame: Picture) -> None:
    # Guards against a grid over the picture: the error steps across a seam as little as elsewhere.
    bad = degrade([frame], Degradation({TASK: 0.6}), np.random.default_rng(4))
    out, clean = restored(lite, bad), to_planes([frame])
    error = out[0][0, 0].astype(float) - clean[0][0, 0]
    grid = grid_of(frame.shape[1], frame.shape[0], tuple(lite.engines))
    assert len(grid.tiles) == 6
    step = np.abs(np.diff(error, axis=1))[:, 200:1080].mean(axis=0)
    seams = np.zeros(frame.shape[1] - 1, bool)
    for start in grid.columns:
        for end in (start, start + grid.edge):
            if 0 < end < frame.shape[1]:
                seams[max(0, end - OVERLAP) : end + OVERLAP] = True
    seams = seams[200:1080]
    assert seams.any() and not seams.all()
    assert step[seams].mean() <= 1.1 * step[~seams].mean()
    # And it is worth it: rain is gone from the room as well.
    assert np.mean(error**2) < 0.5 * np.mean((bad[0][0, 0].astype(float) - clean[0][0, 0]) ** 2)


def test_the_same_for_any_number_of_tiles_at_once(lite: Model, frame: Picture) -> None:
    bad = degrade([frame, frame], Degradation({TASK: 0.6}), np.random.default_rng(4))
    one, other = restored(lite, bad), restored(lite, bad, 3)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
