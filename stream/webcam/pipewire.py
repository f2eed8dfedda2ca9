"""A camera node in the user's PipeWire session: no kernel module; browsers and OBS see it through the portal."""

from __future__ import annotations

import ctypes
import json
import logging
import threading
import time
from collections.abc import Callable

from engines.errors import ClearcallError
from stream.webcam import libpipewire as pw
from stream.webcam import pods
from stream.webcam.errors import OutputLost
from stream.webcam.output import Picture, Shape
from stream.webcam.pipewire_setup import setup

NODE_NAME = "clearcall"
DESCRIPTION = "clearcall"
CONNECT_TIMEOUT_S = 3.0

log = logging.getLogger(__name__)


class PipeWireCamera:
    """The node; it is there from the start to `close`, whoever looks."""

    idle_interval: float | None = None

    def __init__(self, shape: Shape, on_change: Callable[[], object] = lambda: None) -> None:
        """Connect to the session; `on_change()` is called from another thread when readers come or go.

        Raises:
            ClearcallError: The library or the session is missing.
        """
        self.name = f"PipeWire node {NODE_NAME!r}"
        self._shape = shape
        self._on_change = on_change
        self._state = pw.UNCONNECTED
        self._error = ""
        self._settled = threading.Event()
        self._sequence = 0
        self._library = pw.load()
        # The library keeps pointers to these: they live as long as the stream.
        self._events = pw.StreamEvents(version=2)
        self._events.state_changed = pw.STATE_CHANGED(self._state_changed)
        self._events.param_changed = pw.PARAM_CHANGED(self._param_changed)
        self._loop: int | None = self._library.pw_thread_loop_new(b"clearcall-pipewire", None)
        self._stream: int | None = None
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    def _connect(self) -> None:
        library, shape = self._library, self._shape
        loop = library.pw_thread_loop_get_loop(self._loop)
        properties = {
            "media.class": "Video/Source",
            "media.type": "Video",
            "media.role": "Camera",
            "node.name": NODE_NAME,
            "node.description": DESCRIPTION,
        }
        text = json.dumps(properties).encode()
        self._stream = library.pw_stream_new_simple(
            loop, NODE_NAME.encode(), library.pw_properties_new_string(text), ctypes.byref(self._events), None
        )
        if not self._stream:
            raise ClearcallError("PipeWire gave no stream")
        offered, _memory = pw.params(pods.video_format(shape.width, shape.height, shape.rate))
        status = library.pw_stream_connect(
            self._stream, pw.DIRECTION_OUTPUT, pw.ANY, pw.MAP_BUFFERS | pw.DRIVER, offered, 1
        )
        library.pw_thread_loop_start(self._loop)
        if status < 0 or not self._settled.wait(CONNECT_TIMEOUT_S) or self._state < pw.PAUSED:
            reason = f" ({self._error})" if self._error else ""
            raise ClearcallError(f"no PipeWire session answers{reason}: {setup()}")

    def _state_changed(self, _: object, old: int, new: int, error: bytes | None) -> None:
        """In PipeWire's thread."""
        self._state = new
        if new == pw.ERROR:
            self._error = (error or b"").decode(errors="replace")
        if new in {pw.ERROR, pw.PAUSED, pw.STREAMING}:
            self._settled.set()
        self._on_change()

    def _param_changed(self, _: object, param: int, value: int | None) -> None:
        """In PipeWire's thread: once a reader has agreed to the format, say what buffers it takes."""
        if param != pods.PARAM_FORMAT or not value:
            return
        shape = self._shape
        wanted, _memory = pw.params(pods.buffers(shape.size, shape.width), pods.header_meta())
        self._library.pw_stream_update_params(self._stream, wanted, 2)

    def has_reader(self) -> bool:
        """Whether a program takes the picture, as PipeWire says; raises OutputLost once the session is gone."""
        if self._state in {pw.ERROR, pw.UNCONNECTED}:
            raise OutputLost(f"the PipeWire session is gone{f' ({self._error})' if self._error else ''}")
        return self._state == pw.STREAMING

    def send(self, picture: Picture) -> bool:
        """Hand one picture over; False where no reader is there, or it holds all buffers."""
        if not self.has_reader():
            return False
        library = self._library
        library.pw_thread_loop_lock(self._loop)
        try:
            if self._state != pw.STREAMING:
                return False
            buffer = library.pw_stream_dequeue_buffer(self._stream)
            if not buffer:
                # Give the beat nevertheless, so that buffers come back.
                library.pw_stream_trigger_process(self._stream)
                return False
            taken = self._fill(buffer.contents.buffer.contents, picture)
            library.pw_stream_queue_buffer(self._stream, buffer)
            library.pw_stream_trigger_process(self._stream)
            return taken
        finally:
            library.pw_thread_loop_unlock(self._loop)

    def _fill(self, buffer: pw.SpaBuffer, picture: Picture) -> bool:
        data = buffer.datas[0]
        chunk = data.chunk.contents
        fits = bool(data.data) and data.maxsize >= self._shape.size
        if fits:
            ctypes.memmove(data.data, picture.ctypes.data, self._shape.size)
        chunk.offset, chunk.size, chunk.stride = 0, self._shape.size if fits else 0, self._shape.width
        self._sequence += 1
        header = pods.HEADER.pack(0, 0, time.monotonic_ns(), 0, self._sequence)
        for index in range(buffer.n_metas):
            meta = buffer.metas[index]
            if meta.type == pods.META_HEADER and meta.size >= len(header):
                ctypes.memmove(meta.data, header, len(header))
        return fits

    def close(self) -> None:
        """Take the node away."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        self._library.pw_thread_loop_stop(loop)
        if self._stream:
            self._library.pw_stream_destroy(self._stream)
            self._stream = None
        self._library.pw_thread_loop_destroy(loop)
        self._state = pw.UNCONNECTED
