"""Sources: a missing or busy camera is one clear line, and a film goes round at its own pace."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from engines.errors import BadInput
from stream.webcam import source
from stream.webcam.devices import Device, examine
from stream.webcam.errors import SourceLost
from stream.webcam.source import Origin, locate
from tests.stream.webcam.fakes import SHAPE, grey
from tests.stream.webcam.recorded import LAPTOP, LOOPBACK, METADATA, Recorded

EVERYWHERE = frozenset({"v4l2", "avfoundation", "dshow"})
WISH = 1280, 720, Fraction(30)


def device(recorded: Recorded, path: str = "/dev/null") -> Device:
    return examine(path, recorded)


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


def test_the_first_camera_in_its_best_mode() -> None:
    found = [device(METADATA), device(LOOPBACK), device(LAPTOP, "/dev/video2")]
    origin = locate("auto", *WISH, find=lambda: found, platform="linux")
    assert str(origin) == "/dev/video2, 1280x720 MJPG 30 fps"
    assert origin.options == {"video_size": "1280x720", "framerate": "30", "input_format": "mjpeg"}
    assert source.probe(origin) == (1280, 720, Fraction(30))


@pytest.mark.parametrize(
    ("text", "found", "says"),
    [
        ("auto", [], "plug one in"),
        ("auto", [device(LOOPBACK)], "plug one in"),
        ("/dev/video98", [], "no such camera"),
        ("/dev/null", [], "no such file or camera"),
        ("nowhere.mp4", [], "no such file or camera"),
    ],
)
def test_a_missing_camera_is_named(text: str, found: list[Device], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        locate(text, *WISH, find=lambda: found, platform="linux")


def test_the_names_of_other_systems_are_passed_on() -> None:
    mac = locate("avfoundation:FaceTime HD", *WISH, formats=EVERYWHERE)
    assert (mac.kind, mac.name, mac.options["framerate"]) == ("avfoundation", "FaceTime HD:none", "30")
    windows = locate("dshow:Integrated Camera", *WISH, formats=EVERYWHERE)
    assert (windows.kind, windows.name, windows.options["video_size"]) == (
        "dshow",
        "video=Integrated Camera",
        "1280x720",
    )
    with pytest.raises(BadInput, match="for macOS"):
        locate("avfoundation:FaceTime HD", *WISH, formats=frozenset({"v4l2"}))
    with pytest.raises(BadInput, match="name the camera"):
        locate("auto", *WISH, formats=EVERYWHERE, platform="darwin")


def test_which_addresses_come_at_their_own_pace() -> None:
    assert locate("https://host/film.mp4", *WISH).is_file
    assert not locate("rtsp://host/camera", *WISH).is_file
    assert not Origin("v4l2", "/dev/video0").is_file


def test_a_film_goes_round_at_its_own_pace(film: Path) -> None:
    origin = locate(str(film), *WISH)
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
    origin = locate(str(path), *WISH)
    with pytest.raises(BadInput, match="letter.txt cannot be opened"):
        source.probe(origin)
    with pytest.raises(SourceLost, match="letter.txt cannot be opened"):
        next(source.frames(origin))


def test_a_camera_unplugged_is_lost() -> None:
    origin = Origin("v4l2", "/dev/video97", options={"video_size": "1280x720"})
    with pytest.raises(SourceLost, match="/dev/video97 cannot be opened: No such file"):
        next(source.frames(origin))
