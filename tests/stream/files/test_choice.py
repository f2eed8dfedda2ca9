"""Encoder choice: an encoder that cannot hold the picture ended the run in words that only FFmpeg understands."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from engines.errors import BadInput
from stream.files.choice import EQUIVALENT, Picture, candidates, choose, container_options, plain_format
from tests.stream.files.media import noise, planes

FORMATS = {
    "libx264": frozenset({"yuv420p", "yuv444p", "nv12"}),
    "libx265": frozenset({"yuv420p", "yuv420p10le"}),
    "libvpx-vp9": frozenset({"yuv420p", "yuv444p"}),
    "libvpx": frozenset({"yuv420p"}),
    "ffv1": frozenset({"yuv420p", "yuv444p", "yuv420p10le", "bgr0"}),
}


def picture(codec: str = "h264", pix_fmt: str = "yuv420p", width: int = 640, height: int = 480) -> Picture:
    return Picture(codec, pix_fmt, width, height, Fraction(30))


@pytest.mark.parametrize(
    ("codec", "extension", "encoder"),
    [
        ("h264", ".mp4", "libx264"),
        ("hevc", ".mp4", "libx265"),
        ("hevc", ".mkv", "libx265"),
        ("vp8", ".webm", "libvpx"),
        ("vp9", ".webm", "libvpx-vp9"),
        ("h264", ".webm", "libvpx-vp9"),
        ("av1", ".mov", "libx264"),
        ("mjpeg", ".mkv", "libx264"),
    ],
)
def test_the_codec_family_is_kept_where_the_container_allows(codec: str, extension: str, encoder: str) -> None:
    assert choose(picture(codec), extension, False, FORMATS).encoder == encoder


def test_without_an_hevc_encoder_h264_is_taken() -> None:
    formats = {name: known for name, known in FORMATS.items() if name != "libx265"}
    assert choose(picture("hevc"), ".mp4", False, formats).encoder == "libx264"


def test_hevc_in_mp4_is_named_as_players_expect_it() -> None:
    assert choose(picture("hevc"), ".mp4", False, FORMATS).tag == "hvc1"
    assert choose(picture("hevc"), ".mkv", False, FORMATS).tag is None


@pytest.mark.parametrize("size", [(321, 240), (320, 241), (321, 241)])
def test_an_odd_size_goes_to_an_encoder_that_can_hold_it(size: tuple[int, int]) -> None:
    # libx264 ends the run with "width not divisible by 2" when 4:2:0 is odd.
    assert choose(picture(width=size[0], height=size[1]), ".mp4", False, FORMATS).encoder == "libvpx-vp9"
    assert choose(picture(pix_fmt="yuv444p", width=size[0]), ".mp4", False, FORMATS).encoder == "libx264"
    with pytest.raises(BadInput, match=r"no encoder here can write .* into \.mov: --lossless"):
        choose(picture(width=size[0], height=size[1]), ".mov", False, FORMATS)


def test_lossless_is_ffv1_version_3_in_matroska_only() -> None:
    encoding = choose(picture(), ".mkv", True, FORMATS)
    assert encoding.encoder == "ffv1"
    assert encoding.options["level"] == "3"
    with pytest.raises(BadInput, match=r"\.mkv, not \.mp4"):
        choose(picture(), ".mp4", True, FORMATS)


def test_the_pixel_format_is_kept_or_its_samples_reordered_or_the_call_refused() -> None:
    assert choose(picture(pix_fmt="nv12"), ".mp4", False, FORMATS).pix_fmt == "nv12"
    assert choose(picture(pix_fmt="nv12"), ".mkv", True, FORMATS).pix_fmt == "yuv420p"
    assert choose(picture(pix_fmt="rgb24"), ".mkv", True, FORMATS).pix_fmt == "bgr0"
    with pytest.raises(BadInput, match="yuv420p10le into .webm"):
        choose(picture(pix_fmt="yuv420p10le"), ".webm", False, FORMATS)


@pytest.mark.parametrize("pix_fmt", EQUIVALENT)
@pytest.mark.parametrize("color_range", [0, 1, 2])
def test_equivalent_formats_hold_the_very_same_samples(pix_fmt: str, color_range: int) -> None:
    # Raw webcam recordings (yuyv422) were refused for want of an encoder.
    frame = noise(np.random.default_rng(0), (64, 48), pix_fmt)
    frame.color_range = color_range
    back = frame.reformat(format=EQUIVALENT[pix_fmt]).reformat(format=pix_fmt)
    assert all(np.array_equal(one, other) for one, other in zip(planes(frame), planes(back), strict=True))


@pytest.mark.parametrize("extension", [".avi", ".png", ".ts", ""])
def test_containers_that_do_not_keep_frame_times_are_refused(extension: str) -> None:
    with pytest.raises(BadInput, match="must end in one of"):
        choose(picture(), extension, False, FORMATS)


def test_constant_quality_has_no_ceiling_that_bites() -> None:
    # VP8's default is 256 kbit/s, whatever the quality asked for.
    assert int(choose(picture("vp8", width=1280, height=720), ".webm", False, FORMATS).options["b"]) > 5_000_000


def test_full_range_formats_are_their_plain_format() -> None:
    assert plain_format("yuvj422p") == "yuv422p"
    assert plain_format("yuv420p") == "yuv420p"


def test_mp4_keeps_the_start_in_fine_units() -> None:
    # In thousandths a first frame at 1/30 s came back at 33.0 ms.
    assert container_options(".mp4", Fraction(1, 30))["movie_timescale"] == "15360"
    assert container_options(".mov", Fraction(1, 90000))["movie_timescale"] == "90000"
    assert "movie_timescale" not in container_options(".mkv", Fraction(1, 1000))


def test_lossless_tries_nothing_else() -> None:
    assert candidates("h264", ".mkv", True) == ("ffv1",)
