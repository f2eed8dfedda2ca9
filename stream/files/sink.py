"""The output file: encoded beside its final name, and moved there only when it is whole."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from engines.errors import BadInput, ClearcallError
from stream.files.choice import choose, container_options
from stream.files.encoder import configure, encoder_formats
from stream.files.source import Source

OF_THE_OLD_FILE = {"encoder", "major_brand", "minor_version", "compatible_brands", "duration", "vendor_id"}
"""Metadata that speak of how the input was written, not of what it shows."""


class Sink:
    """An output file in the making; `finish` gives it its name, leaving the block without it removes it.

    Raises:
        BadInput: The container cannot hold the video or the sound, or the file cannot be made.
        ClearcallError: Writing failed.
    """

    def __init__(self, final: Path, source: Source, size: tuple[int, int], lossless: bool) -> None:
        self.final = final
        self.left_out: list[str] = []
        """Streams of the input that the output cannot hold."""
        self._copies: dict[int, Stream] = {}
        self._finished = False
        self._part = final.with_name(f".clearcall-{secrets.token_hex(4)}{final.suffix}")
        try:
            # Made by us, and only if the name is free; FFmpeg then writes into it.
            os.close(os.open(self._part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except OSError as error:
            raise BadInput(f"cannot write {final}: {error.strerror}") from error
        try:
            settings = container_options(final.suffix.lower(), source.facts.time_base)
            self._container: OutputContainer = av.open(str(self._part), "w", container_options=settings)
        except BaseException:
            os.unlink(self._part)
            raise
        try:
            self._add_streams(source, size, lossless)
            self._start()
        except BaseException:
            self._abandon()
            raise

    @property
    def copied(self) -> tuple[int, ...]:
        """Indices of the input's streams whose packets `copy` takes."""
        return tuple(self._copies)

    def _add_streams(self, source: Source, size: tuple[int, int], lossless: bool) -> None:
        self._container.metadata.update(_kept(source.container.metadata))
        self._container.set_chapters(source.container.chapters())
        for stream in source.container.streams:
            if stream.index == source.video.index:
                self._video = self._add_video(source, size, lossless)
                added: Stream | None = self._video
            else:
                added = self._add_copy(stream)
            if added is not None:
                added.metadata.update(_kept(stream.metadata))
                added.disposition = stream.disposition

    def _add_video(self, source: Source, size: tuple[int, int], lossless: bool) -> VideoStream:
        facts = source.facts
        picture = replace(facts.picture, width=size[0], height=size[1])
        extension = self.final.suffix.lower()
        encoding = choose(picture, extension, lossless, encoder_formats(self._container.supported_codecs))
        video = self._container.add_stream(encoding.encoder, rate=picture.rate, options=dict(encoding.options))
        if not isinstance(video, VideoStream):
            raise ClearcallError(f"{encoding.encoder} is no video encoder")
        configure(video, facts, encoding, picture.width, picture.height)
        return video

    def _add_copy(self, stream: Stream) -> Stream | None:
        name = stream.codec_context.name if stream.codec_context is not None else "unknown"
        if self._wanted(stream):
            try:
                copy = self._container.add_stream_from_template(stream, opaque=True)
            except ValueError as error:
                if stream.type == "audio":
                    text = f"{self.final.suffix} cannot hold the {name} sound of {stream.container.name}"
                    raise BadInput(f"{text}: choose another ending, .mkv holds most") from error
            else:
                self._copies[stream.index] = copy
                return copy
        if not _made_anew(stream):
            self.left_out.append(f"{stream.type} stream {stream.index} ({name})")
        return None

    def _wanted(self, stream: Stream) -> bool:
        matroska = self.final.suffix.lower() == ".mkv"
        if stream.type == "video":
            # Matroska keeps covers as attachments, which is not how they come in.
            return bool(stream.disposition & Disposition.attached_pic) and not matroska
        return stream.type in {"audio", "subtitle"} or (stream.type == "attachment" and matroska)

    def _start(self) -> None:
        context = self._video.codec_context
        try:
            context.open()
        except (av.FFmpegError, ValueError) as error:
            size = f"{context.width}x{context.height} {context.pix_fmt}"
            raise ClearcallError(f"{context.name} cannot be started for {size}: {_reason(error)}") from error
        try:
            # Writes the head of the file: only now does the muxer say whether it can hold these streams.
            self._container.start_encoding()
        except OSError as error:
            raise ClearcallError(f"cannot write {self.final}: {_reason(error)}") from error
        except (av.FFmpegError, ValueError) as error:
            names = ", ".join(stream.codec_context.name for stream in self._container.streams if stream.codec_context)
            text = f"{self.final.suffix} cannot hold {names} together"
            raise BadInput(f"{text}: choose another ending, .mkv holds most") from error

    def write(self, frame: av.VideoFrame) -> None:
        """Encode a frame; its time base is the input's. The frame's samples are only read."""
        # What kind of picture it was in the old file must not decide what it becomes in the new one.
        frame.pict_type = 0
        with self._reported():
            self._container.mux(self._video.encode(frame))

    def copy(self, packet: Packet[Stream]) -> None:
        """Take over a packet as it is. The muxer holds packets back, 10 s at most, until they are in order of time."""
        packet.stream = self._copies[packet.stream.index]
        with self._reported():
            self._container.mux(packet)

    def finish(self) -> None:
        """Encode what the encoder still holds, close the file and give it its name."""
        with self._reported():
            self._container.mux(self._video.encode(None))
            self._container.close()
            os.replace(self._part, self.final)
        self._finished = True

    def _abandon(self) -> None:
        # First of all the name: nothing may keep it, not even a second Ctrl-C while the rest is closed.
        with contextlib.suppress(OSError):
            os.unlink(self._part)
        with contextlib.suppress(av.FFmpegError, OSError, ValueError):
            self._container.close()
        # Where open files cannot be removed, now it can.
        with contextlib.suppress(OSError):
            os.unlink(self._part)

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._finished:
            self._abandon()

    @contextlib.contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, OSError, ValueError) as error:
            raise ClearcallError(f"cannot write {self.final}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _made_anew(stream: Stream) -> bool:
    """Whether the muxer writes such a stream itself, from the metadata or the chapters."""
    chapters = stream.name == "bin_data" and bool(stream.container.chapters())
    return stream.type == "data" and (chapters or "timecode" in stream.metadata)


def _kept(metadata: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in metadata.items() if name.lower() not in OF_THE_OLD_FILE}
