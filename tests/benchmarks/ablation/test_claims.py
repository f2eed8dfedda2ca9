"""Verdicts: yes only where the whole interval says so, and never where nothing was measured."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.ablation.arms import ARMS, SKIPPED, STAGED, WHOLE
from benchmarks.ablation.claims import PEERS, verdicts
from benchmarks.ablation.differences import average, difference
from benchmarks.ablation.findings import Verdict
from benchmarks.ablation.page import page
from benchmarks.quality.summary import Row
from training.degrade import TASKS

FACTS = {"repeats": True, "strength_0": True, "calls": 1.0, "local_share": 0.7,
         "auto_right": dict.fromkeys(TASKS, 0.9), "live_ms": 12.0,
         "codes": {"spatial": 0.5, "temporal": 0.2}}  # fmt: skip


def rows(values: list[float], task: str = "noise", **more: float) -> list[Row]:
    return [
        {"name": f"p{i}", "person": f"p{i}", "task": task, "strength": "middle",
         "figures": {"psnr": value, "exposure_free": value, **more}}
        for i, value in enumerate(values)
    ]  # fmt: skip


def verdict(found: dict[str, list[Row]], claim: str, facts: dict[str, Any] = FACTS) -> Verdict:
    return next(v for v in verdicts(found, facts) if claim in v.claim)


def test_a_part_that_costs_everybody_something_counts() -> None:
    found = {WHOLE: rows([30, 31, 32, 33]), "spatial codes off": rows([29.9, 30.8, 31.9, 32.9])}
    assert verdict(found, "the spatial codebook").word == "yes"


def test_light_that_moved_is_no_quality() -> None:
    """Guards against: an arm whose exposure came out better by chance makes every part look harmful."""
    found = {WHOLE: rows([30, 31, 32]), "spatial codes off": rows([31, 32, 33])}
    for place, row in enumerate(found["spatial codes off"]):
        row["figures"]["exposure_free"] = 29.0 + place
    assert verdict(found, "the spatial codebook").word == "yes"


def test_a_part_that_costs_some_and_helps_others_does_not() -> None:
    found = {WHOLE: rows([30, 31, 32, 33]), "spatial codes off": rows([29, 32, 31, 34])}
    assert verdict(found, "the spatial codebook").word == "no"


def test_two_people_are_no_measurement() -> None:
    found = {WHOLE: rows([30, 31]), "spatial codes off": rows([20, 21])}
    assert verdict(found, "the spatial codebook").word == "not measured"
    assert verdict({WHOLE: rows([30, 31])}, "the spatial codebook").word == "not measured"


def test_roles_that_were_never_trained_say_nothing() -> None:
    """Guards against: parts at their start values, which change nothing, are called worse than trained ones."""
    found = {WHOLE: rows([30, 31, 32]), "fusion swapped": rows([29, 30, 31])}
    assert verdict(found, "swapped roles").word == "yes"
    assert verdict(found, "swapped roles", {**FACTS, "untrained": ["fusion swapped"]}).word == "not measured"


def test_stages_are_compared_with_their_own_kind_in_the_dark() -> None:
    """Guards against: parts that began anew are compared with those that were trained for hours."""
    found = {WHOLE: rows([40, 41, 42]), STAGED: rows([31, 32, 33], "low light")}
    assert verdict(found, "stages skipped").word == "not measured"
    assert verdict(found | {SKIPPED: rows([30, 31, 32], "low light")}, "stages skipped").word == "yes"
    assert verdict(found | {SKIPPED: rows([32, 33, 34], "low light")}, "stages skipped").word == "no"
    assert verdict(found | {SKIPPED: rows([30, 31, 32], "noise")}, "stages skipped").word == "not measured"


def test_both_codebooks_must_be_in_use() -> None:
    assert verdict({}, "perplexity").word == "no"
    assert verdict({}, "perplexity", {**FACTS, "codes": {"spatial": 0.31}}).word == "yes"
    assert verdict({}, "perplexity", {}).word == "not measured"


def test_eight_steps_may_be_a_little_better() -> None:
    whole = rows([30, 31, 32])
    assert verdict({WHOLE: whole, "8 steps": rows([30.05, 31.05, 32.05])}, "0.1 dB").word == "yes"
    assert verdict({WHOLE: whole, "8 steps": rows([30.2, 31.2, 32.2])}, "0.1 dB").word == "no"


def test_a_steadier_picture_must_not_be_a_softer_one() -> None:
    """Guards against: the blurriest model has the best temporal figures."""
    off = rows([30, 30, 30], we=5.0, sharpness=0.6)
    claim = "the window lowers WE"
    assert verdict({WHOLE: rows([30, 30, 30], we=4.0, sharpness=0.6), "attention off": off}, claim).word == "yes"
    assert verdict({WHOLE: rows([30, 30, 30], we=4.0, sharpness=0.4), "attention off": off}, claim).word == "no"


def test_a_claim_about_every_task_needs_every_task() -> None:
    found = {WHOLE: rows([30, 31, 32]), "wrong prompt": rows([20, 21, 22])}
    assert verdict(found, "the right prompt").word == "not measured"


def test_auto_must_pick_the_right_prompt_on_every_task() -> None:
    """Guards against: six tasks that are found every time hide one that never is."""
    assert verdict({}, "auto picks").word == "yes"
    rarely = verdict({}, "auto picks", {**FACTS, "auto_right": {**dict.fromkeys(TASKS, 1.0), "haze": 0.5}})
    assert rarely.word == "no" and "noise 100 %" in rarely.figures and "haze 50 %" in rarely.figures
    assert verdict({}, "auto picks", {**FACTS, "auto_right": {"noise": 1.0}}).word == "not measured"
    assert verdict({}, "auto picks", {}).word == "not measured"


def test_live_is_a_frame_of_the_shipped_graph_in_time() -> None:
    assert verdict({}, "live").word == "yes" and "12.0 ms a frame here" in verdict({}, "live").figures
    assert verdict({}, "live", {**FACTS, "live_ms": 33.5}).word == "no"
    assert verdict({}, "live", {}).word == "not measured"


def test_no_temporal_figure_goes_without_sharpness() -> None:
    """Guards against: what was merely blurred is called steadier."""
    found = {
        WHOLE: rows([30, 31, 32], "low light", ab_var=1.0, mabd=1.0, we=1.0, sharpness=0.5),
        **{
            arm: rows([30, 31, 32], "low light", ab_var=2.0, mabd=2.0, we=2.0, sharpness=0.75)
            for arm in ("per frame", "attention off", "start with noise", STAGED, SKIPPED, *PEERS)
        },
    }
    names = ("AB(Var)", "MABD", "WE ")
    told = [v for v in verdicts(found, FACTS) if any(name in f"{v.claim} {v.figures}" for name in names)]
    assert len(told) == 9 and all("sharpness +" in v.figures for v in told)
    peers = next(v for v in told if "AB(Var) below every" in v.claim)
    assert peers.figures.count("sharpness +0.250 (+0.250 .. +0.250)") == len(PEERS)


def test_our_own_per_frame_model_is_judged_by_detail_too() -> None:
    """Guards against: a model that is steadier than the one without memory, and worse, passes."""
    claim = "exposure-free PSNR above our own"
    found = {WHOLE: rows([30, 31, 32], "low light"), "per frame": rows([29, 30, 31], "low light")}
    assert verdict(found, claim).word == "yes"
    assert verdict({**found, "per frame": rows([31, 32, 33], "low light")}, claim).word == "no"
    assert verdict({**found, "per frame": rows([29, 30, 31], "haze")}, claim).word == "not measured"


STEADIER = ("all tasks: WE below our own", "all tasks: AB(Var) below our own")


def on_every_task(**figures: float) -> list[Row]:
    return [row for task in TASKS for row in rows([30, 31, 32], task, **figures)]


@pytest.mark.parametrize("claim", STEADIER)
def test_steadier_than_per_frame_is_steadier_at_equal_sharpness_on_all_tasks(claim: str) -> None:
    """Guards against: a picture that is steady since it was blurred, or on the tasks that were run alone."""
    whole = on_every_task(we=1.0, ab_var=1.0, sharpness=0.7)
    alone = on_every_task(we=2.0, ab_var=2.0, sharpness=0.71)
    assert verdict({WHOLE: whole, "per frame": alone}, claim).word == "yes"
    sharper = on_every_task(we=2.0, ab_var=2.0, sharpness=0.73)
    assert verdict({WHOLE: whole, "per frame": sharper}, claim).word == "no"
    steadier = on_every_task(we=0.9, ab_var=0.9, sharpness=0.7)
    assert verdict({WHOLE: whole, "per frame": steadier}, claim).word == "no"
    assert verdict({WHOLE: whole, "per frame": alone[3:]}, claim).word == "not measured"


def test_clean_clips_do_not_make_the_whole_steady() -> None:
    """Guards against: clips that nothing was to be done to are averaged in."""
    clean = [rows([99, 99, 99], "clean", we=value, ab_var=value, sharpness=1.0) for value in (1.0, 50.0)]
    found = {
        WHOLE: on_every_task(we=2.0, ab_var=2.0, sharpness=0.7) + clean[0],
        "per frame": on_every_task(we=1.0, ab_var=1.0, sharpness=0.7) + clean[1],
    }
    assert [verdict(found, claim).word for claim in STEADIER] == ["no", "no"]


def test_auto_must_be_near_the_right_prompt_on_every_task() -> None:
    """Guards against: tasks in which auto is ahead make up for one in which it is far behind."""
    claim, auto = "auto is within 0.3 dB", [row for task in TASKS for row in rows([29.8, 30.8, 31.8], task)]
    assert verdict({WHOLE: on_every_task(), "prompt auto": auto}, claim).word == "yes"
    behind = [*auto[:-3], *rows([29.6, 30.6, 31.6], TASKS[-1])]
    found = verdict({WHOLE: on_every_task(), "prompt auto": behind}, claim)
    assert found.word == "no" and f"{TASKS[-1]} -0.400 dB" in found.figures
    assert verdict({WHOLE: on_every_task(), "prompt auto": auto[3:]}, claim).word == "not measured"


def test_tolerances_are_told() -> None:
    """Guards against: a yes that leans on a tolerance nobody can see."""
    claims = [v.claim for v in verdicts({}, FACTS)]
    for tolerance in ("at most 0.05 dB", "within 0.1 dB", "more than 0.02", "90 % of either", "over 50 %", "33 ms"):
        assert any(tolerance in claim for claim in claims), tolerance


def test_what_was_not_trained_so_is_marked_after_training_on() -> None:
    """Guards against: arms on the whole one's weights pass for arms that were trained on themselves."""
    names = ("start with noise", "taps off", "fusion swapped")
    found = {WHOLE: rows([30, 31, 32], we=1.0), **{name: rows([29, 30, 31], we=2.0) for name in names}}
    facts = {**FACTS, "trained": True, "untrained": ["fusion swapped"]}
    about = {"command": "", "step": 7, "minutes": 3.0, "cases": 3, "people": 3, "frames": 4, "size": 256, "steps": 40,
             "missing": {"fusion swapped": 4, "taps off": 0}}  # fmt: skip
    text = page(found, verdicts(found, facts), about)
    assert text.count("| TDM | start with noise † |") == 2 and "| start with noise †: WE +1.0000" in text
    assert "8 steps †" in text and "wrong prompt †" in text and "regions unknown †" in text
    assert "| taps off |" in text and "\n† run time only" in text
    assert text.count(r"| fusion swapped \* |") == 2 and r"| yes | fusion swapped \*: -1.000" in text
    assert "for 40 steps from nothing" in text and "which change nothing" not in text
    merely = page(found, verdicts(found, {**facts, "trained": False}), {**about, "steps": 0})
    assert "†" not in merely and "which change nothing" in merely


def test_differences_are_taken_clip_by_clip() -> None:
    found = {WHOLE: rows([30, 40, 50]), "x": rows([31, 41, 51])[:2]}
    one = difference(found, "x", WHOLE, "psnr")
    assert one is not None and one.mean == 1.0 and one.people == 2
    assert average(found, WHOLE, "psnr", ("blur",)) is None


def test_the_page_tells_how_it_came_about() -> None:
    found = {WHOLE: rows([30, 31, 32]), "fusion swapped": rows([29, 30, 31])}
    about = {"command": "clearcall bench ablation x.pt", "step": 7, "minutes": 3.0, "cases": 3, "people": 3,
             "frames": 4, "size": 256, "steps": 0, "missing": {"fusion swapped": 4}}  # fmt: skip
    text = page(found, verdicts(found, FACTS), about)
    assert "switched off at run time only" in text and r"fusion swapped \*" in text
    assert "| clearcall | as it is | 31.000 |" in text and "-1.000 (-1.000 .. -1.000)" in text
    tuned = page(found, verdicts(found, FACTS), {**about, "steps": 200, "missing": {}})
    assert "trained on for 200 steps" in tuned and r"swapped \*" not in tuned


def test_arms_have_names_of_their_own() -> None:
    assert len({arm.name for arm in ARMS}) == len(ARMS) and ARMS[0].name == WHOLE


def test_curation_must_agree_on_good_and_on_damaged_faces() -> None:
    found = {"kept": 0.95, "rejected": 0.99, "good": 40, "damaged": 680}
    assert verdict({}, "curation").word == "not measured"
    good = verdict({}, "curation", {**FACTS, "curation": found})
    assert good.word == "yes" and "keeps 95 % of 40" in good.figures
    assert verdict({}, "curation", {**FACTS, "curation": {**found, "kept": 0.5}}).word == "no"
