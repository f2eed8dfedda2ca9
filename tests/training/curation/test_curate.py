"""The whole run with a finder that knows the faces' place: resumed, broken off, damaged, and the same each time."""

from __future__ import annotations

import functools
import json
import shutil
import signal
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from engines.errors import BadInput, ClearcallError
from stream.files.job import Stop
from tests.training.curation.endpoint import completion, serving, words
from tests.training.curation.heads import USUAL, KnownFinder, head
from tests.training.curation.material import EDGE, POINTS, write_folder
from training.curation import curate as module
from training.curation import judging
from training.curation.curate import Settings, curate
from training.curation.judge import JudgeSettings
from training.curation.rubric import Rubric, load_rubric
from training.faces import list_faces, load_clip, load_still

GENTLE = {"eyes": 0.2, "mouth": 0.2, "skin": 0.2, "motion": 0.2, "noise": 100.0, "blocks": 10.0, "dark": 60.0}
"""Limits for drawn heads, whose texture is no skin."""


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    # The average of real faces says nothing of drawn ones.
    monkeypatch.setattr(module, "load_likeness", lambda: USUAL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "material")


def settings(folder: Path, **changed: Any) -> Settings:
    rubric = Rubric({**load_rubric().limits, **GENTLE})
    return Settings(**{"folder": folder, "out": folder.parent / "out", "rubric": rubric, "quiet": True, **changed})


def run(folder: Path, finder: KnownFinder | None = None, **changed: Any) -> dict[str, Any]:
    """The manifest after a run."""
    chosen = settings(folder, **changed)
    curate(chosen, lambda: finder or KnownFinder(POINTS, EDGE))  # type: ignore[arg-type, return-value]
    manifest: dict[str, Any] = json.loads((chosen.out / "manifest.json").read_text())
    return manifest


def verdicts(manifest: dict[str, Any]) -> dict[str, str]:
    return {entry["id"]: entry["verdict"] for entry in manifest["entries"]}


def test_faces_are_kept_or_rejected_with_reasons(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = run(folder)
    entries = {entry["id"]: entry for entry in manifest["entries"]}
    assert verdicts(manifest) == {
        "anna.png#1": "keep",
        "bert.png#1": "keep",
        "copy of anna.png#1": "reject",
        "soft.png#1": "reject",
        "walk.mp4#1": "keep",
        "walk.mp4#2": "keep",
    }
    assert entries["copy of anna.png#1"]["duplicate_of"] == "anna.png#1"
    assert any(reason.startswith("eyes soft") for reason in entries["soft.png#1"]["reasons"])
    assert (entries["walk.mp4#1"]["frames"], entries["walk.mp4#2"]["frames"]) == ([0, 23], [36, 49])
    assert all((entry["verdict"] == "keep") == (not entry["reasons"]) for entry in entries.values())
    assert (manifest["complete"], manifest["kept"], manifest["rejected"]) == (True, 4, 2)
    assert [item["source"] for item in manifest["skipped"]] == ["broken.jpg", "words.mp4"]
    told = capsys.readouterr().err
    assert "broken.jpg" in told and "words.mp4" in told and "Traceback" not in told


def test_the_contact_sheet_shows_every_face(folder: Path) -> None:
    run(folder)
    sheet = load_still(folder.parent / "out" / "sheet-001.jpg")
    greens, reds = ((np.abs(sheet.astype(int) - c).max(axis=2) < 40).sum() for c in ((80, 170, 60), (50, 50, 210)))
    assert greens > 1.5 * reds > 1000


def test_the_same_folder_gives_the_same_files(folder: Path, tmp_path: Path) -> None:
    run(folder, keep=True)
    first = {p.relative_to(tmp_path / "out"): p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    shutil.move(tmp_path / "out", tmp_path / "before")
    run(folder, keep=True)
    second = {p.relative_to(tmp_path / "out"): p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert first == second


def test_a_second_run_looks_at_nothing_again(folder: Path) -> None:
    first = run(folder)
    finder = KnownFinder(POINTS, EDGE)
    assert run(folder, finder) == first
    assert finder.looked == 0


def test_a_new_file_is_all_that_a_second_run_looks_at(folder: Path) -> None:
    run(folder)
    cv2.imwrite(str(folder / "zoe.png"), head(9, EDGE)[0])
    finder = KnownFinder(POINTS, EDGE)
    assert verdicts(run(folder, finder))["zoe.png#1"] == "keep"
    assert finder.looked == 1


def test_a_file_that_is_gone_is_forgotten(folder: Path) -> None:
    run(folder, keep=True)
    (folder / "bert.png").unlink()
    manifest = run(folder, keep=True)
    assert "bert.png#1" not in verdicts(manifest)
    assert len(list((folder.parent / "out" / "kept").iterdir())) == 3


class Interrupting(KnownFinder):
    """A finder during whose work Ctrl-C is pressed."""

    def __init__(self, at: int, number: int = signal.SIGINT) -> None:
        super().__init__(POINTS, EDGE)
        self.at, self.number = at, number

    def _count(self) -> None:
        if self.looked == self.at:
            signal.raise_signal(self.number)

    def in_photo(self, picture: Any, most: int) -> Any:
        found = super().in_photo(picture, most)
        self._count()
        return found

    def look(self, planes: Any, full_range: bool, roi: Any) -> Any:
        found = super().look(planes, full_range, roi)
        self._count()
        return found


@pytest.mark.parametrize("at", [1, 3, 12], ids=["first photo", "third photo", "within the video"])
def test_ctrl_c_leaves_a_usable_state(folder: Path, at: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(folder, Interrupting(at))
    out = folder.parent / "out"
    broken_off = json.loads((out / "manifest.json").read_text())
    assert broken_off["complete"] is False
    done = len(broken_off["entries"])
    assert done == {1: 0, 3: 2, 12: 4}[at]
    finder = KnownFinder(POINTS, EDGE)
    whole = run(folder, finder)
    assert whole["complete"] is True and len(whole["entries"]) == 6
    photos = 4 - done
    assert finder.looked >= photos
    fresh = run(folder, out=folder.parent / "fresh")
    assert whole == fresh


def test_a_second_ctrl_c_is_heard_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), Stop():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)


def test_an_order_to_end_leaves_a_usable_state_too(folder: Path) -> None:
    with pytest.raises(ClearcallError, match="SIGTERM") as stopped:
        run(folder, Interrupting(2, signal.SIGTERM))
    assert stopped.value.exit_status == 128 + signal.SIGTERM
    assert json.loads((folder.parent / "out" / "manifest.json").read_text())["complete"] is False


def test_what_is_kept_is_what_training_reads(folder: Path) -> None:
    manifest = run(folder, keep=True)
    kept = folder.parent / "out" / "kept"
    files = list_faces(kept)
    assert {f"kept/{f.path.name}" for f in files} == {e["file"] for e in manifest["entries"] if "file" in e}
    assert {f.identity for f in files} == {e["person"] for e in manifest["entries"] if "file" in e}
    edges = {load_still(f.path).shape[0] for f in files if not f.clip}
    assert edges == {head_edge(manifest, "anna.png#1")}
    (first, second) = sorted((f for f in files if f.clip), key=lambda f: -len(load_clip(f.path)))
    assert [len(load_clip(f.path)) for f in (first, second)] == [24, 14]
    with av.open(str(first.path)) as clip:
        assert clip.streams.video[0].average_rate == 10
    square = next(e["square"] for e in manifest["entries"] if e["id"] == "walk.mp4#1")
    original = head(4, EDGE)[0][square["y"] :, square["x"] :][: square["edge"], : square["edge"]]
    change = load_clip(first.path)[3].astype(int) - original
    assert np.abs(change).mean() < 2.5
    # No tint: FFmpeg's own conversion from RGB shifts colours by up to four levels.
    assert np.abs(change.mean(axis=(0, 1))).max() < 1.5


def test_what_is_there_already_is_not_written_again(folder: Path) -> None:
    run(folder, keep=True)
    kept = folder.parent / "out" / "kept"
    before = {p: p.stat().st_mtime_ns for p in kept.iterdir()}
    next(kept.glob("*.mp4")).unlink()
    run(folder, keep=True)
    after = {p: p.stat().st_mtime_ns for p in kept.iterdir()}
    assert before.keys() == after.keys()
    assert sum(before[p] != after[p] for p in before) == 1


def head_edge(manifest: dict[str, Any], name: str) -> int:
    edge = next(e["square"]["edge"] for e in manifest["entries"] if e["id"] == name)
    return int(edge)


def test_stricter_limits_take_back_what_was_kept(folder: Path) -> None:
    run(folder, keep=True)
    mine = folder.parent / "out" / "kept" / "mine.jpg"
    mine.write_text("not from here")
    strict = settings(folder).rubric.with_limit("size", 1000)
    manifest = run(folder, keep=True, rubric=strict)
    assert manifest["kept"] == 0
    assert list((folder.parent / "out" / "kept").iterdir()) == [mine]


def test_the_output_may_lie_in_the_folder(folder: Path) -> None:
    first = run(folder, out=folder / "out", keep=True)
    assert run(folder, out=folder / "out", keep=True) == first


def test_nothing_readable_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "material").mkdir()
    (tmp_path / "material" / "a.jpg").write_text("no photo")
    with pytest.raises(ClearcallError, match="none of the 1"):
        run(tmp_path / "material")


def test_an_empty_folder_makes_no_output(tmp_path: Path) -> None:
    (tmp_path / "material").mkdir()
    with pytest.raises(BadInput):
        run(tmp_path / "material")
    assert not (tmp_path / "out").exists()


def test_a_judge_takes_part_and_its_absence_does_no_harm(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(lambda number, body: completion(words(eyes=0.1, reason="closed"))) as seen:
        judged = run(folder, judge=JudgeSettings(seen.url))
    assert judged["kept"] == 0
    assert all("eyes soft: judged 0.10" in e["reasons"][0] for e in judged["entries"])
    assert {(e["judged_by"], e["judge_reason"]) for e in judged["entries"]} == {("judge", "closed")}
    # Nobody listens there any more: another model's name keeps the stored answers out of it.
    gone = run(folder, judge=JudgeSettings(seen.url, "other", timeout=5))
    assert {e["judged_by"] for e in gone["entries"]} == {"measures"}
    assert verdicts(gone) == verdicts(run(folder))
    assert "go by the measures" in capsys.readouterr().err
    assert len(gone["judge"]["failures"]) == 6


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(seconds: float) -> None:
        pass

    monkeypatch.setattr(module, "judge_all", functools.partial(judging.judge_all, sleep=at_once))
