"""Curves: within their frame, and none where there is nothing to draw."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from training.plot import COLOURS, HEIGHT, LEFT, LEGEND, WIDTH, Plot, as_picture, as_svg, line_plot


def points(svg: str) -> list[list[tuple[float, float]]]:
    return [
        [(float(x), float(y)) for x, y in (pair.split(",") for pair in way.split())]
        for way in re.findall(r'points="([^"]*)"', svg)
    ]


def drawn(curves: dict[str, list[tuple[float, float]]], logarithmic: bool = False) -> Plot:
    plot = line_plot("Loss <1>", "dB", curves, logarithmic)
    assert plot is not None
    return plot


def test_curves_lie_within_the_frame_and_rise_when_values_do() -> None:
    svg = as_svg(drawn({"a": [(0, 1.0), (5, 2.0), (10, 4.0)], "b": [(10, -3.0)]}))
    ElementTree.fromstring(svg)
    (way,) = points(svg)
    assert all(LEFT <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in way)
    assert [x for x, _ in way] == sorted(x for x, _ in way) and way[0][1] > way[1][1] > way[2][1]
    assert "Loss &lt;1&gt;" in svg and "a 4" in svg and "<circle" in svg


def test_on_a_logarithmic_scale_equal_factors_are_equal_steps() -> None:
    svg = as_svg(drawn({"a": [(0, 1.0), (1, 10.0), (2, 100.0), (3, 0.0)]}, logarithmic=True))
    (way,) = points(svg)
    assert len(way) == 3 and abs((way[0][1] - way[1][1]) - (way[1][1] - way[2][1])) < 0.11


def test_nothing_to_draw_is_nothing() -> None:
    assert line_plot("x", "", {}) is None and line_plot("x", "", {"a": []}) is None
    assert line_plot("x", "", {"a": [(0, 0.0)]}, logarithmic=True) is None
    ElementTree.fromstring(as_svg(drawn({"flat": [(0, 2.0), (0, 2.0)]})))


def test_the_picture_shows_what_the_svg_does() -> None:
    plot = drawn({"a": [(0, 1.0), (10, 4.0)], "b": [(10, 2.5)], "c\N{SUPERSCRIPT TWO}": [(5, 1.0)]})
    picture = as_picture(plot)
    assert picture.shape == (2 * HEIGHT, 2 * WIDTH, 3)
    colours = {colour: way for colour, way in plot.ways}
    for colour, place in ((c, way[-1]) for c, way in colours.items()):
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        x, y = (round(2 * v) for v in place)
        assert tuple(picture[y, x]) == (blue, green, red)
    # The middle of a straight line; and above it, between the lines of the grid, nothing.
    (x0, y0), (x1, y1) = colours[COLOURS[0]]
    assert tuple(picture[round(y0 + y1), round(x0 + x1)]) != (255, 255, 255)
    assert tuple(picture[round(y0 + y1) - 30, round(x0 + x1) - 30]) == (255, 255, 255)
    # Something is written beside it and above it.
    assert picture[: 2 * 20].min() < 128 and picture[:, 2 * (WIDTH - LEGEND) + 10 :].min() < 128
