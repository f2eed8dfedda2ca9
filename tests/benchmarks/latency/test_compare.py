"""Two runs are judged by their pairs, and not on too few of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.latency import compare
from engines.errors import BadInput
from stream.cli import main
from tests.benchmarks.latency.pictures import phase, run


def test_the_median_of_the_differences_by_hand() -> None:
    # The machine slows down from repeat to repeat; between the two runs it is always 2 ms, once 3.
    pairs = [(20.0, 18.0), (24.0, 22.0), (30.0, 27.0), (36.0, 34.0), (40.0, 38.0), (50.0, 48.0)]
    found = compare.judge("p50", pairs)
    assert (found.a, found.b, found.change, found.pairs) == (33, 30.5, -2, 6)
    assert (found.low, found.high) == (-3, -2) or -3 <= found.low <= found.high == -2
    assert found.text == "B is better"


def test_what_differs_by_chance_is_not_called_a_difference() -> None:
    pairs = [(20.0, 22.0), (21.0, 19.0), (20.0, 21.0), (22.0, 20.5), (20.0, 21.0), (21.0, 20.0)]
    found = compare.judge("p50", pairs)
    assert found.low < 0 < found.high and found.text == "no difference shown"


def test_more_frames_a_second_are_better_more_milliseconds_are_not() -> None:
    rising = [(10.0, 12.0)] * 6
    assert compare.judge("fps", rising).text == "B is better"
    assert compare.judge("p95", rising).text == "A is better"


def test_five_pairs_are_too_few() -> None:
    assert compare.judge("p50", [(20.0, 10.0)] * 5).text == "too few repeats to judge: 5 of 6"


def test_the_filters_share_is_that_of_each_repeat() -> None:
    found = run({"on": phase(30.0), "off": phase(10.0)}, {"on": phase(45.0), "off": phase(20.0)}, {"on": phase(9.0)})
    assert compare.values(found, "own p50") == [20, 25, None]
    assert compare.values(found, "relay cpu %") == [50, 50, 50]


def test_the_command_compares_without_measuring(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, own in (("a", 20.0), ("b", 12.0)):
        repeats = [{"on": phase(10.0 + own + place), "off": phase(10.0 + place)} for place in range(6)]
        (tmp_path / name).write_text(json.dumps(run(*repeats)))
    assert main(["bench", "latency", "--compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("own p50")]
    assert line.split() == ["own", "p50", "20.00", "12.00", "-8.00", "-8.00", "to", "-8.00", "B", "is", "better"]


def test_runs_of_different_calls_are_not_compared() -> None:
    a, b = run({"on": phase(30.0)}), run({"on": phase(30.0)})
    b["settings"]["shape"] = "480p30"
    with pytest.raises(BadInput, match="shape is 720p30 in A and 480p30 in B"):
        list(compare.lines(a, b))


@pytest.mark.parametrize("text", ["", "[]", '{"bench": "engine", "rows": []}', '{"bench": "latency", "repeats": []}'])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").write_text(text)
    with pytest.raises(BadInput, match="--compare"):
        compare.read(tmp_path / "a")
