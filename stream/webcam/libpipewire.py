"""As much of libpipewire as one video source needs, through ctypes: PipeWire's own library, and nothing to compile."""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int32, c_int64, c_uint32, c_uint64, c_void_p

from engines.errors import ClearcallError
from stream.webcam.pipewire_setup import INSTALL

LIBRARY = "libpipewire-0.3.so.0"
ERROR, UNCONNECTED, CONNECTING, PAUSED, STREAMING = range(-1, 4)
"""States of a stream; streaming means that somebody reads."""
DIRECTION_OUTPUT = 1
ANY = 0xFFFFFFFF
MAP_BUFFERS, DRIVER = 1 << 2, 1 << 3
"""Flags of a stream: memory is mapped for us; we give the beat."""


class Chunk(Structure):
    """Which part of a block is valid."""

    _fields_ = [("offset", c_uint32), ("size", c_uint32), ("stride", c_int32), ("flags", c_int32)]


class Data(Structure):
    """One block of memory."""

    _fields_ = [
        ("type", c_uint32),
        ("flags", c_uint32),
        ("fd", c_int64),
        ("mapoffset", c_uint32),
        ("maxsize", c_uint32),
        ("data", c_void_p),
        ("chunk", POINTER(Chunk)),
    ]


class Meta(Structure):
    """One kind of words that go with a buffer."""

    _fields_ = [("type", c_uint32), ("size", c_uint32), ("data", c_void_p)]


class SpaBuffer(Structure):
    """What a buffer consists of."""

    _fields_ = [("n_metas", c_uint32), ("n_datas", c_uint32), ("metas", POINTER(Meta)), ("datas", POINTER(Data))]


class PwBuffer(Structure):
    """A buffer as the stream hands it out; newer libraries have more fields behind these."""

    _fields_ = [("buffer", POINTER(SpaBuffer)), ("user_data", c_void_p), ("size", c_uint64), ("requested", c_uint64)]


STATE_CHANGED = CFUNCTYPE(None, c_void_p, c_int, c_int, c_char_p)
PARAM_CHANGED = CFUNCTYPE(None, c_void_p, c_uint32, c_void_p)


class StreamEvents(Structure):
    """What a stream calls; version 2 of the table."""

    _fields_ = [
        ("version", c_uint32),
        ("destroy", c_void_p),
        ("state_changed", STATE_CHANGED),
        ("control_info", c_void_p),
        ("io_changed", c_void_p),
        ("param_changed", PARAM_CHANGED),
        ("add_buffer", c_void_p),
        ("remove_buffer", c_void_p),
        ("process", c_void_p),
        ("drained", c_void_p),
        ("command", c_void_p),
        ("trigger_done", c_void_p),
    ]


_SIGNATURES: dict[str, tuple[object, list[object]]] = {
    "pw_init": (None, [c_void_p, c_void_p]),
    "pw_thread_loop_new": (c_void_p, [c_char_p, c_void_p]),
    "pw_thread_loop_get_loop": (c_void_p, [c_void_p]),
    "pw_thread_loop_start": (c_int, [c_void_p]),
    "pw_thread_loop_stop": (None, [c_void_p]),
    "pw_thread_loop_lock": (None, [c_void_p]),
    "pw_thread_loop_unlock": (None, [c_void_p]),
    "pw_thread_loop_destroy": (None, [c_void_p]),
    "pw_properties_new_string": (c_void_p, [c_char_p]),
    "pw_stream_new_simple": (c_void_p, [c_void_p, c_char_p, c_void_p, POINTER(StreamEvents), c_void_p]),
    "pw_stream_connect": (c_int, [c_void_p, c_int, c_uint32, c_int, POINTER(c_void_p), c_uint32]),
    "pw_stream_update_params": (c_int, [c_void_p, POINTER(c_void_p), c_uint32]),
    "pw_stream_get_node_id": (c_uint32, [c_void_p]),
    "pw_stream_dequeue_buffer": (POINTER(PwBuffer), [c_void_p]),
    "pw_stream_queue_buffer": (c_int, [c_void_p, POINTER(PwBuffer)]),
    "pw_stream_is_driving": (ctypes.c_bool, [c_void_p]),
    "pw_stream_trigger_process": (c_int, [c_void_p]),
    "pw_stream_destroy": (None, [c_void_p]),
}
"""Function to what it returns and takes."""


def load(name: str = LIBRARY) -> ctypes.CDLL:
    """The library, with its functions' types told to ctypes and initialised.

    Raises:
        ClearcallError: It is not installed, or older than 0.3.40.
    """
    try:
        library = ctypes.CDLL(name)
        for function, (result, arguments) in _SIGNATURES.items():
            symbol = getattr(library, function)
            symbol.restype, symbol.argtypes = result, arguments
    except OSError:
        raise ClearcallError(f"PipeWire's library {name} is missing: {INSTALL}") from None
    except AttributeError as error:
        raise ClearcallError(f"PipeWire's library {name} is too old ({error})") from None
    library.pw_init(None, None)
    return library


def params(*pods: bytes) -> tuple[ctypes.Array[c_void_p], list[ctypes.Array[ctypes.c_char]]]:
    """The pods as the library takes them; the second part owns the memory and must live through the call."""
    owned = [ctypes.create_string_buffer(pod, len(pod)) for pod in pods]
    return (c_void_p * len(owned))(*(ctypes.addressof(memory) for memory in owned)), owned
