"""The whole of a real frame through the shipped graphs: no seams, and the same each time."""

from __future__ import annotations

from collections.abc import Sequence

import av
import numpy as np
import pytest
from numpy.typing import NDArray

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


def restored(model: Model, bad: Planar, at_once: int = 1, task: str = TASK) -> Planar:
    face_filter = FaceFilter(model, task, tiles=TileRestorer(model, at_once))
    out = [np.asarray(face_filter.process(f).to_ndarray(), np.uint8) for f in video_frames(bad)]
    figures = face_filter.figures()
    face_filter.close()
    assert figures["changed"] == len(out) and figures["failures"] == {}
    return from_i420(out)


def across(error: NDArray[np.float64], starts: Sequence[int], edge: int, margin: int) -> float:
    """How much larger steps of the error along its last axis are at seams than elsewhere; not within the margins."""
    length = error.shape[1]
    step = np.abs(np.diff(error, axis=1)).mean(axis=0)
    seams = np.zeros(length - 1, bool)
    for end in {at for start in starts for at in (start, start + edge) if 0 < at < length}:
        seams[max(0, end - OVERLAP) : end + OVERLAP] = True
    step, seams = step[margin : length - margin], seams[margin : length - margin]
    assert seams.any() and not seams.all()
    return float(step[seams].mean() / step[~seams].mean())


@pytest.mark.parametrize("task", [TASK, "blur"])
def test_seams_show_no_more_than_anything_else(lite: Model, frame: Picture, task: str) -> None:
    # Guards against a grid over the picture: the error steps across a seam as little as elsewhere.
    bad, clean = degrade([frame], Degradation({task: 0.6}), np.random.default_rng(4)), to_planes([frame])
    out = restored(lite, bad, task=task)
    # The call's own black bars left and right say nothing.
    errors = [(p[0][0, 0].astype(float) - clean[0][0, 0])[:, 200:1080] for p in (out, bad)]
    grid = grid_of(frame.shape[1], frame.shape[0], tuple(lite.engines))
    assert len(grid.tiles) == 6
    columns = [start - 200 for start in grid.columns]
    for ours, theirs, starts in ((*errors, columns), (errors[0].T, errors[1].T, grid.rows)):
        # What lies there may be harder anyway: the input's own error tells.
        assert across(ours, starts, grid.edge, 8) <= 1.1 * max(1.0, across(theirs, starts, grid.edge, 8))
    # And it is worth it: rain is gone from the room as well.
    assert task != TASK or np.mean(errors[0] ** 2) < 0.5 * np.mean(errors[1] ** 2)


def test_the_same_for_any_number_of_tiles_at_once(lite: Model, frame: Picture) -> None:
    bad = degrade([frame, frame], Degradation({TASK: 0.6}), np.random.default_rng(4))
    one, other = restored(lite, bad), restored(lite, bad, 3)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
