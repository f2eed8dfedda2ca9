"""The clip goes its way: recording, sender, pipe, receiver."""

from __future__ import annotations

import asyncio
import io
from itertools import count
from pathlib import Path

import pytest

from benchmarks.latency import clip, handover, sender
from benchmarks.latency.clip import Shape
from benchmarks.latency.receiver import receive
from tests.benchmarks.latency.pictures import film


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_every_frame_carries_its_number_and_comes_out_at_once(tmp_path: Path, codec: str) -> None:
    # 16:9 at 30 frames a second in, 4:3 at 15 out.
    assert clip.prepare(film(tmp_path / "film.mp4"), Shape(320, 240, 15, codec), tmp_path / "clip") == 30
    frames = clip.read(tmp_path / "clip")
    assert len(frames) == 30
    ticks = count(100.0)
    # Twice round: the second time builds on nothing that the first left.
    pipe = io.BytesIO(b"".join(handover.pack(float(place), data) for place, data in enumerate(frames * 2)))
    came = receive(pipe, codec, lambda: next(ticks))
    assert came == [(place % 30, float(place), 100.0 + place) for place in range(60)]


def test_what_cannot_be_decoded_is_left_out(tmp_path: Path) -> None:
    clip.prepare(film(tmp_path / "film.mp4"), Shape(320, 180, 10, "vp8"), tmp_path / "clip")
    frames = clip.read(tmp_path / "clip")
    sent = [frames[0], b"\x00nothing", *frames[1:3]]
    came = receive(io.BytesIO(b"".join(handover.pack(0.0, data) for data in sent)), "vp8")
    assert [stamp for stamp, _, _ in came] == [0, 1, 2]


def test_a_frame_cut_short_ends_the_pipe() -> None:
    whole = handover.pack(1.5, b"abc") + handover.pack(2.5, b"defg")
    assert list(handover.unpack(io.BytesIO(whole[:-1]))) == [(1.5, b"abc")]
    assert list(handover.unpack(io.BytesIO(whole))) == [(1.5, b"abc"), (2.5, b"defg")]


def test_the_clip_starts_over_for_a_key_frame_but_not_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "RESTART_S", 0.004)

    async def run() -> list[int]:
        track = sender.Replay([b"a", b"b", b"c", b"d", b"e"], 1000)
        for place in range(14):
            # Asked at once for the frames 6 and 7, but they are less than four frames apart.
            if place in {6, 7}:
                track.restart()
            await track.recv()
        return [stamp for stamp, _, _ in track.sent]

    assert asyncio.run(run()) == [0, 1, 2, 3, 4, 0, 0, 1, 2, 3, 0, 1, 2, 3]


def test_frames_leave_with_rising_time_stamps_of_the_rate() -> None:
    async def run() -> list[int | None]:
        track = sender.Replay([b"a", b"b"], 1000)
        return [(await track.recv()).pts for _ in range(4)]

    assert asyncio.run(run()) == [0, 90, 180, 270]
