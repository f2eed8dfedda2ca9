"""What of a frame the generator restores, the face alone or all of it: decided once for a file or a door, and told."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engines.errors import BadInput, EngineError

if TYPE_CHECKING:  # wrong calls and --help need not wait for the engines
    from stream.models import Model
    from stream.tiles.restorer import TileRestorer

TILES_AT_ONCE = 8
"""Tiles that a GPU is given as one batch."""
WIDTH, HEIGHT = 1280, 720
"""Of the frame whose tiles are timed before a call, px"""
STEPS = 6
"""Frames that are timed; the fastest counts, since all else is other programs' doing."""
ROOM = 0.5
"""Share of the latency budget that the tiles of a frame may take; face, tone and paste need the rest."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The decision."""

    whole: bool
    """The frame, and not the face alone"""
    why: str
    """In words"""


FACE = Scope(False, "scope face")
FILE = Scope(True, "scope frame, because a file has time (--fast, the face alone, is quicker)")
"""Of a file, unless something else is said"""


def of_file(scope: str, fast: bool) -> Scope:
    """What is restored of a file; BadInput where `--scope` and `--fast` contradict each other.

    A file has time. Neither engine nor stopwatch has a say, so that the same command does the same everywhere.
    """
    if scope == "frame":
        if fast:
            raise BadInput("--fast restores the face alone: leave it out, or --scope frame")
        return Scope(True, "scope frame, as asked for")
    if scope == "face" or fast:
        return Scope(False, f"scope face, because of --{'scope' if scope == 'face' else 'fast'}")
    return FILE


def of_call(model: Model, budget_s: float, clock: Callable[[], float] = time.perf_counter) -> Scope:
    """What is restored live: the face on a CPU; on a GPU the frame, where its tiles leave enough of the budget.

    Args:
        model: Its graphs.
        budget_s: Seconds that the filter may add.
        clock: Seconds.
    """
    if on_cpu(model):
        return Scope(False, "scope face, because a CPU has no time for more in a call")
    try:
        taken = frame_s(model, clock)
    except EngineError as error:  # a call does without
        return Scope(False, f"scope face, because the tiles of a frame failed ({error})")
    times = f"a frame's tiles take {1000 * taken:.1f} ms of a budget of {1000 * budget_s:g} ms"
    whole = taken <= ROOM * budget_s
    return Scope(whole, f"scope {'frame' if whole else 'face'}, because {times}")


def on_cpu(model: Model) -> bool:
    """Whether it runs on the CPU, which in a call has no time for all tiles of a frame."""
    from engines.onnx_runtime import CPU

    return model.engine == CPU


def tiles_of(model: Model) -> TileRestorer:
    """What restores the whole frames of one stream; the result does not depend on how many tiles go at once."""
    from stream.tiles.restorer import TileRestorer

    return TileRestorer(model, 1 if on_cpu(model) else TILES_AT_ONCE)


def frame_s(model: Model, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds that the tiles of a 720p frame take here: cut, restored, and put together; EngineError on failure."""
    from stream.frames.paste import differences
    from stream.frames.planes import Planes

    rng = np.random.default_rng(1)
    sizes = (HEIGHT, WIDTH), (HEIGHT // 2, WIDTH // 2), (HEIGHT // 2, WIDTH // 2)
    planes = Planes(*(rng.integers(16, 236, size, np.uint8) for size in sizes))
    prompt = np.full(len(model.prompts), 0.5, np.float32)
    tiles, best = tiles_of(model), float("inf")
    try:
        for _ in range(STEPS):
            began = clock()
            made = tiles.step(planes, False, None, prompt, 1.0)
            tiles.add(planes, [differences(tile.before, tile.y, tile.uv) for tile in made], False)
            best = min(best, clock() - began)
    finally:
        tiles.close()
    return best
