"""Side by side: with 4:2:0 and an odd width the halves' chroma columns do not add up."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from stream.files.compare import doubled, side_by_side
from stream.files.display import DOWN, LEFT, RIGHT, UP
from tests.stream.files.media import bottom_up, noise, planes

FORMATS = [
    "yuv420p",
    "yuv422p",
    "yuv444p",
    "yuv411p",
    "yuv420p10le",
    "nv12",
    "p010le",
    "gray",
    "gray10le",
    "rgb24",
    "bgra",
    "bgr0",
    "gbrp",
]


@pytest.mark.parametrize("pix_fmt", FORMATS)
@pytest.mark.parametrize("size", [(64, 48), (61, 47)])
@pytest.mark.parametrize("right", [RIGHT, LEFT, UP, DOWN])
def test_both_halves_are_the_pictures_bit_for_bit(pix_fmt: str, size: tuple[int, int], right: tuple[int, int]) -> None:
    # A portrait stored on its side was shown with one above the other, one stored upside down with after on the left.
    rng = np.random.default_rng(0)
    before, after = noise(rng, size, pix_fmt), noise(rng, size, pix_fmt)
    both = side_by_side(before, after, right)
    assert both.format.name == pix_fmt
    assert (both.width, both.height) == doubled(*size, pix_fmt, right)
    first, second = (before, after) if right in (RIGHT, DOWN) else (after, before)
    for one, other, whole in zip(planes(first), planes(second), planes(both), strict=True):
        axis = 1 if right in (RIGHT, LEFT) else 0
        start, end = np.split(whole, 2, axis)
        assert np.array_equal(start[: one.shape[0], : one.shape[1]], one)
        assert np.array_equal(end[: other.shape[0], : other.shape[1]], other)


def test_an_odd_width_fills_each_half_up_with_its_last_column() -> None:
    # Doubling 321 columns of 4:2:0 gives 321 chroma columns, but the two halves have 161 each.
    rng = np.random.default_rng(0)
    before, after = noise(rng, (321, 16), "yuv420p"), noise(rng, (321, 16), "yuv420p")
    both = side_by_side(before, after)
    assert both.width == 644
    luma = planes(both)[0]
    assert np.array_equal(luma[:, 321], planes(before)[0][:, 320])
    assert np.array_equal(luma[:, 643], planes(after)[0][:, 320])


def test_a_picture_stored_from_the_bottom_up(tmp_path: Path) -> None:
    # Guards against negative line sizes, as uncompressed AVI has them: they were a ValueError.
    with av.open(str(bottom_up(tmp_path / "a.avi"))) as container:
        frame = next(container.decode(video=0))
    assert frame.planes[0].line_size < 0
    shown = frame.to_ndarray(format="rgb24")
    both = side_by_side(frame, frame).to_ndarray(format="rgb24")
    assert np.array_equal(both, np.concatenate([shown, shown], 1))


def test_times_and_tags_are_kept() -> None:
    rng = np.random.default_rng(0)
    before, after = noise(rng, (16, 16), "yuv420p"), noise(rng, (16, 16), "yuv420p")
    after.pts, after.time_base, after.duration = 77, Fraction(1, 90000), 3000
    after.color_range, after.colorspace, after.color_primaries, after.color_trc = 2, 1, 1, 13
    both = side_by_side(before, after)
    assert (both.pts, both.time_base, both.duration) == (77, Fraction(1, 90000), 3000)
    assert (both.color_range, both.colorspace, both.color_primaries, both.color_trc) == (2, 1, 1, 13)
