"""Where the tensors lie of sessions on a GPU, and how they get into a batch and out of it.

A session owns its planes in pinned memory and its states on the device. Every batch goes through one stage, so for
each size all tensors lie at the same addresses for good, whoever is in it: what is recorded for a size serves all.
"""

from __future__ import annotations

import heapq
import threading
import weakref
from collections import deque
from collections.abc import Sequence

import numpy as np

from engines.device import Box, Device, Queue
from engines.engine import LatentCache
from engines.manifest import Manifest, StateSpec
from engines.slab import Slab


class Layout:
    """The tensors of so many sessions, one after the other, each with all its rows together."""

    def __init__(self, manifest: Manifest, rows: int = 1) -> None:
        self.specs: tuple[StateSpec, ...] = manifest.states
        self.inputs = Slab((t.name, (rows, *t.shape[1:]), t.dtype) for t in manifest.inputs)
        self.outputs = Slab((t.name, (rows, *t.shape[1:]), t.dtype) for t in manifest.outputs)
        self.states = Slab((s.input, (rows, *s.shape[1:]), s.dtype) for s in manifest.states)


class Pool:
    """Rows of one size on the device, one for each session's states, many side by side: a copy may take several."""

    def __init__(self, device: Device, size: int, count: int) -> None:
        """Rows of `size` bytes, in blocks of `count`; a block is only had when a session needs it."""
        self._device, self.size, self._count = device, size, count
        self._free: list[int] = []
        self._returned: deque[int] = deque()
        self._firsts: set[int] = set()
        self._lock = threading.Lock()

    def take(self) -> int:
        """Address of a row, of the lowest that is free; OutOfDeviceMemory where there is no room for a block."""
        with self._lock:
            while self._returned:
                heapq.heappush(self._free, self._returned.popleft())
            if not self._free:
                base = self._device.allocate(self.size * self._count)
                weakref.finalize(self, self._device.free, base)
                self._firsts.add(base)
                self._free = [base + self.size * index for index in range(self._count)]
            return heapq.heappop(self._free)

    def give(self, row: int) -> None:
        """Take a row back. Only noted: a finaliser may run anywhere, also in the middle of `take`."""
        self._returned.append(row)

    def runs(self, rows: Sequence[int]) -> list[tuple[int, int]]:
        """Index of the first and count of those that lie side by side, of rows in order."""
        found: list[tuple[int, int]] = []
        for index, row in enumerate(rows):
            if found and row == rows[index - 1] + self.size and row not in self._firsts:
                found[-1] = found[-1][0], found[-1][1] + 1
            else:
                found.append((index, 1))
        return found


class GpuCache:
    """A session's memory; its states are on the device."""

    def __init__(self, layout: Layout, pool: Pool, device: Device) -> None:
        self.layout = layout
        self.given = device.pinned(layout.inputs.size)
        self.inputs = layout.inputs.arrays(self.given)
        self.taken = (device.pinned(layout.outputs.size), device.pinned(layout.outputs.size))
        self.outputs = tuple(layout.outputs.arrays(memory) for memory in self.taken)
        self.states = pool.take()
        weakref.finalize(self, pool.give, self.states)
        self.turn = 0
        """Which of the outputs the next step writes"""
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


class Stage:
    """What batches go through: planes in pinned memory, all tensors on the device."""

    def __init__(self, manifest: Manifest, device: Device, pool: Pool, most: int) -> None:
        """Make room for up to `most` sessions; OutOfDeviceMemory where there is none."""
        self._layouts = [Layout(manifest, rows) for rows in range(1, most + 1)]
        self._pool = pool
        last = self._layouts[-1]
        self._given, self._taken = device.pinned(last.inputs.size), device.pinned(last.outputs.size)
        self._host = [(each.inputs.arrays(self._given), each.outputs.arrays(self._taken)) for each in self._layouts]
        sizes = (last.inputs.size, last.states.size, last.states.size, last.outputs.size)
        base = device.allocate(sum(sizes))
        weakref.finalize(self, device.free, base)
        self._inputs, self._before, self._after, self._outputs = (base + sum(sizes[:index]) for index in range(4))

    def addresses(self, count: int) -> dict[str, int]:
        """Where a batch of this size lies; always the same."""
        layout = self._layouts[count - 1]
        after = layout.states.addresses(self._after)
        return {
            **layout.inputs.addresses(self._inputs),
            **layout.outputs.addresses(self._outputs),
            **layout.states.addresses(self._before),
            **{spec.output: after[spec.input] for spec in layout.specs},
        }

    def move(self, session: GpuCache, queue: Queue) -> None:
        """Let a session's states follow its crop: what comes in at the sides is zero."""
        states = session.layout.states
        for right, down in session.shifts:
            queue.clear(self._before, states.size)
            for spec in session.layout.specs:
                box = moved(spec, down // spec.stride, right // spec.stride)
                if box is not None:
                    offset = states.parts[spec.input].offset
                    queue.move(self._before + offset, session.states + offset, box)
            queue.copy(session.states, self._before, states.size)
        session.shifts.clear()

    def load(self, sessions: Sequence[GpuCache], queue: Queue) -> None:
        """Put what the sessions bring and remember in line; they are in the order of their states' addresses."""
        if len(sessions) == 1:
            # Straight from its own memory: the largest part of the planes' way is saved.
            queue.upload(self._inputs, sessions[0].given)
            queue.copy(self._before, sessions[0].states, self._pool.size)
            return
        layout, (inputs, _) = self._layouts[len(sessions) - 1], self._host[len(sessions) - 1]
        for row, session in enumerate(sessions):
            for name, array in session.inputs.items():
                inputs[name][row] = array[0]
        queue.upload(self._inputs, self._given[: layout.inputs.size])
        self._copy_states(sessions, queue, back=False)

    def unload(self, sessions: Sequence[GpuCache], queue: Queue) -> None:
        """Put the way back in line: states to their sessions, planes to pinned memory."""
        if len(sessions) == 1:
            queue.copy(sessions[0].states, self._after, self._pool.size)
            queue.download(sessions[0].taken[sessions[0].turn], self._outputs)
            return
        self._copy_states(sessions, queue, back=True)
        queue.download(self._taken[: self._layouts[len(sessions) - 1].outputs.size], self._outputs)

    def hand_out(self, sessions: Sequence[GpuCache]) -> None:
        """Give each session its planes, after all is done."""
        if len(sessions) == 1:
            return
        _, outputs = self._host[len(sessions) - 1]
        for row, session in enumerate(sessions):
            for name, array in session.outputs[session.turn].items():
                array[0] = outputs[name][row]

    def _copy_states(self, sessions: Sequence[GpuCache], queue: Queue, back: bool) -> None:
        own, staged = self._layouts[0].states.parts, self._layouts[len(sessions) - 1].states.parts
        for first, count in self._pool.runs([session.states for session in sessions]):
            for name, part in own.items():
                there = sessions[first].states + part.offset, self._pool.size
                here = (self._after if back else self._before) + staged[name].offset + first * part.bytes, part.bytes
                target, source = (there, here) if back else (here, there)
                queue.copy_rows(*target, *source, part.bytes, count)


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
