"""`clearcall bench ablation` as it is called; training on, over two steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.ablation.arms import ARMS, SKIPPED, STAGED, WHOLE
from benchmarks.ablation.measure import generators
from benchmarks.ablation.tune import Tuning, trained
from generator.model import Generator
from stream.cli import main
from stream.face.models import find_models
from tests.benchmarks.ablation.test_restore import TINY
from tests.training.faces import write_stills
from training.stages import learns
from training.trainer import Trainer, TrainSettings


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["missing.pt"], "missing.pt"),
        (["x.pt", "--arms", "hands"], "--arms: hands"),
        (["x.pt", "--task", "mist"], "--task: mist"),
        (["x.pt", "--fine-tune", "5"], "--fine-tune and --train"),
        (["x.pt", "--size", "100"], "--size"),
        (["x.pt", "--doc", "missing/x.md"], "missing"),
    ],
)
def test_a_wrong_call_is_said_in_one_line(capsys: pytest.CaptureFixture[str], options: list[str], reason: str) -> None:
    assert main(["bench", "ablation", *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith("clearcall: ") and error.count("\n") == 1 and reason in error


@pytest.mark.skipif(find_models() is None, reason="needs the face models")
def test_a_run_writes_its_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    Trainer(TINY, TrainSettings()).store(tmp_path / "last.pt", {})
    folder, doc = write_stills(tmp_path / "faces", 2, 256), tmp_path / "ablations.md"
    call = ["bench", "ablation", str(tmp_path / "last.pt"), str(folder), "--frames", "2", "--task", "noise"]
    assert main([*call, "--arms", "taps off,wrong prompt", "--doc", str(doc)]) == 0
    text = doc.read_text()
    # An untrained generator is the identity: it repeats, and every part is worth nothing.
    assert "| VividFace | the same input gives the same bits | yes |" in text
    assert "| DL-Diff | taps off | +0.000 |" in text
    assert "not measured" in text and text == capsys.readouterr().out[: len(text)]


@pytest.mark.skipif(find_models() is None, reason="needs the face models")
def test_training_on_is_the_same_every_time_and_changes_the_weights(tmp_path: Path) -> None:
    torch.manual_seed(1)
    whole = Generator(TINY).eval()
    tuning = Tuning(write_stills(tmp_path, 2), tmp_path / "landmarks.npz", steps=2, batch=1)
    arm = next(a for a in ARMS if a.name == "taps off")
    one, two = (trained(whole, arm, tuning, lambda line: None)[0].state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    own = whole.state_dict()
    assert any(not np.array_equal(one[name].numpy(), own[name].numpy()) for name in one)
    assert not any("tap" in name for name in one if name not in own)


@pytest.mark.skipif(find_models() is None, reason="needs the face models")
def test_training_on_does_not_hide_what_began_from_nothing(tmp_path: Path) -> None:
    """Guards against: parts of two steps pass for parts as old as those they are compared with."""
    folder = write_stills(tmp_path / "faces", 2)
    arms = [arm for arm in ARMS if arm.name in ("fusion swapped", "taps off", "wrong prompt", SKIPPED)]
    made = generators(Generator(TINY).eval(), arms, 1, folder, tmp_path / "out", lambda line: None)
    anew = {arm.name: tensors for arm, _, tensors in made}
    assert anew["fusion swapped"] > 0 and anew[SKIPPED] > 0 and anew["taps off"] == anew["wrong prompt"] == 0


def test_what_differs_in_training_alone_is_left_out_without_any() -> None:
    """Guards against: an arm that is the whole one, under another name, seems to cost nothing."""
    made = generators(Generator(TINY).eval(), list(ARMS), 0, None, Path("unused"), lambda line: None)
    names = {arm.name for arm, _, _ in made}
    assert WHOLE in names and "taps off" in names
    assert not names & {"face switch off", "semantic weights off", STAGED, SKIPPED}


@pytest.mark.skipif(find_models() is None, reason="needs the face models")
def test_stages_let_temporal_parts_begin_anew_and_alone(tmp_path: Path) -> None:
    """Guards against: both arms are trained alike, so that what they differ by is nothing."""
    torch.manual_seed(1)
    whole = Generator(TINY).eval()
    with torch.no_grad():
        for name, weight in whole.named_parameters():
            if learns(name, "temporal"):
                weight.fill_(9.0)
    folder = write_stills(tmp_path, 2)

    def tuned(name: str, steps: int) -> dict[str, torch.Tensor]:
        arm = next(a for a in ARMS if a.name == name)
        tuning = Tuning(folder, tmp_path / "landmarks.npz", steps, batch=1)
        return dict(trained(whole, arm, tuning, lambda line: None)[0].named_parameters())

    own = dict(whole.named_parameters())
    temporal = {name for name in own if learns(name, "temporal")}
    staged, skipped = tuned(STAGED, 1), tuned(SKIPPED, 1)
    assert all(not torch.equal(staged[name], own[name]) for name in temporal)
    assert all(torch.equal(staged[name], own[name]) for name in own if name not in temporal)
    assert any(not torch.equal(skipped[name], own[name]) for name in own if name not in temporal)
    later = tuned(STAGED, 2)
    assert any(not torch.equal(later[name], own[name]) for name in own if name not in temporal)
