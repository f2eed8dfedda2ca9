"""The order of the stages, and what learns in each."""

from __future__ import annotations

import pytest

from engines.errors import BadInput
from generator.model import Generator
from tests.generator.tiny import TINY
from training.samples import SampleShape
from training.stages import CATALOGUE, STAGES, Stage, begins, choose, learns, named_stages, stage_at

THREE = tuple(Stage(str(share), share, SampleShape(), 1) for share in (0.5, 0.25, 0.25))


@pytest.mark.parametrize(
    ("done", "expected"),
    [(0.0, (0, 0.0)), (0.25, (0, 0.5)), (0.5, (1, 0.0)), (0.75, (2, 0.0)), (1.0, (2, 1.0)), (2.0, (2, 1.0))],
)
def test_each_stage_has_its_share(done: float, expected: tuple[int, float]) -> None:
    assert stage_at(done, THREE) == pytest.approx(expected)


def test_shares_need_not_add_up_to_one() -> None:
    assert stage_at(0.5, THREE[:2]) == pytest.approx((0, 0.75))


def test_pictures_come_before_clips_and_the_estimate_last() -> None:
    assert sum(stage.share for stage in STAGES) == pytest.approx(1.0)
    assert STAGES[0].shape.frames == 1 and STAGES[-1].part == "estimate"


def test_the_usual_stages_are_these() -> None:
    shares = {"pictures": 0.4, "time": 0.12, "clips": 0.42, "estimate": 0.06}
    assert {stage.name: stage.share for stage in STAGES} == shares
    assert named_stages("pictures,time,clips,estimate") == STAGES


def test_named_stages_come_in_their_order_with_shares_of_one() -> None:
    stages = named_stages("clips, autoencoder,pictures")
    assert [stage.name for stage in stages] == ["clips", "autoencoder", "pictures"]
    assert sum(stage.share for stage in stages) == pytest.approx(1.0)
    assert stages[0].share / stages[2].share == pytest.approx(0.42 / 0.4)
    assert len(named_stages("autoencoder,flow,pictures,time,clips,adversarial,estimate")) == len(CATALOGUE)


@pytest.mark.parametrize("names", ["", ",", "pictures,", "pixels", "pictures,time,pictures", "Pictures"])
def test_nonsense_is_refused(names: str) -> None:
    with pytest.raises(BadInput, match="--stages"):
        named_stages(names)


def test_when_a_part_begins() -> None:
    stages = named_stages("autoencoder,flow,pictures")
    assert begins("all", stages) == pytest.approx(0.16 / 0.56)
    assert begins("all", STAGES) == 0 and begins("decoder", STAGES) == 0


def test_only_what_frames_before_reach_learns_in_the_temporal_stage() -> None:
    generator = Generator(TINY)
    choose(generator, "temporal")
    chosen = {name for name, parameter in generator.named_parameters() if parameter.requires_grad}
    for name in ("previous.differs.weight", "previous.opens.weight", "codebook.temporal.entries",
                 "velocity.blocks.0.tap.before.weight", "recurrence.mix.weight"):  # fmt: skip
        assert name in chosen
    assert not any(name.startswith(("estimate.", "illumination.", "codebook.spatial", "decoder.y")) for name in chosen)
    choose(generator, "all")
    assert all(parameter.requires_grad for parameter in generator.parameters())


def test_no_gradient_is_kept_for_the_trained_generator_while_the_estimate_learns() -> None:
    assert not any(learns(name, "estimate") for name, _ in Generator(TINY).named_parameters())
