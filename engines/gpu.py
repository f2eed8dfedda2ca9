"""An engine on a GPU, whatever runs the graph there: the states stay on the device.

What runs the graph is recorded once for each size of a batch, and from then on launched as one. The copies before and
after are not: they differ from batch to batch.
"""

from __future__ import annotations

import contextlib
import logging
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from engines.batching import WAIT_S, Batcher
from engines.device import Device, Queue
from engines.engine import LatentCache, StepInputs, StepOutputs
from engines.errors import EngineError, first_line
from engines.gpu_memory import GpuCache, Layout, Pool, Stage
from engines.manifest import Manifest

log = logging.getLogger(__name__)


class Runner(Protocol):
    """Runs a graph on a device."""

    name: str
    """Of the engine, such as `tensorrt`"""
    max_batch: int
    capturable: bool
    """Whether what it puts in line may be recorded"""
    records: bool
    """Whether it records by itself"""

    def run(self, batch: int, addresses: Mapping[str, int], queue: Queue) -> None:
        """Put one step of so many sessions in line.

        All inputs, outputs and states lie at these addresses, always the same ones for a batch of this size.
        """


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
        device.enter()
        self._pool = Pool(device, self._layout.states.size, runner.max_batch)
        self._stage = Stage(manifest, device, self._pool, runner.max_batch)
        self._addresses = [self._stage.addresses(count) for count in range(1, runner.max_batch + 1)]
        self._graphs: dict[int, Any] = {}
        """Batch size to what was recorded for it"""
        weakref.finalize(self, _let_go, device, queue, self._graphs).atexit = False
        self._batcher: Batcher[GpuCache] = Batcher(self._run, runner.max_batch, wait_s)
        # What is prepared and recorded for a size takes its time, and may fail: better now than in a call.
        sessions = [self.new_cache() for _ in range(runner.max_batch)]
        for batch in range(1, runner.max_batch + 1):
            for _ in range(2):
                self._run(sessions[:batch])

    @property
    def recorded(self) -> bool:
        """Whether a step is launched as one, not kernel by kernel."""
        return self._runner.capturable or self._runner.records

    def new_cache(self) -> GpuCache:
        """Return a cache that remembers nothing; OutOfDeviceMemory where there is no room for it."""
        self._device.enter()
        return GpuCache(self._layout, self._pool, self._device)

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
            raise EngineError(f"a step of {self.manifest.name} failed: {first_line(error)}") from error
        outputs = [cache.outputs[turn] for (_, cache), turn in zip(frames, turns, strict=True)]
        return [StepOutputs(out["y_out"], out["uv_out"], out["prompt_hat"]) for out in outputs]  # type: ignore[arg-type]

    def _give(self, inputs: StepInputs, cache: GpuCache) -> None:
        """Write a session's inputs to its pinned memory; EngineError where they are not the model's."""
        for name, array in inputs.feeds().items():
            into = cache.inputs[name]
            if array.shape != into.shape or array.dtype != into.dtype:
                raise EngineError(f"{name} is {array.dtype} {array.shape}, the model wants {into.dtype} {into.shape}")
            into[...] = array

    def _run(self, sessions: list[GpuCache]) -> None:
        """Run a batch, and give each session its results."""
        self._device.enter()
        # In the order of their states, so that one copy reaches all that lie side by side.
        sessions = sorted(sessions, key=lambda session: session.states)
        count, queue, stage = len(sessions), self._queue, self._stage
        for session in sessions:
            stage.move(session, queue)
        stage.load(sessions, queue)
        graph = self._graphs.get(count)
        if graph is None:
            self._runner.run(count, self._addresses[count - 1], queue)
        else:
            queue.launch(graph)
        stage.unload(sessions, queue)
        queue.wait()
        stage.hand_out(sessions)
        for session in sessions:
            session.turn = 1 - session.turn
            session.inputs["keep"][...] = 1.0
        if graph is None and self._runner.capturable:
            self._record(count)

    def _record(self, count: int) -> None:
        """Record a batch of this size, which has been run once: libraries prepare themselves in the first run."""
        addresses = self._addresses[count - 1]
        try:
            self._graphs[count] = self._queue.capture(lambda: self._runner.run(count, addresses, self._queue))
        except Exception as error:  # whatever the library raises: this frame is done, the next are only slower
            self._runner.capturable = False
            log.warning("%s of %s cannot be recorded: %s", self.name, self.manifest.name, first_line(error))


def _let_go(device: Device, queue: Queue, graphs: dict[int, Any]) -> None:
    """Release what was recorded; also where the device is gone."""
    with contextlib.suppress(EngineError):
        device.enter()
        for graph in graphs.values():
            queue.release(graph)
