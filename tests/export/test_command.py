"""`clearcall export`: nothing is replaced unless the graphs do what the generator does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engines.manifest import Manifest, read_family
from export import command, half_dev
from export.parity import Parity
from stream.cli import main
from tests.export.tiny_family import SIZES, generator, manifests
from tests.generator.tiny import TINY
from tests.training.faces import write_stills
from training.trainer import Trainer, TrainSettings
from training.validate import Score

real_clips = half_dev.clips


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A run's folder with a checkpoint of the tiny generator and a log."""
    trainer = Trainer(TINY, TrainSettings())
    trainer.average.load_state_dict(generator().state_dict())
    trainer.elapsed, trainer.step = 90.0, 7
    path = tmp_path / "run" / "last.pt"
    path.parent.mkdir()
    trainer.store(path, {"seed": 1})
    (path.parent / "train.log").write_text("12:00:00 training\n")
    return path


@pytest.fixture(autouse=True)
def given(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What was given as provenance; the graphs are the ones that other tests have exported."""
    provenance: list[dict[str, object]] = []

    def export(
        model: object, variants: object, family: str, folder: Path, training: dict[str, object]
    ) -> list[Manifest]:
        provenance.append(training)
        for path in manifests()[0].graph.path.parent.iterdir():
            shutil.copyfile(path, folder / path.name)
        return read_family(family, folder)

    monkeypatch.setattr(command, "SIZES", SIZES)
    monkeypatch.setattr(command, "offline_variants", lambda family, size: [])
    monkeypatch.setattr(command, "export_variants", export)
    return provenance


def test_files_are_put_in_place(
    checkpoint: Path, given: list[dict[str, object]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "models"
    assert main(["export", str(checkpoint), "--name", "tiny", "--out", str(out)]) == 0
    assert "tiny-64: largest difference" in capsys.readouterr().out
    assert sorted(p.name for p in out.iterdir()) == [
        "tiny-128.json", "tiny-128.onnx", "tiny-64.json", "tiny-64.onnx", "tiny-96.json", "tiny-96.onnx",
        "tiny-fp16-128.json", "tiny-fp16-128.onnx", "tiny-fp16-64.json", "tiny-fp16-64.onnx", "tiny-fp16-96.json",
        "tiny-fp16-96.onnx", "tiny-fp16.data", "tiny.data", "tiny.train.log",
    ]  # fmt: skip
    assert given == [{"seed": 1, "minutes": 1.5, "steps": 7, "dev": {}}]
    for manifest in read_family("tiny", out):
        manifest.graph.check()
        manifest.weights.check()


def test_graphs_that_differ_replace_nothing(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "compare", lambda generator, manifest, integration: Parity(9, 0.5))
    out = tmp_path / "models"
    out.mkdir()
    (out / "tiny.data").write_text("as before")
    assert main(["export", str(checkpoint), "--name", "tiny", "--out", str(out)]) == 1
    error = capsys.readouterr().err
    assert "differs" in error and error.count("\n") == 1
    assert [(p.name, p.read_text()) for p in out.iterdir()] == [("tiny.data", "as before")]


def there(folder: Path, noise: float) -> None:
    """The tiny model with a figure, and a graph in integers beside it."""
    folder.mkdir()
    for path in manifests()[0].graph.path.parent.iterdir():
        shutil.copyfile(path, folder / path.name)
    for path in folder.glob("tiny-[0-9]*.json"):
        content = json.loads(path.read_text())
        content["training"] = {"dev": {"noise": {"input": 28.0, "output": noise}}, "dev_files": 1}
        path.write_text(json.dumps(content))
    (folder / "tiny-int8-64.onnx").write_text("of other weights")


def test_a_worse_model_replaces_nothing_unless_forced(
    checkpoint: Path,
    given: list[dict[str, object]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "models"
    there(out, 38.0)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    monkeypatch.setattr(command, "scores", lambda generator, folder: {"noise": {"input": 28.0, "output": 37.5}})
    monkeypatch.setattr(half_dev, "clips", lambda folder, size: real_clips(None, size))
    words = ["export", str(checkpoint), "--name", "tiny", "--out", str(out)]
    dev = ["--dev", str(write_stills(tmp_path / "dev", 1))]
    assert main([*words, *dev]) == 1
    said = capsys.readouterr()
    assert "noise -0.50; mean over tasks -0.50 dB" in said.out
    assert "better by 0.50 dB" in said.err and "--force" in said.err and said.err.count("\n") == 1
    assert not given and {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert main([*words, *dev, "--force"]) == 0
    said = capsys.readouterr()
    assert given[0]["dev_files"] == 1 and not (out / "tiny-int8-64.onnx").exists()
    assert "tiny-int8" in said.err and "deleted" in said.err and said.err.count("\n") == 1


def test_without_dev_it_is_said_that_nothing_was_compared(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "models"
    there(out, 38.0)
    assert main(["export", str(checkpoint), "--name", "tiny", "--out", str(out)]) == 0
    assert "not compared with the tiny that is there: --dev is not given" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["missing.pt"], "missing.pt"),
        (["TEXT"], "not a readable checkpoint"),
        (["CHECKPOINT", "--name", "lite-2"], "--name"),
        (["CHECKPOINT", "--name", "../lite"], "--name"),
        (["CHECKPOINT", "--name", ""], "--name"),
        (["CHECKPOINT", "--out", "TEXT"], "train.log"),
        (["CHECKPOINT", "--dev", "missing"], "missing"),
    ],
)
def test_a_wrong_call_is_said_in_one_line(
    checkpoint: Path, capsys: pytest.CaptureFixture[str], options: list[str], reason: str
) -> None:
    known = {"CHECKPOINT": str(checkpoint), "TEXT": str(checkpoint.parent / "train.log")}
    assert main(["export", *(known.get(o, o) for o in options)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("clearcall: ") and error.count("\n") == 1 and reason in error


def test_a_manifest_keeps_its_names_and_says_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    score = Score("noise", 28.534, 36.25, 35.126, 35.5, {"ssim": 0.912345, "psnr_face": 34.567, "ewarp": 0.0123456})
    monkeypatch.setattr(command, "model_paths", lambda: None)
    monkeypatch.setattr(command, "StillLandmarks", lambda models: None)
    monkeypatch.setattr(command, "validate", lambda *given: [score])
    assert command.scores(generator(), write_stills(tmp_path, 1)) == {
        "noise": {
            **{"input": 28.53, "output": 36.25, "auto": 35.13, "word": 35.5},
            **{"ssim": 0.9123, "psnr_face": 34.57, "ewarp": 0.01235},
        }
    }
