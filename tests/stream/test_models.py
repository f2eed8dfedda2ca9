"""A model and what runs it: the choice reaches the doors, and what was lost since is told, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.choice import Candidate
from engines.engine import Engine
from engines.errors import BadInput, EngineError, EngineLost
from engines.manifest import Manifest
from stream import models
from stream.models import engine_lines, open_model
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

    def offered(threads: int, may_build: bool) -> list[Candidate]:
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
    assert engine_lines(model) == ["engine gpu", "not tensorrt: no plan"]


def test_what_is_lost_in_a_call_is_told(opened: list[FakeEngine]) -> None:
    model = open_model("tiny", folder=folder())
    engine = model.engines[manifests()[0].crop]
    cache = engine.new_cache()
    opened[0].failing = EngineLost("gone")
    engine.step(inputs(manifests()[0], 1), cache)
    assert model.engine == "cpu"
    assert model.refused == {"tensorrt": "no plan", "gpu": "gone"}


def test_one_that_is_demanded_is_taken_or_nothing(opened: list[FakeEngine]) -> None:
    assert open_model("tiny", folder=folder(), engine="cpu").engine == "cpu"
    with pytest.raises(EngineError, match="engine tensorrt cannot be used: no plan"):
        open_model("tiny", folder=folder(), engine="tensorrt")
    with pytest.raises(BadInput, match="--engine must be auto, tensorrt, gpu, cpu, not 'x'"):
        open_model("tiny", folder=folder(), engine="x")
