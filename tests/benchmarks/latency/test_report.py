"""What is shown is what was measured."""

from __future__ import annotations

import re
from typing import Any

import pytest

from benchmarks.latency import html, report
from tests.benchmarks.latency.pictures import phase, run


def _whole(*repeats: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        **run(*repeats),
        "summary": {**report.summary(repeats), **report.burden(repeats, 2)},
        "off": report.over(repeats, "off"),
        "stages": report.stages(repeats),
    }


TWO = (
    {"on": phase(30.0, missing=1), "off": phase(10.0)},
    {"off": phase(14.0), "on": phase(36.0, fps=29.5, missing=2)},
)


def test_the_summary_by_hand() -> None:
    found = report.summary(TWO)
    assert (found["missing"], found["fps"], found["sent"]) == (3, 29.5, 180)
    assert found["own_p50"] == 21, "the median of 20 and 22"
    assert (found["p50"], found["max"]) == (36.5, 40.0), "over the six frames 30, 31, 36, 37, 40, 40"


def test_stages_come_in_the_order_of_a_frames_way() -> None:
    told = {name: {"median_ms": 1.0, "p95_ms": 2.0} for name in ("odd", "send", "engine", "decode")}
    repeat = {"on": phase(30.0, relay={"stages": told})}
    assert [each["stage"] for each in report.stages([repeat])] == ["decode", "engine", "send", "odd", report.RECEIVED]


def test_a_foreign_relay_tells_of_no_stages() -> None:
    repeat = {"on": phase(30.0, relay={})}
    assert [each["stage"] for each in report.stages([repeat])] == [report.RECEIVED]


def test_the_terminal_shows_both_and_the_share_between() -> None:
    found = "\n".join(report.lines(_whole(*TWO)))
    assert re.search(r"^filter on +36\.50 ", found, re.M) and re.search(r"^filter off +14\.50 ", found, re.M)
    assert re.search(r"^its own share +21\.00 ", found, re.M)
    assert "relay: 50 % of a core, 100 MiB at first, 101 MiB in the end" in found


def _told(p50: float, first_picture_s: float, added: object) -> dict[str, Any]:
    return {**phase(p50, relay={"added_ms": added}), "first_picture_s": first_picture_s}


def test_what_the_relay_says_it_adds_stands_beside_the_difference() -> None:
    # Guards against one taken for the other: the difference also has what the filter costs decoder and encoder.
    repeats = (
        {"on": _told(30.0, 1.5, {"median": 9.0, "p95": 14.0}), "off": phase(10.0)},
        {"on": _told(30.0, 0.5, {"median": 10.0, "p95": 15.0}), "off": phase(10.0)},
        {"on": _told(30.0, 0.5, {"median": 20.0, "p95": 40.0}), "off": phase(10.0)},
    )
    found = _whole(*repeats)
    assert (found["summary"]["added_p50"], found["summary"]["added_p95"]) == (10.0, 15.0)
    shown = "\n".join(report.lines(found))
    assert re.search(r"^its own share +20\.00 +0\.00 *$", shown, re.M)
    assert re.search(r"^the relay says +10\.00 +15\.00 *$", shown, re.M)
    page = html.page(found)
    assert "<th>its own share</th><th>the relay says</th>" in page
    assert "<td>20.00</td><td>10.00</td></tr><tr><td>p90" in page and "<td>0.00</td><td>15.00</td></tr>" in page


def _counted(changed: int) -> dict[str, Any]:
    return {"counted": {"changed": changed, "frames": 200}}


@pytest.mark.parametrize("told", [None, "fast", {}, {"median": "9", "p95": None}, {"median": [1]}])
def test_a_relay_may_say_anything(told: object) -> None:
    found = _whole({"on": _told(30.0, 0.2, told)})
    assert found["summary"]["added_p50"] is None and found["summary"]["added_p95"] is None
    assert "relay says" not in "\n".join(report.lines(found)) + html.page(found)


def test_the_page_tells_of_processes_and_first_pictures() -> None:
    # Guards against figures that only the terminal ever showed.
    text = html.page(_whole({"on": _told(30.0, 1.5, None), "off": phase(10.0)}))
    assert "First picture: 1.50 s in the first call, 0.20 s later." in text
    assert "<td>relay</td><td>50 %</td><td>100 MiB</td><td>101 MiB</td>" in text
    bare = {"on": {**phase(30.0), "processes": {"relay": None}}}
    assert "MiB" not in html.page(_whole(bare))


def test_a_filter_that_lets_frames_pass_is_told_of() -> None:
    # Guards against a share of nothing that is taken for a fast filter, where the filter had no time and did nothing.
    busy, idle = ({"on": phase(30.0, relay=_counted(n))} for n in (20, 80))
    found = _whole(busy, idle)
    assert "the filter changed 25 % of the counted frames, of the worst caller's 10 %" in "\n".join(report.lines(found))
    assert "The filter changed 25 % of the counted frames" in html.page(found)
    assert found["summary"]["changed"] == 10
    assert report.changed([{"on": phase(30.0)}]) is None


def test_the_worst_caller_is_looked_for_among_all_of_them() -> None:
    # Guards against the first caller's figures, for whom alone there was time, standing for everybody's.
    found = phase(30.0, relay=_counted(200))
    found["callers"] += phase(30.0, relay=_counted(40))["callers"]
    assert report.summary([{"on": found}])["changed"] == 20
    found["callers"] += phase(30.0, relay={})["callers"]
    assert report.summary([{"on": found}])["changed"] is None, "one of them is not known of"


def test_an_own_share_that_may_be_of_nothing_is_warned_of() -> None:
    # Guards against a relay that ignores strength=0 and shows a filter that costs nothing.
    silent = _whole({"on": phase(30.0, relay={}), "off": phase(30.0, relay={})})
    ignoring = _whole({"on": phase(30.0, relay=_counted(200)), "off": phase(30.0, relay=_counted(190))})
    well = _whole({"on": phase(30.0, relay=_counted(200)), "off": phase(30.0, relay=_counted(0))})
    bare = _whole({"on": phase(30.0, relay={})})
    for found, warning in (
        (silent, "warning: the relay does not tell what its filter did"),
        (ignoring, "warning: with the filter off it changed 95 % of the frames"),
    ):
        assert warning in "\n".join(report.lines(found)) and warning[1:] in html.page(found)
    for found in (well, bare):
        assert "warning" not in "\n".join(report.lines(found))


def test_what_the_relay_uses_is_of_the_machine_and_of_the_worst_repeat() -> None:
    repeats = [{"on": phase(30.0)}, {"on": phase(30.0)}]
    for repeat, values in zip(repeats, [(130.0, 400.0, 404.0), (110.0, 410.0, 430.0)], strict=True):
        names = ("cpu_percent", "memory_first_mib", "memory_last_mib")
        repeat["on"]["processes"] = {"relay": dict(zip(names, values, strict=True))}
    found = _whole(*repeats)
    assert (found["summary"]["cpu"], found["summary"]["memory"]) == (65, 7.5)
    assert "relay: 65.00 % of the machine (worst repeat), memory grew by 7.50 %" in "\n".join(report.lines(found))
    repeats[1]["on"]["processes"] = {"relay": None}
    assert report.burden(repeats, 4) == {"cpu": 32.5, "memory": 1.0}
    repeats[0]["on"]["processes"] = {}
    assert report.burden(repeats, 4) == {"cpu": None, "memory": None}


def test_the_start_of_an_own_relay_stands_beside_the_first_pictures() -> None:
    found = {**_whole({"on": _told(30.0, 1.5, None)}), "start_s": 2.25}
    assert report.starting(found).endswith("; before that the relay's start, 2.25 s")
    assert "later; before that the relay's start, 2.25 s." in html.page(found)


def test_a_filter_without_an_off_switch_has_no_share() -> None:
    found = _whole({"on": phase(30.0)})
    assert found["summary"]["own_p50"] is None
    assert "share" not in "\n".join(report.lines(found)) and "share<" not in html.page(found)


def test_the_page_needs_nothing_else_and_escapes_what_is_foreign() -> None:
    found = _whole(*TWO)
    found["missed"] = ["p95 ≤ 1 ms: it is 40 <b>"]
    text = html.page(found)
    assert "some &lt;processor&gt;" in text and "a=1&amp;b=2" in text and "40 &lt;b&gt;" in text
    assert not re.search(r"<script|<link|<img|@import|url\(|src=|href=", text)
    assert text.count("<svg") == text.count("</svg>") == 3
    assert text.count("<polyline") == 4, "one line for each repeat, on and off"


def test_the_waterfall_begins_each_stage_where_the_last_one_ended() -> None:
    stages = [{"stage": "a", "median_ms": 4.0, "p95_ms": 6.0}, {"stage": "b", "median_ms": 6.0, "p95_ms": 10.0}]
    drawn = html.waterfall(stages, 20.0)
    starts = [float(x) for x in re.findall(r'<rect[^>]* x="([\d.]+)"[^>]*height="16"', drawn)]
    # To the end of the axis, at 20 ms: a at 0, b at 4, the rest at 10.
    left, right = 130, 130 + html.WIDTH - 130 - 110
    assert [round((x - left) / (right - left) * 20, 1) for x in starts] == [0, 4, 10]
    assert ">rest<" in drawn and "10.00 / 10.00 ms" in drawn
