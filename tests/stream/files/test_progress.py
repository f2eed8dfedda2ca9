"""Progress: a line longer than the terminal wraps and scrolls it away; a log file fills with carriage returns."""

from __future__ import annotations

import io

import pytest

from stream.files.progress import Progress, Standing, duration, line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_line_with_bar() -> None:
    text = line(Standing(60, 240, 2.0), 79)
    assert text == f"[{'#' * 7}{'-' * 23}]   25 %  60/240 frames  30.0 fps  0:06 left"


def test_line_without_room_for_a_bar() -> None:
    assert line(Standing(60, 240, 2.0), 45) == " 25 %  60/240 frames  30.0 fps  0:06 left"
    assert line(Standing(60, 240, 2.0), 10) == " 25 %  60/"


@pytest.mark.parametrize("columns", range(0, 120, 7))
def test_line_is_never_longer_than_the_terminal(columns: int) -> None:
    for standing in (Standing(0, 240, 0.0), Standing(60, 240, 2.0), Standing(7, None, 1.0), Standing(300, 240, 9.0)):
        assert len(line(standing, columns)) <= columns


def test_unknown_total_shows_neither_percent_nor_time_left() -> None:
    assert line(Standing(60, None, 2.0), 79) == "60 frames  30.0 fps  0:02"


def test_a_total_guessed_too_low_stays_at_100_percent() -> None:
    assert "100 %  250/250 frames" in line(Standing(250, 240, 2.0), 79)


def test_nothing_done_yet() -> None:
    assert "0 %  0/240 frames  0.0 fps" in line(Standing(0, 240, 0.0), 79)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (7.4, "0:07"), (750, "12:30"), (3723, "1:02:03")])
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_terminal_is_written_at_most_five_times_a_second_and_wiped_at_the_end() -> None:
    stream, clock = Terminal(), Clock()
    progress = Progress(1000, stream, clock, lambda: 80)
    for done in range(1, 101):
        clock.now += 0.01
        progress.update(done)
    assert stream.getvalue().count("\r") in (4, 5)
    assert "\n" not in stream.getvalue()
    progress.close()
    assert stream.getvalue().endswith(" \r")


def test_a_shorter_line_leaves_nothing_of_the_longer_one_before() -> None:
    stream, clock = Terminal(), Clock()
    progress = Progress(None, stream, clock, lambda: 80)
    clock.now += 1000.0
    progress.update(100_000)
    clock.now += 1000.0
    progress.update(1)
    first, second = stream.getvalue().split("\r")[1:]
    assert len(second) >= len(first.rstrip())


def test_elsewhere_a_plain_line_every_ten_seconds() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = Progress(1000, stream, clock)
    for done in range(1, 251):
        clock.now += 0.1
        progress.update(done)
    progress.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert "\r" not in stream.getvalue()
    assert "frames" in lines[0]


def test_quiet_writes_nothing() -> None:
    stream, clock = Terminal(), Clock()
    progress = Progress(1000, stream, clock, lambda: 80, quiet=True)
    clock.now += 60.0
    progress.update(10)
    progress.close()
    assert stream.getvalue() == ""
