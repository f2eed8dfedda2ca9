"""An engine on a GPU, whatever runs the graph there: the states stay on the device.

A session has its inputs in pinned memory, its states twice on the device, its outputs twice in pinned memory. A step
of one session uses that session's own memory; in a batch, copies on the device gather and scatter what the sessions
own. What a step puts in line is recorded when the same sessions come again in the same turn, and from then on launched
as one.
"""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engines.batching import WAIT_S, Batcher
from engines.device import Box, Device, Queue
from engines.engine import LatentCache, StepInputs, StepOutputs
from engines.errors import EngineError
from engines.manifest import Manifest, StateSpec
from engines.slab import Slab

GRAPHS_KEPT = 64
"""Recordings; each is good for the same sessions in the same turn."""
SEEN_KEPT = 1024

Turns = tuple[tuple[int, int], ...]
"""Number and turn of each session in a batch: all addresses follow from it."""


class Runner(Protocol):
    """Runs a graph on a device."""

    name: str
    """Of the engine, such as `tensorrt`"""
    max_batch: int
    warm_up_batches: list[int]
    """Sizes to be run once before the engine is ready"""
    capturable: bool
    """Whether what it puts in line may be recorded"""

    def run(self, batch: int, addresses: Mapping[str, int], queue: Queue) -> None:
        """Put one step of so many sessions in line; all inputs, outputs and states lie at these addresses."""


class GpuCache:
    """A session's memory; its states are on the device."""

    _numbers = itertools.count()

    def __init__(self, layout: Layout, device: Device) -> None:
        self.number = next(GpuCache._numbers)
        self.layout = layout
        self.given = device.pinned(layout.inputs.size)
        self.inputs = layout.inputs.arrays(self.given)
        self.taken = (device.pinned(layout.outputs.size), device.pinned(layout.outputs.size))
        self.outputs = tuple(layout.outputs.arrays(memory) for memory in self.taken)
        sizes = (layout.inputs.size, layout.states.size, layout.states.size, layout.outputs.size)
        base = device.allocate(sum(sizes))
        weakref.finalize(self, device.free, base)
        starts = [base + sum(sizes[:index]) for index in range(len(sizes))]
        self.device_inputs, self.device_outputs = starts[0], starts[3]
        self.device_states = (starts[1], starts[2])
        self.turn = 0
        self.shifts: list[tuple[int, int]] = []
        self.forget()

    def forget(self) -> None:
        """Make the next step start from nothing."""
        self.inputs["keep"][...] = 0.0
        self.shifts.clear()

    def shift(self, right: int, down: int) -> bool:
        """Follow a crop that moved; it is done on the device before the next step."""
        if any(right % s.stride or down % s.stride for s in self.layout.specs):
            return False
        self.shifts.append((right, down))
        return True

    def adopt(self, other: LatentCache) -> bool:
        """Never: on a GPU there is one precision, so no other graph has a state of this shape."""
        return False

    def addresses(self) -> dict[str, int]:
        """Where a step of this session alone reads and writes."""
        states = self.layout.states
        before = states.addresses(self.device_states[self.turn])
        after = states.addresses(self.device_states[1 - self.turn])
        return {
            **self.layout.inputs.addresses(self.device_inputs),
            **self.layout.outputs.addresses(self.device_outputs),
            **before,
            **{spec.output: after[spec.input] for spec in self.layout.specs},
        }


class Layout:
    """Where the tensors of a session lie."""

    def __init__(self, manifest: Manifest) -> None:
        self.specs: tuple[StateSpec, ...] = manifest.states
        self.inputs = Slab((t.name, t.shape, t.dtype) for t in manifest.inputs)
        self.outputs = Slab((t.name, t.shape, t.dtype) for t in manifest.outputs)
        self.states = Slab((s.input, s.shape, s.dtype) for s in manifest.states)


class GpuEngine:
    """One graph on one GPU; see `Engine`."""

    def __init__(
        self, manifest: Manifest, device: Device, queue: Queue, runner: Runner, wait_s: float = WAIT_S
    ) -> None:
        """Warm up: after this, a step takes what a step takes.

        Raises:
            EngineLost: The device failed.
        """
        self.manifest = manifest
        self.name = runner.name
        self.max_batch = runner.max_batch
        self._device, self._queue, self._runner = device, queue, runner
        self._layout = Layout(manifest)
        self._stage: tuple[dict[str, int], dict[str, int]] | None = None
        self._seen: OrderedDict[Turns, None] = OrderedDict()
        self._graphs: OrderedDict[Turns, Any] = OrderedDict()
        self._batcher: Batcher[GpuCache] = Batcher(self._run, runner.max_batch, wait_s)
        for batch in runner.warm_up_batches:
            sessions = [self.new_cache() for _ in range(batch)]
            for _ in range(2):
                self._run(sessions)

    def new_cache(self) -> GpuCache:
        """Return a cache that remembers nothing; OutOfDeviceMemory where there is no room for it."""
        self._device.enter()
        return GpuCache(self._layout, self._device)

    def step(self, inputs: StepInputs, cache: LatentCache) -> StepOutputs:
        """Restore one crop; see `Engine.step`."""
        if not isinstance(cache, GpuCache) or cache.layout is not self._layout:
            raise EngineError("this latent cache was made by another engine")
        return self._stepped([(inputs, cache)], lambda: self._batcher.step(cache))[0]

    def step_together(self, frames: Sequence[tuple[StepInputs, GpuCache]]) -> list[StepOutputs]:
        """Restore a crop of each of several sessions, up to `max_batch`, in one go; errors as for `step`."""
        caches = [cache for _, cache in frames]
        if any(cache.layout is not self._layout for cache in caches) or len(set(caches)) < len(caches):
            raise EngineError("the latent caches of a batch must be different ones of this engine")
        return self._stepped(frames, lambda: self._batcher.run_together(caches))

    def _stepped(self, frames: Sequence[tuple[StepInputs, GpuCache]], run: Callable[[], None]) -> list[StepOutputs]:
        try:
            for inputs, cache in frames:
                self._give(inputs, cache)
            turns = [cache.turn for _, cache in frames]
            run()
        except Exception as error:  # the libraries' errors have no common base
            for _, cache in frames:
                cache.forget()
            if isinstance(error, EngineError):
                raise
            text = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise EngineError(f"a step of {self.manifest.name} failed: {text}") from error
        outputs = [cache.outputs[turn] for (_, cache), turn in zip(frames, turns, strict=True)]
        return [StepOutputs(out["y_out"], out["uv_out"], out["prompt_hat"]) for out in outputs]  # type: ignore[arg-type]

    def _give(self, inputs: StepInputs, cache: GpuCache) -> None:
        """Write a session's inputs to where the device reads them; EngineError where they are not the model's."""
        feeds: dict[str, NDArray[np.generic]] = {
            "y": inputs.y,
            "uv": inputs.uv,
            "regions": inputs.regions,
            "prompt": inputs.prompt,
            "strength": np.full((1, 1), inputs.strength, np.float32),
        }
        for name, array in feeds.items():
            into = cache.inputs[name]
            if array.shape != into.shape or array.dtype != into.dtype:
                raise EngineError(f"{name} is {array.dtype} {array.shape}, the model wants {into.dtype} {into.shape}")
            into[...] = array

    def _run(self, sessions: list[GpuCache]) -> None:
        """Run a batch, and give each session its results."""
        self._device.enter()
        # In one order, whoever came first: so that a recording is found again.
        sessions = sorted(sessions, key=lambda session: session.number)
        for session in sessions:
            self._move(session)
        turns: Turns = tuple((session.number, session.turn) for session in sessions)
        graph = self._graphs.get(turns)
        if graph is not None:
            self._graphs.move_to_end(turns)
            self._queue.launch(graph)
        else:
            self._enqueue(sessions)
        self._queue.wait()
        if graph is None and self._runner.capturable:
            self._record(turns, sessions)
        for session in sessions:
            session.turn = 1 - session.turn
            session.inputs["keep"][...] = 1.0

    def _enqueue(self, sessions: list[GpuCache]) -> None:
        if len(sessions) == 1:
            self._enqueue_alone(sessions[0])
        else:
            self._enqueue_together(sessions)

    def _enqueue_alone(self, session: GpuCache) -> None:
        self._queue.upload(session.device_inputs, session.given)
        self._runner.run(1, session.addresses(), self._queue)
        self._queue.download(session.taken[session.turn], session.device_outputs)

    def _enqueue_together(self, sessions: list[GpuCache]) -> None:
        queue, layout, count = self._queue, self._layout, len(sessions)
        before, after = self._staging()
        for row, session in enumerate(sessions):
            for name, part in layout.inputs.parts.items():
                queue.upload(before[name] + row * part.bytes, layout.inputs.bytes(session.given, name))
            for name, part in layout.states.parts.items():
                source = session.device_states[session.turn] + part.offset
                queue.copy(before[name] + row * part.bytes, source, part.bytes)
        self._runner.run(count, {**before, **after}, queue)
        for row, session in enumerate(sessions):
            for spec in layout.specs:
                part = layout.states.parts[spec.input]
                target = session.device_states[1 - session.turn] + part.offset
                queue.copy(target, after[spec.output] + row * part.bytes, part.bytes)
            for name, part in layout.outputs.parts.items():
                target_bytes = layout.outputs.bytes(session.taken[session.turn], name)
                queue.download(target_bytes, after[name] + row * part.bytes)

    def _staging(self) -> tuple[dict[str, int], dict[str, int]]:
        """Addresses of inputs and outputs of a whole batch; made when the first batch needs them."""
        if self._stage is None:
            self._stage = self._stage_for(_INPUT), self._stage_for(_OUTPUT)
        return self._stage

    def _stage_for(self, side: int) -> dict[str, int]:
        manifest, rows = self.manifest, self.max_batch
        plain = manifest.inputs if side == _INPUT else manifest.outputs
        tensors = [(t.name, (rows, *t.shape[1:]), t.dtype) for t in plain]
        tensors += [((s.input, s.output)[side], (rows, *s.shape[1:]), s.dtype) for s in manifest.states]
        slab = Slab(tensors)
        base = self._device.allocate(slab.size)
        weakref.finalize(self, self._device.free, base)
        return slab.addresses(base)

    def _move(self, session: GpuCache) -> None:
        """Let the states follow the crop: what comes in at the sides is zero."""
        states = self._layout.states
        here, spare = session.device_states[session.turn], session.device_states[1 - session.turn]
        for right, down in session.shifts:
            self._queue.clear(spare, states.size)
            for spec in self._layout.specs:
                box = moved(spec, down // spec.stride, right // spec.stride)
                if box is not None:
                    offset = states.parts[spec.input].offset
                    self._queue.move(spare + offset, here + offset, box)
            self._queue.copy(here, spare, states.size)
        session.shifts.clear()

    def _record(self, turns: Turns, sessions: list[GpuCache]) -> None:
        """Record what the same sessions will put in line in the same turn, once it is seen that they come again."""
        if turns not in self._seen:
            self._seen[turns] = None
            while len(self._seen) > SEEN_KEPT:
                self._seen.popitem(last=False)
            return
        try:
            self._graphs[turns] = self._queue.capture(lambda: self._enqueue(sessions))
        except Exception:  # whatever the library raises: this frame is done, and the next ones run without, only slower
            self._runner.capturable = False
        while len(self._graphs) > GRAPHS_KEPT:
            self._queue.release(self._graphs.popitem(last=False)[1])


_INPUT, _OUTPUT = 0, 1


def moved(spec: StateSpec, down: int, right: int) -> Box | None:
    """What of a state stays in sight when its crop moves by so many cells, and where to; None if nothing does."""
    planes, height, width = spec.shape[-3:]
    rows, columns = height - abs(down), width - abs(right)
    if rows <= 0 or columns <= 0:
        return None
    size = np.dtype(spec.dtype).itemsize
    return Box(
        planes=planes,
        rows=rows,
        row_bytes=columns * size,
        pitch=width * size,
        height=height,
        from_row=max(0, down),
        from_byte=max(0, right) * size,
        to_row=max(0, -down),
        to_byte=max(0, -right) * size,
    )
