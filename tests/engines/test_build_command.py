"""`clearcall build`: what it builds, lists, deletes and refuses."""

from __future__ import annotations

import io
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest

from engines import build_command, manifest
from engines.build_command import Bar
from engines.errors import EngineError
from engines.manifest import Manifest
from engines.plan_build import Progress
from engines.tensorrt_library import Library
from stream.cli import main
from tests.export.tiny_family import halves

MEMBERS = {"NONE": 0, "CURRENT": 1, "SM120": 6, "SM89": 5, "SM75": 2}
RTX = Library("tensorrt-rtx", SimpleNamespace(ComputeCapability=SimpleNamespace(__members__=MEMBERS)), "1.7.1")
FULL = Library("tensorrt", SimpleNamespace(), "10.9.0")


class Builds:
    """Stands for the library: notes what was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None, int]] = []
        self.press = False

    def __call__(
        self, library: Library, what: Manifest, capability: str | None, batch: int, progress: Progress, timing: Path
    ) -> bytes:
        self.asked.append((what.name, capability, batch))
        if self.press:
            signal.raise_signal(signal.SIGINT)
        if not progress("Building", 0.5):
            raise EngineError("stopped")
        return b"plan of " + what.name.encode()


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the tiny model as the one that is installed."""
    folder = tmp_path / "models"
    shutil.copytree(halves()[0].graph.path.parent, folder)
    monkeypatch.setattr(manifest.read_family, "__defaults__", (folder,))
    monkeypatch.setattr(build_command, "MODELS", folder)
    return folder


@pytest.fixture
def builds(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builds:
    made = Builds()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(build_command, "build", made)
    monkeypatch.setattr(build_command, "find_library", lambda backend: FULL if backend == "tensorrt" else RTX)
    monkeypatch.setattr(build_command, "open_library", lambda name: FULL if name == "tensorrt" else RTX)
    return made


def build(*options: str) -> int:
    return main(["build", "--model", "tiny", *options])


def no_gpu() -> None:
    raise EngineError("no NVIDIA GPU: libcuda.so.1 is not there")


def test_it_builds_half_precision_for_each_gpu_named_once(builds: Builds, capsys: pytest.CaptureFixture[str]) -> None:
    assert build("--for", "sm89, SM12.0", "--sizes", "64,128") == 0
    names = ["tiny-fp16-64", "tiny-fp16-128"]
    assert builds.asked == [(name, sm, 8) for sm in ("sm89", "sm120") for name in names]
    assert capsys.readouterr().out.count("built in") == 4
    assert build("--for", "sm89") == 0
    assert builds.asked[4:] == [("tiny-fp16-96", "sm89", 8)]
    assert capsys.readouterr().out.count("there already") == 2


def test_another_batch_is_another_plan(builds: Builds) -> None:
    for options in (["--max-batch", "2"], []):
        assert build("--for", "sm89", "--sizes", "64", *options) == 0
    assert builds.asked == [("tiny-fp16-64", "sm89", 2), ("tiny-fp16-64", "sm89", 8)]


def test_a_model_without_half_precision_is_built_as_it_is(builds: Builds, models: Path) -> None:
    for path in models.glob("tiny-fp16*"):
        path.unlink()
    assert build("--for", "sm89", "--sizes", "64") == 0
    assert builds.asked == [("tiny-64", "sm89", 1)]


def test_without_a_name_it_builds_for_the_gpu_that_is_here(
    builds: Builds, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for capability, asked in (("sm120", "sm120"), ("sm90", None)):
        monkeypatch.setattr(build_command, "cuda_device", lambda c=capability: SimpleNamespace(capability=c))
        assert build("--sizes", "64") == 0
        # One that the library has no name for is left to the library to say.
        assert builds.asked[-1] == ("tiny-fp16-64", asked, 8)
    monkeypatch.setattr(build_command, "cuda_device", no_gpu)
    assert build() == 2
    assert "no NVIDIA GPU" in capsys.readouterr().err


def test_a_new_model_makes_old_plans_out_of_date(
    builds: Builds, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build("--for", "sm89", "--sizes", "64,96") == 0
    capsys.readouterr()
    assert build("--list") == 0
    assert capsys.readouterr().out.count("  current") == 2
    path = models / "tiny-fp16-64.json"
    path.write_text(path.read_text().replace(halves()[0].graph.sha256, "0" * 64))
    next((tmp_path / "cache" / "clearcall" / "plans").glob("tiny-fp16-96*")).write_bytes(b"half")
    assert build("--list") == 0
    out = capsys.readouterr().out
    assert "out of date" in out and "damaged" in out and "  current" not in out
    assert build("--prune") == 0 and capsys.readouterr().out.count("deleted") == 2
    assert build("--list") == 0 and "no plans in" in capsys.readouterr().out
    assert len(builds.asked) == 2


def test_ctrl_c_stops_it_and_leaves_no_plan(builds: Builds, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    builds.press = True
    before = signal.getsignal(signal.SIGINT)
    assert build("--for", "sm89") == 130
    assert capsys.readouterr().err == "clearcall: interrupted\n"
    assert len(builds.asked) == 1 and not list((tmp_path / "cache").rglob("*.plan"))
    assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--for", "sm90"], "builds for sm75, sm89, sm120, not 'sm90'"),
        (["--for", "sm89", "--backend", "tensorrt"], "--for needs --backend tensorrt-rtx"),
        (["--max-batch", "0"], "--max-batch must be numbers from 1 to 64"),
        (["--max-batch", "x"], "--max-batch"),
        (["--sizes", "65"], "--sizes: tiny has 64, 96, 128"),
        (["--model", "none"], "unknown model"),
    ],
)
def test_a_wrong_call_is_said_in_one_line(
    builds: Builds, capsys: pytest.CaptureFixture[str], options: list[str], reason: str
) -> None:
    assert build(*options) == 2
    error = capsys.readouterr().err
    assert error.startswith("clearcall: ") and error.count("\n") == 1 and reason in error
    assert not builds.asked


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_is_drawn_now_and_then_and_wiped() -> None:
    now, out = [0.0], Terminal()
    with Bar("tiny for sm89", out, lambda: False, lambda: now[0]) as bar:
        for step in range(100):
            now[0] = step / 100
            assert bar.show("Timing", step / 100)
    shown = out.getvalue().split("\r")
    assert 4 <= sum("tiny for sm89: Timing" in text for text in shown) <= 6
    assert shown[-2].strip() == "" and shown[-1] == ""
    plain = io.StringIO()
    with Bar("tiny", plain, lambda: True) as bar:
        assert not bar.show("Timing", 0.5)
    assert plain.getvalue() == ""
