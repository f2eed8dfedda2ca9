"""The plan cache never gives out a plan that is damaged, out of date or of something else, and never half of one."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from engines import plan_cache, plan_lock
from engines.errors import EngineError
from engines.plan_cache import PlanKey, find, key_of, load, load_or_build, store
from engines.plan_list import entries
from engines.plan_lock import NotKept
from engines.whole_file import PART
from tests.export.tiny_family import halves, manifests

KEY = PlanKey("lite-fp16-384", "ab" * 32, "tensorrt-rtx", "1.7.1", "sm89", "fp16", 8, "")
PLAN = bytes(range(256)) * 40


def never() -> bytes:
    raise AssertionError("built although it was there")


def test_what_was_stored_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there yet"
    assert load(folder, KEY) is None
    path = store(folder, KEY, PLAN)
    assert load(folder, KEY) == PLAN and path.parent == folder
    assert [p.name for p in folder.iterdir()] == [KEY.file_name]


@pytest.mark.parametrize("field", [f.name for f in fields(PlanKey)])
def test_every_part_of_the_key_counts(tmp_path: Path, field: str) -> None:
    """A plan of yesterday's weights, of another GPU or of another library would run, and be wrong."""
    store(tmp_path, KEY, PLAN)
    change: dict[str, Any] = {field: 4 if field == "max_batch" else "other"}
    other = replace(KEY, **change)
    assert other.file_name != KEY.file_name and load(tmp_path, other) is None
    # Not even under the name that the other would have.
    (tmp_path / KEY.file_name).rename(tmp_path / other.file_name)
    assert load(tmp_path, other) is None
    assert [e.key for e in entries(tmp_path)] == [None]


def test_the_key_follows_graph_and_weights() -> None:
    whole, half = manifests()[0], halves()[0]
    key = key_of(half, "tensorrt", "10.9", "sm90", 8)
    assert (key.precision, key.max_batch) == ("fp16", 8)
    # The graph in float32 takes one session, whatever is asked for.
    other = key_of(whole, "tensorrt", "10.9", "sm90", 8)
    assert (other.precision, other.max_batch) == ("fp32", 1)
    for changed in ("graph", "weights"):
        file = replace(getattr(half, changed), sha256="0" * 64)
        assert key_of(replace(half, **{changed: file}), "tensorrt", "10.9", "sm90", 8).graph != key.graph


@pytest.mark.parametrize(
    "damage",
    [
        lambda c: c[:-1],
        lambda c: c[: len(c) // 2],
        lambda c: c[:20],
        lambda c: b"",
        lambda c: c + b"x",
        lambda c: c[:-5] + bytes([c[-5] ^ 1]) + c[-4:],
        lambda c: c.replace(b"clearcall plan 2", b"clearcall plan 1"),
        lambda c: c.replace(b'"bytes": 10240', b'"bytes": "x"'),
        lambda c: b"[]\n" + PLAN,
        lambda c: b"\xff\xfe" + c,
        lambda c: PLAN,
    ],
)
def test_a_damaged_file_counts_as_not_there_and_is_replaced(tmp_path: Path, damage: object) -> None:
    path = store(tmp_path, KEY, PLAN)
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    assert load(tmp_path, KEY) is None
    assert load_or_build(tmp_path, KEY, lambda: PLAN) == (PLAN, True)
    assert load_or_build(tmp_path, KEY, never) == (PLAN, False)


def test_a_file_that_cannot_be_read_counts_as_not_there(tmp_path: Path) -> None:
    (tmp_path / KEY.file_name).mkdir()
    assert load(tmp_path, KEY) is None
    with pytest.raises(NotKept, match="cannot be kept in"):
        store(tmp_path, KEY, PLAN)
    assert not list(tmp_path.glob(f"{PART}*"))


@pytest.mark.parametrize("where", ["a file is the folder", "a folder has the name", "the disk is full"])
def test_what_cannot_be_kept_is_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Minutes of building would be for nothing."""
    folder = tmp_path / "plans"
    if where == "a file is the folder":
        folder.write_text("")
    elif where == "a folder has the name":
        (folder / KEY.file_name).mkdir(parents=True)
    else:

        def full(**_: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("engines.plan_cache.tempfile.TemporaryFile", full)
    with pytest.raises(NotKept, match="cannot be kept in"):
        load_or_build(folder, KEY, never)


def test_a_plan_that_is_refused_is_built_anew(tmp_path: Path) -> None:
    """A whole file that the library does not take would be found again at each start."""
    store(tmp_path, KEY, b"refused")
    assert load_or_build(tmp_path, KEY, lambda: PLAN, lambda plan: plan == b"refused") == (PLAN, True)
    assert load(tmp_path, KEY) == PLAN


def test_without_the_exact_plan_the_one_for_most_sessions_is_found(tmp_path: Path) -> None:
    """`clearcall build --max-batch 4` would have built what nobody ever looks for."""
    two, four, other = (replace(KEY, max_batch=2), replace(KEY, max_batch=4), replace(KEY, max_batch=16, graph="x"))
    for key in (two, four, other):
        store(tmp_path, key, key.file_name.encode())
    assert find(tmp_path, KEY) == (four, four.file_name.encode())
    assert find(tmp_path, KEY, least=8) is None and find(tmp_path, replace(KEY, capability="sm90")) is None
    (tmp_path / four.file_name).write_bytes((tmp_path / four.file_name).read_bytes()[:-1])
    assert find(tmp_path, KEY) == (two, two.file_name.encode())
    store(tmp_path, KEY, PLAN)
    assert find(tmp_path, KEY) == find(tmp_path, KEY, least=8) == (KEY, PLAN)


def test_a_build_that_fails_leaves_nothing_and_can_be_tried_again(tmp_path: Path) -> None:
    def fail() -> bytes:
        raise EngineError("no")

    with pytest.raises(EngineError, match="no"):
        load_or_build(tmp_path, KEY, fail)
    assert not entries(tmp_path)
    assert load_or_build(tmp_path, KEY, lambda: PLAN) == (PLAN, True)


PROCESSES = 3


def _build_in_a_process(folder: Path, marks: Path, number: int) -> None:
    """Build, but not before all the others have found no plan and want the lock."""
    alone = plan_lock.alone

    def noted(*arguments: Any) -> Any:
        (marks / f"wants-{number}").write_text("")
        return alone(*arguments)

    setattr(plan_cache, "alone", noted)  # noqa: B010  # its type is a context manager's

    def build() -> bytes:
        (marks / f"builds-{number}").write_text("")
        give_up = time.monotonic() + 60
        while len(list(marks.glob("wants-*"))) < PROCESSES and time.monotonic() < give_up:
            time.sleep(0.02)
        return PLAN

    assert load_or_build(folder, KEY, build)[0] == PLAN


def test_of_several_processes_one_builds_and_all_have_it(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_build_in_a_process, args=(tmp_path, marks, i)) for i in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    assert len(list(marks.glob("wants-*"))) == PROCESSES and len(list(marks.glob("builds-*"))) == 1
    assert load(tmp_path, KEY) == PLAN


def test_who_waits_says_so_and_can_be_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A wait inside the system hears no Ctrl-C, and without a word it looks like a hang."""
    fcntl = pytest.importorskip("fcntl")

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("engines.plan_lock.time.sleep", interrupted)
    with (tmp_path / f".{KEY.file_name}.lock").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(KeyboardInterrupt):
            load_or_build(tmp_path, KEY, never)
    assert "another process is building" in caplog.text
    assert load_or_build(tmp_path, KEY, lambda: PLAN) == (PLAN, True)
