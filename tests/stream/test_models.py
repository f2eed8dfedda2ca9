"""A model and what runs it: the choice reaches the doors, and what was lost since is told, too."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engines.choice import Candidate
from engines.engine import Engine
from engines.errors import BadInput, EngineError, EngineLost, OutOfDeviceMemory
from engines.manifest import Manifest
from engines.onnx_runtime import CPU
from stream import models
from stream.governor import govern
from stream.models import Model, engine_line, open_model
from tests.engines.fakes import FakeEngine
from tests.engines.test_onnx_runtime import inputs
from tests.export.tiny_family import manifests


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[FakeEngine]:
    """Engines made: the best cannot be used, the next is a fake, the last runs the graphs."""
    made: list[FakeEngine] = []

    def refuse(manifest: Manifest) -> Engine:
        raise EngineError("no plan")

    def fake(manifest: Manifest) -> Engine:
        made.append(FakeEngine(manifest, "gpu"))
        return made[-1]

    def offered(threads: int, may_build: bool, half: bool) -> list[Candidate]:
        return [
            Candidate("tensorrt", refuse),
            Candidate("gpu", fake),
            Candidate("cpu", lambda m: FakeEngine(m, "cpu")),
        ]

    monkeypatch.setattr(models, "candidates", offered)
    return made


def folder() -> Path:
    return manifests()[0].graph.path.parent


def test_what_was_chosen_and_why_not_the_better_one(opened: list[FakeEngine]) -> None:
    model = open_model("tiny", folder=folder())
    assert model.engine == "gpu" and list(model.engines) == [m.crop for m in manifests()]
    assert engine_line(model) == "engine gpu (not tensorrt: no plan)"


def test_what_is_lost_in_a_call_is_told(opened: list[FakeEngine]) -> None:
    """Asked of the smallest crop only, a loss in another was a refusal of the engine said to be in use."""
    model = open_model("tiny", folder=folder())
    lose(model, opened, -1)
    assert len(manifests()) > 1 and model.engine == "cpu"
    assert model.refused == {"tensorrt": "no plan", "gpu": f"gone (crop size {manifests()[-1].crop} only)"}
    for index in range(len(manifests()) - 1):
        lose(model, opened, index)
    assert model.engine == "cpu" and model.refused == {"tensorrt": "no plan", "gpu": "gone"}
    assert engine_line(model) == "engine cpu (not tensorrt: no plan; not gpu: gone)"


def lose(model: Model, opened: list[FakeEngine], index: int) -> None:
    manifest = manifests()[index]
    engine = model.engines[manifest.crop]
    cache = engine.new_cache()
    opened[index].failing = EngineLost("gone")
    engine.step(inputs(manifest, 1), cache)


def test_no_room_for_one_session_is_no_loss_to_all(opened: list[FakeEngine]) -> None:
    model = open_model("tiny", folder=folder())
    opened[0].full = OutOfDeviceMemory("no room")
    model.engines[manifests()[0].crop].new_cache()
    assert model.engine == "gpu" and model.refused == {"tensorrt": "no plan"}


def test_one_that_is_demanded_is_taken_or_nothing(opened: list[FakeEngine]) -> None:
    assert open_model("tiny", folder=folder(), engine="cpu").engine == "cpu"
    with pytest.raises(EngineError, match="engine tensorrt cannot be used: no plan"):
        open_model("tiny", folder=folder(), engine="tensorrt")
    with pytest.raises(BadInput, match="--engine must be auto, tensorrt, gpu, cpu, not 'x'"):
        open_model("tiny", folder=folder(), engine="x")


@pytest.fixture
def with_int8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the family in float32 and, by name, in integers; the CPU alone can run it."""
    for source in folder().iterdir():
        shutil.copyfile(source, tmp_path / source.name)
    for manifest in manifests():
        path = tmp_path / f"{manifest.name}.json"
        content = json.loads(path.read_text())
        name = manifest.name.replace("tiny", "tiny-int8")
        (tmp_path / f"{name}.json").write_text(json.dumps({**content, "name": name, "family": "tiny-int8"}))
    monkeypatch.setattr(models, "candidates", lambda *given, **named: [Candidate(CPU, FakeEngine)])
    return tmp_path


def test_integers_come_along_where_they_are_faster(with_int8: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "relative_cost", lambda one, other, threads: 0.6)
    model = open_model("tiny", folder=with_int8, live=True)
    assert model.costs == {"fp32": 1.0, "int8": 0.6} and list(model.precisions) == ["fp32", "int8"]
    assert govern(model, 0.033, 0.0).level.name == "64 int8", "a call begins with the least"
    # Guards against tiles that never run where nobody sits before the camera: a level rises by faces' times alone.
    assert govern(model, 0.033, 0.0, whole=True).level.name == "128 int8", "tiles go with the largest graph"
    # Files have time.
    assert open_model("tiny", folder=with_int8).costs == {"fp32": 1.0}


def test_integers_that_are_not_faster_stay_away_and_the_reason_is_told(
    with_int8: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "relative_cost", lambda one, other, threads: 0.95)
    model = open_model("tiny", folder=with_int8, live=True)
    assert model.costs == {"fp32": 1.0} and model.refused == {"int8": "takes 0.95 of the time of fp32 here"}


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_precision_may_be_demanded(with_int8: Path, precision: str) -> None:
    model = open_model("tiny", folder=with_int8, precision=precision, live=True)
    assert model.costs == {precision: 1.0}


def test_a_precision_that_the_model_has_not_got(with_int8: Path) -> None:
    with pytest.raises(BadInput, match="tiny has no graphs in fp16: choose another --precision"):
        open_model("tiny", folder=with_int8, precision="fp16")
    with pytest.raises(BadInput, match="unknown model"):
        open_model("none", folder=with_int8, precision="int8")


def test_broken_integers_do_not_keep_a_call_from_float32(with_int8: Path) -> None:
    for path in with_int8.glob("tiny-int8-64.json"):
        path.unlink()
    model = open_model("tiny", folder=with_int8, live=True)
    assert model.costs == {"fp32": 1.0} and "crop sizes" in model.refused["int8"]
