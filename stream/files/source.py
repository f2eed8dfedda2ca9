"""The input file read: its frames decoded and its other packets handed on, in file order."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TypeAlias

import av
from av.packet import Packet
from av.stream import Stream

from engines.errors import ClearcallError
from stream.files.choice import plain_format
from stream.files.facts import check_readable, main_video, open_video, read_facts
from stream.timing import Histogram

Item: TypeAlias = "av.VideoFrame | Packet[Stream]"

WITHOUT_PTS = {"avi"}
"""Formats that know only the order of decoding; what is guessed from it does not rise."""


def repaired(pts: int | None, last: int | None, step: int) -> int:
    """The frame's own time where it has one later than the frame before; else the next time that will do."""
    if pts is None:
        return 0 if last is None else last + step
    return pts if last is None or pts > last else last + 1


class Source:
    """An open input file.

    Raises:
        BadInput: It is missing, no video, or holds no frame that can be decoded.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.undecodable = 0
        """Packets of the video that could not be decoded."""
        self.incomplete = 0
        """Frames the decoder had to patch up."""
        self.resized = 0
        """Frames of another size or format than the first, scaled to that of the first."""
        self.cut_short = False
        """The file broke off before its end."""
        self.decoding = Histogram()
        """Seconds of each frame in the decoder; written by the thread that reads."""
        check_readable(path)
        # Opened twice: the first frame tells what the tags do not, and reading on from it would mean to
        # keep all packets on the way to it.
        with open_video(path) as container:
            self.facts = read_facts(path, container)
        self.container = open_video(path)
        self.video = main_video(path, self.container)
        self.video.thread_type = "AUTO"

    @property
    def others(self) -> tuple[Stream, ...]:
        """The streams beside the video, in file order."""
        return tuple(stream for stream in self.container.streams if stream.index != self.video.index)

    def items(self, copied: tuple[Stream, ...]) -> Generator[Item, None, None]:
        """Frames of the video and packets of the streams `copied`, as the file holds them.

        All frames have the size and pixel format of the facts, and strictly rising times.
        """
        picture, time_base = self.facts.picture, self.facts.time_base
        step = max(1, round(1 / (picture.rate * time_base)))
        last: int | None = None
        only_dts = self.container.format.name in WITHOUT_PTS
        for item in self._demuxed(copied):
            if isinstance(item, av.VideoFrame):
                self.incomplete += item.is_corrupt
                pts = repaired(item.dts if only_dts else item.pts, last, step)
                item = self._conformed(item)
                item.pts, item.time_base, last = pts, time_base, pts
            yield item

    def _demuxed(self, copied: tuple[Stream, ...]) -> Iterator[Item]:
        # Only MP4 and its kin say beforehand how many packets there are to come.
        expected = len(self.video.index_entries) if self.container.format.name.startswith("mov") else 0
        packets = 0
        try:
            for packet in self.container.demux(self.video, *copied):
                if packet.stream.index == self.video.index:
                    packets += packet.size > 0
                    yield from self._decoded(packet)
                elif packet.dts is not None or packet.pts is not None or packet.size:
                    yield packet
            self.cut_short = packets < expected
            return
        except av.InvalidDataError:
            self.cut_short = True
        except (av.FFmpegError, OSError) as error:
            raise ClearcallError(f"cannot read {self.path}: {error.strerror or error}") from error
        yield from self._decoded(None)

    def _decoded(self, packet: Packet[Stream] | None) -> list[av.VideoFrame]:
        start = time.perf_counter()
        try:
            frames = self.video.codec_context.decode(packet)
        except av.FFmpegError:
            self.undecodable += 1
            return []
        if frames:
            each = (time.perf_counter() - start) / len(frames)
            for _ in frames:
                self.decoding.add(each)
        return frames

    def _conformed(self, frame: av.VideoFrame) -> av.VideoFrame:
        wanted = self.facts.picture
        same = frame.width == wanted.width and frame.height == wanted.height
        if same and frame.format.name == wanted.pix_fmt:
            return frame
        if plain_format(frame.format.name) == wanted.pix_fmt != frame.format.name:
            # Full range in, full range out: the samples are copied, only the format's name changes.
            full = frame.reformat(
                wanted.width, wanted.height, wanted.pix_fmt, src_color_range="JPEG", dst_color_range="JPEG"
            )
            self.resized += not same
            return full
        self.resized += 1
        return frame.reformat(wanted.width, wanted.height, wanted.pix_fmt)

    def close(self) -> None:
        """Close the file."""
        self.container.close()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
