"""All tiles of a frame through one graph, each with its own latent cache."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.engine import LatentCache, StepInputs
from engines.errors import EngineError
from stream.face.regions import region_maps
from stream.frames.cut import CutBuffer, cut
from stream.frames.levels import steps
from stream.frames.planes import Plane, Planes
from stream.models import Model
from stream.prompt import Weights
from stream.tiles.grid import Grid, Tile, grid_of

Floats = NDArray[np.float32]


@dataclass(slots=True)
class _Lane:
    """What one tile needs."""

    tile: Tile
    cache: LatentCache
    buffer: CutBuffer


@dataclass(frozen=True, slots=True)
class Tiled:
    """A tile that went through the generator. The arrays are overwritten two frames later."""

    before: CutBuffer
    y: NDArray[np.uint8]
    """[G, G]"""
    uv: NDArray[np.uint8]
    """[2, G/2, G/2]"""
    estimate: Weights
    """[P] what the picture there needs"""


class TileRestorer:
    """The tiles of one stream; frames in order, one thread at a time; `forget` where a scene ends.

    Memory is bounded by the frame's size: a cache and a crop for each tile, and one frame of 32-bit planes.
    """

    def __init__(self, model: Model, at_once: int = 1) -> None:
        """`at_once` tiles are in the engine at a time: an engine with batches makes one of them."""
        self._engines = model.engines
        self._pool = ThreadPoolExecutor(at_once, "clearcall-tile") if at_once > 1 else None
        self._grid: Grid | None = None
        self._lanes: list[_Lane] = []
        self._size = (0, 0)

    def step(
        self, planes: Planes, full_range: bool, landmarks: Floats | None, prompt: Weights, strength: float
    ) -> list[Tiled]:
        """All tiles of a frame, row by row.

        Args:
            planes: Only read.
            full_range: Whether they use 0..255.
            landmarks: [468, 2] of the face, px; None without one.
            prompt: [P]
            strength: 0..1.

        Raises:
            EngineError: The engine could not run; what was remembered is forgotten.
        """
        self._prepare(planes)
        assert self._grid is not None
        engine, edge = self._engines[self._grid.edge], self._grid.edge
        cells = engine.manifest.shape("regions")[-1]

        def one(lane: _Lane) -> Tiled:
            cut(planes, lane.tile.x, lane.tile.y, edge, full_range, lane.buffer)
            regions = region_maps(landmarks, lane.tile.x, lane.tile.y, edge, cells)[None]
            out = engine.step(StepInputs(lane.buffer.y, lane.buffer.uv, regions, prompt[None], strength), lane.cache)
            if not np.isfinite(out.prompt_hat).all():
                raise EngineError("the engine's estimate is not a number")
            return Tiled(lane.buffer, out.y[0, 0], out.uv[0], out.prompt_hat[0].copy())

        try:
            return [one(lane) for lane in self._lanes] if self._pool is None else list(self._pool.map(one, self._lanes))
        except EngineError:
            self._lanes = []
            raise

    def forget(self) -> None:
        """What comes next has nothing to do with what was."""
        for lane in self._lanes:
            lane.cache.forget()

    def add(self, planes: Planes, details: Sequence[Sequence[Floats]], full_range: bool) -> Planes:
        """New planes: a change of each tile added, faded into its neighbours'.

        Args:
            planes: Only read.
            details: For each tile of the last step, changes of Y [G, G], U and V [G/2, G/2] in limited range.
            full_range: Whether the planes use 0..255.
        """
        assert self._grid is not None
        sums = [np.zeros(plane.shape, np.float32) for plane in (planes.y, planes.u, planes.v)]
        for index, (tile, detail) in enumerate(zip(self._grid.tiles, details, strict=True)):
            weights = self._grid.weights(index)
            half = np.ascontiguousarray(weights[::2, ::2])
            for channel, (total, change) in enumerate(zip(sums, detail, strict=True)):
                scale = 2 if channel else 1
                _add(total, change * (half if channel else weights), tile.x // scale, tile.y // scale)
        return Planes(*map(_sum, (planes.y, planes.u, planes.v), sums, steps(full_range)))

    def _prepare(self, planes: Planes) -> None:
        size = planes.width, planes.height
        if size != self._size or not self._lanes:
            self._grid, self._size = grid_of(*size, tuple(self._engines)), size
            engine = self._engines[self._grid.edge]
            self._lanes = [_Lane(t, engine.new_cache(), CutBuffer(self._grid.edge)) for t in self._grid.tiles]

    def close(self) -> None:
        """End its threads."""
        if self._pool is not None:
            self._pool.shutdown()


def _add(total: Floats, change: Floats, x: int, y: int) -> None:
    height, width = total.shape
    left, top = max(0, x), max(0, y)
    right, bottom = min(width, x + change.shape[1]), min(height, y + change.shape[0])
    total[top:bottom, left:right] += change[top - y : bottom - y, left - x : right - x]


def _sum(plane: Plane, change: Floats, unit: float) -> Plane:
    return np.asarray(cv2.add(plane, change * np.float32(unit), dtype=cv2.CV_8U), np.uint8)
