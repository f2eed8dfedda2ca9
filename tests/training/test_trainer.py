"""Each stage learns what it is for, on the weights that are its own, and goes on from a checkpoint."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engines.errors import BadInput
from generator.model import Generator
from tests.generator.tiny import TINY
from tests.training.faces import write_stills
from training import trainer as trainer_module
from training.checkpoint import load_checkpoint
from training.command import LARGEST
from training.faces import list_faces
from training.losses import Emphasis
from training.samples import Samples, SampleShape, sample_loader
from training.stages import CATALOGUE, Stage, learns
from training.trainer import Trainer, TrainSettings, workers_for

Batch = dict[str, Tensor]


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    """Four clips of two frames, with their motion."""
    faces = write_stills(tmp_path_factory.mktemp("faces"), 2)
    samples = Samples(list_faces(faces), {}, SampleShape(frames=2, canvas=96, crop=64), 1, motion=True)
    return next(sample_loader(samples, 4, workers=0))


def settings_of(*names: str) -> TrainSettings:
    """Of stages of a minute each, at a steady rate."""
    known = {stage.name: stage for stage in CATALOGUE}
    stages = tuple(dataclasses.replace(known[name], share=1 / len(names), last_rate=1.0) for name in names)
    return TrainSettings(minutes=len(names), warm_up=0.01, auto_from=2.0, workers=0, stages=stages)


def trainer_of(*names: str, seed: int = 1) -> Trainer:
    torch.manual_seed(seed)
    return Trainer(TINY, settings_of(*names))


def given(batch: Batch, stage: Stage) -> Batch:
    """The batch as the stage wants it: single pictures, or all of the clips."""
    if stage.shape.frames > 1:
        return batch
    return {name: tensor[:, :1] for name, tensor in batch.items() if name not in ("flow", "visible")}


def steps(trainer: Trainer, batch: Batch, count: int, seed: int = 5) -> list[dict[str, float]]:
    torch.manual_seed(seed)
    batch = given(batch, trainer.stage)
    return [{name: float(v.detach()) for name, v in trainer.learn(batch).items()} for _ in range(count)]


@pytest.mark.parametrize("stage", CATALOGUE, ids=lambda stage: stage.name)
def test_a_stage_lowers_its_loss_on_its_own_weights_alone(batch: Batch, stage: Stage) -> None:
    trainer = trainer_of(stage.name)
    trained = trainer.average if stage.part == "estimate" else trainer.generator
    before = {name: p.detach().clone() for name, p in trained.named_parameters()}
    if trained.previous is not None:
        trained.previous.open()
        before["previous.openness"] = trained.previous.openness.detach().clone()
    found = [sum(v for name, v in t.items() if name != "adversarial") for t in steps(trainer, batch, 40)]
    assert sum(found[-8:]) < 0.97 * sum(found[:8])
    changed = {name for name, p in trained.named_parameters() if not torch.equal(p, before[name])}
    wanted = {n for n in before if n.startswith("estimate.") if stage.part == "estimate"}
    wanted |= {name for name in before if learns(name, stage.part)}
    assert changed and changed <= wanted


@pytest.mark.parametrize("stage", CATALOGUE, ids=lambda stage: stage.name)
def test_the_average_goes_along(batch: Batch, stage: Stage) -> None:
    trainer = trainer_of(stage.name)
    before = [p.detach().clone() for p in trainer.average.parameters()]
    steps(trainer, batch, 2)
    assert any(not torch.equal(a, b) for a, b in zip(before, trainer.average.parameters(), strict=True))


@pytest.mark.parametrize("name", ["autoencoder", "flow", "pictures", "adversarial"])
def test_a_stage_that_was_cut_off_goes_on_the_same(batch: Batch, name: str, tmp_path: Path) -> None:
    # Guards against a discriminator that begins anew beside a generator that does not.
    whole = trainer_of(name)
    steps(whole, batch, 3)
    whole.store(tmp_path / "last.pt", {})
    rest = trainer_of(name, seed=2)
    rest.restore(tmp_path / "last.pt")
    assert steps(rest, batch, 3, seed=6) == steps(whole, batch, 3, seed=6)
    pairs = zip(rest.average.state_dict().values(), whole.average.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_checkpoint_without_a_discriminator_may_get_one(batch: Batch, tmp_path: Path) -> None:
    first = trainer_of("pictures")
    steps(first, batch, 1)
    first.store(tmp_path / "last.pt", {})
    assert "adversary" not in load_checkpoint(tmp_path / "last.pt")
    second = trainer_of("adversarial")
    second.restore(tmp_path / "last.pt")
    assert "adversarial" in steps(second, batch, 1)[0]


def test_a_damaged_discriminator_is_refused(tmp_path: Path) -> None:
    trainer = trainer_of("adversarial")
    trainer.store(tmp_path / "last.pt", {})
    content = load_checkpoint(tmp_path / "last.pt")
    content["adversary"]["weights"] = {}
    torch.save(content, tmp_path / "last.pt")
    with pytest.raises(BadInput, match=r"last\.pt"):
        trainer.restore(tmp_path / "last.pt")


def test_the_adversarial_share_grows(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, shares = trainer_of("adversarial"), []
    assert trainer.adversary is not None
    term = trainer.adversary.term

    def watched(*arguments: object) -> Tensor:
        shares.append(arguments[-1])
        return term(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(trainer.adversary, "term", watched)
    for trainer.elapsed in (0.0, 30.0, 60.0):
        steps(trainer, batch, 1)
    assert shares == pytest.approx([0.02, 0.035, 0.05])


@pytest.mark.parametrize("how", ["at once", "restored", "started from"])
def test_pixels_begin_at_the_input_after_the_autoencoder(batch: Batch, how: str, tmp_path: Path) -> None:
    # Guards against heads that add all of a picture's detail to it once more.
    trainer = trainer_of("autoencoder", "pictures")
    steps(trainer, batch, 5)
    assert trainer.average.decoder.y.weight.any()
    if how != "at once":
        trainer.store(tmp_path / "last.pt", {})
        trainer = trainer_of("autoencoder", "pictures")
        go_on = trainer.restore if how == "restored" else trainer.start_from
        go_on(tmp_path / "last.pt")
        assert trainer.average.decoder.y.weight.any()
    trainer.elapsed = 61.0
    heads: list[bool] = []

    def watched(generator: Generator, teacher: Generator, *others: object) -> Batch:
        heads.extend(bool(g.decoder.y.weight.any()) for g in (generator, teacher))
        return {"pixel": generator.decoder.y.weight.sum()}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer_module, "losses", watched)
        steps(trainer, batch, 2)
    assert heads[:2] == [False, False] and heads[2]


def test_skips_are_open_again_after_the_stage_that_shuts_them(batch: Batch) -> None:
    trainer = trainer_of("autoencoder", "clips")
    steps(trainer, batch, 1)
    assert trainer.generator.decoder.to_fine.skip.dropout == 1.0
    trainer.elapsed = 61.0
    steps(trainer, batch, 1)
    assert {s.skip.dropout for s in (trainer.generator.decoder.to_fine, trainer.generator.decoder.to_middle)} == {0.0}


def test_entries_that_do_not_learn_stay(batch: Batch) -> None:
    trainer = trainer_of("flow")
    book = trainer.generator.codebook
    assert book is not None and book.spatial is not None
    book.spatial.use.zero_()
    before = book.spatial.entries.detach().clone()
    steps(trainer, batch, 20)
    assert torch.equal(book.spatial.entries, before)


def test_the_estimate_is_not_followed_before_it_had_time_to_learn(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Guards against a share of the time that stages which teach no estimate have used up.
    trainer = trainer_of("autoencoder", "pictures")
    trainer.settings = dataclasses.replace(trainer.settings, auto_from=0.25)
    shares = []

    def watched(generator: Generator, teacher: Generator, batch: Batch, emphasis: Emphasis) -> Batch:
        shares.append(emphasis.auto_share)
        return {"pixel": generator.decoder.y.weight.sum()}

    monkeypatch.setattr(trainer_module, "losses", watched)
    for trainer.elapsed in (61.0, 89.0, 91.0):
        steps(trainer, batch, 1)
    assert shares == [0.0, 0.0, 0.5]


@pytest.mark.parametrize(("cores", "workers"), [(1, 1), (2, 1), (8, 7), (257, 256), (1000, 256)])
def test_workers_leave_a_core_to_the_training(cores: int, workers: int) -> None:
    # Guards against one worker on a machine of many, which a GPU waits for; and a default that the command refuses.
    assert workers_for(cores) == workers <= LARGEST["workers"]
