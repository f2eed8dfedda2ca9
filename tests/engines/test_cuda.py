"""The driver's interface, against a driver made of Python: numbers and layouts are those of its reference."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engines.cuda import CudaDevice
from engines.cuda_copies import copy_parameters, row_parameters
from engines.device import Box
from engines.errors import EngineError, EngineLost, OutOfDeviceMemory


class FakeDriver:
    """Answers 0 to everything, notes the calls, and hands out host memory."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.failing: dict[str, int] = {}
        self.memory: dict[int, Any] = {}
        self.capture_mode = 0

    def __getattr__(self, name: str) -> Callable[..., int]:
        if not name.startswith("cu"):
            raise AttributeError(name)

        def call(*arguments: Any) -> int:
            if name == "cuGetErrorString":
                arguments[1]._obj.value = b"all went wrong"
                return 0
            self.calls.append(name)
            if name in self.failing:
                return self.failing[name]
            getattr(self, f"_{name}", lambda *_: None)(*arguments)
            return 0

        return call

    def _cuThreadExchangeStreamCaptureMode(self, mode: Any) -> None:
        self.capture_mode, mode._obj.value = mode._obj.value, self.capture_mode

    def _cuDeviceGetName(self, text: Any, length: Any, device: Any) -> None:
        text.value = b"Pretended GPU"

    def _cuDeviceGetAttribute(self, value: Any, kind: Any, device: Any) -> None:
        value._obj.value = {75: 8, 76: 9}[kind.value]

    def _cuMemAlloc_v2(self, address: Any, size: Any) -> None:
        address._obj.value = self._new(size.value)

    def _cuMemHostAlloc(self, address: Any, size: Any, flags: Any) -> None:
        address._obj.value = self._new(size.value)

    def _new(self, size: int) -> int:
        block = (ctypes.c_uint8 * size)()
        self.memory[ctypes.addressof(block)] = block
        return ctypes.addressof(block)

    def _cuMemFree_v2(self, address: Any) -> None:
        del self.memory[address.value]

    def _cuMemFreeHost(self, address: Any) -> None:
        del self.memory[address.value]

    def _cuStreamCreate(self, stream: Any, flags: Any) -> None:
        stream._obj.value = 4711

    def _cuMemcpyDtoDAsync_v2(self, target: Any, source: Any, size: Any, stream: Any) -> None:
        ctypes.memmove(target.value, source.value, size.value)

    _cuMemcpyHtoDAsync_v2 = _cuMemcpyDtoHAsync_v2 = _cuMemcpyDtoDAsync_v2


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    made = FakeDriver()
    monkeypatch.setattr("engines.cuda.ctypes.CDLL", lambda name: made)
    return made


def test_the_structure_of_a_copy_is_the_drivers() -> None:
    """CUDA_MEMCPY3D has 200 bytes where pointers have 8; a field too many and the driver copies from anywhere."""
    box = Box(planes=3, rows=2, row_bytes=8, pitch=12, height=4, from_row=1, from_byte=0, to_row=0, to_byte=4)
    made = copy_parameters(1000, 2000, box)
    assert ctypes.sizeof(made) == 200
    raw = np.frombuffer(bytes(made), np.uint64)
    assert raw[[0, 1, 6, 9, 10]].tolist() == [0, 1, 2000, 12, 4]
    assert raw[[11, 12, 17, 20, 21]].tolist() == [4, 0, 1000, 12, 4]
    assert raw[[22, 23, 24]].tolist() == [8, 2, 3]
    assert [int(raw[i]) & 0xFFFFFFFF for i in (4, 15)] == [2, 2]


def test_rows_are_a_box_of_one_plane() -> None:
    raw = np.frombuffer(bytes(row_parameters(1000, 8, 2000, 512, 8, 3)), np.uint64)
    assert raw[[6, 9, 10]].tolist() == [2000, 512, 3] and raw[[17, 20, 21]].tolist() == [1000, 8, 3]
    assert raw[[22, 23, 24]].tolist() == [8, 3, 1]


def test_what_another_thread_records_is_not_this_threads_matter(driver: FakeDriver) -> None:
    """While ONNX Runtime recorded, another session's memory was refused (900), and the engine lost to everybody."""
    device = CudaDevice()
    driver.calls.clear()
    device.enter()
    assert driver.calls == ["cuCtxSetCurrent", "cuThreadExchangeStreamCaptureMode"]
    assert driver.capture_mode == 2


def test_what_the_gpu_is(driver: FakeDriver) -> None:
    device = CudaDevice()
    assert (device.name, device.capability) == ("Pretended GPU", "sm89")
    assert device.queue().handle == 4711


@pytest.mark.parametrize("function", ["cuInit", "cuDeviceGet", "cuDevicePrimaryCtxRetain"])
def test_without_a_gpu_the_driver_says_why(driver: FakeDriver, function: str) -> None:
    driver.failing[function] = 100
    with pytest.raises(EngineError, match=f"no NVIDIA GPU: {function}: all went wrong") as raised:
        CudaDevice()
    assert not isinstance(raised.value, EngineLost)


def test_memory_goes_up_and_down(driver: FakeDriver) -> None:
    device = CudaDevice()
    queue, host, back = device.queue(), device.pinned(64), device.pinned(64)
    host[:] = np.arange(64)
    one, two = device.allocate(64), device.allocate(64)
    queue.upload(one, host)
    queue.copy(two, one + 8, 32)
    queue.download(back, two)
    assert back[:32].tolist() == list(range(8, 40))


def test_memory_is_used_again(driver: FakeDriver) -> None:
    """Freeing waits for all work, and a finaliser may run anywhere, also in the middle of a recording."""
    device = CudaDevice()
    address, other = device.allocate(64), device.allocate(8)
    device.free(address)
    assert "cuMemFree_v2" not in driver.calls
    assert device.allocate(64) == address and device.allocate(64) not in (address, other)


def test_without_room_spare_blocks_go_first(driver: FakeDriver) -> None:
    device = CudaDevice()
    one, two = device.allocate(64), device.allocate(32)
    device.free(one)
    driver.failing["cuMemAlloc_v2"] = 2
    with pytest.raises(OutOfDeviceMemory):
        device.allocate(8)
    assert list(driver.memory) == [two] and driver.calls.count("cuMemAlloc_v2") == 4


def test_pinned_memory_lives_as_long_as_its_last_array(driver: FakeDriver) -> None:
    part = CudaDevice().pinned(64)[8:16]
    gc.collect()
    assert len(driver.memory) == 1
    part[0] = 1
    del part
    gc.collect()
    assert not driver.memory


@pytest.mark.parametrize(("number", "kind"), [(2, OutOfDeviceMemory), (700, EngineLost), (999, EngineLost)])
def test_errors_are_what_engines_know(driver: FakeDriver, number: int, kind: type[EngineError]) -> None:
    device = CudaDevice()
    driver.failing["cuMemAlloc_v2"] = number
    with pytest.raises(kind, match="cuMemAlloc_v2: all went wrong") as raised:
        device.allocate(8)
    assert type(raised.value) is kind


def test_a_recording_ends_however_it_went(driver: FakeDriver) -> None:
    queue = CudaDevice().queue()

    def fail() -> None:
        raise EngineLost("refused")

    with pytest.raises(EngineLost, match="refused"):
        queue.capture(fail)
    assert driver.calls[-2:] == ["cuStreamBeginCapture_v2", "cuStreamEndCapture"]
    graph = queue.capture(lambda: None)
    assert driver.calls[-2:] == ["cuGraphInstantiateWithFlags", "cuGraphDestroy"]
    queue.launch(graph)
    queue.release(graph)
    assert driver.calls[-2:] == ["cuGraphLaunch", "cuGraphExecDestroy"]
    driver.failing["cuGraphInstantiateWithFlags"] = 901
    with pytest.raises(EngineLost):
        queue.capture(lambda: None)
    assert driver.calls[-1] == "cuGraphDestroy"
