"""Arms run: each builds from the whole one's weights, and does what its name says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.ablation import facts
from benchmarks.ablation.arms import ARMS, Arm
from benchmarks.ablation.restore import restore, variant
from benchmarks.quality.protocol import Case, Source, damaged
from engines.manifest import MODELS
from generator.config import GeneratorConfig
from generator.model import Generator
from tests.training.faces import pattern
from training.degrade import TASKS

TINY = GeneratorConfig(channels=(8, 8, 16), condition=8, codes=8, width=8, window=2)


@pytest.fixture(scope="module")
def whole() -> Generator:
    """Random weights everywhere, so that every part has its say."""
    torch.manual_seed(3)
    made = Generator(TINY).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        assert made.previous is not None
        # Open for frames as different as those of these clips.
        made.previous.openness.fill_(0.9)
        made.previous.differs.weight.fill_(0.001)
    return made


@pytest.fixture(scope="module")
def source() -> Source:
    return Source("p1_a", "p1", [np.roll(pattern(1, 64), i, axis=1) for i in range(4)], None)


@pytest.fixture(scope="module")
def case(source: Source) -> Case:
    return damaged(source, "noise", "middle", None)


@pytest.mark.parametrize("arm", [arm for arm in ARMS[1:] if not (arm.training or arm.stages)], ids=lambda arm: arm.name)
def test_each_arm_makes_another_picture(whole: Generator, source: Source, arm: Arm) -> None:
    # In the dark: elsewhere illumination has nothing to say.
    case = damaged(source, "dark and noisy", "middle", None)
    generator, _ = variant(whole, arm)
    out = restore(generator, arm, case)
    assert out[0].shape == case.bad[0].shape
    same = facts.equal(out, restore(whole, ARMS[0], case))
    # There is no face in the pattern: regions are unknown anyhow.
    assert same == (not arm.regions)


def test_only_other_roles_of_the_codes_need_training(whole: Generator) -> None:
    untrained = {arm.name for arm in ARMS if variant(whole, arm)[1]}
    assert untrained == {"fusion symmetric", "fusion swapped"}


def test_an_arm_leaves_the_whole_one_as_it_is(whole: Generator, case: Case) -> None:
    before = restore(whole, ARMS[0], case)
    noisy = next(arm for arm in ARMS if arm.noise)
    restore(whole, noisy, case)
    assert facts.equal(restore(whole, ARMS[0], case), before)


def test_facts_of_a_generator(whole: Generator, case: Case) -> None:
    assert facts.repeats(whole, case)
    assert facts.untouched_at_zero(whole, case)
    assert facts.calls_a_frame(whole, case) == 1
    assert facts.local_share(whole, case) is None
    assert facts.estimated_rightly(whole, [case])["noise"] in (0.0, 1.0)


def test_each_task_has_a_share_of_its_own(
    whole: Generator, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: tasks that are found every time make up for one that never is."""
    found = np.zeros(len(TASKS), np.float32)
    found[TASKS.index("noise")] = 0.9
    monkeypatch.setattr(facts, "_estimate", lambda *_: found)
    cases = [damaged(source, task, "middle", None) for task in ("noise", "rain", "dark and noisy", "clean")]
    assert facts.estimated_rightly(whole, cases) == {"noise": 1.0, "rain": 0.0}


def test_an_estimate_that_auto_does_not_act_on_picks_nothing(
    whole: Generator, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: the largest of seven doubtful weights counts, though auto leaves the picture alone."""
    found = np.full(len(TASKS), 0.01, np.float32)
    found[TASKS.index("noise")] = 0.15
    monkeypatch.setattr(facts, "_estimate", lambda *_: found)
    assert facts.estimated_rightly(whole, [case]) == {"noise": 0.0}


def test_the_shipped_graph_is_timed_and_nothing_else(tmp_path: Path) -> None:
    """Guards against: a time of torch's step, or of another size, passes for that of a call."""
    assert facts.live_ms(tmp_path) is None
    if not any(m.name == "lite-384.json" for m in MODELS.glob("lite-*.json")):
        pytest.skip("needs the shipped graph of 384 px")
    found = facts.live_ms()
    assert found is not None and 0.5 < found < 2000


def test_noise_at_the_start_is_fresh_in_every_frame(whole: Generator, case: Case) -> None:
    """Guards against: one noise for the whole clip moves with it and is as steady as none."""
    still = replace_frames(case)
    arm = Arm("noise", "TDM", noise=2.0)
    generator, _ = variant(whole, Arm("memoryless", "TDM", {"previous": False, "recurrence": False, "taps": False,
                                                            "attention": "off", "temporal_codes": False}))  # fmt: skip
    steady, restless = restore(generator, ARMS[0], still)[0], restore(generator, arm, still)[0]
    assert np.abs(np.diff(restless.astype(int), axis=0)).mean() > np.abs(np.diff(steady.astype(int), axis=0)).mean()


def replace_frames(case: Case) -> Case:
    y, uv = (np.repeat(p[:1], len(p), axis=0) for p in case.bad)
    return replace(case, bad=(y, uv))
