"""The receiver's process: decodes what came back, reads the stamps, and writes down when.

Run by the harness as `python -m benchmarks.latency.receiver CODEC LOG`, with the frames on standard input.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from benchmarks.latency import handover, stamp
from stream.frames.pixels import plane_rows

DECODERS = {"vp8": "libvpx", "h264": "h264"}
Came = tuple[int | None, float, float]
"""Stamp, arrival and end of decoding, seconds on the machine's monotonic clock; None where no stamp can be read."""


def receive(pipe: BinaryIO, codec: str, clock: Callable[[], float] = time.monotonic) -> list[Came]:
    """Decode until the pipe ends; a frame that cannot be decoded is left out, and missing in the end."""
    decoder = av.CodecContext.create(DECODERS[codec], "r")
    assert isinstance(decoder, VideoCodecContext)
    # One frame in, one out: more threads would hold frames back.
    decoder.thread_count = 1
    decoder.flags |= Flags.low_delay
    came: list[Came] = []
    for arrived, data in handover.unpack(pipe):
        try:
            frames = decoder.decode(av.Packet(data))
        except av.FFmpegError:
            continue
        decoded = clock()
        came += [(stamp.read(_luma(frame)), arrived, decoded) for frame in frames]
    return came


def _luma(frame: av.VideoFrame) -> stamp.Luma:
    plane = frame.planes[0]
    return plane_rows(plane)[: plane.height, : plane.width]


def main(codec: str, log: str) -> None:
    """Receive, and write the log once the pipe has ended."""
    # What is there now stays: no collection needs to look at it while frames come.
    gc.freeze()
    Path(log).write_text(json.dumps(receive(sys.stdin.buffer, codec)), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
