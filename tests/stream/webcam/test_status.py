"""The status line: a journal must not fill with it, and a terminal must not keep remains of a longer line."""

from __future__ import annotations

import io

from stream.webcam.status import REMIND_S, Status, details, fitted
from tests.stream.webcam.fakes import Terminal

LIVE: dict[str, object] = {
    "on": True,
    "reader": True,
    "camera_open": True,
    "trouble": None,
    "prompt": "noise",
    "strength": 0.5,
    "sent": {"fresh": 100, "repeated": 3},
    "not_taken": 1,
    "filter": {
        "changed": 0,
        "faces": 1,
        "fps": 29.97,
        "added_ms": {"median": 18.4, "p95": 30.0},
        "dropped": {"filter_busy": 2, "not_fetched": 4, "overtaken": 0},
    },
}


def detail(figures: dict[str, object]) -> str:
    return ", ".join(details(figures))


def test_details() -> None:
    assert detail(LIVE) == "30.0 fps, 18 ms in the filter, 3 repeated, 7 dropped, noise at 0.5"
    assert detail({**LIVE, "on": False}).endswith("7 dropped"), "what is switched off has no strength"
    camera = {"width": 1280, "height": 720, "format": "yuvj422p", "fps": 15.04}
    assert "filter, camera 1280x720 yuvj422p 15.0 fps, 3" in detail({**LIVE, "camera": camera})
    assert detail({**LIVE, "reader": False}) == ""
    filtered = LIVE["filter"]
    assert isinstance(filtered, dict)
    short = {**filtered, "quality": {"level": 2, "name": "256 fp32"}}
    assert "short of time: 256 fp32, 3 repeated" in detail({**LIVE, "filter": short})
    assert detail({**LIVE, "filter": {**filtered, "quality": {"level": 0, "name": "512 fp32"}}}) == detail(LIVE)
    # Integers come first where they are faster: that is no lack of time.
    usual = {**filtered, "quality": {"level": 1, "usual": 1, "name": "512 int8"}}
    assert detail({**LIVE, "filter": usual}) == detail(LIVE)


def test_the_end_of_a_line_is_no_half_of_a_number() -> None:
    # Guards against "camera 1280x72" at the terminal's edge.
    parts = ["30.0 fps", "camera 1280x720"]
    assert fitted("restoring", parts, 40) == "restoring  30.0 fps, camera 1280x720"
    assert fitted("restoring", parts, 35) == fitted("restoring", parts, 19) == "restoring  30.0 fps"
    assert fitted("restoring", parts, 18) == "restoring" and fitted("restoring", [], 5) == "resto"


def restored(figures: dict[str, object], frames: int) -> None:
    filtered = figures["filter"]
    assert isinstance(filtered, dict)
    figures["filter"] = {**filtered, "changed": frames}


def test_elsewhere_a_line_only_when_something_changed() -> None:
    stream, figures = io.StringIO(), dict(LIVE)
    status = Status(lambda: figures, stream)
    for second in range(10):
        restored(figures, 30 * second)
        status.update(float(second))
    figures["on"] = False
    status.update(10.0)
    status.update(10.5)
    status.close()
    assert stream.getvalue() == "clearcall: restoring\nclearcall: switched off: the camera as it is\n"


def test_elsewhere_the_figures_come_now_and_then_while_somebody_reads() -> None:
    stream, figures = io.StringIO(), dict(LIVE)
    status = Status(lambda: figures, stream)
    for second in range(int(2.5 * REMIND_S)):
        restored(figures, 30 * second)
        status.update(float(second))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "clearcall: restoring" and len(lines) == 3
    assert lines[1] == lines[2] == f"clearcall: restoring  {detail(LIVE)}"
    figures["reader"] = figures["camera_open"] = False
    for second in range(int(2.5 * REMIND_S), int(9 * REMIND_S)):
        status.update(float(second))
    assert stream.getvalue().splitlines()[3:] == ["clearcall: nobody is looking, the camera is closed"]


def test_on_a_terminal_the_line_is_rewritten_and_wiped() -> None:
    stream, figures = Terminal(), dict(LIVE)
    status = Status(lambda: figures, stream, columns=lambda: 30)
    status.update(0.0)
    figures["reader"] = False
    status.update(1.0)
    status.close()
    assert all(len(part) <= 29 for part in stream.getvalue().split("\r"))
    assert stream.getvalue().endswith(" \r")
