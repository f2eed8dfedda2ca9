"""The quantiser in a VP8 header: what the encoder was told."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from tests.training.faces import pattern
from training.vp8_header import base_quantiser


@pytest.mark.parametrize(("setting", "index"), [(0, 0), (20, 25), (42, 64), (63, 127)])
def test_it_is_the_one_the_encoder_was_told(setting: int, index: int) -> None:
    encoder = av.CodecContext.create("libvpx", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width = encoder.height = 96
    encoder.pix_fmt, encoder.time_base, encoder.bit_rate = "yuv420p", Fraction(1, 30), 50_000_000
    # Error resilience and key frames each take another way through the header.
    encoder.options = {"deadline": "realtime", "qmin": str(setting), "qmax": str(setting), "error-resilient": "default"}
    packets = []
    for shift in range(4):
        frame = av.VideoFrame.from_ndarray(np.roll(pattern(1, 96), shift, axis=1), format="bgr24")
        frame = frame.reformat(format="yuv420p")
        frame.pts = shift
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    assert [base_quantiser(bytes(packet)) for packet in packets] == [index] * 4
