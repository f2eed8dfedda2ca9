"""The crop: the very samples of the square, edges repeated, scaled down where it is larger than the graph."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stream.frames.cut import CutBuffer, cut
from stream.frames.levels import CHROMA_TO_LIMITED, LUMA_TO_LIMITED
from stream.frames.planes import Plane, Planes
from tests.stream.frames.pictures import smooth


def noise(width: int, height: int) -> Planes:
    rng = np.random.default_rng(width)
    half = ((height + 1) // 2, (width + 1) // 2)
    y, u, v = (rng.integers(0, 256, shape, np.uint8) for shape in ((height, width), half, half))
    return Planes(y, u, v)


def square(plane: Plane, x: int, y: int, size: int) -> NDArray[np.uint8]:
    """What a square shows when the plane's edges go on for ever."""
    rows, columns = np.arange(y, y + size), np.arange(x, x + size)
    return np.asarray(plane[rows.clip(0, plane.shape[0] - 1)[:, None], columns.clip(0, plane.shape[1] - 1)])


@pytest.mark.parametrize(
    ("frame", "x", "y"),
    [
        ((160, 120), 32, 30),
        ((160, 120), 0, 0),
        ((160, 120), 96, 56),
        ((160, 120), -10, -54),
        ((160, 120), 130, 100),
        ((101, 75), 36, 10),
        ((101, 75), 37 // 2 * 2, 12),
        ((40, 200), -12, 100),
        ((31, 23), -16, -20),
        ((1, 1), -30, -30),
    ],
)
def test_the_samples_of_the_square(frame: tuple[int, int], x: int, y: int) -> None:
    # Guards against crops at the frame's edge, and around small or odd frames, being shifted or refused.
    planes, buffer = noise(*frame), CutBuffer(64)
    cut(planes, x, y, 64, False, buffer)
    assert np.array_equal(buffer.y[0, 0], square(planes.y, x, y, 64))
    assert np.array_equal(buffer.uv[0, 0], square(planes.u, x // 2, y // 2, 32))
    assert np.array_equal(buffer.uv[0, 1], square(planes.v, x // 2, y // 2, 32))


def test_the_frame_is_only_read_and_the_buffer_is_filled_again() -> None:
    planes, buffer = noise(160, 120), CutBuffer(64)
    for plane in (planes.y, planes.u, planes.v):
        plane.flags.writeable = False
    y = buffer.y
    cut(planes, 0, 0, 64, False, buffer)
    cut(planes, 32, 0, 64, False, buffer)
    assert buffer.y is y and np.array_equal(y[0, 0], planes.y[:64, 32:96])


@pytest.mark.parametrize("size", [64, 80, 128, 192, 320])
def test_a_larger_square_is_scaled_down_in_place(size: int) -> None:
    # Guards against a restored face that sits beside the one in the frame.
    wide = np.rint(smooth(400, 400, 20, 230)).astype(np.uint8)
    half = np.rint(smooth(200, 200, 20, 230, seed=1)).astype(np.uint8)
    buffer = CutBuffer(64)
    cut(Planes(wide, half, half.T.copy()), 40, 20, size, False, buffer)
    for got, plane, x, y, edge in (
        (buffer.y[0, 0], wide, 40, 20, size),
        (buffer.uv[0, 0], half, 20, 10, size // 2),
        (buffer.uv[0, 1], half.T, 20, 10, size // 2),
    ):
        count = got.shape[0]
        centres = np.rint((np.arange(count) + 0.5) * edge / count - 0.5).astype(int)
        expected = plane[(centres + y)[:, None], centres + x]
        assert np.abs(got.astype(int) - expected).max() <= 4


def test_noise_is_averaged_not_picked_when_a_square_is_halved() -> None:
    # Guards against aliasing: a face of twice the graph's size came out as noisy as it went in.
    planes = noise(256, 256)
    buffer = CutBuffer(64)
    cut(planes, 0, 0, 256, False, buffer)
    expected = planes.y.reshape(64, 4, 64, 4).mean(axis=(1, 3))
    assert np.abs(buffer.y[0, 0] - expected).max() <= 1.5


def test_full_range_becomes_limited() -> None:
    levels = np.arange(256, dtype=np.uint8).repeat(16).reshape(64, 64)
    buffer = CutBuffer(64)
    cut(Planes(levels, levels[::2, ::2], levels[1::2, ::2]), 0, 0, 64, True, buffer)
    assert np.array_equal(buffer.y[0, 0], LUMA_TO_LIMITED[levels])
    assert np.array_equal(buffer.uv[0, 0], CHROMA_TO_LIMITED[levels[::2, ::2]])
    assert (LUMA_TO_LIMITED[[0, 255]] == (16, 235)).all()
    assert (CHROMA_TO_LIMITED[[0, 128, 255]] == (16, 128, 240)).all()


def test_views_with_steps() -> None:
    # Guards against the interleaved chroma of NV12, or a picture stored from the bottom up, being read as if it were
    # in one piece.
    planes = noise(160, 120)
    both = np.stack([planes.u, planes.v], axis=-1)
    buffer, expected = CutBuffer(64), CutBuffer(64)
    cut(planes, -8, 20, 64, False, expected)
    upside_down = planes.y[::-1].copy()[::-1]
    cut(Planes(upside_down, both[..., 0], both[..., 1]), -8, 20, 64, False, buffer)
    assert np.array_equal(buffer.y, expected.y) and np.array_equal(buffer.uv, expected.uv)
