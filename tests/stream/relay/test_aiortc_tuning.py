"""These fail loudly when aiortc is no longer the one that the tuning was made for."""

from __future__ import annotations

import asyncio
import fractions
import queue
import threading
import time
from pathlib import Path

import aiortc
import av
import numpy as np
import pytest
from aiortc import (
    RTCPeerConnection,
    RTCRtpCodecParameters,
    jitterbuffer,
    rtcpeerconnection,
    rtcrtpreceiver,
    rtcrtpsender,
)
from aiortc.codecs import depayload
from aiortc.codecs.h264 import H264Decoder
from aiortc.codecs.opus import OpusEncoder
from aiortc.codecs.vpx import Vp8Decoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.mediastreams import VideoStreamTrack
from aiortc.rtp import RTCP_PSFB_PLI, RtcpPsfbPacket, RtpPacket

from stream.relay import aiortc_tuning as tuning


def _packet(number: int, timestamp: int, data: bytes, marker: bool = False) -> RtpPacket:
    packet = RtpPacket(sequence_number=number & 0xFFFF, timestamp=timestamp, marker=int(marker))
    packet._data = data  # type: ignore[attr-defined]
    return packet


def _feed(buffer: jitterbuffer.JitterBuffer, packets: list[RtpPacket]) -> list[tuple[bytes, int]]:
    frames = [buffer.add(packet)[1] for packet in packets]
    return [(frame.data, frame.timestamp) for frame in frames if frame is not None]


def _picture(index: int, width: int = 320, height: int = 240) -> av.VideoFrame:
    rows = np.arange(height * 3 // 2, dtype=np.uint8)[:, None] + np.arange(width, dtype=np.uint8)[None, :]
    frame = av.VideoFrame.from_ndarray((rows // 2 + index).astype(np.uint8), format="yuv420p")
    frame.pts, frame.time_base = index * 3000, fractions.Fraction(1, 90000)
    return frame


def test_aiortc_is_the_release_that_was_tuned() -> None:
    assert aiortc.__version__ == tuning.KNOWN_AIORTC


def test_the_replaced_names_are_there_and_are_what_aiortc_looks_up() -> None:
    # aiortc must take them from its module's globals at the time of use, or replacing them does nothing.
    modules = (rtcrtpreceiver, rtcrtpsender, rtcpeerconnection)
    source = {module: Path(module.__file__ or "").read_text() for module in modules}
    assert "JitterBuffer(capacity=512, is_video=True)" in source[rtcrtpreceiver]
    assert "self.__encoder = get_encoder(codec)" in source[rtcrtpsender]
    assert "receiver=RTCRtpReceiver(kind, dtlsTransport)" in source[rtcpeerconnection]
    assert "self.__decoder_queue: queue.Queue = queue.Queue()" in source[rtcrtpreceiver]
    assert "self.__decoder_error = threading.Event()" in source[rtcrtpreceiver]
    assert "decoder = get_decoder(codec)" in source[rtcrtpreceiver]
    assert "self._send_keyframe()" in source[rtcrtpsender]
    assert tuning.tune()
    assert vars(rtcrtpreceiver)["JitterBuffer"] is tuning.MarkerJitterBuffer
    assert vars(rtcrtpsender)["get_encoder"] is tuning.call_encoder


def test_frames_that_the_decoder_cannot_keep_up_with_are_left_out_up_to_a_key_frame() -> None:
    # The stock queue grows without bound, and the delay with it.
    lost = threading.Event()
    waiting = tuning.BoundedDecoderQueue(lost)
    vp8 = _codec("VP8")
    for index in range(tuning.MAX_UNDECODED):
        waiting.put((vp8, JitterFrame(b"\1", index)))
    assert not lost.is_set()
    waiting.put((vp8, JitterFrame(b"\0", 100)))
    assert lost.is_set() and waiting.qsize() == tuning.MAX_UNDECODED
    while not waiting.empty():
        waiting.get()
    waiting.put((vp8, JitterFrame(b"\1", 101)))
    assert waiting.empty(), "a frame that builds on one left out cannot be decoded"
    waiting.put((vp8, JitterFrame(b"\0", 102)))
    waiting.put((vp8, JitterFrame(b"\1", 103)))
    waiting.put(None)
    assert waiting.qsize() == 3 and waiting.left_out == 2


def test_a_receiver_gets_the_bounded_queue_and_its_own_alarm() -> None:
    async def run() -> None:
        tuning.tune()
        pc = aiortc.RTCPeerConnection(aiortc.RTCConfiguration([]))
        receiver = pc.addTransceiver("video").receiver
        waiting = vars(receiver)["_RTCRtpReceiver__decoder_queue"]
        assert isinstance(waiting, tuning.BoundedDecoderQueue)
        assert waiting._lost is vars(receiver)["_RTCRtpReceiver__decoder_error"]
        assert tuning.undecoded(pc) == 0
        waiting.left_out = 3
        assert tuning.undecoded(pc) == 3
        await pc.close()

    asyncio.run(run())


def test_key_frames_are_told_from_others() -> None:
    for name in ("VP8", "H264"):
        encoder = tuning.call_encoder(_codec(name))
        kinds = []
        for index in range(4):
            payloads, timestamp = encoder.encode(_picture(index), force_keyframe=index == 2)
            frame = JitterFrame(b"".join(depayload(_codec(name), payload) for payload in payloads), timestamp)
            kinds.append(tuning.is_key_frame(_codec(name), frame))
        assert kinds == [True, False, True, False], name


def test_another_release_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, _ in tuning._REPLACED:
        monkeypatch.setattr(module, name, "stock")
    monkeypatch.setattr(aiortc, "__version__", "9.9.9")
    assert not tuning.tune()
    assert vars(rtcrtpreceiver)["JitterBuffer"] == "stock"


def test_a_frame_leaves_at_its_marker_not_at_the_next_frame() -> None:
    # The stock buffer holds it until the next frame begins: 33 ms a hop.
    packets = [_packet(10, 0, b"a"), _packet(11, 0, b"b", True)]
    assert _feed(jitterbuffer.JitterBuffer(512, is_video=True), packets) == []
    assert _feed(tuning.MarkerJitterBuffer(512, is_video=True), packets) == [(b"ab", 0)]


def test_a_late_packet_completes_its_frame() -> None:
    buffer = tuning.MarkerJitterBuffer(512, is_video=True)
    assert _feed(buffer, [_packet(10, 0, b"a"), _packet(12, 0, b"c", True), _packet(11, 0, b"b")]) == [(b"abc", 0)]


def test_frames_stay_in_order_when_a_hole_is_filled() -> None:
    buffer = tuning.MarkerJitterBuffer(512, is_video=True)
    first = [_packet(1, 0, b"a", True), _packet(3, 2, b"c", True), _packet(4, 3, b"d", True)]
    assert _feed(buffer, first) == [(b"a", 0)]
    assert _feed(buffer, [_packet(2, 1, b"b", True), _packet(5, 4, b"e")]) == [(b"b", 1), (b"c", 2)]


def test_a_stream_without_markers_goes_by_time_stamps() -> None:
    buffer = tuning.MarkerJitterBuffer(512, is_video=True)
    packets = [_packet(1, 0, b"a"), _packet(2, 0, b"b"), _packet(3, 1, b"c"), _packet(4, 2, b"d")]
    assert _feed(buffer, packets) == [(b"ab", 0), (b"c", 1)]


def test_padding_after_a_frame_is_no_frame() -> None:
    # Browsers send empty packets with the last frame's time stamp to probe the bandwidth.
    buffer = tuning.MarkerJitterBuffer(512, is_video=True)
    packets = [_packet(1, 0, b"a", True), _packet(2, 0, b""), _packet(3, 0, b""), _packet(4, 1, b"b", True)]
    assert _feed(buffer, packets) == [(b"a", 0), (b"b", 1)]


def test_sequence_numbers_wrap() -> None:
    buffer = tuning.MarkerJitterBuffer(512, is_video=True)
    packets = [_packet(65534 + i, i // 2, bytes([i]), i % 2 == 1) for i in range(6)]
    assert _feed(buffer, packets) == [(b"\x00\x01", 0), (b"\x02\x03", 1), (b"\x04\x05", 2)]


def test_sound_is_buffered_as_before() -> None:
    packets = [_packet(i, i * 960, b"a", True) for i in range(8)]
    stock = _feed(jitterbuffer.JitterBuffer(16, prefetch=4), packets)
    assert _feed(tuning.MarkerJitterBuffer(16, prefetch=4), packets) == stock != []


@pytest.mark.parametrize(
    ("current", "estimate", "expected"),
    [
        (2_500_000, 2_200_000, 2_500_000),  # A small fall is not worth a key frame.
        (2_500_000, 1_500_000, 1_500_000),
        (2_500_000, 3_500_000, 2_500_000),
        (2_500_000, 4_000_000, 4_000_000),
        (2_500_000, 100_000, tuning.MIN_BITRATE),
        (2_500_000, 50_000_000, tuning.MAX_BITRATE),
        (tuning.MAX_BITRATE, 50_000_000, tuning.MAX_BITRATE),
    ],
)
def test_the_bitrate_follows_the_estimate_in_large_steps(current: int, estimate: int, expected: int) -> None:
    assert tuning.steer(current, estimate) == expected


def _codec(name: str) -> RTCRtpCodecParameters:
    return RTCRtpCodecParameters(f"video/{name}", 90000, payloadType=96)


def test_vp8_pictures_come_through_and_small_changes_keep_the_encoder() -> None:
    encoder, decoder = tuning.call_encoder(_codec("VP8")), Vp8Decoder()
    assert isinstance(encoder, tuning.CallVp8Encoder)
    made = []
    for index in range(6):
        encoder.target_bitrate = tuning.START_BITRATE * (100 + index * 6) // 100
        payloads, timestamp = encoder.encode(_picture(index))
        made.append(encoder.codec)
        data = b"".join(depayload(_codec("VP8"), payload) for payload in payloads)
        (frame,) = decoder.decode(JitterFrame(data, timestamp))
        assert isinstance(frame, av.VideoFrame) and frame.pts == index * 3000
        error = frame.to_ndarray(format="gray").astype(int) - _picture(index).to_ndarray(format="gray").astype(int)
        assert abs(error).mean() < 8
    assert made[0] is not None and made[0].bit_rate == tuning.START_BITRATE
    assert all(codec is made[0] for codec in made), "a small change of the estimate rebuilt the encoder"
    encoder.target_bitrate = 1_000_000
    encoder.encode(_picture(6))
    encoder.encode(_picture(7, 640, 480))
    assert encoder.codec is not None and (encoder.codec.bit_rate, encoder.codec.width) == (1_000_000, 640)


def test_h264_pictures_come_through_without_delay() -> None:
    encoder, decoder = tuning.call_encoder(_codec("H264")), H264Decoder()
    assert isinstance(encoder, tuning.CallH264Encoder)
    decoded = 0
    for index in range(6):
        payloads, timestamp = encoder.encode(_picture(index))
        assert timestamp == index * 3000
        assert payloads, "the encoder held a frame back"
        decoded += len(decoder.decode(JitterFrame(b"".join(depayload(_codec("H264"), p) for p in payloads), timestamp)))
    assert decoded >= 5
    assert encoder.codec is not None and encoder.codec.bit_rate == tuning.START_BITRATE


def test_frames_can_be_had_as_they_came(monkeypatch: pytest.MonkeyPatch) -> None:
    # Put back afterwards: it holds for the whole process.
    monkeypatch.setattr(rtcrtpreceiver, "get_decoder", vars(rtcrtpreceiver)["get_decoder"])
    tuning.leave_encoded()
    made: queue.Queue[object] = queue.Queue()
    made.put((_codec("VP8"), JitterFrame(b"\1\2\3", 3000)))
    made.put(None)

    async def decode() -> object:
        out: asyncio.Queue[object] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, rtcrtpreceiver.decoder_worker, loop, made, out, threading.Event())
        return await out.get()

    packet = asyncio.run(decode())
    assert isinstance(packet, av.Packet) and (bytes(packet), packet.pts) == (b"\1\2\3", 3000)


def test_whoever_wants_a_key_frame_is_heard() -> None:
    async def run() -> list[str]:
        heard: list[str] = []
        pc = RTCPeerConnection()
        pc.addTrack(VideoStreamTrack())
        tuning.on_key_frame_wanted(pc, lambda: heard.append("wanted"))
        await pc.getSenders()[0]._handle_rtcp_packet(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=2))
        await pc.close()
        return heard

    assert asyncio.run(run()) == ["wanted"]


def test_a_frame_knows_when_its_first_packet_came() -> None:
    buffer = tuning.MarkerJitterBuffer(16, is_video=True)
    before = time.monotonic()
    assert buffer.add(_packet(0, 0, b"a"))[1] is None
    between = time.monotonic()
    frame = buffer.add(_packet(1, 0, b"b", True))[1]
    assert isinstance(frame, tuning.TimedFrame) and before <= frame.since <= between


def test_sound_keeps_its_encoder() -> None:
    opus = RTCRtpCodecParameters("audio/opus", 48000, channels=2, payloadType=96)
    assert isinstance(tuning.call_encoder(opus), OpusEncoder)


def test_a_chromium_caller_is_told_where_to_start() -> None:
    answer = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 97 98\r\na=rtpmap:97 VP8/90000\r\na=rtpmap:98 rtx/90000\r\n"
    told = tuning.with_start_bitrate(answer)
    assert f"a=rtpmap:97 VP8/90000\r\na=fmtp:97 x-google-start-bitrate={tuning.START_BITRATE // 1000}\r\n" in told
    assert told.count("fmtp") == 1
