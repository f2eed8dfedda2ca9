"""Curves: within their frame, and none where there is nothing to draw."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from training.plot import HEIGHT, LEFT, WIDTH, line_plot


def points(svg: str) -> list[list[tuple[float, float]]]:
    return [
        [(float(x), float(y)) for x, y in (pair.split(",") for pair in way.split())]
        for way in re.findall(r'points="([^"]*)"', svg)
    ]


def test_curves_lie_within_the_frame_and_rise_when_values_do() -> None:
    svg = line_plot("Loss <1>", "dB", {"a": [(0, 1.0), (5, 2.0), (10, 4.0)], "b": [(10, -3.0)]})
    ElementTree.fromstring(svg)
    (way,) = points(svg)
    assert all(LEFT <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in way)
    assert [x for x, _ in way] == sorted(x for x, _ in way) and way[0][1] > way[1][1] > way[2][1]
    assert "Loss &lt;1&gt;" in svg and "a 4" in svg and "<circle" in svg


def test_on_a_logarithmic_scale_equal_factors_are_equal_steps() -> None:
    (way,) = points(line_plot("x", "", {"a": [(0, 1.0), (1, 10.0), (2, 100.0), (3, 0.0)]}, logarithmic=True))
    assert len(way) == 3 and abs((way[0][1] - way[1][1]) - (way[1][1] - way[2][1])) < 0.11


def test_nothing_to_draw_is_nothing() -> None:
    assert line_plot("x", "", {}) == "" == line_plot("x", "", {"a": []})
    assert line_plot("x", "", {"a": [(0, 0.0)]}, logarithmic=True) == ""
    ElementTree.fromstring(line_plot("flat", "", {"a": [(0, 2.0), (0, 2.0)]}))
