"""An engine, a tracker and frames whose every step a test can tell in advance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from engines.engine import LatentCache, StepInputs, StepOutputs
from engines.manifest import Manifest, StoredFile, TensorSpec
from stream.face.tracker import Face
from stream.frames.planes import Planes
from stream.models import Model
from tests.stream.face.shapes import drawn_face

PROMPTS = ("noise", "blur")
GRID = 8
CHANGE = 20
"""What the engine adds to luma."""


@dataclass
class Call:
    """One step, as the engine saw it."""

    graph: int
    fresh: bool
    """Whether the cache had been told to forget, or was new."""
    y: NDArray[np.uint8]
    uv: NDArray[np.uint8]
    regions: NDArray[np.float32]
    prompt: list[float]
    strength: float
    shifted: tuple[int, int]
    """How far its state had been moved by then"""


class FakeCache:
    """Remembers only whether it remembers, and how far it was shifted."""

    shifted = (0, 0)

    def __init__(self, edge: int) -> None:
        self.edge, self.fresh = edge, True

    def forget(self) -> None:
        self.fresh = True

    def shift(self, right: int, down: int) -> bool:
        if right % 32 or down % 32:
            return False
        self.shifted = (self.shifted[0] + right, self.shifted[1] + down)
        return True

    def adopt(self, other: LatentCache) -> bool:
        assert isinstance(other, FakeCache)
        if other.edge != self.edge:
            return False
        self.fresh, self.shifted = other.fresh, other.shifted
        return True


@dataclass
class FakeEngine:
    """Brightens the crop by `CHANGE`."""

    manifest: Manifest
    calls: list[Call]
    name: str = "fake"
    estimate: tuple[float, float] = (0.55, 0.0)
    before: Callable[[], object] = lambda: None
    """Called at each step; what it raises, the step raises."""

    def new_cache(self) -> FakeCache:
        return FakeCache(self.manifest.crop)

    def step(self, inputs: StepInputs, cache: LatentCache) -> StepOutputs:
        assert isinstance(cache, FakeCache)
        for name, array in (("y", inputs.y), ("uv", inputs.uv), ("regions", inputs.regions), ("prompt", inputs.prompt)):
            assert array.shape == self.manifest.shape(name) and array.flags.c_contiguous, name
        self.before()
        y, uv = inputs.y.copy(), inputs.uv.copy()
        prompt = inputs.prompt[0].tolist()
        self.calls.append(
            Call(self.manifest.crop, cache.fresh, y, uv, inputs.regions.copy(), prompt, inputs.strength, cache.shifted)
        )
        cache.fresh = False
        brighter = np.minimum(y, 255 - CHANGE) + np.uint8(CHANGE)
        return StepOutputs(brighter, uv, np.array([self.estimate], np.float32))


def fake_model(*edges: int) -> tuple[Model, list[Call], dict[int, FakeEngine]]:
    """A model of the given crop sizes, the list that its steps go to, and its engines by size."""
    calls: list[Call] = []
    engines = {edge: FakeEngine(fake_manifest(edge), calls) for edge in sorted(edges)}
    return Model("fake", dict(engines)), calls, engines


def fake_manifest(edge: int) -> Manifest:
    nothing = StoredFile(Path("none"), "")
    half = edge // 2
    inputs = (
        TensorSpec("y", (1, 1, edge, edge), "uint8"),
        TensorSpec("uv", (1, 2, half, half), "uint8"),
        TensorSpec("regions", (1, 8, GRID, GRID), "float32"),
        TensorSpec("prompt", (1, len(PROMPTS)), "float32"),
    )
    return Manifest(f"fake-{edge}", "fake", edge, nothing, nothing, inputs, (), (), PROMPTS, (), {})


def face(x: float, y: float, width: float, track: int = 1) -> Face:
    """A face `width` px wide and 1.2 times as high."""
    return Face(drawn_face(x, y, width), track)


@dataclass
class FakeTracker:
    """Tells of the faces it was given, one for each frame and the last one for ever; an error among them is raised."""

    script: list[Face | Exception | None] = field(default_factory=lambda: [face(160, 120, 40)])
    times: list[float] = field(default_factory=list)
    full_range: list[bool] = field(default_factory=list)
    cuts: list[bool] = field(default_factory=list)
    resets: int = 0
    every: int = 3

    def update(self, planes: Planes, timestamp: float, full_range: bool = False, cut: bool = False) -> Face | None:
        self.times.append(timestamp)
        self.full_range.append(full_range)
        self.cuts.append(cut)
        seen = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(seen, Exception):
            raise seen
        return seen

    def reset(self) -> None:
        self.resets += 1


def noise_frame(width: int = 320, height: int = 240, seed: int = 0, name: str = "yuv420p") -> av.VideoFrame:
    """A frame of noise without black and white."""
    rng = np.random.default_rng(seed)
    frame = av.VideoFrame(width, height, name)
    for plane in frame.planes:
        view = np.frombuffer(memoryview(plane), np.uint8)
        view[:] = rng.integers(60, 180, view.shape)
    return frame
