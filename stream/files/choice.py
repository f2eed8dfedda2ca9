"""What to encode with: decided from the input's codec and format, the output's name and what this machine can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from engines.errors import BadInput
from stream.frames.layout import chroma_steps

CONTAINERS = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
"""Names the output may end with: containers that hold any frame times, so that variable rates stay variable."""

ENCODERS = ("libx264", "libx265", "libvpx-vp9", "libvpx", "ffv1")

EQUIVALENT = {
    **dict.fromkeys(("nv12", "nv21"), "yuv420p"),
    **dict.fromkeys(("nv16", "yuyv422", "uyvy422", "yvyu422"), "yuv422p"),
    **dict.fromkeys(("nv24", "nv42"), "yuv444p"),
    "p010le": "yuv420p10le",
    "p210le": "yuv422p10le",
    **dict.fromkeys(("rgb24", "bgr24", "gbrp", "rgb0", "0rgb", "0bgr"), "bgr0"),
    **dict.fromkeys(("rgba", "argb", "abgr"), "bgra"),
}
"""The same samples in another order, for encoders that do not take the first."""

WHOLE_CHROMA = ("libx264", "libx265")
"""Encoders that refuse a size which is not a multiple of the chroma step (odd sizes with 4:2:0)."""


@dataclass(slots=True, frozen=True)
class Picture:
    """What is to be encoded."""

    codec: str
    """Codec of the input, as FFmpeg names it: h264, hevc, vp8, ..."""
    pix_fmt: str
    width: int
    height: int
    rate: Fraction
    """Frames per second, on average."""


@dataclass(slots=True, frozen=True)
class Encoding:
    """An encoder and how it is set."""

    encoder: str
    pix_fmt: str
    options: dict[str, str] = field(default_factory=dict)
    tag: str | None = None
    """Four characters naming the codec in the container, where the usual ones are not the widely understood ones."""


def plain_format(name: str) -> str:
    """The pixel format without the old "j" names: yuvj420p is yuv420p whose colour range is tagged full."""
    return name.replace("yuvj", "yuv", 1) if name.startswith("yuvj") else name


def check_container(extension: str, lossless: bool) -> None:
    """Refuse an output name that says no container of ours.

    Raises:
        BadInput: Another extension than those of `CONTAINERS`, or not .mkv for lossless.
    """
    if lossless and extension != ".mkv":
        raise BadInput(f"--lossless writes FFV1, which needs a name ending in .mkv, not {extension or 'none'}")
    if extension not in CONTAINERS:
        raise BadInput(f"OUTPUT must end in one of {', '.join(CONTAINERS)}, not {extension or 'nothing'}")


def candidates(codec: str, extension: str, lossless: bool) -> tuple[str, ...]:
    """Encoders to try in turn: the input's own family first, then what the container is usually filled with."""
    if lossless:
        return ("ffv1",)
    if extension == ".webm":
        return ("libvpx", "libvpx-vp9") if codec == "vp8" else ("libvpx-vp9", "libvpx")
    usual = ("libx265", "libx264") if codec == "hevc" else ("libx264",)
    # VP9 takes the odd sizes that H.264 and HEVC cannot hold, at more work a frame.
    return (*usual, "libvpx-vp9") if extension in (".mp4", ".mkv") else usual


def choose(picture: Picture, extension: str, lossless: bool, formats: Mapping[str, frozenset[str]]) -> Encoding:
    """The encoder that keeps the picture as it is.

    Args:
        picture: What is to be encoded; its pixel format is a plain one (see `plain_format`).
        extension: How the output's name ends, with the dot, in lower case.
        lossless: Keep every bit.
        formats: Encoder to the pixel formats it takes; only those that are on this machine and that the
            container holds.

    Raises:
        BadInput: The container cannot hold that picture, or no encoder for it is here.
    """
    check_container(extension, lossless)
    columns, rows = chroma_steps(picture.pix_fmt)
    ragged = picture.width % columns != 0 or picture.height % rows != 0
    for name in candidates(picture.codec, extension, lossless):
        if ragged and name in WHOLE_CHROMA:
            continue
        for pix_fmt in (picture.pix_fmt, EQUIVALENT.get(picture.pix_fmt, picture.pix_fmt)):
            if pix_fmt in formats.get(name, frozenset()):
                tag = "hvc1" if name == "libx265" and extension in (".mp4", ".mov") else None
                return Encoding(name, pix_fmt, options(name, picture), tag)
    size = f"{picture.width}x{picture.height} {picture.pix_fmt}"
    hint = "" if lossless else ": --lossless with a name ending in .mkv takes more"
    raise BadInput(f"no encoder here can write {size} into {extension}{hint}")


def container_options(extension: str, time_base: Fraction) -> dict[str, str]:
    """Muxer settings that keep the times as they are.

    Args:
        extension: How the output's name ends.
        time_base: Seconds per tick of the input's frame times.
    """
    # Matroska would move all times so that none is negative: sound that is coded ahead of the picture has such.
    settings = {"avoid_negative_ts": "disabled"}
    if extension in (".mp4", ".m4v", ".mov"):
        # When the first frame is not at zero, its time is kept in this unit; thousandths are too coarse.
        ticks = time_base.denominator
        while ticks < 10_000:
            ticks *= 2
        settings["movie_timescale"] = str(min(ticks, 2**31 - 1))
    return settings


def options(encoder: str, picture: Picture) -> dict[str, str]:
    """Encoder settings: fine enough not to soften the restored face again, fast enough not to be the brake."""
    if encoder == "libx264":
        return {"preset": "veryfast", "crf": "16"}
    if encoder == "libx265":
        return {"preset": "veryfast", "crf": "16", "x265-params": "log-level=error"}
    if encoder == "libvpx-vp9":
        # "good" was seven times slower here at the same size and no better.
        return {"deadline": "realtime", "cpu-used": "7", "row-mt": "1", "tile-columns": "2", "crf": "18", "b": "0"}
    if encoder == "libvpx":
        # VP8 knows constant quality only below a bit rate: a quarter bit a pixel is out of the way.
        ceiling = int(picture.width * picture.height * picture.rate / 4)
        return {"deadline": "realtime", "cpu-used": "4", "crf": "8", "b": str(max(1_000_000, ceiling))}
    # How many slices is left to the encoder: it refuses most numbers where the picture is small.
    return {"level": "3", "slicecrc": "1"}
