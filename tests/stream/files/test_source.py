"""Reading: damage in the middle of a file ended the run, or its frames came with times that no muxer takes."""

from __future__ import annotations

import threading
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path

import av
import pytest

from engines.errors import BadInput
from stream.files.ahead import Ahead
from stream.files.source import Item, Source, repaired
from tests.stream.files.media import clip, contents, damaged, sound_only


@pytest.mark.parametrize(
    ("pts", "last", "expected"),
    [(5, None, 5), (5, 4, 5), (-3, None, -3), (4, 4, 5), (2, 9, 10), (None, None, 0), (None, 9, 12)],
)
def test_times_rise_and_are_kept_where_they_do(pts: int | None, last: int | None, expected: int) -> None:
    assert repaired(pts, last, 3) == expected


def frames_of(path: Path) -> tuple[Source, list[av.VideoFrame]]:
    with Source(path) as source:
        return source, [item for item in source.items(()) if isinstance(item, av.VideoFrame)]


def test_facts_say_what_must_be_kept(tmp_path: Path) -> None:
    path = clip(
        tmp_path / "a.mp4", size=(64, 48), rate=25, tags=(2, 1, 1, 1), rotation=90, aspect=Fraction(4, 3), audio=None
    )
    with Source(path) as source:
        facts = source.facts
    assert (facts.picture.codec, facts.picture.width, facts.picture.height) == ("h264", 64, 48)
    assert facts.picture.rate == 25
    assert facts.frames == 20
    # The decoder says yuvj420p; the range is a tag.
    assert facts.picture.pix_fmt == "yuv420p"
    assert (facts.color_range, facts.color_primaries, facts.color_trc, facts.colorspace) == (2, 1, 1, 1)
    assert facts.sample_aspect_ratio == Fraction(4, 3)
    assert facts.display_matrix is not None
    assert len(facts.display_matrix) == 9


def test_full_range_samples_are_handed_on_untouched(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", tags=(2, 1, 1, 1), audio=None)
    whole = contents(path)
    assert whole.pix_fmt == "yuvj420p"
    _, frames = frames_of(path)
    for frame, planes in zip(frames, whole.pictures, strict=True):
        assert frame.format.name == "yuv420p"
        assert frame.color_range == 2
        luma = frame.to_ndarray()[:48]
        assert (luma == planes[0]).all()


@pytest.mark.parametrize(("codec", "name"), [("libx264", "a.mkv"), ("libvpx", "a.webm"), ("ffv1", "a.mkv")])
def test_broken_packets_are_counted_and_the_rest_is_read(tmp_path: Path, codec: str, name: str) -> None:
    whole = clip(tmp_path / name, codec=codec, audio=None)
    source, frames = frames_of(damaged(whole, tmp_path / f"broken-{name}", {7, 8}))
    assert source.undecodable + source.incomplete >= 2
    assert 12 <= len(frames) < 20
    times = [frame.pts for frame in frames if frame.pts is not None]
    assert times == sorted(set(times))


def test_a_file_that_breaks_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = clip(tmp_path / "whole.mp4", frames=40, audio=None, options={"g": "10"})
    # With the index in front, as cameras do not but servers do.
    front = tmp_path / "front.mp4"
    with av.open(str(whole)) as old, av.open(str(front), "w", container_options={"movflags": "+faststart"}) as new:
        copy = new.add_stream_from_template(old.streams.video[0], opaque=True)
        for packet in old.demux(old.streams.video[0]):
            if packet.pts is not None:
                packet.stream = copy
                new.mux(packet)
    front.write_bytes(front.read_bytes()[: front.stat().st_size * 6 // 10])
    source, frames = frames_of(front)
    assert 0 < len(frames) < 40
    assert source.cut_short


def test_a_change_of_size_in_the_middle_is_scaled_and_counted(tmp_path: Path) -> None:
    # Recorded calls change their resolution with the bandwidth.
    first = clip(tmp_path / "a.webm", codec="libvpx", size=(64, 48), frames=5, audio=None)
    second = clip(tmp_path / "b.webm", codec="libvpx", size=(32, 24), frames=5, audio=None)
    both = tmp_path / "both.webm"
    with av.open(str(first)) as one, av.open(str(second)) as two, av.open(str(both), "w") as new:
        copy = new.add_stream_from_template(one.streams.video[0], opaque=True)
        for old, shift in ((one, 0), (two, 1000)):
            for packet in old.demux(old.streams.video[0]):
                if packet.pts is not None:
                    packet.pts, packet.dts = packet.pts + shift, packet.pts + shift
                    packet.stream = copy
                    new.mux(packet)
    source, frames = frames_of(both)
    assert {(frame.width, frame.height) for frame in frames} == {(64, 48)}
    assert source.resized == 5
    assert len(frames) == 10


def test_avi_frames_come_in_order(tmp_path: Path) -> None:
    # AVI has no display times; what is guessed from the order of decoding went 1, 3, 2, 5, 4.
    path = clip(tmp_path / "a.avi", audio=None, frames=30)
    _, frames = frames_of(path)
    times = [frame.pts for frame in frames if frame.pts is not None]
    assert len(times) == 30
    assert times == list(range(times[0], times[0] + 30))


@pytest.mark.parametrize("name", ["a.mp4", "a.txt", "a.m3u8"])
def test_text_is_no_video(tmp_path: Path, name: str) -> None:
    # FFmpeg draws a .txt as a terminal would.
    path = tmp_path / name
    path.write_text("#EXTM3U\nThis is no video.\n" * 200)
    with pytest.raises(BadInput, match="not a video"):
        Source(path)


def test_sound_without_picture(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds sound but no video"):
        Source(sound_only(tmp_path / "a.mp4"))


def test_zero_frames(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", frames=3, audio=None)
    broken = damaged(path, tmp_path / "b.mkv", {0, 1, 2})
    with pytest.raises(BadInput, match="no frame that can be decoded"):
        Source(broken)


def test_a_network_address_in_a_playlist_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(BadInput):
        Source(path)


def endless(closed: threading.Event) -> Generator[Item, None, None]:
    try:
        while True:
            yield av.VideoFrame(16, 16, "gray")
    finally:
        closed.set()


def test_leaving_early_ends_the_thread() -> None:
    closed = threading.Event()
    with Ahead(endless(closed)) as items:
        for _, item in zip(range(3), items, strict=False):
            assert isinstance(item, av.VideoFrame)
    assert closed.is_set()


def test_what_the_reader_raises_is_raised_to_the_caller() -> None:
    def failing() -> Generator[Item, None, None]:
        yield av.VideoFrame(16, 16, "gray")
        raise BadInput("gone")

    seen = 0
    with pytest.raises(BadInput, match="gone"), Ahead(failing()) as items:
        for _ in items:
            seen += 1
    assert seen == 1


def test_each_frame_is_timed_where_several_come_out_at_once(tmp_path: Path) -> None:
    # Guards against the last frames, which come out together, counting as one.
    source, frames = frames_of(clip(tmp_path / "a.mp4", audio=None))
    assert source.decoding.count == len(frames) == 20
