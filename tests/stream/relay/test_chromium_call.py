"""Calls from a real Chromium whose camera shows the recording: what comes back, and that nothing piles up."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from numpy.typing import NDArray

from tests.media import CALL_LANDMARKS, CALL_VIDEO, needs_shared
from tests.stream.relay.chromium import (
    FRAMES,
    HEIGHT,
    WIDTH,
    Picture,
    Stage,
    choose,
    figure,
    find_chromium,
    go_live,
    grab,
    opened,
    play,
    staged,
    until,
)

pytestmark = needs_shared

FRAME = 30
ON_THEIR_WAY = 6
"""Frames that the relay may hold: one in the filter, one in the slot on each side; and it counts on while it tells."""
IN_FLIGHT = 30
"""Frames between the camera and the page, sockets and decoders included: far below what a growing queue would hold."""


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One frame of the recording with sensor noise, as a raw film of two equal frames.

    So every frame is comparable with every other.
    """
    find_chromium()
    with av.open(str(CALL_VIDEO)) as container:
        planes = next(islice(container.decode(video=0), FRAME, None)).to_ndarray(format="yuv420p")
    assert planes.shape == (HEIGHT * 3 // 2, WIDTH)
    noise = np.random.default_rng(5).normal(0, 7, planes.shape)
    data = np.clip((planes + noise).round(), 16, 235).astype(np.uint8).tobytes()
    path = tmp_path_factory.mktemp("camera") / "still.y4m"
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F30:1 Ip A1:1 C420\n".encode() + (b"FRAME\n" + data) * 2)
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of the recording."""
    find_chromium()
    path = tmp_path_factory.mktemp("camera") / "film.mjpeg"
    with av.open(str(CALL_VIDEO)) as old, av.open(str(path), "w", format="mjpeg") as new:
        video = new.add_stream("mjpeg", rate=30, options={"qmin": "2", "qmax": "3"})
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        for index, frame in enumerate(islice(old.decode(video=0), 90)):
            picture = frame.reformat(format="yuvj420p")
            picture.pts, picture.time_base, picture.pict_type = index, Fraction(1, 30), 0
            new.mux(video.encode(picture))
        new.mux(video.encode(None))
    return path


@pytest.fixture
def quiet_page(still: Path) -> Iterator[tuple[Stage, Any]]:
    """A page whose camera shows a still."""
    with staged(still) as stage, opened(stage) as page:
        yield stage, page


@pytest.fixture
def lively_page(film: Path) -> Iterator[tuple[Stage, Any]]:
    """A page whose camera shows someone talking."""
    with staged(film) as stage, opened(stage) as page:
        yield stage, page


def _regions() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Masks of the face, and of what is surely outside of the crop around it."""
    points = np.load(CALL_LANDMARKS)["landmarks"][FRAME]
    low, high = points.min(0), points.max(0)
    middle, size = (low + high) / 2, float((high - low).max())
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    face = (x > low[0]) & (x < high[0]) & (y > low[1]) & (y < high[1])
    return face, np.maximum(abs(x - middle[0]), abs(y - middle[1])) > 1.4 * size


def _settled(page: Any, where: NDArray[np.bool_], seconds: float) -> Picture:
    """The returned picture, after some seconds of it, once the two codecs add nothing more to the still `where`."""
    play(page, seconds)
    picture = grab(page, "after")
    for _ in range(20):
        play(page, 1)
        before, picture = picture, grab(page, "after")
        if abs(picture - before)[where].mean() < 0.3:
            break
    return picture


def _kept(stage: Stage) -> int:
    """Frames that went into the relay and neither came out nor were counted as dropped."""
    received, returned, dropped = stage.counts()
    return received - returned - dropped


def test_the_face_comes_back_changed_and_the_rest_as_sent(quiet_page: tuple[Stage, Any]) -> None:
    stage, page = quiet_page
    face, rest = _regions()
    choose(page, "auto", 0)
    go_live(page)
    echo = _settled(page, rest, 5)
    choose(page, "noise", 100)
    restored = _settled(page, rest, 3)
    sent = grab(page, "before")
    # The echo tells what the two codecs alone do to the picture.
    loss = [float(abs(echo - sent)[mask].mean()) for mask in (face, rest)]
    change = [float(abs(restored - sent)[mask].mean()) for mask in (face, rest)]
    told = f"mean difference from the sent picture, face and rest: echo {loss}, restored {change}"
    assert change[0] > 1.5 * loss[0] + 0.5, told
    assert change[1] < 1.3 * loss[1] + 0.5, told
    assert page.is_hidden("#problem")


def test_a_talking_face_flows_and_nothing_piles_up(lively_page: tuple[Stage, Any]) -> None:
    stage, page = lively_page
    go_live(page)
    play(page, 1)
    waiting, kept, pictures = [], [], []
    for _ in range(5):
        play(page, 1)
        kept.append(_kept(stage))
        out, back = page.evaluate(FRAMES)
        waiting.append(out - back - stage.counts()[2])
        pictures.append(grab(page, "after"))
    moved = [float(abs(one - other).mean()) for one, other in zip(pictures, pictures[1:], strict=False)]
    told = f"held by the relay {kept}, between camera and page {waiting}"
    assert max(kept) <= ON_THEIR_WAY, told
    assert max(waiting) <= IN_FLIGHT, told
    assert figure(page, "delay") < 1000
    assert min(moved) > 0.1, "the picture stands still"
    page.click("#start")
    assert page.inner_text("#status-text") == "Call ended"
    until(lambda: stage.sessions() == 0, 10)
