"""Encoders of a call: order and size kept, damage as asked, and the damage that is told is the one that was done."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.faces import pattern
from training.codec import Coding, _encoder, code, code_smaller, vp8_quantiser
from training.degrade import to_planes
from training.measures import psnr

MOVING = to_planes([np.ascontiguousarray(np.roll(pattern(1, 96), 2 * i, axis=1)) for i in range(6)])


@pytest.mark.parametrize("codec", ["h264", "vp8"])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_frames_keep_their_order(codec: str, count: int) -> None:
    y = np.stack([np.full((1, 64, 64), 40 * (i + 1), np.uint8) for i in range(count)])
    uv = np.full((count, 2, 32, 32), 128, np.uint8)
    (out_y, out_uv), coarseness = code((y, uv), Coding(codec, warm_up=7))
    assert out_y.shape == y.shape and out_uv.shape == uv.shape and coarseness.shape == (count,)
    assert np.abs(out_y.mean(axis=(1, 2, 3)) - 40 * np.arange(1, count + 1)).max() < 4


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_a_worse_quality_is_worse_and_said_to_be(codec: str) -> None:
    fine, coarse = (code(MOVING, Coding(codec, quality=q)) for q in (26.0, 42.0))
    assert psnr(coarse[0], MOVING) < psnr(fine[0], MOVING) - 4
    assert fine[1].mean() == pytest.approx(26, abs=5) and coarse[1].mean() == pytest.approx(42, abs=5)


def test_vp8_is_as_bad_as_h264_of_that_quality() -> None:
    # Guards against a level of compression that means one thing for one encoder and another for the other.
    for quality in (28.0, 36.0, 42.0):
        one, other = (psnr(code(MOVING, Coding(c, quality=quality))[0], MOVING) for c in ("h264", "vp8"))
        assert abs(one - other) < 2.5
    assert vp8_quantiser(0) == 0 and vp8_quantiser(60) == 63


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_a_lower_rate_is_worse_and_said_to_be(codec: str) -> None:
    plenty, little = (code(MOVING, Coding(codec, rates=(rate,) * 6, warm_up=6)) for rate in (2_000_000, 200_000))
    assert psnr(little[0], MOVING) < psnr(plenty[0], MOVING) - 2
    assert little[1].mean() > plenty[1].mean() + 4


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_a_rate_can_change_within_the_clip(codec: str) -> None:
    steady = code(MOVING, Coding(codec, rates=(2_000_000,) * 6, warm_up=6))
    falling = code(MOVING, Coding(codec, rates=(2_000_000,) * 3 + (60_000,) * 3, warm_up=6))
    assert np.array_equal(steady[0][0][:3], falling[0][0][:3])
    assert falling[1][3:].mean() > steady[1][3:].mean() + 3


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_a_key_frame_pops(codec: str) -> None:
    without, with_key = (code(MOVING, Coding(codec, quality=40.0, warm_up=3, keys=k))[0][0] for k in ((), (4,)))
    assert np.array_equal(without[:4], with_key[:4])
    assert not np.array_equal(without[4], with_key[4])


def test_it_is_repeatable() -> None:
    for coding in (Coding("vp8", rates=(80_000,) * 6, warm_up=4), Coding("h264", rates=(80_000,) * 6, warm_up=4)):
        (first, told), (second, told_again) = code(MOVING, coding), code(MOVING, coding)
        assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
        assert np.array_equal(told, told_again)


def test_vp8_does_not_look_at_the_clock() -> None:
    # Guards against pictures that depend on how busy the machine is: above 0, libvpx goes by time taken.
    assert int(_encoder(Coding("vp8"), 64, 64, 0).options["cpu-used"]) < 0


def test_fewer_pixels_come_back_to_size() -> None:
    small, _ = code_smaller(MOVING, Coding(quality=20.0), 2.0)
    assert [p.shape for p in small] == [p.shape for p in MOVING]
    assert psnr(small, MOVING) < psnr(code_smaller(MOVING, Coding(quality=20.0), 1.0)[0], MOVING)
