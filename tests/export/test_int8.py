"""Graphs in 8-bit integers: where the work is, with the same ends, and shipped only where next to nothing is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
import pytest

from engines.engine import Engine
from engines.errors import BadInput
from engines.manifest import Manifest, read_family
from engines.onnx_runtime import OrtEngine
from export import int8_family as module
from export.int8 import FLOAT32, Feeds, convolutions
from export.int8_check import ALLOWED_DB, Case, Loss, cases, losses, report, scores, worst
from export.int8_family import export_int8, from_folders, remove
from export.int8_frames import feeds, samples
from export.onnx_graph import check_operators
from stream.cli import main
from tests.engines.test_onnx_runtime import inputs
from tests.export.tiny_family import manifests
from tests.training.faces import pattern
from training.degrade import TASKS, to_planes


def frames(manifest: Manifest) -> Iterable[Feeds]:
    """Three frames of noise with carried state."""
    engine = OrtEngine(manifest)
    rng = np.random.default_rng(2)
    for _ in range(3):
        given = inputs(engine.manifest, int(rng.integers(99)))
        states: Feeds = {s.input: rng.normal(0, 1, s.shape).astype(s.dtype) for s in manifest.states}
        one = np.ones((1, 1), np.float32)
        shown: Feeds = {"y": given.y, "uv": given.uv, "regions": given.regions, "prompt": given.prompt}
        yield {**shown, "strength": one, "keep": one, **states}


def judged(manifest: Manifest) -> list[Case]:
    """One clip of two tasks."""
    edge = manifest.crop
    clean = to_planes([pattern(1, edge)] * 2)
    bad = (clean[0] // 2, clean[1])
    regions = np.zeros(manifest.shape("regions"), np.float32)
    prompt = np.ones(len(TASKS), np.float32)
    return [Case(task, bad, clean, regions, prompt) for task in TASKS[:2]]


def test_the_work_is_quantised_and_what_is_seen_is_not() -> None:
    model = onnx.load(str(manifests()[1].graph.path))
    chosen = convolutions(model)
    assert chosen and not any(part in name for part in FLOAT32 for name in chosen)
    assert any("decoder.to_fine" in name for name in chosen), "the finest grid is most of the work"
    first = next(iter(chosen))
    assert first not in convolutions(model, [first])


def test_the_graph_keeps_its_ends_and_computes_nearly_the_same(tmp_path: Path) -> None:
    whole = manifests()[1]
    made = module._write([whole], tmp_path, [], frames)
    (other,) = made
    assert (other.name, other.family, other.crop) == ("tiny-int8-96", "tiny-int8", whole.crop)
    model = onnx.load(str(other.graph.path))
    check_operators(model)
    kinds = {t.name: t.data_type for t in model.graph.initializer}
    assert onnx.TensorProto.INT8 in kinds.values()
    one, two = OrtEngine(whole), OrtEngine(other)
    caches = one.new_cache(), two.new_cache()
    for seed in range(4):
        given = inputs(whole, seed)
        outs = [engine.step(given, cache) for engine, cache in zip((one, two), caches, strict=True)]
        off = np.abs(outs[0].y.astype(int) - outs[1].y)
        changed = np.abs(outs[0].y.astype(int) - given.y)
        assert 0 < off.max() and off.mean() < 0.3 * changed.mean()


def test_strength_zero_gives_back_every_bit(tmp_path: Path) -> None:
    (other,) = module._write([manifests()[0]], tmp_path, [], frames)
    engine = OrtEngine(other)
    given = inputs(other, 1, strength=0.0)
    out = engine.step(given, engine.new_cache())
    assert np.array_equal(out.y, given.y) and np.array_equal(out.uv, given.uv)


def test_what_loses_nothing_is_shipped_and_its_manifest_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "scores", lambda engine, given: {"noise": 30.0})
    said: list[str] = []
    made = export_int8(manifests()[:2], tmp_path, frames, judged, said.append)
    assert [m.name for m in read_family("tiny-int8", tmp_path)] == [m.name for m in made.manifests]
    for manifest in made.manifests:
        manifest.graph.check()
        manifest.weights.check()
        assert manifest.training["int8"] == {"lost_db": {"noise": 0.0}, "also_float32": []}
    assert "noise" in said[0] and not made.kept


def test_what_loses_too_much_is_not_shipped_and_this_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def scored(engine: Engine, given: object) -> dict[str, float]:
        rough = engine.manifest.family.endswith("int8")
        return {"haze auto": 30.0 - 0.3 * rough, "noise": 30.0 - 0.2 * rough}

    monkeypatch.setattr(module, "scores", scored)
    monkeypatch.setattr(module, "by_harm", lambda *given: ["worst", "second"])
    monkeypatch.setattr(module, "TRIES", (0, 1))
    said: list[str] = []
    made = export_int8(manifests()[:1], tmp_path, frames, judged, said.append)
    assert not made.manifests and list(tmp_path.iterdir()) == []
    assert said[-1] == f"tiny-int8 is not shipped: noise loses 0.20 dB, {ALLOWED_DB} at most"
    assert "kept in float32: worst" in said


def test_one_task_may_be_left_to_float32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against: nobody gets integers since a single task, which seldom is there, loses by them."""

    def scored(engine: Engine, given: object) -> dict[str, float]:
        rough = engine.manifest.family.endswith("int8")
        return {"low light": 50.0 - 0.9 * rough, "low light auto": 30.0, "noise": 30.0 - 0.1 * rough}

    monkeypatch.setattr(module, "scores", scored)
    said: list[str] = []
    made = export_int8(manifests()[:2], tmp_path, frames, judged, said.append)
    assert [m.unfit for m in read_family("tiny-int8", tmp_path)] == [("low light",)] * 2 and not made.kept
    assert said[-1] == "low light is left to float32"
    assert not manifests()[0].unfit


def test_harm_ranks_every_convolution() -> None:
    ranked = module.by_harm(manifests()[0], frames, judged(manifests()[0]))
    assert set(ranked) == set(convolutions(onnx.load(str(manifests()[0].graph.path))))


def test_losses_are_told_by_task() -> None:
    found = losses({"noise": 30.0, "noise auto": 29.0}, {"noise": 29.9, "noise auto": 29.2})
    assert worst(found) == Loss("noise", 30.0, 29.9) and worst(found).db == pytest.approx(0.1)
    assert "noise auto" in report("x", found).splitlines()[-1] and "-0.20" in report("x", found)


def test_both_kinds_of_prompt_are_judged() -> None:
    found = scores(OrtEngine(manifests()[0]), judged(manifests()[0]))
    assert list(found) == ["noise", "noise auto", "compression", "compression auto"]


def test_only_graphs_in_integers_are_removed(tmp_path: Path) -> None:
    for manifest in manifests():
        shutil.copyfile(manifest.graph.path, tmp_path / manifest.graph.path.name)
    for name in ("tiny-int8-64.onnx", "tiny-int8-64.json", "tiny-int8.data", "tiny-int80.onnx"):
        (tmp_path / name).write_text(json.dumps({}))
    remove("tiny", tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["tiny-128.onnx", "tiny-64.onnx", "tiny-96.onnx", "tiny-int80.onnx"]


def test_folders_without_faces_are_named(tmp_path: Path) -> None:
    calibrated, judge = from_folders(tmp_path / "none", tmp_path / "none")
    with pytest.raises(BadInput, match="none"):
        list(calibrated(manifests()[0]))
    with pytest.raises(BadInput, match="none"):
        judge(manifests()[0])


def test_integers_without_judges_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "x.pt", "--calibrate", "faces"]) == 2
    assert "--calibrate needs --dev" in capsys.readouterr().err


def test_frames_come_from_training_samples_with_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from export import int8_frames
    from tests.training.faces import write_stills

    monkeypatch.setattr(int8_frames, "find_landmarks", lambda stills, cache: {})
    drawn = samples(write_stills(tmp_path / "train"), 64, clips=2)
    given = list(feeds(manifests()[0], drawn))
    assert [float(feed["keep"][0, 0]) for feed in given] == [0, 1, 1, 0, 1, 1]
    state = manifests()[0].states[0].input
    assert not given[0][state].any() and given[1][state].any() and not given[3][state].any()
    assert given[0]["y"].dtype == np.uint8 and given[0]["y"].shape == (1, 1, 64, 64)
    again = samples(tmp_path / "train", 64, clips=2)
    assert all(np.array_equal(a["y"], b["y"]) for a, b in zip(drawn, again, strict=True))


def test_cases_are_made_of_every_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from export import int8_check
    from tests.training.faces import write_stills

    monkeypatch.setattr(int8_check, "StillLandmarks", lambda models: lambda picture: None)
    monkeypatch.setattr(int8_check, "model_paths", lambda: None)
    found = cases(write_stills(tmp_path / "dev", 2), 64, 4)
    assert [case.task for case in found] == [*TASKS, *TASKS]
    with pytest.raises(BadInput, match="512 pixels"):
        cases(tmp_path / "dev", 512, 32)
