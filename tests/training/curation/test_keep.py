"""Clips are written once, from one reading of their video, and never stand half written under their name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.curation.heads import head
from tests.training.curation.material import EDGE, write_video
from training.curation.face import LARGEST, Square
from training.curation.found import Span
from training.curation.keep import Clip, write_clips
from training.faces import load_clip

SQUARE = Square(40, 20, 200)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "a.mp4", [head(1 + index // 10, EDGE)[0] for index in range(30)])


def clips(folder: Path, *spans: tuple[int, int]) -> list[Clip]:
    return [Clip(folder / f"{index}.mp4", SQUARE, Span(*span)) for index, span in enumerate(spans)]


def test_overlapping_windows_are_written_in_one_reading(tmp_path: Path, video: Path) -> None:
    frames = 0

    def tick() -> None:
        nonlocal frames
        frames += 1

    write_clips(video, clips(tmp_path, (2, 11), (5, 19), (19, 21)), tick)
    found = [load_clip(tmp_path / f"{index}.mp4") for index in range(3)]
    assert [len(pictures) for pictures in found] == [10, 15, 3]
    assert {picture.shape for pictures in found for picture in pictures} == {(200, 200, 3)}
    assert frames == 22
    # Frame 10 is the first of another head: it is the ninth of the first clip and the sixth of the second.
    assert abs(found[0][8].astype(int) - found[1][5]).mean() < 3
    assert abs(found[0][7].astype(int) - found[1][5]).mean() > 10


def test_a_stop_leaves_no_half_clip(tmp_path: Path, video: Path) -> None:
    calls = iter(range(100))

    def stop() -> None:
        if next(calls) == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_clips(video, clips(tmp_path, (0, 3), (2, 20)), stop)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0.mp4", "a.mp4"]
    assert len(load_clip(tmp_path / "0.mp4")) == 4


def test_a_video_that_has_become_shorter_gives_what_there_is(tmp_path: Path, video: Path) -> None:
    write_clips(video, clips(tmp_path, (25, 99), (50, 60)), lambda: None)
    assert len(load_clip(tmp_path / "0.mp4")) == 5
    assert not (tmp_path / "1.mp4").exists()


def test_large_squares_are_scaled_down_and_small_ones_never_up(tmp_path: Path) -> None:
    large = write_video(tmp_path / "l.mp4", [head(1, 800)[0]] * 2)
    write_clips(large, [Clip(tmp_path / "0.mp4", Square(0, 0, 800), Span(0, 1))], lambda: None)
    assert load_clip(tmp_path / "0.mp4")[0].shape == (LARGEST, LARGEST, 3)
