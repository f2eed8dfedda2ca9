"""What goes out: washed-out or crushed greys, wrong hues and squeezed faces are what mixed-up tags look like."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from stream.webcam.card import card
from stream.webcam.output import Shape
from stream.webcam.picture import fitted, planes, render
from tests.stream.fakes import noise_frame

SHAPE = Shape(320, 240, Fraction(30))


def plain(y: int, u: int, v: int, name: str = "yuv420p", size: tuple[int, int] = (320, 240)) -> av.VideoFrame:
    """A frame of one colour in a planar format."""
    frame = av.VideoFrame(*size, name)
    for plane, value in zip(frame.planes, (y, u, v), strict=True):
        np.frombuffer(memoryview(plane), np.uint8)[:] = value
    return frame


def means(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> list[float]:
    return [float(plane.mean()) for plane in planes(picture)]


def test_a_frame_that_fits_goes_out_bit_for_bit() -> None:
    frame = noise_frame()
    picture = render(frame, SHAPE)
    assert picture.shape == (360, 320)
    assert np.array_equal(picture, frame.to_ndarray())


def test_mirrored_is_left_for_right_in_every_plane() -> None:
    frame = noise_frame()
    straight, mirrored = render(frame, SHAPE), render(frame, SHAPE, mirror=True)
    for a, b in zip(planes(straight), planes(mirrored), strict=True):
        assert np.array_equal(a, b[:, ::-1])


@pytest.mark.parametrize("name", ["yuvj420p", "yuvj422p"])
def test_full_range_of_mjpeg_cameras_becomes_limited(name: str) -> None:
    assert means(render(plain(255, 128, 128, name), SHAPE)) == pytest.approx([235, 128, 128], abs=1)
    assert means(render(plain(0, 128, 128, name), SHAPE)) == pytest.approx([16, 128, 128], abs=1)


def test_a_full_range_tag_counts_too() -> None:
    frame = plain(255, 128, 128)
    frame.color_range = ColorRange.JPEG
    assert means(render(frame, SHAPE))[0] == pytest.approx(235, abs=1)


def test_bt709_becomes_bt601() -> None:
    # Pure green: Y U V in limited BT.709 and in limited BT.601.
    frame = plain(173, 42, 26)
    frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.MPEG
    assert means(render(frame, SHAPE)) == pytest.approx([145, 54, 34], abs=3)


def test_rgb_is_taken_in() -> None:
    frame = av.VideoFrame.from_ndarray(np.full((240, 320, 3), 255, np.uint8), format="rgb24")
    assert means(render(frame, SHAPE)) == pytest.approx([235, 128, 128], abs=1)


def test_other_proportions_get_bars_and_nothing_is_squeezed() -> None:
    picture = render(plain(200, 90, 160, size=(640, 360)), SHAPE)
    y, u, v = planes(picture)
    assert (y[:30] == 16).all() and (y[-30:] == 16).all() and (u[:15] == 128).all()
    assert (y[31:-31] == 200).all() and (u[16:-16] == 90).all() and (v[16:-16] == 160).all()
    assert fitted(640, 360, SHAPE) == (320, 180)
    assert fitted(480, 640, SHAPE) == (180, 240)
    assert fitted(1, 4000, SHAPE) == (2, 240)


def test_the_card_is_a_still_with_words_in_it() -> None:
    first, other = card(SHAPE, "the camera starts"), card(SHAPE, "x" * 500)
    assert first is card(SHAPE, "the camera starts")
    assert first.shape == other.shape == (360, 320)
    y, u, _ = planes(first)
    assert y.max() > 150 and (u == 128).all()
    assert not np.array_equal(first, other)
