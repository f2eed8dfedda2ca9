"""The whole frame through tiles: no seams, each tile its own memory, the same however many go at a time."""

from __future__ import annotations

import numpy as np
import pytest

from engines.errors import EngineError
from stream.frames.paste import differences
from stream.frames.pixels import read_planes
from stream.frames.planes import Planes
from stream.tiles.restorer import TileRestorer
from tests.stream.fakes import CHANGE, fake_model, noise_frame

NOISE = np.array([1.0, 0.0], np.float32)


def through(tiles: TileRestorer, planes: Planes, full_range: bool = False) -> Planes:
    made = tiles.step(planes, full_range, None, NOISE, 1.0)
    return tiles.add(planes, [differences(tile.before, tile.y, tile.uv) for tile in made], full_range)


@pytest.mark.parametrize("size", [(320, 240), (321, 241), (150, 500), (90, 60)])
def test_one_change_everywhere_is_one_change_everywhere(size: tuple[int, int]) -> None:
    # Guards against seams, and against places that no tile reaches.
    model, _, _ = fake_model(128)
    planes = read_planes(noise_frame(*size))
    out = through(TileRestorer(model), planes)
    assert np.array_equal(out.y, planes.y + CHANGE)
    assert np.array_equal(out.u, planes.u) and np.array_equal(out.v, planes.v)


def test_full_range_gets_the_change_on_its_own_scale() -> None:
    model, _, _ = fake_model(128)
    planes = read_planes(noise_frame(320, 240, name="yuvj420p"))
    change = through(TileRestorer(model), planes, True).y.astype(int) - planes.y
    assert set(np.unique(change)) == {round(CHANGE * 255 / 219)}


def test_every_tile_has_its_own_memory() -> None:
    # Guards against one tile's latents in another's picture.
    model, calls, _ = fake_model(128)
    tiles = TileRestorer(model)
    one = read_planes(noise_frame(320, 240))
    count = len(tiles.step(one, False, None, NOISE, 1.0))
    assert count == 12 and all(call.fresh for call in calls)
    tiles.step(one, False, None, NOISE, 1.0)
    assert not any(call.fresh for call in calls[count:])
    tiles.forget()
    tiles.step(one, False, None, NOISE, 1.0)
    assert all(call.fresh for call in calls[2 * count :])


def test_the_same_for_any_number_at_once() -> None:
    results = []
    for at_once in (1, 3, 16):
        model, _, _ = fake_model(128)
        tiles = TileRestorer(model, at_once)
        for seed in range(3):
            out = through(tiles, read_planes(noise_frame(320, 240, seed)))
        tiles.close()
        results.append(out)
    assert all(np.array_equal(results[0].y, other.y) for other in results[1:])


def test_after_a_failure_nothing_is_remembered() -> None:
    model, calls, engines = fake_model(128)
    tiles = TileRestorer(model)
    planes = read_planes(noise_frame(320, 240))
    tiles.step(planes, False, None, NOISE, 1.0)

    def fail() -> None:
        raise EngineError("out of order")

    engines[128].before = fail
    with pytest.raises(EngineError):
        tiles.step(planes, False, None, NOISE, 1.0)
    engines[128].before = lambda: None
    calls.clear()
    tiles.step(planes, False, None, NOISE, 1.0)
    assert all(call.fresh for call in calls)
