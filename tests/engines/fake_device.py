"""A device made of host memory. Nothing is done before it is waited for; memory begins as garbage."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnxruntime

from engines.device import Box, Bytes, Queue
from engines.errors import EngineLost, OutOfDeviceMemory
from engines.manifest import BATCH_AXIS, Manifest
from engines.slab import ALIGNMENT

Work = Callable[[], None]
GARBAGE = 0xFF
"""Not a number, in every float"""


class FakeDevice:
    name = "fake"

    def __init__(self, room: int = 1 << 40) -> None:
        self.blocks: dict[int, Bytes] = {}
        self.room = room
        self.entered: set[int] = set()
        self.last: FakeQueue | None = None
        self._next = ALIGNMENT

    def enter(self) -> None:
        self.entered.add(threading.get_ident())

    def allocate(self, size: int) -> int:
        assert threading.get_ident() in self.entered
        if sum(block.size for block in self.blocks.values()) + size > self.room:
            raise OutOfDeviceMemory("no room")
        address = self._next
        # A gap behind each block: what reaches beyond the end hits nothing.
        self._next += (-(-size // ALIGNMENT) + 2) * ALIGNMENT
        self.blocks[address] = np.full(size, GARBAGE, np.uint8)
        return address

    def free(self, address: int) -> None:
        del self.blocks[address]

    def pinned(self, size: int) -> Bytes:
        return np.full(size, GARBAGE, np.uint8)

    def queue(self) -> FakeQueue:
        self.last = FakeQueue(self)
        return self.last

    def at(self, address: int, size: int) -> Bytes:
        """What lies there; it must be of one block."""
        start = max(base for base in self.blocks if base <= address)
        piece = self.blocks[start][address - start : address - start + size]
        assert piece.size == size, "beyond the end of a block"
        return piece


class FakeQueue:
    handle = 1

    def __init__(self, device: FakeDevice) -> None:
        self._device = device
        self._line: list[Work] = []
        self._recording: list[Work] | None = None
        self.launched = self.recorded = self.released = self.waited = 0
        self.uploads = self.downloads = self.copies = 0
        self.broken: Exception | None = None
        self.no_recording: Exception | None = None

    def add(self, work: Work) -> None:
        assert threading.get_ident() in self._device.entered
        (self._line if self._recording is None else self._recording).append(work)

    def upload(self, target: int, source: Bytes) -> None:
        self.uploads += 1
        self.add(lambda: np.copyto(self._device.at(target, source.nbytes), source))

    def download(self, target: Bytes, source: int) -> None:
        self.downloads += 1
        self.add(lambda: np.copyto(target, self._device.at(source, target.nbytes)))

    def copy(self, target: int, source: int, size: int) -> None:
        self.copies += 1
        self.add(lambda: np.copyto(self._device.at(target, size), self._device.at(source, size)))

    def copy_rows(
        self, target: int, target_pitch: int, source: int, source_pitch: int, row_bytes: int, rows: int
    ) -> None:
        def work() -> None:
            for row in range(rows):
                into = self._device.at(target + row * target_pitch, row_bytes)
                np.copyto(into, self._device.at(source + row * source_pitch, row_bytes))

        self.copies += 1
        self.add(work)

    def clear(self, target: int, size: int) -> None:
        self.add(lambda: self._device.at(target, size).fill(0))

    def move(self, target: int, source: int, box: Box) -> None:
        def work() -> None:
            whole = box.planes * box.height * box.pitch
            old, new = (self._device.at(a, whole).reshape(box.planes, box.height, box.pitch) for a in (source, target))
            part = old[:, box.from_row : box.from_row + box.rows, box.from_byte : box.from_byte + box.row_bytes]
            new[:, box.to_row : box.to_row + box.rows, box.to_byte : box.to_byte + box.row_bytes] = part

        self.add(work)

    def capture(self, work: Work) -> list[Work]:
        if self.no_recording is not None:
            raise self.no_recording
        self._recording = []
        work()
        graph, self._recording = self._recording, None
        self.recorded += 1
        return graph

    def launch(self, graph: list[Work]) -> None:
        self.launched += 1
        for work in graph:
            self.add(work)

    def release(self, graph: list[Work]) -> None:
        graph.clear()
        self.released += 1

    def wait(self) -> None:
        if self.broken is not None:
            self._line.clear()
            raise self.broken
        line, self._line = self._line, []
        for work in line:
            work()
        self.waited += 1


class FakeRunner:
    """Runs a graph in ONNX Runtime on the CPU, reading and writing the fake device's memory."""

    name = "fake"

    def __init__(self, manifest: Manifest, device: FakeDevice, max_batch: int = 4) -> None:
        self.max_batch = max_batch
        self.capturable, self.records = True, False
        self.batches: list[int] = []
        self._manifest, self._device = manifest, device
        self._sessions: dict[int, onnxruntime.InferenceSession] = {}

    def run(self, batch: int, addresses: Mapping[str, int], queue: Queue) -> None:
        assert isinstance(queue, FakeQueue)
        assert 1 <= batch <= self.max_batch
        assert all(address % ALIGNMENT == 0 for address in addresses.values())
        where = dict(addresses)
        queue.add(lambda: self._compute(batch, where))

    def _compute(self, batch: int, addresses: dict[str, int]) -> None:
        manifest, session = self._manifest, self._session(batch)
        inputs = [(t.name, t.shape, t.dtype) for t in manifest.inputs]
        inputs += [(s.input, s.shape, s.dtype) for s in manifest.states]
        feeds = {}
        for name, shape, dtype in inputs:
            count = batch * int(np.prod(shape)) * np.dtype(dtype).itemsize
            feeds[name] = self._device.at(addresses[name], count).view(dtype).reshape(batch, *shape[1:]).copy()
        names = [t.name for t in session.get_outputs()]
        for name, array in zip(names, session.run(names, feeds), strict=True):
            raw = np.ascontiguousarray(array).view(np.uint8).reshape(-1)
            np.copyto(self._device.at(addresses[name], raw.size), raw)
        self.batches.append(batch)

    def _session(self, batch: int) -> onnxruntime.InferenceSession:
        if batch not in self._sessions:
            self._sessions[batch] = cpu_session(self._manifest.graph.path, batch)
        return self._sessions[batch]


def cpu_session(path: Path, batch: int) -> onnxruntime.InferenceSession:
    """A graph for so many sessions at once."""
    options = onnxruntime.SessionOptions()
    options.add_free_dimension_override_by_name(BATCH_AXIS, batch)
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def lost() -> EngineLost:
    return EngineLost("cuStreamSynchronize: the device fell off the bus")
