"""The encoders of this machine, and how one is set."""

from __future__ import annotations

import av
from av.codec.codec import UnknownCodecError
from av.codec.context import Flags
from av.video.stream import VideoStream

from stream.files.choice import ENCODERS, Encoding
from stream.files.facts import Facts


def encoder_formats(held: set[str]) -> dict[str, frozenset[str]]:
    """Encoder to the pixel formats it takes, for those of our encoders that PyAV has here and `held` names."""
    found = {}
    for name in ENCODERS:
        if name not in held:
            continue
        try:
            formats = av.Codec(name, "w").video_formats
        except UnknownCodecError:
            continue
        found[name] = frozenset(shape.name for shape in formats or ())
    return found


def configure(video: VideoStream, facts: Facts, encoding: Encoding, width: int, height: int) -> None:
    """Set the encoder of a new stream so that the facts are kept; the size is the output's, larger for comparisons."""
    context = video.codec_context
    context.width, context.height, context.pix_fmt = width, height, encoding.pix_fmt
    # The input's own clock: frame times need no rounding.
    context.time_base = facts.time_base
    video.time_base = facts.time_base
    context.color_range, context.colorspace = facts.color_range, facts.colorspace
    context.color_primaries, context.color_trc = facts.color_primaries, facts.color_trc
    context.field_order = facts.field_order
    if facts.sample_aspect_ratio is not None:
        context.sample_aspect_ratio = facts.sample_aspect_ratio
    if facts.display_matrix is not None:
        video.set_display_matrix(facts.display_matrix)
    if encoding.tag is not None:
        context.codec_tag = encoding.tag
    context.flags |= Flags.frame_duration
    context.thread_count = 0
    context.thread_type = "AUTO"
