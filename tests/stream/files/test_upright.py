"""Turned pictures: the filter got portraits on their side, as phones store them, and restored them badly."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from stream.files.display import DOWN, LEFT, RIGHT, UP, Display, read_display
from stream.files.upright import Upright, turn, turned_format
from tests.stream.files.media import Brighten, bottom_up, noise, planes

ONE = 1 << 16
TURNS = {1: (-1, 0), 2: (-1, -1), 3: (0, -1)}
"""Quarter turns to where the sample (0, 0) lands: row and column, -1 for the last."""


@pytest.mark.parametrize(
    ("stored_to_shown", "expected"),
    [
        ((1, 0, 0, 1), Display(0, RIGHT)),
        ((0, 1, -1, 0), Display(3, UP)),
        ((-1, 0, 0, -1), Display(2, LEFT)),
        ((0, -1, 1, 0), Display(1, DOWN)),
        ((-1, 0, 0, 1), Display(0, LEFT)),
        ((1, 0, 0, -1), Display(2, RIGHT)),
        ((0, 0, 0, 0), Display()),
    ],
    ids=["upright", "shown clockwise", "upside down", "shown counterclockwise", "mirrored", "flipped", "void"],
)
def test_what_the_matrix_says(stored_to_shown: tuple[int, int, int, int], expected: Display) -> None:
    a, b, c, d = (n * ONE for n in stored_to_shown)
    assert read_display((a, b, 0, c, d, 0, 0, 0, 1 << 30)) == expected


def test_a_slanted_picture_is_taken_to_the_nearest_quarter_turn() -> None:
    assert read_display((64000, 13000, 0, -13000, 64000, 0, 0, 0, 1 << 30)) == Display()
    assert read_display(None) == Display()


@pytest.mark.parametrize(
    "pix_fmt", ["yuv420p", "yuv422p", "yuv440p", "yuv444p", "yuv420p10le", "yuv422p10le", "nv12", "p010le", "gray"]
    + ["gray12le", "rgb24", "bgra", "gbrp", "gbrp10le"],
)
@pytest.mark.parametrize("size", [(64, 48), (61, 47)])
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turn_moves_every_sample_and_the_turn_back_restores_it(
    pix_fmt: str, size: tuple[int, int], quarters: int
) -> None:
    frame = noise(np.random.default_rng(1), size, pix_fmt)
    frame.pts, frame.color_range, frame.colorspace = 7, 2, 1
    turned = turn(frame, quarters)
    assert turned is not None
    assert (turned.width, turned.height) == (size[::-1] if quarters % 2 else size)
    assert (turned.pts, turned.color_range, turned.colorspace) == (7, 2, 1)
    row, column = TURNS[quarters]
    for old, new in zip(frame.planes, turned.planes, strict=True):
        assert (new.width, new.height) == ((old.height, old.width) if quarters % 2 else (old.width, old.height))
    first, moved = planes(frame)[0], planes(turned)[0]
    step = first.shape[1] // frame.planes[0].width
    assert bytes(first[0, :step]) == bytes(moved[row].reshape(-1, step)[column])
    back = turn(turned, 4 - quarters)
    assert back is not None
    assert back.format.name == pix_fmt
    assert all(np.array_equal(one, other) for one, other in zip(planes(frame), planes(back), strict=True))


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_picture_stored_from_the_bottom_up_is_turned(tmp_path: Path, quarters: int) -> None:
    # Guards against negative line sizes, as uncompressed AVI has them: they were a ValueError.
    with av.open(str(bottom_up(tmp_path / "a.avi"))) as container:
        frame = next(container.decode(video=0))
    assert frame.planes[0].line_size < 0
    turned = turn(frame, quarters)
    assert turned is not None
    assert np.array_equal(turned.to_ndarray(format="rgb24"), np.rot90(frame.to_ndarray(format="rgb24"), quarters))


@pytest.mark.parametrize("pix_fmt", ["yuyv422", "nv16", "yuv411p", "yuva422p"])
def test_what_no_format_holds_on_its_side_goes_to_the_filter_as_it_is(pix_fmt: str) -> None:
    assert turned_format(pix_fmt, 1) is None
    frame = av.VideoFrame(64, 48, pix_fmt)
    seen: list[av.VideoFrame] = []

    class Watching(Brighten):
        def process(self, frame: av.VideoFrame) -> av.VideoFrame:
            seen.append(frame)
            return frame

    assert Upright(Watching(), 1).process(frame) is frame
    assert seen == [frame]


def test_the_filter_sees_the_picture_upright_and_its_change_is_turned_back() -> None:
    frame = noise(np.random.default_rng(1), (64, 48), "yuv420p")
    inner = Brighten()
    out = Upright(inner, 3).process(frame)
    before, after = planes(frame)[0], planes(out)[0]
    # Upright, the change is in the left upper quarter; the picture lies on its left side.
    assert np.array_equal(after[24:, :32], before[24:, :32] + np.uint8(8))
    assert np.array_equal(after[:24], before[:24]) and np.array_equal(after[:, 32:], before[:, 32:])
    assert all(np.array_equal(one, other) for one, other in zip(planes(frame)[1:], planes(out)[1:], strict=True))


def test_a_frame_that_the_filter_leaves_alone_is_the_very_same() -> None:
    class Idle(Brighten):
        def process(self, frame: av.VideoFrame) -> av.VideoFrame:
            return frame

    frame, upright = noise(np.random.default_rng(1), (64, 48), "yuv420p"), Upright(Idle(), 1)
    assert upright.process(frame) is frame
    assert upright.figures()["frames"] == 0
    upright.close()
