"""The training loop on synthesised stills: it learns, stops, goes on, and says what is wrong in one line."""

from __future__ import annotations

import dataclasses
import itertools
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from engines.errors import BadInput, ClearcallError
from generator.config import GeneratorConfig
from generator.model import Generator
from stream.cli import main
from tests.generator.tiny import TINY, clip_inputs
from tests.training.faces import write_stills
from training import train as loop
from training import trainer as trainer_module
from training.cache import Cache
from training.checkpoint import load_checkpoint, load_generator
from training.faces import list_faces
from training.feed import CacheSettings
from training.log_reading import read_log
from training.losses import losses
from training.samples import Samples, SampleShape, sample_loader
from training.stages import Stage, learns
from training.trainer import Trainer, TrainSettings, follow, learning_rate, pick_device

SHAPE = SampleShape(frames=2, canvas=96, crop=64)
SETTINGS = TrainSettings(minutes=0.1, workers=0, stages=(Stage("clips", 1.0, SHAPE, 1),))


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stills(tmp_path_factory.mktemp("faces"), 2)


@pytest.fixture(autouse=True)
def no_tracker_and_a_step_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "find_landmarks", lambda files, cache: {})
    clock = itertools.count()
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: float(next(clock)), strftime=time.strftime))


def train(
    faces: Path, out: Path, settings: TrainSettings = SETTINGS, config: GeneratorConfig = TINY, dev: Path | None = None
) -> dict[str, Any]:
    """The checkpoint after training."""
    loop.train(faces, dev, out, config, settings, "clearcall train")
    return load_checkpoint(out / "last.pt")


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_it_learns(faces: Path) -> None:
    data = Samples(list_faces(faces), {}, SHAPE, 1)
    batch = next(sample_loader(data, 4, workers=0))
    trainer = Trainer(TINY, dataclasses.replace(SETTINGS, warm_up=0.01))
    totals = [sum(float(v.detach()) for v in trainer.learn(batch).values()) for _ in range(40)]
    assert sum(totals[-5:]) < 0.9 * sum(totals[:5])


def test_it_writes_a_checkpoint_and_goes_on_from_it(faces: Path, tmp_path: Path) -> None:
    first = train(faces, tmp_path)
    assert (first["step"], first["elapsed"]) == (6, 6.0)
    assert first["provenance"]["files"] == 2
    second = train(faces, tmp_path, dataclasses.replace(SETTINGS, minutes=0.2))
    assert (second["step"], second["elapsed"]) == (12, 12.0)
    assert not same(list(first["weights"].values()), list(second["weights"].values()))
    assert second["optimiser"]["state"][0]["step"] == 12
    lines = (tmp_path / "train.log").read_text().splitlines()
    assert "from step 0" in lines[0] and "from step 6" in lines[-2]
    generator, _ = load_generator(tmp_path / "last.pt")
    assert same(list(generator.state_dict().values()), list(second["average"].values()))
    assert not generator.training


def test_the_same_seed_trains_the_same(faces: Path, tmp_path: Path) -> None:
    first, second = (train(faces, tmp_path / name)["weights"] for name in "ab")
    assert same(list(first.values()), list(second.values()))


def test_minutes_used_up_are_said_and_change_nothing(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(faces, tmp_path)
    before = (tmp_path / "last.pt").read_bytes()
    capsys.readouterr()
    train(faces, tmp_path)
    assert "nothing to do" in capsys.readouterr().out
    assert (tmp_path / "last.pt").read_bytes() == before


def test_ctrl_c_leaves_a_checkpoint_and_one_line(
    faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    learn, steps = Trainer.learn, itertools.count()

    def interrupted(self: Trainer, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        if next(steps) == 3:
            raise KeyboardInterrupt
        return learn(self, batch)

    monkeypatch.setattr(Trainer, "learn", interrupted)
    monkeypatch.setattr("training.command.CONFIGS", {"lite": TINY})
    assert main(["train", str(faces), "--out", str(tmp_path), "--workers", "0"]) == 130
    output = capsys.readouterr()
    assert output.err == "clearcall: interrupted\n"
    assert "interrupted at step 3" in output.out.splitlines()[-1]
    assert load_checkpoint(tmp_path / "last.pt")["step"] == 3


def test_another_configuration_is_refused(faces: Path, tmp_path: Path) -> None:
    train(faces, tmp_path)
    with pytest.raises(BadInput, match="another configuration"):
        train(faces, tmp_path, config=dataclasses.replace(TINY, window=1))


@pytest.mark.parametrize("damage", ["text", "keys", "config", "weights", "optimiser"])
def test_a_file_that_is_no_checkpoint_is_refused(faces: Path, tmp_path: Path, damage: str) -> None:
    last = tmp_path / "last.pt"
    Trainer(TINY, SETTINGS).store(last, {})
    content = load_checkpoint(last)
    if damage == "text":
        last.write_text("no checkpoint")
    else:
        if damage == "keys":
            del content["weights"]
        elif damage == "config":
            content["config"]["colour"] = 3
        else:
            content[damage] = {}
        torch.save(content, last)
    with pytest.raises(BadInput, match=r"last\.pt"):
        train(faces, tmp_path)


def test_divergence_ends_the_run(faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.losses.FLOOR", float("nan"))
    with pytest.raises(ClearcallError, match="diverged"):
        train(faces, tmp_path)
    assert not (tmp_path / "last.pt").exists()


def test_progress_and_people_it_never_saw_are_logged(
    faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "model_paths", lambda: None)
    monkeypatch.setattr(loop, "StillLandmarks", lambda models: lambda picture: None)
    monkeypatch.setattr(loop, "LOG_EVERY", 2.0)
    train(faces, tmp_path, dataclasses.replace(SETTINGS, checkpoint_every=1.0), dev=write_stills(tmp_path / "dev", 1))
    lines = (tmp_path / "train.log").read_text().splitlines()
    assert sum(" loss " in line for line in lines) == 2
    assert "clean 99.00 -> 99.00" in lines[-2] and "dev more: noise (word " in lines[-1]
    log = read_log(tmp_path / "train.log")
    # No face was found, and the folder's one still moves.
    assert log.more.keys() == {"word", "ssim", "exposure_free", "sharpness", "ewarp"}
    assert all(figures.keys() == log.before.keys() for figures in log.more.values())


def test_what_is_due_is_done_once_and_counts_from_when_it_was_done() -> None:
    """Counted from when it was due, what took long would be done again at once."""
    due = loop.Due(20.0, 100.0)
    assert [due.after(now) for now in (100.0, 119.0, 120.0, 120.5, 121.0, 140.5, 200.0, 201.0)] == [
        *(0.0, 0.0, 0.0, 20.5, 0.0, 0.0, 79.5, 0.0)
    ]


def test_the_rate_rises_falls_and_ends_small() -> None:
    settings = dataclasses.replace(SETTINGS, minutes=10, rate=1.0, warm_up=60)
    rates = [learning_rate(settings, seconds) for seconds in (0, 30, 60, 300, 600, 900)]
    assert rates[0] < rates[1] < rates[2] > rates[3] > rates[4] == rates[5] == pytest.approx(0.01)


def test_each_stage_begins_with_its_own_clips_and_rate(faces: Path, tmp_path: Path) -> None:
    pictures = Stage("pictures", 1.0, SampleShape(frames=1, canvas=96, crop=64), 2, last_rate=0.1)
    settings = dataclasses.replace(SETTINGS, minutes=0.2, stages=(pictures, Stage("time", 1.0, SHAPE, 1, "temporal")))
    settings = dataclasses.replace(settings, warm_up=2.0)
    rates = [learning_rate(settings, seconds) / settings.rate for seconds in (0.0, 5.99, 6.0, 8.0)]
    assert rates == pytest.approx([0.5, 0.1, 0.5, 0.75], abs=0.02)
    half = train(faces, tmp_path, dataclasses.replace(settings, minutes=0.1, stages=(pictures,)))["weights"]
    whole = train(faces, tmp_path, settings)["weights"]
    log = (tmp_path / "train.log").read_text()
    assert log.index("stage pictures: all weights") < log.index("stage time: temporal weights, clips of 2 x 64²")
    changed = {n for n in whole if not torch.equal(whole[n], half[n]) and "num_batches" not in n and "running" not in n}
    assert changed and all(learns(name, "temporal") for name in changed)


def test_the_stages_that_were_named_run_in_their_order(
    faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[TrainSettings] = []
    monkeypatch.setattr("training.command.train", lambda *arguments: seen.append(arguments[4]))
    assert main(["train", str(faces), "--out", str(tmp_path), "--stages", "flow,autoencoder"]) == 0
    assert main(["train", str(faces), "--out", str(tmp_path)]) == 0
    assert [[stage.name for stage in settings.stages] for settings in seen] == [
        ["flow", "autoencoder"],
        ["pictures", "time", "clips", "estimate"],
    ]


def test_the_average_follows() -> None:
    slow, fast = Generator(TINY), Generator(TINY)
    with torch.no_grad():
        for parameter in (*slow.parameters(), *fast.parameters()):
            parameter.fill_(0.0)
        for parameter in fast.parameters():
            parameter.fill_(1.0)
    fast.clip(clip_inputs())
    follow(slow, fast, 0.75)
    assert all(torch.allclose(p, torch.tensor(0.25)) for p in slow.parameters())
    counts = [g.get_submodule("encoder.coarse.0.first.1").get_buffer("num_batches_tracked") for g in (slow, fast)]
    assert counts[0] == counts[1] == clip_inputs().y.shape[1]


def test_another_run_can_be_started_from(faces: Path, tmp_path: Path) -> None:
    first = train(faces, tmp_path / "a")
    trainer = Trainer(dataclasses.replace(TINY, codes=24), SETTINGS)
    carried, total = trainer.start_from(tmp_path / "a" / "last.pt")
    # What has another shape, the entries of the two codebooks, starts afresh.
    assert carried == total - 2
    own = trainer.generator.state_dict()
    same_shape = [name for name, tensor in first["average"].items() if tensor.shape == own[name].shape]
    assert len(same_shape) == carried
    assert all(torch.equal(own[name], first["average"][name]) for name in same_shape)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["missing"], "missing"),
        (["FACES", "--minutes", "0"], "--minutes"),
        (["FACES", "--minutes", "nan"], "--minutes"),
        (["FACES", "--threads", "0"], "--threads"),
        (["FACES", "--workers", "-1"], "--workers"),
        (["FACES", "--seed", "-1"], "--seed"),
        (["FACES", "--stages", "pictures,pixels"], "'pixels'"),
        (["FACES", "--stages", ""], "--stages"),
        (["FACES", "--cache", "CACHE", "--cache-megabytes", "0"], "--cache-megabytes"),
        (["FACES", "--dev", "missing"], "missing"),
        (["FACES", "--out", "FACES/p0_still.png"], "p0_still.png"),
    ],
)
def test_a_wrong_call_is_said_in_one_line(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], reason: str
) -> None:
    options = [o.replace("FACES", str(faces)) for o in options]
    if "--out" not in options:
        options += ["--out", str(tmp_path)]
    assert main(["train", *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith("clearcall: ") and error.count("\n") == 1 and reason in error


def test_samples_can_come_from_a_cache(faces: Path, tmp_path: Path) -> None:
    cache = CacheSettings(tmp_path / "cache", 3.0)
    settings = dataclasses.replace(SETTINGS, workers=1)
    loop.train(faces, None, tmp_path / "run", TINY, settings, "clearcall train", None, cache)
    assert load_checkpoint(tmp_path / "run" / "last.pt")["step"] == 6
    assert len(Cache(tmp_path / "cache" / "clips").ready()) >= 16


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_not_taken_for_one() -> None:
    assert pick_device("auto").type == "cpu"
    with pytest.raises(BadInput, match="--device cuda"):
        pick_device("cuda")


def test_the_estimate_is_only_followed_once_it_has_learned_something(
    faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Guards against prompts at random, which undid within minutes what weights of an earlier run could do.
    shares = []

    def watched(*arguments: Any) -> dict[str, Tensor]:
        shares.append(arguments[3].auto_share)
        return losses(*arguments)

    monkeypatch.setattr(trainer_module, "losses", watched)
    train(faces, tmp_path, dataclasses.replace(SETTINGS, minutes=0.2, auto_from=0.5))
    assert shares == [0.0] * 7 + [SETTINGS.auto_share] * 5


def test_the_last_stage_trains_the_estimate_alone(faces: Path, tmp_path: Path) -> None:
    # Guards against an estimate that was trained on what other weights saw, not those that ship.
    both = (*SETTINGS.stages, Stage("estimate", 1.0, SHAPE, 1, "estimate"))
    settings = dataclasses.replace(SETTINGS, minutes=0.2, warm_up=0.01, stages=both)
    trainer = Trainer(TINY, settings)
    trainer.elapsed = 6.0
    data = Samples(list_faces(faces), {}, SHAPE, 1)
    before = {name: tensor.clone() for name, tensor in trainer.average.state_dict().items()}
    totals = []
    for batch in itertools.islice(itertools.repeat(next(sample_loader(data, 4, workers=0))), 30):
        terms = trainer.learn(batch)
        assert terms.keys() == {"prompt"}
        totals.append(float(terms["prompt"].detach()))
    assert totals[-1] < 0.9 * totals[0]
    after = trainer.average.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(name.startswith("estimate.") for name in changed)
    assert all(torch.equal(after[n], t) for n, t in trainer.generator.state_dict().items() if n.startswith("estimate."))
