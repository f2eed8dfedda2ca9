"""The change goes back where it belongs, in every pixel format, and nothing else changes."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.errors import BadInput
from stream.frames.cut import CutBuffer, cut
from stream.frames.layout import chroma_steps
from stream.frames.paste import COARSE, FEATHER, Room, add_square, differences, feather
from stream.frames.pixels import channels, copy_frame, is_full_range, layout, read_planes
from tests.stream.frames.pictures import FORMATS, contents, converted, picture, same, smooth

EDGE = 32
RAMP = round(FEATHER * EDGE)
CHANGE = (12, -8, 10)
"""Of Y, U and V."""


def cropped(frame: av.VideoFrame, x: int, y: int, size: int = EDGE, graph: int = EDGE) -> CutBuffer:
    buffer = CutBuffer(graph)
    cut(read_planes(frame), x, y, size, is_full_range(frame), buffer)
    return buffer


def paste(
    frame: av.VideoFrame, x: int, y: int, size: int, before: CutBuffer, y_out: NDArray[np.uint8], uv: NDArray[np.uint8]
) -> av.VideoFrame:
    """A copy of the frame with what became of a crop at (x, y)."""
    out = copy_frame(frame)
    add_square(out, x, y, size, differences(before, y_out, uv))
    return out


def pasted(
    frame: av.VideoFrame,
    x: int,
    y: int,
    change: tuple[float | NDArray[np.float64], ...] = CHANGE,
    size: int = EDGE,
    graph: int = EDGE,
) -> av.VideoFrame:
    """The frame with a change of Y, U and V (numbers, or [G, G] and [G/2, G/2]) pasted in."""
    before = cropped(frame, x, y, size, graph)
    luma, u, v = (plane.astype(np.float64) for plane in (before.y[0, 0], *before.uv[0]))
    after, chroma = luma + change[0], np.stack([u + change[1], v + change[2]])
    return paste(frame, x, y, size, before, as_samples(after), as_samples(chroma))


def as_samples(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(values).clip(0, 255).astype(np.uint8))


def in_444(frame: av.VideoFrame) -> NDArray[np.float64]:
    """[3, H, W] in 8 bits, in the frame's own range (RGB: limited), as FFmpeg converts it."""
    found = layout(frame)
    if found.kind == "gray":
        # Not by FFmpeg, to which grey is of full range whatever its tag says.
        luma = channels(frame)[0] / 2.0 ** (found.depth - 8)
        return np.stack([luma, np.zeros_like(luma), np.zeros_like(luma)])
    if found.kind == "rgb":
        frame = frame.reformat(format="yuv444p", dst_colorspace=5, dst_color_range=1, threads=1)
    elif frame.format.name != "yuv444p":
        frame = converted(frame, "yuv444p")
    return np.stack(channels(frame)).astype(np.float64)


@pytest.mark.parametrize("x", [16, -8, 40])
@pytest.mark.parametrize("name", FORMATS)
def test_nothing_changed_leaves_the_frame_bit_for_bit(name: str, x: int) -> None:
    frame = picture(name)
    out = pasted(frame, x, 8, (0, 0, 0))
    assert out is not frame and same(out, frame)


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("name", FORMATS)
def test_the_same_change_in_every_format(name: str, full_range: bool) -> None:
    # Guards against a format whose components are mixed up, scaled to the wrong depth or range, or shifted.
    frame = picture(name, full_range=full_range)
    spans = ((EDGE, 15), (EDGE // 2, 9), (EDGE // 2, 12))
    waves = [smooth(edge, edge, -most, most, seed=9 + i) for i, (edge, most) in enumerate(spans)]
    got = in_444(pasted(frame, 16, 8, tuple(waves))) - in_444(frame)
    found, mask = layout(frame), feather(EDGE, (True,) * 4)
    # RGB is compared in limited range.
    unit = (255 / 219, 255 / 224, 255 / 224) if is_full_range(frame) else (1, 1, 1)
    for index, wave in enumerate(waves):
        repeats = EDGE // len(wave)
        expected = np.zeros((48, 64))
        if found.kind != "gray" or index == 0:
            change = np.rint(wave).repeat(repeats, 0).repeat(repeats, 1) * mask
            expected[8 : 8 + EDGE, 16 : 16 + EDGE] = change * unit[index]
        error = np.abs(got[index] - expected)
        # Chroma is smoothed by the way to 4:4:4, the more the fewer samples of it the format has.
        most, mean = (2, 0.4) if index == 0 else (8, 0.8) if max(chroma_steps(frame.format.name)) > 2 else (5, 0.8)
        assert error.max() <= most and error.mean() <= mean


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_outside_the_square_changes(name: str) -> None:
    frame = picture(name)
    out = pasted(frame, 16, 8)
    mine = [plane for plane in zip(contents(frame), contents(out), strict=True)]
    assert any(not np.array_equal(old, new) for old, new in mine)
    for old, new in mine:
        top, bottom = 8 * len(old) // 48, 40 * len(old) // 48
        left, right = 16 * old.shape[1] // 64, 48 * old.shape[1] // 64
        inside = np.zeros(old.shape, bool)
        inside[top:bottom, left:right] = True
        assert np.array_equal(old[~inside], new[~inside])


@pytest.mark.parametrize("name", ["rgba", "argb", "bgra", "abgr", "gbrap", "yuva420p", "yuva444p10le", "gbrap12le"])
def test_alpha_is_kept(name: str) -> None:
    frame = picture(name)
    alpha = next(index for index, c in enumerate(frame.format.components) if c.is_alpha)
    plane = frame.format.components[alpha].plane
    rng = np.random.default_rng(0)
    if len(frame.planes) == 1:
        places = slice(0 if name in {"argb", "abgr"} else 3, None, 4)
        view = np.frombuffer(memoryview(frame.planes[0]), np.uint8)[places]
    else:
        places = slice(None)
        view = np.frombuffer(memoryview(frame.planes[plane]), np.uint8)
    view[:] = rng.integers(0, 4, view.shape)
    out = pasted(frame, 16, 8)
    assert not same(out, frame)
    assert np.array_equal(contents(out)[plane].ravel()[places], contents(frame)[plane].ravel()[places])


@pytest.mark.parametrize("name", ["yuv420p", "nv12", "yuv422p10le", "p010le", "rgb24", "gbrp10le", "gray"])
def test_a_decoded_frame_is_never_written_into(name: str) -> None:
    # Guards against damage to later frames: a decoder still predicts from the frames it has handed out.
    frame = picture(name)
    before = contents(frame)
    pasted(frame, -16, -8)
    assert all(np.array_equal(a, b) for a, b in zip(before, contents(frame), strict=True))


def test_a_change_beyond_the_scale_saturates() -> None:
    # Guards against white turning black where a sum leaves the eight, or ten, bits.
    for name, top in (("yuv420p", 255), ("yuv420p10le", 1023), ("p010le", 1023 << 6), ("gray16le", 65535)):
        frame = picture(name)
        for plane in frame.planes:
            np.frombuffer(memoryview(plane), np.uint8 if top == 255 else np.uint16)[:] = top
        white = channels(pasted(frame, 16, 8, (0, 0, 0)))[0]
        assert (white == top).all()
        buffer = CutBuffer(EDGE)
        bright = np.full((EDGE, EDGE), 200, np.uint8)
        out = paste(frame, 16, 8, EDGE, buffer, bright, buffer.uv[0])
        assert (channels(out)[0] == top).all()
        buffer.y[:] = 255
        out = paste(frame, 16, 8, EDGE, buffer, np.zeros((EDGE, EDGE), np.uint8), buffer.uv[0])
        assert channels(out)[0].min() <= top / 255


def test_ten_bits_keep_their_lowest() -> None:
    # Guards against a picture that loses its depth, or gets steps of four under the feather.
    frame = picture("yuv420p10le")
    luma = channels(frame)[0]
    luma[:48, :64] = 400 + np.arange(64) % 4
    out = channels(pasted(frame, 16, 8, (5, 0, 0)))[0].astype(int) - luma
    assert (out[8 + RAMP : 40 - RAMP, 16 + RAMP : 48 - RAMP] == 20).all()
    assert {int(v) % 4 for v in out.ravel()} > {0}


def test_p010_leaves_its_unused_bits_zero() -> None:
    out = pasted(picture("p010le"), 16, 8, (3, 2, 1))
    assert all(not (view & 63).any() for view in channels(out))


def test_the_mask_is_whole_inside_and_zero_at_its_edge() -> None:
    # Guards against a seam round the face.
    mask = feather(EDGE, (True,) * 4)
    assert (mask[RAMP:-RAMP, RAMP:-RAMP] == 1).all()
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert (edge == 0).all() and mask.min() == 0 and mask.max() == 1
    assert (np.diff(mask[EDGE // 2, : RAMP + 1]) > 0).all()
    assert np.array_equal(mask, mask.T) and np.array_equal(mask, mask[::-1])


@pytest.mark.parametrize("frame", [(64, 48), (65, 49), (40, 36)])
def test_along_the_frames_own_edge_the_change_is_whole(frame: tuple[int, int]) -> None:
    # Guards against a rim of unrestored picture beside a face that the frame cuts off.
    width, height = frame
    source = picture("yuv420p", width, height)
    for x, y in ((0, 0), (-6, -10), ((width - EDGE + 1) // 2 * 2, (height - EDGE + 1) // 2 * 2)):
        got = channels(pasted(source, x, y))[0].astype(int) - channels(source)[0]
        inside = got[max(0, y) : y + EDGE, max(0, x) : x + EDGE]
        begins = (0 if x <= 0 else RAMP, 0 if y <= 0 else RAMP)
        ends = (None if x > 0 else -RAMP, None if y > 0 else -RAMP)
        assert (inside[begins[1] : ends[1], begins[0] : ends[0]] == CHANGE[0]).all()
        # And the other sides fade.
        side = got[:, x if x > 0 else x + EDGE - 1]
        assert not side.any()


@pytest.mark.parametrize("frame", [(20, 48), (64, 18), (17, 13), (2, 2), (1, 1)])
@pytest.mark.parametrize("name", ["yuv420p", "nv12", "yuv444p", "yuv411p", "yuv420p10le", "rgb24", "gray"])
def test_a_frame_smaller_than_the_square(name: str, frame: tuple[int, int]) -> None:
    width, height = frame
    source = picture(name, width, height)
    x, y = (-((EDGE - n) // 4 * 2) if n <= EDGE else 8 for n in (width, height))
    out = pasted(source, x, y)
    assert (out.width, out.height) == frame
    if name in {"yuv420p", "yuv444p"}:
        got = channels(out)[0].astype(int) - channels(source)[0]
        middle = got[max(0, y) + RAMP : y + EDGE - RAMP] if height > EDGE else got
        middle = middle[:, max(0, x) + RAMP : x + EDGE - RAMP] if width > EDGE else middle
        assert (middle == CHANGE[0]).all()


@pytest.mark.parametrize("name", ["yuv420p", "yuv444p", "yuv420p10le"])
def test_a_square_larger_than_the_graph_keeps_the_frames_own_detail(name: str) -> None:
    # Guards against a large face coming back as soft as the graph's crop of it.
    frame = picture(name, 160, 160)
    luma = channels(frame)[0]
    unit = 4 if name.endswith("10le") else 1
    luma[::2, ::2] += 20 * unit
    out = pasted(frame, 16, 16, CHANGE, size=96, graph=EDGE)
    got = channels(out)[0].astype(int) - luma
    assert (got[32:96, 32:96] == CHANGE[0] * unit).all()
    assert got.min() == 0 and not got[:16].any() and not got[112:].any()


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(BadInput, match="pal8"):
        add_square(av.VideoFrame(64, 48, "pal8"), 0, 0, EDGE, Room(EDGE).changes)


def test_the_coarse_part_fades_under_a_mask_of_its_own() -> None:
    # Guards against a light square round a face whose frame got a little darker: its ramp is short.
    size, change = 128, 20.0
    frame = picture("yuv420p", 200, 160)
    fading = np.zeros((COARSE, COARSE), np.float32)
    fading[8:-8, 8:-8] = 1.0
    fading = np.asarray(cv2.GaussianBlur(fading, (0, 0), 3), np.float32)
    detail = np.where(np.indices((size, size)).sum(axis=0) % 2, 6.0, -6.0).astype(np.float32)
    changes = [np.full((n, n), change, np.float32) for n in (size, size // 2, size // 2)]
    changes[0] += detail
    out = copy_frame(frame)
    add_square(out, 40, 16, size, changes, fading)
    got = (channels(out)[0].astype(float) - channels(frame)[0])[16 : 16 + size, 40 : 40 + size]
    # In the middle all of both; in the corner of the ramp's end neither; between them detail without its coarse part.
    assert np.allclose(got[60:68, 60:68], change + detail[60:68, 60:68], atol=1.01)
    assert np.abs(got[:2]).max() <= 4 and np.abs(got[:, :2]).max() <= 4
    place = got[18:22, 60:68]
    assert abs(float(place.mean())) < 4 and np.allclose(place - place.mean(), detail[18:22, 60:68], atol=2.5)


def test_an_even_change_never_overshoots() -> None:
    # Guards against cells that do not line up with the ramp: a rim brighter than the face.
    frame = picture("yuv420p", 96, 96)
    fading = np.zeros((COARSE, COARSE), np.float32)
    fading[1:-1, 1:-1] = 1.0
    out = copy_frame(frame)
    add_square(out, 16, 16, 64, [np.full((n, n), 9.0, np.float32) for n in (64, 32, 32)], fading)
    change = channels(out)[0].astype(int) - channels(frame)[0]
    assert change.min() == 0 and change.max() == 9
