"""Sources: a lost camera is one clear line, a film goes round at its own pace, and a still does not run riot."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engines.errors import BadInput
from stream.webcam import source
from stream.webcam.errors import SourceLost
from stream.webcam.locate import locate
from stream.webcam.modes import Mode
from stream.webcam.source import Origin
from tests.stream.webcam.fakes import SHAPE, Clock, grey

WISH = Mode("", 1280, 720, Fraction(30))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = SHAPE.width, SHAPE.height, "yuv420p"
        for value in (50, 60, 70):
            container.mux(stream.encode(grey(value)))
        container.mux(stream.encode())
    return path


def test_which_addresses_come_at_their_own_pace() -> None:
    assert locate("https://host/film.mp4", WISH).is_file
    assert not locate("rtsp://host/camera", WISH).is_file
    assert not Origin("v4l2", "/dev/video0").is_file


def test_a_film_goes_round_at_its_own_pace(film: Path) -> None:
    origin = locate(str(film), WISH)
    assert source.probe(origin) == (64, 48, Fraction(25))
    slept: list[float] = []
    frames = source.frames(origin, clock=lambda: 0.0, sleep=slept.append)
    seen = [int(next(frames).to_ndarray()[0, 0]) for _ in range(7)]
    frames.close()  # type: ignore[attr-defined]
    assert seen == [50, 60, 70, 50, 60, 70, 50]
    assert slept[:4] == pytest.approx([0.0, 0.04, 0.08, 0.0], abs=0.002)


def test_what_is_no_film_is_told_before_anything_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("no film")
    origin = locate(str(path), WISH)
    with pytest.raises(BadInput, match="letter.txt cannot be opened"):
        source.probe(origin)
    with pytest.raises(SourceLost, match="letter.txt cannot be opened"):
        next(source.frames(origin))


def test_a_camera_unplugged_is_lost() -> None:
    origin = Origin("v4l2", "/dev/video97", options={"video_size": "1280x720"})
    with pytest.raises(SourceLost, match="/dev/video97 cannot be opened: No such file"):
        next(source.frames(origin))


def test_a_file_of_one_picture_is_not_read_without_a_pause(tmp_path: Path) -> None:
    """An endless loop of opening and reading took a whole core."""
    path = tmp_path / "one.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = SHAPE.width, SHAPE.height, "yuv420p"
        container.mux(stream.encode(grey(50)))
        container.mux(stream.encode())
    slept: list[float] = []
    frames = source.frames(Origin("file", str(path)), clock=lambda: 0.0, sleep=slept.append)
    for _ in range(3):
        next(frames)
    assert slept.count(source.LONE_S) == 2


class Stuttering:
    """A camera as PyAV gives one of macOS: between two frames it says "try again"."""

    def __init__(self, answers: list[int | None]) -> None:
        self.answers = iter(answers)
        self.given: list[av.VideoFrame] = []
        self.streams = type("Streams", (), {"video": [None]})

    def __enter__(self) -> Stuttering:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def decode(self, _: object) -> Iterator[av.VideoFrame]:
        for answer in self.answers:
            if answer is None:
                raise av.error.BlockingIOError(35, "Resource temporarily unavailable")
            self.given.append(grey(answer))
            yield self.given[-1]


@pytest.mark.parametrize(("kind", "letters", "lent"), [("v4l2", "NV12", True), ("v4l2", "MJPG", False)])
def test_what_a_driver_lends_is_copied(
    monkeypatch: pytest.MonkeyPatch, kind: source.Kind, letters: str, lent: bool
) -> None:
    """Raw pictures lie in memory that goes with the camera: the filter still read them, and the process crashed."""
    camera = Stuttering([50])
    monkeypatch.setattr(source, "open_container", lambda _: camera)
    origin = Origin(kind, "/dev/video0", Mode(letters, 64, 48, Fraction(30)))
    frame = next(source.frames(origin))
    assert (frame is camera.given[0]) != lent
    np.frombuffer(memoryview(camera.given[0].planes[0]), np.uint8)[:] = 0
    assert int(frame.to_ndarray()[0, 0]) == (50 if lent else 0)


def test_a_camera_that_says_try_again_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ended the capture, and the camera's light went on and off once a second."""
    camera = Stuttering([None, None, 50, None, 60])
    monkeypatch.setattr(source, "open_container", lambda _: camera)
    slept: list[float] = []
    frames = source.frames(Origin("avfoundation", "FaceTime:none"), clock=lambda: 0.0, sleep=slept.append)
    assert [int(next(frames).to_ndarray()[0, 0]) for _ in range(2)] == [50, 60]
    assert slept == [source.AGAIN_S] * 3


def test_a_camera_that_says_nothing_else_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(source, "open_container", lambda _: Stuttering([None] * 100_000))

    def sleep(seconds: float) -> None:
        clock.now += seconds

    with pytest.raises(SourceLost, match="temporarily unavailable"):
        next(source.frames(Origin("avfoundation", "FaceTime:none"), clock, sleep))
    assert clock.now - 100 == pytest.approx(source.TIMEOUT_S, abs=0.1)


def test_a_busy_camera_is_named_with_who_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(av, "open", refuse)
    origin = Origin("v4l2", "/dev/video97")
    with pytest.raises(SourceLost, match="it is in use by another user"):
        source.open_container(origin)
    monkeypatch.setattr(source, "users_of", lambda _: ["zoom (process 17)"])
    with pytest.raises(SourceLost, match=r"it is in use by zoom \(process 17\)"):
        source.open_container(origin)
    assert source.busy(origin) == "zoom (process 17)"
    assert source.busy(Origin("file", "film.mp4")) == ""
