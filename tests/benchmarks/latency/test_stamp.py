"""The stamp is read after what calls do to pictures, and never read wrongly."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from benchmarks.latency import stamp
from tests.benchmarks.latency.pictures import moving

COUNT = 24
NUMBERS = [(place * 2741 + 7) & stamp.LAST for place in range(COUNT)]


def _stamped(width: int, height: int) -> list[NDArray[np.uint8]]:
    pictures = moving(COUNT, width, height)
    for picture, number in zip(pictures, NUMBERS, strict=True):
        stamp.write(picture[:height], number)
    return pictures


def _through(
    pictures: list[NDArray[np.uint8]], encoder: str, decoder: str, bitrate: int, options: dict[str, str]
) -> list[int | None]:
    out, back = av.CodecContext.create(encoder, "w"), av.CodecContext.create(decoder, "r")
    assert isinstance(out, VideoCodecContext) and isinstance(back, VideoCodecContext)
    height, width = pictures[0].shape[0] * 2 // 3, pictures[0].shape[1]
    out.width, out.height, out.pix_fmt, out.time_base = width, height, "yuv420p", Fraction(1, 30)
    out.framerate, out.thread_count, out.options = Fraction(30), 1, options
    if bitrate:
        out.bit_rate = bitrate
    packets = []
    for place, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, "yuv420p")
        frame.pts, frame.time_base = place, Fraction(1, 30)
        packets += out.encode(frame)
    packets += out.encode(None)
    frames = [frame for packet in packets for frame in back.decode(packet)] + back.decode(None)
    return [stamp.read(frame.to_ndarray()[:height].astype(np.uint8)) for frame in frames]


@pytest.mark.parametrize(("width", "height"), [(640, 360), (320, 180)])
def test_it_survives_x264_at_its_coarsest(width: int, height: int) -> None:
    options = {"preset": "veryfast", "tune": "zerolatency", "crf": "40"}
    assert _through(_stamped(width, height), "libx264", "h264", 0, options) == NUMBERS


def test_it_survives_vp8_at_a_bitrate_that_nobody_would_call_with() -> None:
    options = {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0", "minrate": "150k", "maxrate": "150k"}
    assert _through(_stamped(640, 360), "libvpx", "libvpx", 150_000, options) == NUMBERS


@pytest.mark.parametrize("size", [(960, 540), (426, 240)])
def test_it_survives_scaling(size: tuple[int, int]) -> None:
    for picture, number in zip(_stamped(640, 360), NUMBERS, strict=True):
        scaled = np.asarray(cv2.resize(picture[:360], size, interpolation=cv2.INTER_AREA), np.uint8)
        assert stamp.read(scaled) == number


@pytest.mark.parametrize(("gain", "offset"), [(0.4, 0), (0.5, 120), (1.4, 20), (0.8, -30)])
def test_it_survives_a_filter_that_changes_the_light(gain: float, offset: int) -> None:
    for picture, number in zip(_stamped(640, 360), NUMBERS, strict=True):
        changed = np.clip(picture[:360] * gain + offset, 0, 255).astype(np.uint8)
        assert stamp.read(changed) == number


def test_a_damaged_stamp_is_not_read_as_another() -> None:
    # Every single cell and every pair of neighbours turned over: a wrong number would put a frame in another's place.
    for first in range(2, stamp.ROWS * stamp.COLUMNS):
        for last in (first, min(first + 1, stamp.ROWS * stamp.COLUMNS - 1)):
            luma = np.full((360, 640), 100, np.uint8)
            stamp.write(luma, 4242)
            for place in {first, last}:
                row, column = divmod(place, stamp.COLUMNS)
                cell = luma[row * 8 : row * 8 + 8, column * 8 : column * 8 + 8]
                cell[:] = stamp.DARK + stamp.LIGHT - cell
            assert stamp.read(luma) is None


def test_pictures_without_a_stamp_have_none() -> None:
    rng = np.random.default_rng(5)
    flat = [np.full((360, 640), level, np.uint8) for level in (0, 128, 255)]
    small = [np.zeros((20, 640), np.uint8), np.zeros((360, 40), np.uint8)]
    noise = [rng.integers(0, 256, (360, 640), np.uint8) for _ in range(20)]
    assert [stamp.read(luma) for luma in flat + small + noise] == [None] * 25


def test_it_stays_in_its_corner() -> None:
    # Outside the face crop: nobody sits in the upper left corner.
    luma = np.full((720, 1280), 77, np.uint8)
    stamp.write(luma, stamp.LAST)
    rows, columns = np.nonzero(luma != 77)
    assert rows.max() < 32 and columns.max() < 208
