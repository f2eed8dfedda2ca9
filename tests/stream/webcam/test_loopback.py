"""The loopback device without one: what is said to it, and what is made of its answers."""

from __future__ import annotations

import errno
import os
import select
import struct
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engines.errors import ClearcallError
from stream.webcam import loopback, v4l2
from stream.webcam.devices import examine
from stream.webcam.loopback import LoopbackCamera, negotiate, pick, subscribe
from stream.webcam.output import Shape
from tests.stream.webcam.recorded import LAPTOP, LOOPBACK

SHAPE = Shape(64, 48, Fraction(30))


@dataclass
class Module:
    """Answers as v4l2loopback does; `knows` are the events that it has, `fixed` a format that it insists on."""

    knows: tuple[int, ...] = v4l2.CLIENT_USAGE
    fixed: Shape | None = None
    subscribed: list[int] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    started: list[bytes] = field(default_factory=list)

    def __call__(self, request: int, data: bytes) -> bytes:
        if request == v4l2.QUERYCAP:
            return LOOPBACK(request, data)
        if request == v4l2.S_FMT:
            return data if self.fixed is None else v4l2.pack_output_format(self.fixed)
        if request == v4l2.STREAM_ON:
            self.started.append(data)
            return data
        if request == v4l2.SUBSCRIBE_EVENT:
            event = v4l2.SUBSCRIPTION.unpack(data)[0]
            if event not in self.knows:
                raise OSError(errno.EINVAL, "unknown event")
            self.subscribed.append(event)
            return data
        if request == v4l2.DQEVENT:
            return struct.pack("=III", self.subscribed[-1], 0, self.events.pop(0)).ljust(v4l2.EVENT_BYTES, b"\0")
        raise OSError(errno.ENOTTY, "not here")


def test_the_first_loopback_is_taken_or_the_one_that_was_named() -> None:
    found = [examine("/dev/video0", LAPTOP), examine("/dev/video9", LOOPBACK)]
    assert pick(found, None) == "/dev/video9"
    assert pick(found, "/dev/video7") == "/dev/video7"
    with pytest.raises(ClearcallError, match="modprobe v4l2loopback exclusive_caps=1"):
        pick(found[:1], None)


def test_a_device_that_was_left_as_a_camera_is_told() -> None:
    left = replace(examine("/dev/video9", LOOPBACK), can_output=False)
    with pytest.raises(ClearcallError, match="/dev/video9 is a camera.*modprobe -r v4l2loopback"):
        pick([examine("/dev/video0", LAPTOP), left], None)


def test_the_module_is_told_that_writing_starts() -> None:
    """Without that, 0.12 never let anyone write again once the webcam had ended."""
    module = Module()
    negotiate(module, SHAPE)
    assert module.started == [v4l2.TYPE_OUTPUT.to_bytes(4, "little")]


def test_another_format_is_refused() -> None:
    negotiate(Module(), SHAPE)
    with pytest.raises(ClearcallError, match="wants 320x240 YU12"):
        negotiate(Module(fixed=Shape(320, 240, Fraction(30))), SHAPE)


@pytest.mark.parametrize("event", v4l2.CLIENT_USAGE)
def test_new_and_old_modules_tell_of_readers(event: int) -> None:
    module = Module(knows=(event,))
    assert subscribe(module) and module.subscribed == [event]
    assert not subscribe(Module(knows=()))


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A file that stands for the device."""
    path = tmp_path / "video9"
    path.touch()
    return path


def camera(pipe: Path, module: Module, patch: pytest.MonkeyPatch) -> LoopbackCamera:
    patch.setattr(loopback, "ioctl_of", lambda descriptor: module)
    return LoopbackCamera(SHAPE, str(pipe))


def test_a_picture_is_written_whole(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = camera(pipe, Module(), monkeypatch)
    picture = np.arange(72 * 64, dtype=np.uint32).astype(np.uint8).reshape(72, 64)
    assert device.send(picture)
    device.close()
    device.close()
    assert pipe.read_bytes() == picture.tobytes()
    assert not device.send(picture)


def test_an_old_module_only_counts_openings(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = pipe.parent / "refcnt"
    looks: list[str] = []

    def users_of(path: str) -> list[str]:
        looks.append(path)
        return ["zoom"] if len(looks) == 2 else []

    monkeypatch.setattr(loopback, "REFERENCES", count)
    monkeypatch.setattr(loopback, "users_of", users_of)
    device = camera(pipe, Module(knows=()), monkeypatch)
    assert device.has_reader(), "where nothing can be known somebody reads"
    for text, reads in (("1", False), ("1", False), ("2", True), ("2", True), ("1", False)):
        count.write_text(text)
        assert device.has_reader() == reads
    assert looks == [str(pipe)] * 3, "the costly look only where something changed"
    device.close()


def test_a_program_that_comes_as_another_leaves_is_not_missed(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Both between two looks: the number of openings stays the same.
    count, programs = pipe.parent / "refcnt", [[], ["zoom"]]
    count.write_text("2")
    monkeypatch.setattr(loopback, "REFERENCES", count)
    monkeypatch.setattr(loopback, "users_of", lambda path: programs.pop(0))
    device = camera(pipe, Module(knows=()), monkeypatch)
    assert [device.has_reader() for _ in range(5)] == [False, False, True, True, True]
    device.close()


def test_a_new_module_tells(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = Module()
    device = camera(pipe, module, monkeypatch)
    assert not device.has_reader()

    class Poll:
        def register(self, *_: object) -> None:
            pass

        def poll(self, _: int) -> list[tuple[int, int]]:
            return [(0, select.POLLPRI)] if module.events else []

    monkeypatch.setattr(select, "poll", Poll)
    module.events = [0, 1]
    assert device.has_reader()
    assert device.has_reader()
    module.events = [0]
    assert not device.has_reader()
    device.close()


def test_what_is_no_loopback_is_told_in_one_line(tmp_path: Path, pipe: Path) -> None:
    for path in (tmp_path / "none", pipe, Path(os.devnull)):
        with pytest.raises(ClearcallError) as error:
            LoopbackCamera(SHAPE, str(path))
        assert str(path) in str(error.value) and "\n" not in str(error.value)
