"""`--budget`: what is asked for is what is checked."""

from __future__ import annotations

import pytest

from benchmarks.latency.limits import Limit, missed, parse_limits
from engines.errors import BadInput

FIGURES = {
    **{"p95": 42.0, "missing": 3, "sent": 300, "fps": 29.95, "first_picture_s": 0.4, "own_p50": None},
    **{"changed": 94.5, "cpu": 61.2, "memory": -0.3},
}


def test_units() -> None:
    assert parse_limits("p95=50ms,missing=0") == [Limit("p95", 50), Limit("missing", 0)]
    assert parse_limits("p99=0.2s, fps=29.9") == [Limit("p99", 200), Limit("fps", 29.9)]
    assert parse_limits("missing=1%,first_picture=500ms") == [Limit("missing", 0.01, True), Limit("first_picture", 0.5)]
    assert parse_limits("max=80") == [Limit("max", 80)]
    assert parse_limits("changed=95%,cpu=60,memory=5%") == [Limit("changed", 95), Limit("cpu", 60), Limit("memory", 5)]


@pytest.mark.parametrize(
    "text",
    [
        *("", "p95", "p95=", "p95=fast", "p95=-1ms", "p97=5ms", "p95=50ms,", "fps=30ms", "p95=5%", "missing=1s"),
        *("cpu=2s", "changed=100ms", "memory=1x"),
    ],
)
def test_what_is_not_understood_is_said(text: str) -> None:
    with pytest.raises(BadInput, match="--budget"):
        parse_limits(text)


@pytest.mark.parametrize(
    "text",
    ["p95=42ms", "missing=3", "missing=1%", "fps=29.9", "first_picture=0.4s", "changed=94.5%", "memory=5%"],
)
def test_a_figure_at_its_limit_keeps_to_it(text: str) -> None:
    assert missed(parse_limits(text), FIGURES) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("p95=41.9ms", "p95 ≤ 41.9 ms: it is 42"),
        ("missing=2", "missing ≤ 2: it is 3"),
        ("missing=0.5%", "missing ≤ 0.5 %: it is 1.00 %"),
        ("fps=30", "fps ≥ 30: it is 29.95"),
        ("changed=95%", "changed ≥ 95 %: it is 94.5"),
        ("cpu=60%", "cpu ≤ 60 %: it is 61.2"),
        ("own_p50=15ms", "own_p50 ≤ 15 ms: not measured"),
        ("drift=1", "drift ≤ 1 ms: not measured"),
    ],
)
def test_a_figure_beyond_its_limit_misses_it(text: str, line: str) -> None:
    assert missed(parse_limits(text), FIGURES) == [line]
