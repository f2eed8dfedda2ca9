"""The filter: a frame in, the same frame with its face restored out; whatever goes wrong, the picture goes on."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict

import av

from engines.errors import BadInput, ClearcallError, EngineError
from stream.face.models import model_paths
from stream.face.tracker import FaceTracker
from stream.frames.pixels import is_full_range, read_planes
from stream.frames.scene import Scene
from stream.governor import Timing, govern
from stream.live import Done
from stream.models import Model
from stream.prompt import Weights, describe, parse_prompt
from stream.restorer import STAGES, FaceRestorer
from stream.tiles.restorer import TileRestorer
from stream.timing import Stages
from stream.wishes import check_prompt, check_strength

NOMINAL_INTERVAL_S = 1 / 30
"""Assumed from one frame to the next where time stamps are missing or run backwards."""

log = logging.getLogger(__name__)


class FaceFilter:
    """One stream's filter. `process` belongs to one thread; prompt, strength and figures to any."""

    def __init__(
        self,
        model: Model,
        prompt: str = "auto",
        strength: float = 1.0,
        budget_s: float | None = None,
        tiles: TileRestorer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Load the face tracker. With `budget_s`, quality gives way where frames take longer, as `took` is told.

        With `tiles` the whole frame is restored, also where there is no face.

        Raises:
            BadInput: The prompt is unknown or the strength out of range.
            FaceModelError: MediaPipe's face models cannot be had.
        """
        self._model, self._clock = model, clock
        self._lock = threading.Lock()
        self.set_prompt(prompt)
        self.set_strength(strength)
        self._tracker = FaceTracker(model_paths())
        self.governor = None if budget_s is None else govern(model, budget_s, clock(), tiles is not None)
        """Decides what may be spent on a frame; None where time does not matter."""
        self._restorer = FaceRestorer(model, self.governor.levels if self.governor else (), tiles=tiles)
        self._scene = Scene()
        self._whole = tiles is not None
        self._worked = False
        """Whether the last frame tells how much time a level takes."""
        self._stages = Stages(("track", *STAGES))
        self._time = 0.0
        self._given: float | None = None
        self._frames = self._changed = 0
        self._face_there = self._closed = False
        self._failures: Counter[str] = Counter()

    @property
    def engine_s(self) -> float:
        """What the generator took for the last frame that it restored, seconds."""
        return self._restorer.engine_s

    @property
    def prompt(self) -> str:
        """The prompt as it was given."""
        with self._lock:
            return self._prompt

    @property
    def strength(self) -> float:
        """0 (nothing changes) to 1."""
        with self._lock:
            return self._strength

    def set_prompt(self, text: str) -> None:
        """Take another prompt from the next frame on; BadInput, and nothing changed, for an unknown one."""
        weights = parse_prompt(check_prompt(text), self._model.prompts)
        with self._lock:
            self._prompt, self._weights = text, weights

    def set_strength(self, value: float) -> None:
        """Take another strength from the next frame on; BadInput, and nothing changed, outside 0..1."""
        strength = check_strength(value)
        with self._lock:
            self._strength = strength

    def process(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The frame with its face restored, or the very same frame where there is nothing to do or something failed.

        Never raises and never writes into `frame`.
        """
        with self._lock:
            weights, strength = self._weights, self._strength
        self._frames += 1
        self._worked = False
        try:
            out = frame if self._closed else self._process(frame, weights, strength)
        except Exception as error:  # fail open: the call goes on with the picture as it came
            kind = _kind(error)
            if not self._failures[kind]:
                traceback = not isinstance(error, ClearcallError)
                log.warning("frames pass unrestored (%s): %s", kind, error, exc_info=traceback)
            self._failures[kind] += 1
            self._forget()
            out = frame
        self._changed += out is not frame
        return out

    def _process(self, frame: av.VideoFrame, weights: Weights | None, strength: float) -> av.VideoFrame:
        if strength == 0.0:
            self._forget()
            return frame
        if self.governor is not None:
            level = self.governor.level
            if level.passes:
                self._failures["no time"] += 1
                self._worked = True
                self._forget()
                return frame
            self._restorer.level, self._tracker.every = level, level.track_every
        self._stages.start()
        planes = read_planes(frame)
        cut = self._scene.ends(planes.y)
        if cut:
            self._restorer.new_scene()
        face = self._tracker.update(planes, self._timestamp(frame), is_full_range(frame), cut)
        self._stages.done("track")
        self._face_there = face is not None
        if face is None:
            out = self._restorer.without_face(frame, planes, weights, strength, self._stages)
            self._failures["no face"] += out is frame
            # Without a face only the tiles take much.
            self._worked = self._whole and self._restorer.around.time.tiles and out is not frame
            return out
        restored = self._restorer.restore(frame, planes, face, weights, strength, self._stages)
        self._worked = True
        return restored

    def took(self, done: Done) -> None:
        """Say how long the last frame waited for `process`, and how long that took; from the same thread."""
        if self.governor is None or not self._worked:
            return
        crop = self._restorer.crop
        engine_s = 0.0 if crop is None else self._restorer.engine_s
        edge = crop.graph if crop is not None and engine_s else 0
        self.governor.took(Timing(self._clock(), done.waited, done.taken, engine_s, edge, done.since, done.missed))

    def _forget(self) -> None:
        """The next frame to be restored has nothing to do with the last one: frames between them were not looked at."""
        self._tracker.reset()
        self._restorer.forget()
        self._face_there = False

    def _timestamp(self, frame: av.VideoFrame) -> float:
        """Seconds; rises from frame to frame, whatever the source says."""
        given, before = frame.time, self._given
        self._given = given
        step = 0.0 if given is None or before is None else given - before
        self._time += step if step > 0 else NOMINAL_INTERVAL_S
        return self._time

    def figures(self) -> dict[str, object]:
        """Counts since the start, stage times, and what the last frame was restored under."""
        crop, weights = self._restorer.crop, self._restorer.prompt
        return {
            "frames": self._frames,
            "changed": self._changed,
            "faces": int(self._face_there),
            "failures": dict(self._failures),
            "stages": self._stages.figures(),
            "understood": describe(self._weights, self._model.prompts),
            "weights": {name: round(float(w), 2) for name, w in zip(self._model.prompts, weights, strict=True)},
            "crop": None if crop is None else asdict(crop),
            **({} if self.governor is None else {"quality": self.governor.figures()}),
        }

    def close(self) -> None:
        """Frames pass as they are from now on."""
        self._closed = True
        self._restorer.close()


def _kind(error: Exception) -> str:
    if isinstance(error, EngineError):
        return "engine"
    return "pixel format" if isinstance(error, BadInput) else "error"
