"""Charts: lengths go with values, and names from outside are escaped."""

from __future__ import annotations

import re

from benchmarks.quality import bars, spectrum
from benchmarks.quality.bars import Bar


def test_bars_are_as_long_as_their_values() -> None:
    one, other = Bar("a", 1, None, None, True, ""), Bar("c", -1, None, None, False, "")
    drawn = bars.chart([one, Bar("b", 4, 3, 5, False, ""), other], "")
    a, b, c = (float(width) for width in re.findall(r'<rect[^>]* width="([\d.]+)"', drawn))
    assert abs(b - 4 * a) < 0.5 and abs(a - c) < 0.5
    assert drawn.count('class="ends"') == 1


def test_the_spectrum_s_top_is_its_largest_value() -> None:
    drawn = spectrum.chart({"input": [0, 2, 4], "ours": [0, 1, 1]}, 30)
    first, second = re.findall(r'points="([^"]*)"', drawn)
    assert first.endswith(",0.0") and not second.endswith(",0.0")
    assert "15 Hz" in drawn and spectrum.chart({}, 30) == ""


def test_names_are_escaped() -> None:
    assert "<b>" not in bars.chart([Bar("<b>", 1, None, None, False, "<b>")], "<b>")
    assert "<b>" not in spectrum.chart({"<b>": [1, 2]}, 30)
