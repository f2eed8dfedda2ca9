"""One face from frame to frame: crop, regions, engine with its latent cache, paste."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from engines.engine import Engine, LatentCache, StepInputs, StepOutputs
from engines.errors import EngineError
from stream.asked import Asked
from stream.face.crop import Crop, next_crop
from stream.face.regions import region_maps
from stream.face.tracker import Face
from stream.frames.cut import CutBuffer, cut
from stream.frames.pixels import is_full_range
from stream.frames.planes import Planes
from stream.frames.ring import Ring
from stream.ladder import Level, top_of
from stream.models import Model
from stream.prompt import WHOLE, Weights, as_needed, prompt_from_estimate
from stream.reuse import Last
from stream.surroundings import STAGES as AROUND
from stream.surroundings import Restored, Surroundings, Time
from stream.tiles.restorer import TileRestorer
from stream.timing import Stages
from stream.tone.estimate import generators_change
from stream.tone.haze import weighed
from stream.tone.relight import Relight

STAGES = "crop", "engine", *AROUND
"""That a frame's time goes to."""
CROPS_KEPT = 2
"""Crops in the ring: the one the engine works on, and room for the next."""


@dataclass(slots=True)
class _Lane:
    """One graph with what a session needs to run it."""

    engine: Engine
    cache: LatentCache
    unfit: NDArray[np.bool_]
    """[P] prompts that this graph is not good enough for"""

    @classmethod
    def of(cls, engine: Engine) -> _Lane:
        """A lane that remembers nothing."""
        return cls(engine, engine.new_cache(), np.isin(engine.manifest.prompts, engine.manifest.unfit))


class FaceRestorer:
    """Restores the face of one stream; frames in order, one thread at a time."""

    def __init__(
        self,
        model: Model,
        levels: Sequence[Level] = (),
        clock: Callable[[], float] = time.perf_counter,
        tiles: TileRestorer | None = None,
    ) -> None:
        """Make buffers and latent caches for all graphs of the model that one of the levels can ask for.

        Args:
            model: Its graphs.
            levels: Those that `level` will be set to; none: the best alone.
            clock: Seconds.
            tiles: With them, the whole frame is restored.
        """
        top = top_of(model)
        wanted = {level.precision for level in (*levels, top)}
        self._lanes = {
            (precision, edge): _Lane.of(engine)
            for precision, engines in model.precisions.items()
            for edge, engine in engines.items()
            if precision in wanted
        }
        self._best = model.precision
        self._sizes = tuple(sorted(model.engines))
        self._crops = {
            edge: Ring(CROPS_KEPT, lambda edge=edge: CutBuffer(edge), clock)  # type: ignore[misc]
            for edge in self._sizes
        }
        self._grids = {edge: engine.manifest.shape("regions")[-1] for edge, engine in model.engines.items()}
        """Cells of the region maps along an edge."""
        self._clock = clock
        self._lane: _Lane | None = None
        """That ran last, and"""
        self._at: Crop | None = None
        """the crop that its latents belong to."""
        self._last: Last | None = None
        self._relight, self._lit = Relight(model.prompts), False
        self._looks: dict[int, _Lane] = {}
        self.level = top
        """What may be spent on the next frame."""
        self.engine_s = 0.0
        """What the generator took for the last frame; 0 where what it had made of another one was used again."""
        self._track_id: int | None = None
        self._average: Weights | None = None
        self.crop: Crop | None = None
        """Where the last face was cut out; None when nothing is remembered."""
        self._prompts = model.prompts
        self.prompt: Weights = np.zeros(len(model.prompts), np.float32)
        """The weights that the last frame was restored under."""
        self.around = Surroundings(model.prompts, tiles)

    def forget(self) -> None:
        """Frames were passed by: what comes next has nothing to do with what was."""
        self._forget_face()
        self.around.forget()

    def new_scene(self) -> None:
        """The next frame shows another scene; whether its face is another one, its track says."""
        self.around.new_scene()

    def _forget_face(self) -> None:
        """Another face, or none at all."""
        if self._lane is not None:
            self._lane.cache.forget()
        self.around.forget_face()
        self.crop = self._average = self._track_id = self._lane = self._at = self._last = None
        self._relight.forget()

    def restore(
        self, frame: av.VideoFrame, planes: Planes, face: Face, wanted: Weights | None, strength: float, stages: Stages
    ) -> av.VideoFrame:
        """A new frame with the face restored.

        Args:
            frame: Only read.
            planes: The frame's 8-bit planes.
            face: Where the face is.
            wanted: Prompt weights [P]; None for auto.
            strength: Above 0, up to 1.
            stages: Gets the times of `STAGES`.

        Raises:
            EngineError: The engine could not run.
            BadInput: The frame's pixel format is unknown.
        """
        if face.track_id != self._track_id:
            self._forget_face()
            self._track_id = face.track_id
        allowed = tuple(size for size in self._sizes if size <= self.level.size)
        crop = self.crop = next_crop(self.crop, face.box, planes.width, planes.height, allowed)
        regions = region_maps(face.landmarks, crop.x, crop.y, crop.size, self._grids[crop.graph])[None]
        buffer = self._cut(planes, crop, is_full_range(frame))
        out = self._last.again(crop, buffer, wanted, strength) if self.level.reuse and self._last else None
        stages.done("crop")
        self.engine_s = 0.0
        if out is None:
            out = self._step(planes, is_full_range(frame), crop, buffer, regions, wanted, strength)
            self._last = Last(crop, buffer, wanted, strength, out) if self.level.reuse else None
        stages.done("engine")
        asked = Asked(self.prompt, strength, in_words=wanted is not None)
        made = Restored(crop, buffer, out.y[0, 0], out.uv[0], face.landmarks, self._lit)
        self.around.time = self._time
        return self.around.with_face(frame, planes, made, asked, stages)

    def without_face(
        self, frame: av.VideoFrame, planes: Planes, wanted: Weights | None, strength: float, stages: Stages
    ) -> av.VideoFrame:
        """The frame of a face that is out of sight: the very same, unless more than the face is corrected."""
        self._forget_face()
        self.around.time = self._time
        return self.around.without_face(frame, planes, wanted, strength, stages)

    @property
    def _time(self) -> Time:
        # Where the largest graph had to go, there is none for tiles.
        return Time(grain=self.level.full, tiles=self.level.size >= self._sizes[-1])

    def close(self) -> None:
        """Let go of what it holds."""
        self.around.close()

    def _cut(self, planes: Planes, crop: Crop, full_range: bool) -> CutBuffer:
        """The crop, in the ring's next buffer."""
        ring = self._crops[crop.graph]
        cut(planes, crop.x, crop.y, crop.size, full_range, ring.filling())
        entry = ring.commit()
        # Taken at once: left there by a frame that failed later on, it would be the next frame's picture.
        ring.take()
        return entry.buffer

    def _lane_for(self, crop: Crop, prompt: Weights) -> _Lane:
        """What runs this crop under this prompt, with the latents of the lane before moved to it, or forgotten."""
        lane, before, at = self._lanes[self.level.precision, crop.graph], self._lane, self._at
        if (prompt[lane.unfit] > 0).any():
            lane = self._lanes[self._best, crop.graph]
        self._lane, self._at = lane, crop
        if before is None or at is None or (lane is before and crop == at):
            return lane
        kept = lane is before or lane.cache.adopt(before.cache)
        # What the latents remember lies elsewhere in the new crop.
        kept = kept and (crop == at or (_same_scale(at, crop) and lane.cache.shift(crop.x - at.x, crop.y - at.y)))
        if not kept:
            lane.cache.forget()
        if lane is not before:
            before.cache.forget()  # a graph that is left starts anew the next time
        return lane

    def _step(
        self,
        planes: Planes,
        full_range: bool,
        crop: Crop,
        buffer: CutBuffer,
        regions: NDArray[np.float32],
        wanted: Weights | None,
        strength: float,
    ) -> StepOutputs:
        if self._average is None and (wanted is None or (wanted == WHOLE).any()):
            # The first look at a face tells what it needs; the second uses it.
            nothing = self._auto()
            lane = self._lane_for(crop, nothing)
            self._run(lane, buffer, regions, nothing, strength)
            lane.cache.forget()
        prompt = self._prompted(wanted)
        lit = None
        if self._relight.asked(prompt) and (self.around.tone.on or self.around.tone.now is None):
            looked = self._relight.due(buffer.y[0, 0])
            if looked:
                self._look(crop, buffer, regions, prompt, strength)
                prompt = self._prompted(wanted)
            same_scene = self.around.knows(planes, full_range)
            if (change := self._relight.change) is not None and (looked or same_scene):
                lit = self.around.lit(buffer, change, prompt, strength)
        was, self._lit = self._lit, lit is not None
        if lit is None:
            self._relight.forget()
        given, rest = (buffer, prompt) if lit is None else (lit, self._relight.rest(prompt))
        lane = self._lane_for(crop, rest)
        if was != self._lit:
            lane.cache.forget()  # it remembers what it did to the light
        out = self._run(lane, given, regions, rest, strength, self._lit)
        self.prompt = prompt
        return out

    def _look(
        self, crop: Crop, buffer: CutBuffer, regions: NDArray[np.float32], prompt: Weights, strength: float
    ) -> None:
        """See how dark the crop is as it came, in a lane that remembers nothing."""
        lane = self._looks.get(crop.graph)
        if lane is None:
            lane = self._looks[crop.graph] = _Lane.of(self._lanes[self._best, crop.graph].engine)
        lane.cache.forget()
        out = self._run(lane, buffer, regions, prompt, strength)
        self._relight.looked(generators_change((buffer.y[0, 0], buffer.uv[0]), (out.y[0, 0], out.uv[0])))

    def _prompted(self, wanted: Weights | None) -> Weights:
        if wanted is None:
            return self._auto()
        return wanted if self._average is None else as_needed(wanted, self._average)

    def _auto(self) -> Weights:
        if self._average is None:
            return np.zeros_like(self.prompt)
        return prompt_from_estimate(self._average, self._prompts)

    def _run(
        self,
        lane: _Lane,
        crop: CutBuffer,
        regions: NDArray[np.float32],
        prompt: Weights,
        strength: float,
        lit: bool = False,
    ) -> StepOutputs:
        began = self._clock()
        out = lane.engine.step(StepInputs(crop.y, crop.uv, regions, prompt[None], strength), lane.cache)
        self.engine_s += self._clock() - began
        estimate = out.prompt_hat[0]
        if not np.isfinite(estimate).all():
            # The picture beside it is no better, and both the average and the latents would keep it for good.
            lane.cache = lane.engine.new_cache()
            raise EngineError("the engine's estimate is not a number")
        # Also under a prompt of the caller's own: auto, chosen later, then knows at once.
        estimate = weighed(estimate, crop.y[0, 0], self._prompts)
        self._average = self._relight.follow(self._average, estimate, lit)
        return out


def _same_scale(before: Crop, now: Crop) -> bool:
    """Whether one pixel of the frame is one of the graph's, before and now."""
    return before.size == now.size == before.graph == now.graph
