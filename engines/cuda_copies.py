"""What the driver's copy of a box is told; its structure is that of the CUDA Driver API reference."""

from __future__ import annotations

import ctypes
from ctypes import c_size_t, c_uint, c_ulonglong, c_void_p

from engines.device import Box

ON_DEVICE = 2
"""CU_MEMORYTYPE_DEVICE"""


class _Copy3D(ctypes.Structure):
    """CUDA_MEMCPY3D of the driver."""

    _fields_ = [
        ("src_x", c_size_t),
        ("src_y", c_size_t),
        ("src_z", c_size_t),
        ("src_lod", c_size_t),
        ("src_type", c_uint),
        ("src_host", c_void_p),
        ("src_device", c_ulonglong),
        ("src_array", c_void_p),
        ("reserved0", c_void_p),
        ("src_pitch", c_size_t),
        ("src_height", c_size_t),
        ("dst_x", c_size_t),
        ("dst_y", c_size_t),
        ("dst_z", c_size_t),
        ("dst_lod", c_size_t),
        ("dst_type", c_uint),
        ("dst_host", c_void_p),
        ("dst_device", c_ulonglong),
        ("dst_array", c_void_p),
        ("reserved1", c_void_p),
        ("dst_pitch", c_size_t),
        ("dst_height", c_size_t),
        ("width", c_size_t),
        ("height", c_size_t),
        ("depth", c_size_t),
    ]


def copy_parameters(target: int, source: int, box: Box) -> _Copy3D:
    """What cuMemcpy3DAsync is told for a move."""
    return _Copy3D(
        src_x=box.from_byte,
        src_y=box.from_row,
        src_type=ON_DEVICE,
        src_device=source,
        src_pitch=box.pitch,
        src_height=box.height,
        dst_x=box.to_byte,
        dst_y=box.to_row,
        dst_type=ON_DEVICE,
        dst_device=target,
        dst_pitch=box.pitch,
        dst_height=box.height,
        width=box.row_bytes,
        height=box.rows,
        depth=box.planes,
    )


def row_parameters(
    target: int, target_pitch: int, source: int, source_pitch: int, row_bytes: int, rows: int
) -> _Copy3D:
    """What cuMemcpy3DAsync is told for rows that are so many bytes apart here and there."""
    return _Copy3D(
        src_type=ON_DEVICE,
        src_device=source,
        src_pitch=source_pitch,
        src_height=rows,
        dst_type=ON_DEVICE,
        dst_device=target,
        dst_pitch=target_pitch,
        dst_height=rows,
        width=row_bytes,
        height=rows,
        depth=1,
    )
