"""Bars: met only by figures of the run, against the best of what they are over, and never for want of a peer."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from benchmarks.model_page import target_table
from benchmarks.model_page.targets import TARGETS, Outcome, outcomes, under
from benchmarks.quality import chains, ffmpeg, peers
from benchmarks.quality.methods import UNTOUCHED
from benchmarks.quality.protocol import LEVELS
from benchmarks.quality.scores import BY_KEY
from benchmarks.quality.summary import Row

MAIN = "clearcall auto"


def rows(task: str, method: str, values: Sequence[float], key: str = "psnr", strength: str = "middle") -> list[Row]:
    return [
        {"name": f"p{i}", "person": f"p{i}", "task": task, "strength": strength, "method": method, "ms": None,
         "setting": "", "figures": {key: value, f"{key}_face": value - 1}}
        for i, value in enumerate(values)
    ]  # fmt: skip


def one(found: list[Row], task: str, words: str, part: str = "whole crop", prompt: str = "auto") -> Outcome:
    (result,) = [
        o
        for o in outcomes(found, MAIN)
        if o.target.task == task and words in o.target.words and o.part == part and o.prompt == prompt
    ]
    return result


def test_every_bar_is_of_figures_and_peers_that_a_run_has() -> None:
    """Guards against: a renamed peer or figure turns a bar into one that is never measured."""
    filters = ffmpeg.available_filters() | {"nlmeans", "hqdn3d"}
    there = (*peers.opencv_peers(), *peers.ffmpeg_peers(filters)[0], *chains.chain_peers(filters)[0])
    tasks = {peer.name: peer.tasks for peer in there}
    for target in TARGETS:
        assert target.task in LEVELS and set(target.figures) <= BY_KEY.keys()
        for name in target.over:
            assert name == UNTOUCHED or name.startswith("the filter") or target.task in tasks[name], name


def test_the_margin_is_part_of_the_bar() -> None:
    """Guards against: better than the input passes for better than the input by as much as was asked for."""
    before = rows("compression", UNTOUCHED, (30, 31, 32))
    short = one(before + rows("compression", MAIN, (30.29, 31.29, 32.29)), "compression", "input")
    assert short.met is False and short.word == "no" and short.bar == "31.30"
    assert short.lead is not None and short.lead.mean == pytest.approx(-0.01)
    assert one(before + rows("compression", MAIN, (30.31, 31.31, 32.31)), "compression", "input").word == "yes"


def test_the_best_of_the_peers_counts_and_must_be_there() -> None:
    """Guards against: the noise bar falls where the better filter could not be run."""
    nlmeans, both = rows("noise", peers.NLMEANS, (34, 35, 36)), rows("noise", chains.DENOISERS, (35, 36, 37))
    ours = rows("noise", MAIN, (35.2, 36.2, 37.2))
    assert one(nlmeans + both + ours, "noise", "nlmeans").met is False
    assert one(nlmeans + both + ours, "noise", "nlmeans").bar == "36.50"
    assert one(nlmeans + ours, "noise", "nlmeans").met is None
    assert one(nlmeans + both[:2] + ours, "noise", "nlmeans").met is None
    assert one(nlmeans + rows("noise", MAIN, (30, 31, 32)), "noise", "nlmeans").met is False
    assert one(nlmeans + both + rows("noise", MAIN, (35.6, 36.6, 37.6)), "noise", "nlmeans").met is True


def test_two_people_are_no_measurement() -> None:
    found = rows("compression", UNTOUCHED, (30, 31)) + rows("compression", MAIN, (35, 36))
    assert one(found, "compression", "input").word == "not measured"
    assert one([], "compression", "input").word == "not measured"


def test_the_face_is_judged_by_its_own_figure() -> None:
    """Guards against: a background that improved makes up for a face that did not."""
    found = rows("compression", UNTOUCHED, (30, 31, 32)) + rows("compression", MAIN, (31, 32, 33))
    for row in found:
        row["figures"]["psnr_face"] = 29.0
    assert one(found, "compression", "input").met is True
    assert one(found, "compression", "input", "face").met is False


def test_other_strengths_are_not_what_the_bar_is_for() -> None:
    mild = rows("blur", peers.WIENER, (30, 31, 32), strength="mild") + rows("blur", MAIN, (40, 41, 42), strength="mild")
    assert one(mild, "blur", "Wiener").met is None


def test_gradients_may_be_neither_too_few_nor_too_many() -> None:
    for value, met in ((0.79, False), (0.81, True), (1.19, True), (1.21, False)):
        assert one(rows("rain", MAIN, [value] * 3, "gradients"), "rain", "gradient").met is met


def test_an_exposure_error_of_twelve_is_not_under_twelve() -> None:
    assert one(rows("low light", MAIN, [12.0] * 3, "exposure_error"), "low light", "exposure error").met is False
    assert one(rows("low light", MAIN, [11.9] * 3, "exposure_error"), "low light", "exposure error").met is True


def test_one_spoilt_clean_clip_is_one_too_many() -> None:
    """Guards against: clips that came back bit for bit, 99 dB each, outweigh one that was spoilt."""
    found = one(rows("clean", MAIN, (99, 99, 99, 41.9)), "clean", "every clip")
    assert found.met is False and found.worst == 41.9
    assert one(rows("clean", MAIN, (99, 99, 42)), "clean", "every clip").met is True


def test_auto_may_be_a_little_behind_right_and_right_is_not_judged_by_itself() -> None:
    right = rows("haze", "clearcall right", (30, 31, 32))
    assert one(right + rows("haze", MAIN, (29.71, 30.71, 31.71)), "haze", "auto within").met is True
    assert one(right + rows("haze", MAIN, (29.6, 30.6, 31.6)), "haze", "auto within").met is False
    assert one(rows("haze", MAIN, (29, 30, 31)), "haze", "auto within").met is None
    assert not [o for o in outcomes(right, MAIN) if "auto within" in o.target.words and o.prompt == "right"]


def test_the_filter_goes_by_other_names_under_other_prompts() -> None:
    assert under("clearcall auto", "right") == "clearcall right"
    assert under("clearcall right, frame", "auto") == "clearcall auto, frame"


def test_the_table_has_both_prompts_and_parts_beside_their_bar() -> None:
    """Guards against: a bar that was missed is not on the page, or without its number."""
    found = rows("compression", UNTOUCHED, (30, 31, 32)) + rows("compression", MAIN, (30, 31, 32))
    found += rows("compression", "clearcall right", (31, 32, 33))
    text = "\n".join(target_table.lines(outcomes(found, MAIN)))
    assert (
        "| compression | input + 0.3 dB PSNR | whole crop | 31.30 "
        "| 31.00 (30.00 .. 32.00) | no: -0.30 (-0.30 .. -0.30) "
        "| 32.00 (31.00 .. 33.00) | yes: +0.70 (+0.70 .. +0.70) |"
    ) in text
    assert "| compression | input + 0.3 dB PSNR | face | 30.30 | 30.00" in text
    assert "- under right: 2 met, 0 not met, 36 not measured" in text
    assert text.count("\n| ") == 1 + 2 * len(TARGETS)
