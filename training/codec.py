"""Real encoders as a call runs them: H.264 or VP8 without look-ahead, at a constant quality or a constant bitrate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
import cv2
import numpy as np
from av.sidedata.encparams import VideoEncParams
from av.video.frame import PictureType
from numpy.typing import NDArray

from training.vp8_header import base_quantiser

Planar = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""y [T, 1, H, W] and uv [T, 2, H/2, W/2]"""

NOMINAL_AREA = 256 * 256
"""Bitrates are told for a picture of so many pixels; others get their share."""
VP8_OFFSET, VP8_SLOPE = 21.8, 0.163
"""x264's rate factor that costs a face as much PSNR as a quantiser index of VP8 does: fitted over 16 portraits."""
H264_OFFSET = 4.0
"""x264 codes flat parts finer than its rate factor says, and those are the larger part of a face."""
_TO_VP8 = (
    (0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 33, 35, 37, 39)
    + (41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 64, 67, 70, 73, 76, 79, 82, 85, 88, 91, 94, 97, 100, 103, 106, 109)
    + (112, 115, 118, 121, 124, 127)
)
"""libvpx's own scale of 0 to 63, in quantiser indices."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How a clip is encoded: at a constant quality, or at a constant bitrate where one is given."""

    codec: str = "h264"
    """h264 or vp8"""
    preset: str = "veryfast"
    """Of x264; its faster ones have no filter against blocks"""
    quality: float = 30.0
    """x264's rate factor, or what is as bad in VP8"""
    rates: tuple[int, ...] = ()
    """Bits a second for 256x256 pixels at 30 frames a second, one a frame; none: constant quality"""
    warm_up: int = 1
    """Frames encoded before the clip begins, so that it does not always start at a key frame"""
    keys: tuple[int, ...] = ()
    """Frames of the clip that a receiver asked to be key frames: the picture pops"""


def code(planes: Planar, coding: Coding) -> tuple[Planar, NDArray[np.float32]]:
    """Encode and decode.

    Returns:
        The decoded planes, and how coarse each frame is [T], in x264's rate factors.
    """
    y, uv = planes
    count, _, height, width = y.shape
    pictures = np.concatenate([y.reshape(count, -1), uv.reshape(count, -1)], axis=1).reshape(count, -1, width)
    # There and back again: what came before the clip looks like it.
    lead = [index % (2 * count - 2) if count > 1 else 0 for index in range(coding.warm_up, 0, -1)]
    order = [min(i, 2 * count - 2 - i) if count > 1 else 0 for i in lead] + list(range(count))
    keys = {coding.warm_up + key for key in coding.keys}
    decoder = _decoder(coding)
    encoder: av.VideoCodecContext | None = None
    decoded: list[av.VideoFrame] = []
    coarseness: list[float] = []
    rate = 0
    for index, source in enumerate(order):
        wanted = _rate(coding, index - coding.warm_up, height * width)
        if encoder is None or wanted != rate:
            # Some callers' programs do so too when their rate changes: it starts at a key frame.
            encoder, rate = _encoder(coding, height, width, wanted), wanted
        frame = av.VideoFrame.from_ndarray(pictures[source], format="yuv420p")
        frame.pts = index
        if index in keys:
            frame.pict_type = PictureType.I
        for packet in encoder.encode(frame):
            if coding.codec == "vp8":
                coarseness.append(VP8_OFFSET + VP8_SLOPE * base_quantiser(bytes(packet)))
            decoded += decoder.decode(packet)
    decoded += decoder.decode(None)
    if coding.codec == "h264":
        coarseness = [_mean_quantiser(frame) + H264_OFFSET for frame in decoded]
    out = np.stack([f.to_ndarray() for f in decoded[-count:]])
    return (
        np.ascontiguousarray(out[:, :height]).reshape(count, 1, height, width),
        np.ascontiguousarray(out[:, height:]).reshape(count, 2, height // 2, width // 2),
    ), np.asarray(coarseness[-count:], np.float32)


def code_smaller(planes: Planar, coding: Coding, factor: float) -> tuple[Planar, NDArray[np.float32]]:
    """Code at `factor` times fewer rows and columns, and bring back to size; a bitrate is shared by fewer pixels."""
    if factor == 1.0:
        return code(planes, coding)
    height, width = planes[0].shape[2:]
    rows, columns = (2 * max(8, round(edge / factor / 2)) for edge in (height, width))
    small = (_resized(planes[0], rows, columns), _resized(planes[1], rows // 2, columns // 2))
    (y, uv), coarseness = code(small, coding)
    return (_resized(y, height, width), _resized(uv, height // 2, width // 2)), coarseness


def _resized(planes: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    way = cv2.INTER_AREA if rows < planes.shape[2] else cv2.INTER_CUBIC
    resized = [[cv2.resize(plane, (columns, rows), interpolation=way) for plane in frame] for frame in planes]
    return np.asarray(resized, np.uint8)


def _rate(coding: Coding, index: int, area: int) -> int:
    """Bits a second at a frame of the clip; before it, those of its first frame. 0 for constant quality."""
    rates: Sequence[int] = coding.rates
    return round(rates[max(0, index)] * area / NOMINAL_AREA) if rates else 0


def _encoder(coding: Coding, height: int, width: int, rate: int) -> av.VideoCodecContext:
    encoder = av.CodecContext.create("libx264" if coding.codec == "h264" else "libvpx", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30)
    encoder.thread_count = 1
    if coding.codec == "h264":
        options = {"preset": coding.preset, "tune": "zerolatency"}
        options |= {} if rate else {"crf": f"{coding.quality:.2f}"}
    else:
        # Below 0 the effort is fixed; above, libvpx sets it by the clock, and no seed gives the same picture twice.
        options = {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0"}
        # Out of reach of the rate control, the quantiser alone decides.
        quantiser = str(vp8_quantiser(coding.quality))
        options |= {"qmin": "2", "qmax": "60"} if rate else {"qmin": quantiser, "qmax": quantiser}
        encoder.bit_rate = rate or 50_000_000
    if rate:
        encoder.bit_rate = rate
        options |= {"maxrate": str(rate), "bufsize": str(rate)} | (
            {"minrate": str(rate)} if coding.codec == "vp8" else {}
        )
    encoder.options = options
    return encoder


def _decoder(coding: Coding) -> av.VideoCodecContext:
    decoder = av.CodecContext.create("h264" if coding.codec == "h264" else "vp8", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.thread_count = 1
    decoder.options = {"export_side_data": "venc_params"}
    return decoder


def vp8_quantiser(quality: float) -> int:
    """The quantiser, 0 to 63 on libvpx's scale, that is as coarse as x264's rate factor."""
    index = (quality - VP8_OFFSET) / VP8_SLOPE
    return int(np.argmin(np.abs(np.array(_TO_VP8) - index)))


def _mean_quantiser(frame: av.VideoFrame) -> float:
    data = frame.side_data.get("VIDEO_ENC_PARAMS")
    assert isinstance(data, VideoEncParams), "the decoder was asked for its quantisers"
    return float(np.mean(np.asarray(data.qp_map())))
