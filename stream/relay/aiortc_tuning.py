"""Everything that works around aiortc, in one place, for the one release that it was measured with.

Four things stand in the way of a live call:

- The receiver holds a video frame until the next frame's first packet arrives, one frame interval more than needed;
  the marker bit already says that a frame is complete (RFC 3551, 4.1; RFC 7741, 4.1).
- The encoders start at 0.5 to 1 Mbit/s and VP8 stays below 1.5: too little for 720p.
- Encoded frames wait for the decoder in a queue without bound.
- The encoders are rebuilt whenever the receiver's estimate moves by 10 %, each time with a key frame; and they are
  set up for more work than two cores have to spare.

`tune` replaces three names in aiortc's modules. With another release of aiortc it leaves everything as it is and says
so. `leave_encoded` and `on_key_frame_wanted` serve whoever measures a relay with frames encoded beforehand.
"""

from __future__ import annotations

import fractions
import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType, ModuleType
from typing import Any

import aiortc
import av
from aiortc import (
    RTCPeerConnection,
    RTCRtpCodecParameters,
    RTCRtpReceiver,
    rtcpeerconnection,
    rtcrtpreceiver,
    rtcrtpsender,
)
from aiortc.codecs import get_encoder
from aiortc.codecs.base import Decoder, Encoder
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder, number_of_threads
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtp import RtpPacket
from av.frame import Frame
from av.video.codeccontext import VideoCodecContext

from stream.relay.stage_times import Passage, Watch
from stream.timing import Histogram

KNOWN_AIORTC = "1.16.0"
MIN_BITRATE = 600_000
START_BITRATE = 2_500_000
MAX_BITRATE = 6_000_000
"""bit/s of a returned picture."""
MAX_UNDECODED = 15
"""Frames that may wait for the decoder: half a second."""

log = logging.getLogger(__name__)


def tune() -> bool:
    """Put the replacements in place for the whole process; False where aiortc is another release."""
    if aiortc.__version__ != KNOWN_AIORTC:
        log.warning("aiortc is %s, tuned for %s: calls work, but slower", aiortc.__version__, KNOWN_AIORTC)
        return False
    # By name: aiortc looks them up there when it makes a receiver or starts to send.
    for module, name, replacement in _REPLACED:
        setattr(module, name, replacement)
    return True


def leave_encoded() -> None:
    """Have every receiver made from now on hand out frames as they came, as `av.Packet`; for the whole process."""
    rtcrtpreceiver.get_decoder = lambda codec: _Undecoded()  # type: ignore[attr-defined]


class _Undecoded(Decoder):
    def decode(self, encoded_frame: JitterFrame) -> list[av.Packet[Any]]:  # type: ignore[override]
        packet = av.Packet(encoded_frame.data)
        packet.pts, packet.time_base = encoded_frame.timestamp, fractions.Fraction(1, 90_000)
        return [packet]


def on_key_frame_wanted(pc: RTCPeerConnection, call: Callable[[], object]) -> None:
    """Have `call()` called when the other side asks a connection's video for a key frame (RFC 4585, 6.3.1)."""
    for sender in pc.getSenders():
        if sender.kind == "video":
            sender._send_keyframe = call  # type: ignore[method-assign, assignment]


class MarkerJitterBuffer(JitterBuffer):
    """Releases a video frame when its packet with the marker bit is there."""

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Take a packet; whether to ask for a key frame, and a frame that is complete now."""
        packet.arrived = time.monotonic()  # type: ignore[attr-defined]
        return super().add(packet)

    def _remove_frame(self, sequence_number: int) -> JitterFrame | None:
        if not self._is_video:
            return super()._remove_frame(sequence_number)
        data: list[bytes] = []
        timestamp: int | None = None
        used = 0
        since = 0.0
        while used < self._capacity:
            packet = self._packets[((self._origin or 0) + used) % self._capacity]
            if packet is None:
                return None
            if timestamp is not None and packet.timestamp != timestamp:
                # No marker came. What is there is a frame, unless it is only the padding that may follow one.
                self.remove(used)
                if any(data):
                    return TimedFrame(b"".join(data), timestamp, since)
                data, used = [], 0
            if not used:
                since = packet.arrived  # type: ignore[attr-defined]
            timestamp = packet.timestamp
            data.append(packet._data)  # type: ignore[attr-defined]
            used += 1
            if packet.marker and any(data):
                self.remove(used)
                return TimedFrame(b"".join(data), timestamp, since)
        return None


class TimedFrame(JitterFrame):
    """An encoded frame that knows when its first packet came."""

    def __init__(self, data: bytes, timestamp: int, since: float) -> None:
        """Take `since` in seconds on the monotonic clock."""
        super().__init__(data, timestamp)
        self.since = since


class BoundedDecoderQueue(queue.Queue[tuple[RTCRtpCodecParameters, JitterFrame] | None]):
    """Frames on their way to the decoder; once too many wait, the rest is left out up to the next key frame."""

    def __init__(self, lost: threading.Event) -> None:
        """Set `lost` whenever a frame was left out: aiortc then asks the sender for a key frame."""
        super().__init__()
        self.left_out = 0
        self.gathering, self.decoding = Histogram(), Passage()
        self._lost = lost
        self._skipping = False

    def put(
        self,
        item: tuple[RTCRtpCodecParameters, JitterFrame] | None,
        block: bool = True,
        timeout: float | None = None,
    ) -> None:
        """Take a frame, or None for the end; never waits."""
        if item is not None:
            late = self.qsize() >= MAX_UNDECODED
            self._skipping = late or (self._skipping and not is_key_frame(*item))
            if self._skipping:
                self.left_out += 1
                self._lost.set()
                return
            frame = item[1]
            if isinstance(frame, TimedFrame):
                self.gathering.add(time.monotonic() - frame.since)
            self.decoding.enter(frame.timestamp)
        super().put(item)


def is_key_frame(codec: RTCRtpCodecParameters, frame: JitterFrame) -> bool:
    """Whether a decoder can begin with this frame (RFC 6386, 9.1; H.264: it brings parameter sets or an IDR slice)."""
    if codec.name.lower() == "vp8":
        return bool(frame.data) and not frame.data[0] & 1
    starts = (part[0] & 0x1F for part in frame.data.split(b"\0\0\1")[1:] if part)
    return any(kind in {5, 7} for kind in starts)


class BoundedReceiver(RTCRtpReceiver):
    """A receiver whose video decoder has a bounded queue."""

    def __init__(self, kind: str, transport: RTCDtlsTransport) -> None:
        super().__init__(kind, transport)
        if kind == "video":
            self._RTCRtpReceiver__decoder_queue = BoundedDecoderQueue(self._RTCRtpReceiver__decoder_error)  # type: ignore[attr-defined]


def undecoded(pc: RTCPeerConnection) -> int:
    """Frames of a connection that were left out because the decoder could not keep up."""
    return sum(each.left_out for each in decoder_queues(pc))


def decoder_queues(pc: RTCPeerConnection) -> list[BoundedDecoderQueue]:
    """The queues in front of a connection's video decoders; none where aiortc is another release."""
    waiting = [vars(receiver).get("_RTCRtpReceiver__decoder_queue") for receiver in pc.getReceivers()]
    return [each for each in waiting if isinstance(each, BoundedDecoderQueue)]


def encoder_watch(pc: RTCPeerConnection) -> Watch | None:
    """What times the encoder of a connection's picture; None before it is there, or where aiortc is another release."""
    encoders = [vars(sender).get("_RTCRtpSender__encoder") for sender in pc.getSenders()]
    return next((each.watch for each in encoders if isinstance(each, CallVp8Encoder | CallH264Encoder)), None)


def steer(current: int, estimate: int) -> int:
    """The bitrate to encode with, given the receiver's estimate, both bit/s.

    A change costs a key frame, so it follows a falling estimate from 20 % on and a rising one from 50 % on.
    """
    wanted = max(MIN_BITRATE, min(estimate, MAX_BITRATE))
    return wanted if wanted < 0.8 * current or wanted > 1.5 * current else current


def call_encoder(codec: RTCRtpCodecParameters) -> Encoder:
    """The encoder for a codec: ours for video, aiortc's for sound."""
    name = codec.mimeType.lower()
    if name == "video/vp8":
        return CallVp8Encoder()
    return CallH264Encoder() if name == "video/h264" else get_encoder(codec)


def _fits(codec: VideoCodecContext | None, frame: av.VideoFrame, bitrate: int) -> bool:
    return codec is not None and (codec.width, codec.height, codec.bit_rate) == (frame.width, frame.height, bitrate)


def _codec(name: str, frame: av.VideoFrame, bitrate: int, options: dict[str, str]) -> VideoCodecContext:
    codec = av.CodecContext.create(name, "w")
    assert isinstance(codec, VideoCodecContext)
    codec.width, codec.height = frame.width, frame.height
    codec.bit_rate = bitrate
    codec.framerate = fractions.Fraction(30, 1)
    # RTP's own clock: PyAV rounds the frame's time stamp to the codec's, and aiortc reads it afterwards.
    codec.time_base = fractions.Fraction(1, 90_000)
    codec.pix_fmt = "yuv420p"
    codec.options = options
    return codec


class CallVp8Encoder(Vp8Encoder):
    """VP8 for a call: constant bitrate, a fast search, no denoiser of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._bitrate = START_BITRATE
        self.watch = Watch()

    @property
    def target_bitrate(self) -> int:
        """bit/s."""
        return self._bitrate

    @target_bitrate.setter
    def target_bitrate(self, bitrate: int) -> None:
        self._bitrate = steer(self._bitrate, bitrate)

    def encode(self, frame: Frame, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        """Encode one frame into RTP payloads and their time stamp."""
        assert isinstance(frame, av.VideoFrame)
        with self.watch:
            if not _fits(self.codec, frame, self._bitrate):
                # aiortc keeps a codec that fits, so it never makes its own.
                self.codec = vp8_codec(frame, self._bitrate)
            return super().encode(frame, force_keyframe)


class CallH264Encoder(H264Encoder):
    """H.264 for a call: x264's fastest preset instead of its medium one."""

    def __init__(self) -> None:
        super().__init__()
        self._bitrate = START_BITRATE
        self.watch = Watch()

    def encode(self, frame: Frame, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        """Encode one frame into RTP payloads and their time stamp."""
        with self.watch:
            return super().encode(frame, force_keyframe)

    @property
    def target_bitrate(self) -> int:
        """bit/s."""
        return self._bitrate

    @target_bitrate.setter
    def target_bitrate(self, bitrate: int) -> None:
        self._bitrate = steer(self._bitrate, bitrate)

    def _encode_frame(self, frame: av.VideoFrame, force_keyframe: bool) -> Iterator[bytes]:
        if not _fits(self.codec, frame, self._bitrate):
            self.buffer_data = b""
            self.buffer_pts = None
            self.codec = h264_codec(frame, self._bitrate)
        return super()._encode_frame(frame, force_keyframe)


def vp8_codec(
    frame: av.VideoFrame, bitrate: int, changed: Mapping[str, str] = MappingProxyType({})
) -> VideoCodecContext:
    """An encoder, libvpx, for frames like this one at so many bit/s; `changed` are options to be tried instead."""
    options = {
        "deadline": "realtime",
        # -12 spares a third of the time and costs 1.7 dB; -4 takes two fifths more for 0.3 dB (benchmarks/encoders.py).
        "cpu-used": "-8",
        "lag-in-frames": "0",
        "minrate": str(bitrate),
        "maxrate": str(bitrate),
        "bufsize": str(bitrate),
        "undershoot-pct": "100",
        "overshoot-pct": "15",
        "noise-sensitivity": "0",
        "static-thresh": "1",
        "error-resilient": "0",
        **changed,
    }
    codec = _codec("libvpx", frame, bitrate, options)
    codec.gop_size = 3000
    codec.qmin, codec.qmax = 2, 56
    codec.thread_count = number_of_threads(frame.width * frame.height, os.cpu_count() or 1)
    return codec


def h264_codec(
    frame: av.VideoFrame, bitrate: int, changed: Mapping[str, str] = MappingProxyType({}), name: str = "libx264"
) -> VideoCodecContext:
    """x264, or another encoder for H.264, for frames like this one; see `vp8_codec`."""
    options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "level": "31",
        "maxrate": str(bitrate),
        "bufsize": str(bitrate // 2),
        **changed,
    }
    codec = _codec(name, frame, bitrate, options)
    codec.gop_size = 3000
    codec.profile = "Baseline"
    return codec


def with_start_bitrate(answer: str) -> str:
    """The answer with a line that lets a Chromium caller start at 720p's bitrate instead of climbing to it.

    Other callers ignore the parameter.
    """
    out: list[str] = []
    for line in answer.splitlines():
        out.append(line)
        key, _, value = line.partition(" ")
        if key.startswith("a=rtpmap:") and value.upper() == "VP8/90000":
            out.append(f"a=fmtp:{key.removeprefix('a=rtpmap:')} x-google-start-bitrate={START_BITRATE // 1000}")
    return "\r\n".join(out) + "\r\n"


_REPLACED: tuple[tuple[ModuleType, str, object], ...] = (
    (rtcrtpreceiver, "JitterBuffer", MarkerJitterBuffer),
    (rtcrtpsender, "get_encoder", call_encoder),
    (rtcpeerconnection, "RTCRtpReceiver", BoundedReceiver),
)
