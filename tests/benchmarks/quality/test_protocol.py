"""The protocol: the same every time, as strong as it says, and never what training draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import protocol
from engines.errors import BadInput
from tests.training.faces import pattern, write_clip, write_stills
from training.degrade import Degradation, degrade
from training.faces import list_faces
from training.measures import psnr


def source(name: str = "p1_a") -> protocol.Source:
    return protocol.Source(name, "p1", [pattern(1, 128)] * 3, None)


@pytest.mark.parametrize("task", list(protocol.LEVELS))
def test_a_case_is_the_same_every_time(task: str) -> None:
    one, two = (protocol.damaged(source(), task, "middle", None) for _ in range(2))
    np.testing.assert_array_equal(one.bad[0], two.bad[0])
    np.testing.assert_array_equal(one.bad[1], two.bad[1])


def test_other_files_and_tasks_have_other_seeds() -> None:
    a = protocol.damaged(source(), "noise", "middle", None)
    b = protocol.damaged(source("p1_b"), "noise", "middle", None)
    assert (a.bad[0] != b.bad[0]).mean() > 0.5
    assert len({protocol.damaged(source(), t, "middle", None).seed for t in protocol.LEVELS}) == len(protocol.LEVELS)


def test_seeds_are_none_that_training_can_draw() -> None:
    """Guards against: numpy pads short seeds with zeros, so that [s, w] and [s, w, 0, 0] are the same."""
    seed = protocol.damaged(source(), "noise", "middle", None).seed
    assert len(seed) == 4 and all(seed)
    own = protocol.damaged(source(), "noise", "middle", None).bad[0]
    other, _ = degrade(source().frames, Degradation({"noise": 0.8}), np.random.default_rng(list(seed[:2])))
    assert (own != other).mean() > 0.5


@pytest.mark.parametrize("task", [t for t in protocol.LEVELS if t != "clean"])
def test_strengths_rise(task: str) -> None:
    found = [
        psnr(case.bad, case.clean)
        for case in (protocol.damaged(source(), task, s, None) for s in protocol.STRENGTHS)
        if case.clean is not None
    ]
    assert found[0] > found[1] > found[2]


def test_the_right_prompt_names_the_damage_and_the_wrong_one_does_not() -> None:
    case = protocol.damaged(source(), "noise", "middle", None)
    right, wrong = case.right_prompt(), case.wrong_prompt()
    assert right is not None and wrong is not None
    assert right[0] == pytest.approx(0.25 + 0.75 * 0.8) and right[1:].sum() == 0
    assert wrong[0] == 0 and wrong.sum() == pytest.approx(right.sum())
    clean = protocol.damaged(source(), "clean", "middle", None)
    assert not np.any(clean.right_prompt()) and np.any(clean.wrong_prompt())


def test_stills_move_in_a_known_way_and_clips_are_cut(tmp_path: Path) -> None:
    write_stills(tmp_path, 1, 300)
    write_clip(tmp_path / "p9_clip.mp4", 288)
    still, clip = (protocol.read_source(file, 4, 512) for file in list_faces(tmp_path))
    assert still.frames[0].shape == clip.frames[0].shape == (256, 256, 3)
    assert still.motion is not None and len(still.motion) == 3 and clip.motion is None
    still, clip = (protocol.read_source(file, 4, None) for file in list_faces(tmp_path))
    assert still.frames[0].shape == (256, 256, 3) and clip.frames[0].shape == (288, 288, 3)
    with pytest.raises(BadInput, match="smaller than 256"):
        protocol.read_source(list_faces(write_stills(tmp_path / "small", 1, 128))[0], 4, 512)


def test_files_are_spread_and_mixed(tmp_path: Path) -> None:
    write_stills(tmp_path, 8)
    for name in ("q1_clip.mp4", "q2_clip.mp4"):
        write_clip(tmp_path / name)
    files = protocol.files_in(tmp_path, None)
    assert len(files) == 10 and any(f.clip for f in files[:4]) and not all(f.clip for f in files[-4:])
    assert len(protocol.files_in(tmp_path, 3)) == 3


def test_pairs_go_by_name(tmp_path: Path) -> None:
    bad, clean = write_stills(tmp_path / "bad", 2), write_stills(tmp_path / "clean", 3)
    assert [b.path.name for b, _ in protocol.pairs_in(bad, clean, None)] == ["p0_still.png", "p1_still.png"]
    with pytest.raises(BadInput, match="p2_still.png"):
        protocol.pairs_in(clean, bad, None)
