"""NVIDIA's driver, called directly: it comes with every GPU, so nothing has to be installed for it.

Functions and numbers are those of the CUDA Driver API reference. Streams and memory made here live in the device's
primary context, which is the one that TensorRT and ONNX Runtime use.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint, c_ulonglong, c_void_p
from functools import cache
from typing import Any

import numpy as np

from engines.cuda_copies import copy_parameters, row_parameters
from engines.device import Box, Bytes
from engines.errors import EngineError, EngineLost, OutOfDeviceMemory

LIBRARY = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
OUT_OF_MEMORY = 2
COMPUTE_CAPABILITY = 75, 76
"""CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR"""
NON_BLOCKING = 1
RELAXED = 2
"""CU_STREAM_CAPTURE_MODE_RELAXED: of a recording, that other threads may allocate meanwhile; of a thread, that it may
allocate whatever others record"""


class CudaDevice:
    """The first GPU; see `Device`."""

    def __init__(self) -> None:
        """Open the driver; EngineError says why there is no GPU to be had."""
        try:
            self._library = ctypes.CDLL(LIBRARY)
        except OSError:
            raise EngineError(f"no NVIDIA GPU: {LIBRARY} is not there") from None
        try:
            self.call("cuInit", c_uint(0))
            number = c_int()
            self.call("cuDeviceGet", byref(number), c_int(0))
            self._context = c_void_p()
            self.call("cuDevicePrimaryCtxRetain", byref(self._context), number)
        except EngineLost as error:
            raise EngineError(f"no NVIDIA GPU: {error}") from error
        self.enter()
        text = ctypes.create_string_buffer(256)
        self.call("cuDeviceGetName", text, c_int(len(text)), number)
        self.name = text.value.decode(errors="replace")
        major, minor = (self._attribute(kind, number) for kind in COMPUTE_CAPABILITY)
        self.capability = f"sm{major}{minor}"
        """Compute capability, such as sm90"""
        self._sizes: dict[int, int] = {}
        self._spare: dict[int, deque[int]] = {}
        """Size to blocks of it that are not in use"""

    def call(self, function: str, *arguments: Any) -> None:
        """Call the driver; EngineLost when it does not answer 0."""
        number = getattr(self._library, function)(*arguments)
        if number == 0:
            return
        text = c_char_p()
        if self._library.cuGetErrorString(c_int(number), byref(text)) != 0 or text.value is None:
            text = c_char_p(f"error {number}".encode())
        said = (text.value or b"").decode(errors="replace")
        raise (OutOfDeviceMemory if number == OUT_OF_MEMORY else EngineLost)(f"{function}: {said}")

    def _attribute(self, kind: int, device: c_int) -> int:
        value = c_int()
        self.call("cuDeviceGetAttribute", byref(value), c_int(kind), device)
        return value.value

    def enter(self) -> None:
        """See `Device`."""
        self.call("cuCtxSetCurrent", self._context)
        # ONNX Runtime records in the strict mode: what other threads allocate would fail, and end the recording.
        self.call("cuThreadExchangeStreamCaptureMode", byref(c_int(RELAXED)))

    def memory(self) -> tuple[int, int]:
        """Bytes of the GPU's memory that are free, and all of them."""
        free, total = c_size_t(), c_size_t()
        self.call("cuMemGetInfo_v2", byref(free), byref(total))
        return free.value, total.value

    def allocate(self, size: int) -> int:
        """See `Device`. Blocks are used again: the driver's own way to have one may wait for all work."""
        spare = self._spare.setdefault(size, deque())
        with contextlib.suppress(IndexError):
            return spare.popleft()
        try:
            address = self._new_block(size)
        except OutOfDeviceMemory:
            self._give_back()
            address = self._new_block(size)
        self._sizes[address] = size
        return address

    def _new_block(self, size: int) -> int:
        address = c_ulonglong()
        self.call("cuMemAlloc_v2", byref(address), c_size_t(max(1, size)))
        return address.value

    def free(self, address: int) -> None:
        """See `Device`. Only noted: a finaliser may run in the middle of a capture, and freeing waits for all work."""
        self._spare[self._sizes[address]].append(address)

    def _give_back(self) -> None:
        for blocks in list(self._spare.values()):
            while blocks:
                address = blocks.popleft()
                del self._sizes[address]
                self.call("cuMemFree_v2", c_ulonglong(address))

    def pinned(self, size: int) -> Bytes:
        """See `Device`."""
        address = c_void_p()
        self.call("cuMemHostAlloc", byref(address), c_size_t(max(1, size)), c_uint(0))
        assert address.value is not None
        memory = (ctypes.c_uint8 * size).from_address(address.value)
        # The array keeps `memory` alive, and when that goes, so does what it stands on.
        # At the process's end the driver takes it back: until then a thread may still be at work in it.
        weakref.finalize(memory, self._free_pinned, address.value).atexit = False
        return np.ctypeslib.as_array(memory)

    def _free_pinned(self, address: int) -> None:
        with contextlib.suppress(EngineLost):
            self.enter()
            self.call("cuMemFreeHost", c_void_p(address))

    def queue(self) -> CudaQueue:
        """See `Device`."""
        return CudaQueue(self)


class CudaQueue:
    """A stream; see `Queue`."""

    def __init__(self, device: CudaDevice) -> None:
        self._call = device.call
        self._stream = c_void_p()
        self._call("cuStreamCreate", byref(self._stream), c_uint(NON_BLOCKING))
        self.handle = self._stream.value or 0

    def upload(self, target: int, source: Bytes) -> None:
        """See `Queue`."""
        host = c_void_p(source.ctypes.data)
        self._call("cuMemcpyHtoDAsync_v2", c_ulonglong(target), host, c_size_t(source.nbytes), self._stream)

    def download(self, target: Bytes, source: int) -> None:
        """See `Queue`."""
        host = c_void_p(target.ctypes.data)
        self._call("cuMemcpyDtoHAsync_v2", host, c_ulonglong(source), c_size_t(target.nbytes), self._stream)

    def copy(self, target: int, source: int, size: int) -> None:
        """See `Queue`."""
        self._call("cuMemcpyDtoDAsync_v2", c_ulonglong(target), c_ulonglong(source), c_size_t(size), self._stream)

    def copy_rows(
        self, target: int, target_pitch: int, source: int, source_pitch: int, row_bytes: int, rows: int
    ) -> None:
        """See `Queue`."""
        told = row_parameters(target, target_pitch, source, source_pitch, row_bytes, rows)
        self._call("cuMemcpy3DAsync_v2", byref(told), self._stream)

    def clear(self, target: int, size: int) -> None:
        """See `Queue`."""
        self._call("cuMemsetD8Async", c_ulonglong(target), ctypes.c_ubyte(0), c_size_t(size), self._stream)

    def move(self, target: int, source: int, box: Box) -> None:
        """See `Queue`."""
        self._call("cuMemcpy3DAsync_v2", byref(copy_parameters(target, source, box)), self._stream)

    def capture(self, work: Callable[[], None]) -> c_void_p:
        """See `Queue`."""
        with self._recording() as graph:
            work()
        recorded = c_void_p()
        try:
            self._call("cuGraphInstantiateWithFlags", byref(recorded), graph, c_ulonglong(0))
        finally:
            self._call("cuGraphDestroy", graph)
        return recorded

    @contextlib.contextmanager
    def _recording(self) -> Iterator[c_void_p]:
        graph = c_void_p()
        self._call("cuStreamBeginCapture_v2", self._stream, c_int(RELAXED))
        try:
            yield graph
        except BaseException:
            # The stream is of no use until the capture has ended, however it went.
            with contextlib.suppress(EngineLost):
                self._call("cuStreamEndCapture", self._stream, byref(graph))
            if graph.value:
                with contextlib.suppress(EngineLost):
                    self._call("cuGraphDestroy", graph)
            raise
        self._call("cuStreamEndCapture", self._stream, byref(graph))

    def launch(self, graph: c_void_p) -> None:
        """See `Queue`."""
        self._call("cuGraphLaunch", graph, self._stream)

    def release(self, graph: c_void_p) -> None:
        """See `Queue`."""
        self._call("cuGraphExecDestroy", graph)

    def wait(self) -> None:
        """See `Queue`."""
        self._call("cuStreamSynchronize", self._stream)


@cache
def cuda_device() -> CudaDevice:
    """The GPU, opened once; EngineError where there is none."""
    return CudaDevice()
