"""Training samples: shapes, ranges, repeatability, and motion that is known exactly."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from engines.errors import BadInput
from stream.face.regions import REGION_NAMES
from tests.training.faces import write_clip, write_stills
from training.degrade import TASKS
from training.faces import list_faces
from training.samples import Samples, SampleShape, mirrored, sample_loader

SHAPE = SampleShape(frames=3, canvas=96, crop=64)


def landmarks(name: str) -> dict[str, np.ndarray]:
    """468 points spread over a 256 px still."""
    points = np.random.default_rng(1).uniform(60, 200, (468, 2)).astype(np.float32)
    return {name: points}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stills(tmp_path_factory.mktemp("faces"), 2)


def draw(folder: Path, count: int, seed: int = 1) -> list[dict[str, Tensor]]:
    return list(islice(Samples(list_faces(folder), landmarks("p0_still.png"), SHAPE, seed), count))


def test_shapes_and_ranges(folder: Path) -> None:
    for sample in draw(folder, 12):
        assert {name: tuple(t.shape) for name, t in sample.items()} == {
            "y": (3, 1, 64, 64),
            "uv": (3, 2, 32, 32),
            "clean_y": (3, 1, 64, 64),
            "clean_uv": (3, 2, 32, 32),
            "regions": (3, len(REGION_NAMES), 4, 4),
            "clean_regions": (3, len(REGION_NAMES), 4, 4),
            "prompt": (3, len(TASKS)),
        }
        for tensor in sample.values():
            assert tensor.dtype == torch.float32
            assert 0 <= tensor.min() and tensor.max() <= 1


def test_the_seed_decides(folder: Path) -> None:
    first, again, other = draw(folder, 3), draw(folder, 3), draw(folder, 3, seed=2)
    assert all(torch.equal(a[name], b[name]) for a, b in zip(first, again, strict=True) for name in a)
    assert not torch.equal(first[0]["y"], other[0]["y"])


def test_a_clean_prompt_goes_with_a_clean_picture(folder: Path) -> None:
    samples = draw(folder, 40)
    for sample in samples:
        clean = torch.equal(sample["y"], sample["clean_y"]) and torch.equal(sample["uv"], sample["clean_uv"])
        assert clean == (not sample["prompt"].any())
    assert any(not s["prompt"].any() for s in samples)


def test_region_maps_are_there_only_with_landmarks(folder: Path) -> None:
    with_maps = [s["regions"].any() for s in draw(folder, 40)]
    assert 0 < sum(map(bool, with_maps)) < 30
    none = islice(Samples(list_faces(folder), {}, SHAPE, 1), 8)
    assert not any(s["regions"].any() for s in none)


def test_clips_take_part(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.samples.REAL_CLIP_SHARE", 1.0)
    write_stills(tmp_path, 1)
    write_clip(tmp_path / "p9_clip.mp4", 128, frames=2)
    sample = next(iter(Samples(list_faces(tmp_path), {}, SHAPE, 1)))
    # Two frames only: the last one stands for the third.
    assert torch.equal(sample["clean_y"][1], sample["clean_y"][2])
    assert not torch.equal(sample["clean_y"][0], sample["clean_y"][1])


def test_clips_alone_and_small_clips_are_refused(tmp_path: Path) -> None:
    write_clip(tmp_path / "p1_clip.mp4", 80)
    with pytest.raises(BadInput, match="stills"):
        Samples(list_faces(tmp_path), {}, SHAPE, 1)
    write_stills(tmp_path, 1)
    with pytest.raises(BadInput, match=r"p1_clip\.mp4: 80x80"):
        Samples(list_faces(tmp_path), {}, SHAPE, 1)


def test_batches_without_a_process_of_their_own(folder: Path) -> None:
    data = Samples(list_faces(folder), {}, SHAPE, 1)
    batch = next(sample_loader(data, 2, workers=0))
    assert batch["y"].shape == (2, 3, 1, 64, 64)
    assert torch.equal(batch["y"][0], next(iter(data))["y"])


def test_motion_comes_on_demand(folder: Path) -> None:
    files = list_faces(folder)
    plain, with_motion = (
        list(islice(Samples(files, landmarks("p0_still.png"), SHAPE, 1, motion=motion), 12)) for motion in (False, True)
    )
    for one, two in zip(plain, with_motion, strict=True):
        assert two["flow"].shape == (2, 2, 64, 64) and two["visible"].shape == (2, 1, 64, 64)
        assert set(two["visible"].flatten().tolist()) <= {0.0, 1.0}
        assert all(torch.equal(one[name], two[name]) for name in one)
        assert two["flow"].dtype == torch.float32


def test_flow_leads_back_to_the_frame_before(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Guards against flow that is not cut, mirrored or frozen together with the pictures.
    monkeypatch.setattr("training.animate.LIGHT_SHARE", 0.0)
    moved = 0
    for sample in islice(Samples(list_faces(folder), {}, SHAPE, 5, motion=True), 60):
        clean, flow, visible = sample["clean_y"], sample["flow"], sample["visible"]
        grid = torch.stack(torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="xy"))
        place = (flow + grid).permute(0, 2, 3, 1) / 31.5 - 1
        told = functional.grid_sample(clean[:-1], place, "bicubic", "border", align_corners=True)
        count = visible.sum().clamp(min=1)
        off = ((told - clean[1:]).abs() * visible).sum() / count
        stayed = ((clean[:-1] - clean[1:]).abs() * visible).sum() / count
        assert off < 0.02
        moved += bool(stayed > 2 * off + 0.005)
    assert moved > 8


def test_a_mirror_turns_everything_round(folder: Path) -> None:
    sample = next(islice(Samples(list_faces(folder), landmarks("p0_still.png"), SHAPE, 1, motion=True), 1))
    sample["regions"] = torch.rand(3, len(REGION_NAMES), 4, 4)
    sample["flow"] = torch.rand(2, 2, 64, 64)
    turned = mirrored(sample)
    assert torch.equal(turned["y"], sample["y"].flip(-1)) and torch.equal(turned["prompt"], sample["prompt"])
    assert torch.equal(turned["flow"][:, 0], -sample["flow"][:, 0].flip(-1))
    assert torch.equal(turned["flow"][:, 1], sample["flow"][:, 1].flip(-1))
    left, right = REGION_NAMES.index("left_eye"), REGION_NAMES.index("right_eye")
    assert torch.equal(turned["regions"][:, left], sample["regions"][:, right].flip(-1))
    again = mirrored(turned)
    assert all(torch.equal(again[name], sample[name]) for name in sample)
