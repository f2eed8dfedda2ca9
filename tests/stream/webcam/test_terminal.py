"""The terminal preview: each letter shows two pixels, the status keeps its line, and the terminal is given back."""

from __future__ import annotations

import io
import re
from fractions import Fraction

import numpy as np
import pytest

from engines.errors import ClearcallError
from stream.webcam.errors import OutputClosed
from stream.webcam.output import Picture, Shape
from stream.webcam.terminal import BEGIN, CLEAR, END, UPPER_HALF, TerminalPreview, half_blocks, missing
from tests.stream.webcam.fakes import Clock, Terminal

SHAPE = Shape(64, 48, Fraction(30))
COLOURED = {"TERM": "xterm-256color"}
SEQUENCE = re.compile(r"\x1b\[([\d;?]*)([A-Za-z])|(.)", re.DOTALL)


def shown(text: str) -> dict[tuple[int, int], tuple[tuple[int, ...], tuple[int, ...]]]:
    """Each place's two colours, as a terminal would show them: row and column to upper and lower."""
    cells, row, column = {}, 1, 1
    front: tuple[int, ...] = ()
    back: tuple[int, ...] = ()
    for numbers, command, letter in SEQUENCE.findall(text):
        values = tuple(int(number) for number in re.findall(r"\d+", numbers))
        if letter:
            assert letter == UPPER_HALF
            cells[row, column] = front, back
            column += 1
        elif command == "H":
            row, column = values or (1, 1)
        elif command == "m" and values[:2] == (38, 2):
            front = values[2:]
        elif command == "m" and values[:2] == (48, 2):
            back = values[2:]
        elif command == "m":
            front = back = ()
    return cells


def grey(luma: int) -> Picture:
    picture = np.full((72, 64), 128, np.uint8)
    picture[:48] = luma
    return picture


def test_each_letter_shows_two_pixels() -> None:
    colours = np.random.default_rng(1).integers(0, 256, (8, 5, 3), np.uint8)
    colours[:, 2] = colours[:, 1]
    cells = shown(half_blocks(colours))
    assert len(cells) == 4 * 5
    for (row, column), (upper, lower) in cells.items():
        assert upper == tuple(colours[2 * row - 2, column - 1]) and lower == tuple(colours[2 * row - 1, column - 1])


def test_a_colour_is_told_only_where_it_changes() -> None:
    assert half_blocks(np.zeros((4, 100, 3), np.uint8)).count("38;2") == 2


@pytest.mark.parametrize("size", [(80, 24), (41, 25), (200, 10), (2, 2), (1, 1)])
def test_it_keeps_its_proportions_and_leaves_the_last_line(size: tuple[int, int]) -> None:
    stream = Terminal()
    TerminalPreview(SHAPE, stream, COLOURED, lambda _: size, Clock()).send(grey(120))
    cells = shown(stream.getvalue().removeprefix(BEGIN))
    rows, columns = max(row for row, _ in cells), max(column for _, column in cells)
    assert rows <= max(1, size[1] - 1) and columns <= max(2, size[0])
    assert size[0] < 41 or columns / (2 * rows) == pytest.approx(64 / 48, rel=0.1)
    assert stream.getvalue().endswith(f"\x1b[{size[1]};1H"), "the cursor waits where the status line is"
    assert {value for cell in cells.values() for colour in cell for value in colour} == {121}, "limited range"


def test_it_draws_half_of_thirty_pictures_and_counts_none_as_dropped() -> None:
    stream, clock = Terminal(), Clock()
    preview = TerminalPreview(SHAPE, stream, COLOURED, lambda _: (40, 12), clock)
    assert preview.has_reader()
    for _ in range(30):
        assert preview.send(grey(120))
        clock.now += 1 / 30
    assert stream.getvalue().count("\x1b[12;1H") == 15


def test_another_size_wipes_what_was_there() -> None:
    stream, clock, size = Terminal(), Clock(), [40, 12]
    preview = TerminalPreview(SHAPE, stream, COLOURED, lambda _: (size[0], size[1]), clock)
    preview.send(grey(120))
    assert CLEAR not in stream.getvalue()
    size[0] = 20
    clock.now += 1
    preview.send(grey(120))
    assert stream.getvalue().count(CLEAR) == 1


def test_the_terminal_is_given_back_once() -> None:
    stream = Terminal()
    preview = TerminalPreview(SHAPE, stream, COLOURED)
    preview.close()
    preview.close()
    assert stream.getvalue() == BEGIN + END
    assert not preview.has_reader() and not preview.send(grey(120))


def test_a_terminal_that_is_gone_ends_it() -> None:
    class Gone(Terminal):
        def write(self, text: str) -> int:
            if text != BEGIN:
                raise OSError(5, "Input/output error")
            return len(text)

    preview = TerminalPreview(SHAPE, Gone(), COLOURED)
    with pytest.raises(OutputClosed, match="Input/output error"):
        preview.send(grey(120))
    preview.close()


def test_what_is_missing() -> None:
    assert missing(Terminal(), COLOURED) is None
    for stream, environment, says in (
        (io.StringIO(), COLOURED, "no terminal"),
        (Terminal(), {"TERM": "dumb"}, "dumb"),
        (Terminal(), {}, "TERM is unset"),
    ):
        assert says in (missing(stream, environment) or "")
        with pytest.raises(ClearcallError, match=says):
            TerminalPreview(SHAPE, stream, environment)


def test_letters_without_blocks_are_missing() -> None:
    class Latin(Terminal):
        encoding = "latin-1"

    assert "UTF-8" in (missing(Latin(), COLOURED) or "")
