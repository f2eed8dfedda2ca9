"""The clip that callers replay: a recording, stamped and encoded beforehand, so that replaying it costs little."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
from av.filter import Graph
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from numpy.typing import NDArray

from benchmarks.latency import stamp
from engines.errors import BadInput

RECORDING = Path(__file__).resolve().parents[3] / "shared" / "data" / "call" / "p030_call_720p.mp4"
"""Beside the checkout, where it is there."""
SECONDS = 5
"""Of the recording; played forwards, then backwards, so that it goes round without a cut."""
BITS_PER_PIXEL = 0.09
"""2.5 Mbit/s at 720p30, a good call's."""
FORMATS = {"vp8": ("libvpx", "ivf"), "h264": ("libx264", "h264")}
"""Codec to encoder and container; both hold the stream as it goes into RTP (H.264 with start codes)."""
OPTIONS = {
    "vp8": {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0", "undershoot-pct": "100"},
    "h264": {"preset": "veryfast", "tune": "zerolatency"},
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What a caller sends."""

    width: int
    height: int
    fps: int
    codec: str
    """`vp8` or `h264`"""

    @property
    def bitrate(self) -> int:
        """bit/s."""
        return round(self.width * self.height * self.fps * BITS_PER_PIXEL)

    def __str__(self) -> str:
        wide = abs(self.width * 9 - self.height * 16) < 32
        return f"{self.height}p{self.fps}" if wide else f"{self.width}x{self.height} at {self.fps} fps"


def prepare(recording: Path, shape: Shape, target: Path) -> int:
    """Write the clip, frame n stamped n, one key frame at its beginning; returns its length in frames.

    Raises:
        BadInput: The recording cannot be read.
    """
    pictures = list(_pictures(recording, shape))
    if not pictures:
        raise BadInput(f"{recording}: no video in it")
    pictures += pictures[::-1]
    encoder, container = FORMATS[shape.codec]
    with av.open(str(target), "w", format=container) as out:
        stream = out.add_stream(encoder, rate=shape.fps)
        codec = stream.codec_context
        assert isinstance(codec, VideoCodecContext)
        codec.width, codec.height, codec.pix_fmt = shape.width, shape.height, "yuv420p"
        codec.bit_rate, codec.gop_size, codec.max_b_frames = shape.bitrate, len(pictures), 0
        # libvpx spins while its threads wait for one another: on a busy machine two take ten times as long as one.
        codec.thread_count = 1
        rate = str(shape.bitrate)
        codec.options = {**OPTIONS[shape.codec], "minrate": rate, "maxrate": rate, "bufsize": rate}
        if shape.codec == "h264":
            codec.profile = "Baseline"
        for number, picture in enumerate(pictures):
            # A copy: forwards and backwards share the picture, not its stamp.
            stamped = picture.copy()
            stamp.write(stamped[: shape.height], number)
            frame = av.VideoFrame.from_ndarray(stamped, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, shape.fps)
            frame.pict_type = PictureType.NONE if number else PictureType.I
            out.mux(codec.encode(frame))
        out.mux(codec.encode(None))
    return len(pictures)


def read(clip: Path) -> list[bytes]:
    """The encoded frames of a clip; number n carries stamp n."""
    with av.open(str(clip)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def _pictures(recording: Path, shape: Shape) -> Iterator[NDArray[np.uint8]]:
    """The recording's first seconds at the shape's rate, cut to its proportions, as I420."""
    size = f"{shape.width}:{shape.height}"
    steps = (
        ("fps", str(shape.fps)),
        ("scale", f"{size}:force_original_aspect_ratio=increase:out_range=limited"),
        ("crop", size),
        ("format", "yuv420p"),
    )
    try:
        with av.open(str(recording)) as container:
            if not container.streams.video:
                return
            graph = Graph()
            graph.link_nodes(
                graph.add_buffer(template=container.streams.video[0]),
                *(graph.add(name, options) for name, options in steps),
                graph.add("buffersink"),
            ).configure()
            yield from islice(_filtered(container, graph), SECONDS * shape.fps)
    except (av.FFmpegError, OSError) as error:
        raise BadInput(f"{recording}: {error.strerror or error}") from error


def _filtered(
    container: av.container.InputContainer, graph: Graph
) -> Iterator[NDArray[np.uint8]]:
    for frame in container.decode(video=0):
        graph.push(frame)
        while True:
            try:
                made = graph.pull()
            except (av.BlockingIOError, av.EOFError):
                break
            assert isinstance(made, av.VideoFrame)
            yield made.to_ndarray().astype(np.uint8, copy=False)
