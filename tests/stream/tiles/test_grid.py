"""Tiles that cover the frame, and weights that add up to one."""

from __future__ import annotations

import numpy as np
import pytest

from stream.tiles.grid import OVERLAP, RIM, grid_of

EDGES = (64, 256, 384, 512)
SIZES = [(1280, 720), (1920, 1080), (961, 720), (640, 360), (517, 515), (513, 511), (100, 900), (60, 400), (2, 2)]


@pytest.mark.parametrize("size", SIZES)
def test_weights_add_up_to_one_everywhere(size: tuple[int, int]) -> None:
    # Guards against seams: a place that two tiles together count more or less than once.
    width, height = size
    grid = grid_of(width, height, EDGES)
    total = np.zeros((height, width))
    for index, tile in enumerate(grid.tiles):
        weights = grid.weights(index)
        assert weights.shape == (grid.edge, grid.edge) and weights.min() >= 0
        assert tile.x % 2 == tile.y % 2 == 0
        rows = slice(max(0, tile.y), min(height, tile.y + grid.edge))
        columns = slice(max(0, tile.x), min(width, tile.x + grid.edge))
        total[rows, columns] += weights[
            rows.start - tile.y : rows.stop - tile.y, columns.start - tile.x : columns.stop - tile.x
        ]
    assert np.allclose(total, 1, atol=1e-5)


def test_a_720p_frame_takes_six_tiles_that_overlap() -> None:
    grid = grid_of(1280, 720, EDGES)
    assert grid.edge == 512 and len(grid.tiles) == 6
    for starts in (grid.columns, grid.rows):
        assert starts[0] == 0 and all(b - a <= 512 - OVERLAP for a, b in zip(starts[:-1], starts[1:], strict=True))
    # The rim of a tile that has a neighbour says nothing.
    rim = int(RIM * OVERLAP)
    assert not grid.across[0][-rim:].any() and not grid.across[1][:rim].any() and grid.across[0][0] == 1
    assert np.abs(np.diff(grid.across[1])).max() < 0.06


def test_the_smallest_graph_that_holds_the_shorter_side() -> None:
    assert [grid_of(*size, EDGES).edge for size in ((320, 240), (640, 360), (640, 480), (1920, 1080))] == [
        256,
        384,
        512,
        512,
    ]
