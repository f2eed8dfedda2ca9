"""The status line: a journal must not fill with it, and a terminal must not keep remains of a longer line."""

from __future__ import annotations

import io

from stream.webcam.status import Status, detail, headline

LIVE: dict[str, object] = {
    "on": True,
    "reader": True,
    "camera_open": True,
    "trouble": None,
    "sent": {"fresh": 100, "repeated": 3},
    "filter": {"fps": 29.97, "added_ms": {"median": 18.4, "p95": 30.0}},
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_headlines() -> None:
    assert headline(LIVE) == "restoring"
    assert headline({**LIVE, "on": False}) == "switched off: the camera as it is"
    assert headline({**LIVE, "reader": False}) == "nobody is looking, the camera is still open"
    assert headline({**LIVE, "reader": False, "camera_open": False}) == "nobody is looking, the camera is closed"
    assert headline({**LIVE, "trouble": "/dev/video0 is gone"}) == "trouble: /dev/video0 is gone"


def test_details() -> None:
    assert detail(LIVE) == "30.0 fps, 18 ms in the filter, 3 repeated"
    assert detail({**LIVE, "reader": False}) == ""


def test_elsewhere_a_line_only_when_something_changed() -> None:
    stream, figures = io.StringIO(), dict(LIVE)
    status = Status(lambda: figures, stream)
    for second in range(10):
        status.update(float(second))
    figures["on"] = False
    status.update(10.0)
    status.update(10.5)
    status.close()
    assert stream.getvalue() == "clearcall: restoring\nclearcall: switched off: the camera as it is\n"


def test_on_a_terminal_the_line_is_rewritten_and_wiped() -> None:
    stream, figures = Terminal(), dict(LIVE)
    status = Status(lambda: figures, stream, columns=lambda: 30)
    status.update(0.0)
    figures["reader"] = False
    status.update(1.0)
    status.close()
    assert all(len(part) <= 29 for part in stream.getvalue().split("\r"))
    assert stream.getvalue().endswith(" \r")
