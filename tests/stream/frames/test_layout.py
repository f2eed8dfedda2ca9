"""Pixel formats: what FFmpeg itself says of them."""

from __future__ import annotations

import av
import pytest

from stream.frames.layout import chroma_steps, layout_of, supported
from tests.stream.frames.pictures import FORMATS


@pytest.mark.parametrize("name", FORMATS)
def test_planes_and_depth_are_those_of_ffmpeg(name: str) -> None:
    found = layout_of(name)
    assert found is not None
    components = [c for c in av.VideoFormat(name, 16, 16).components if not c.is_alpha]
    assert [c.plane for c in found.channels] == [c.plane for c in components]
    assert {found.depth} == {c.bits for c in components}
    kind = "gray" if len(components) == 1 else "rgb" if av.VideoFormat(name).is_rgb else "yuv"
    assert found.kind == kind
    assert found.full_range == (kind != "yuv" or name.startswith("yuvj"))


def test_what_calls_and_files_come_in_is_known() -> None:
    common = ("yuv420p", "nv12", "nv21", "yuvj420p", "yuvj422p", "yuyv422", "uyvy422", "yuv422p10le", "yuv444p")
    for name in (*common, "yuv420p10le", "p010le", "yuva420p", "bgr0", "rgb24", "gbrp", "gray", "gray10le", "yuv411p"):
        assert supported(name), name


@pytest.mark.parametrize(
    "name", ["", "pal8", "yuv420p10be", "p010be", "gray16be", "rgb565le", "grayf32le", "monob", "vaapi", "yuv420p "]
)
def test_what_would_be_misread_is_refused(name: str) -> None:
    # Guards against big-endian, palette and hardware formats being taken for their plain relatives.
    assert layout_of(name) is None and not supported(name)


def test_chroma_steps() -> None:
    # Guards against 4:1:1 and 4:4:0 being taken for the common ones.
    steps = {"yuv420p": (2, 2), "yuv422p": (2, 1), "yuv411p": (4, 1), "yuv410p": (4, 4), "yuv440p": (1, 2)}
    steps |= {"yuv444p": (1, 1), "nv12": (2, 2), "nv16": (2, 1), "yuyv422": (2, 1), "gray": (1, 1), "rgb24": (1, 1)}
    assert {name: chroma_steps(name) for name in steps} == steps
