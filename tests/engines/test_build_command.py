"""`clearcall build`: what it builds, lists, deletes and refuses."""

from __future__ import annotations

import io
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest

from engines import build_command, manifest, plan_supply
from engines.build_command import Bar
from engines.errors import EngineError
from engines.manifest import Manifest
from engines.plan_cache import key_of, store
from engines.plan_progress import Progress
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
        self.fails = ""

    def __call__(
        self, library: Library, what: Manifest, capability: str | None, batch: int, progress: Progress, timing: Path
    ) -> bytes:
        self.asked.append((what.name, capability, batch))
        if self.press:
            signal.raise_signal(signal.SIGINT)
        progress("Building", 0.5)
        if capability == self.fails:
            raise EngineError("FP32 GEMM is not supported")
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
    monkeypatch.setattr(build_command, "cuda_device", no_gpu)
    monkeypatch.setattr(build_command, "refusal", lambda library, plan: "no" if plan == b"bad" else None)
    monkeypatch.setattr(plan_supply, "refusal", lambda library, plan: "no" if plan == b"bad" else None)
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


def test_a_model_without_half_precision_is_refused(
    builds: Builds, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was tried, and failed with what the library thinks of its bytes."""
    (models / "tiny-fp16-64.json").unlink()
    assert build("--for", "sm89") == 2
    assert capsys.readouterr().err == "clearcall: TensorRT runs only graphs in half precision, tiny-64 is not\n"
    assert not builds.asked


def test_what_cannot_be_built_for_one_gpu_is_built_for_the_others(
    builds: Builds, capsys: pytest.CaptureFixture[str]
) -> None:
    builds.fails = "sm75"
    assert build("--for", "sm75,sm89", "--sizes", "64,96") == 1
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        f"clearcall: tiny-fp16-{size} for sm75: FP32 GEMM is not supported" for size in (64, 96)
    ]
    assert said.out.count("for sm89: built in") == 2


def test_where_nothing_can_be_kept_nothing_is_built(
    builds: Builds, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cache" / "clearcall").mkdir(parents=True)
    (tmp_path / "cache" / "clearcall" / "plans").write_text("")
    assert build("--for", "sm89") == 1 and not builds.asked
    assert capsys.readouterr().err.startswith("clearcall: plans cannot be kept in")


def test_what_the_gpu_that_is_here_refuses_is_not_kept(
    builds: Builds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gpu = SimpleNamespace(capability="sm89", name="NVIDIA L4")
    monkeypatch.setattr(build_command, "cuda_device", lambda: gpu)
    folder = tmp_path / "cache" / "clearcall" / "plans"
    store(folder, key_of(halves()[0], "tensorrt-rtx", "1.7.1", "sm89", 8), b"bad")
    assert build("--sizes", "64") == 0 and "built in" in capsys.readouterr().out
    monkeypatch.setattr(Builds, "__call__", lambda *_: b"bad")
    assert build("--sizes", "96") == 1
    assert "the plan of tiny-fp16-96 is refused: no" in capsys.readouterr().err
    assert len(list(folder.glob("*.plan"))) == 1
    # Whether it would do on another GPU, only that one can say.
    assert build("--sizes", "96", "--for", "sm120") == 0


def test_plans_of_tensorrt_are_of_the_gpu_that_is_here(builds: Builds, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NVIDIA H100", "NVIDIA H200", "NVIDIA H100"):
        gpu = SimpleNamespace(capability="sm90", name=name)
        monkeypatch.setattr(build_command, "cuda_device", lambda gpu=gpu: gpu)
        assert build("--sizes", "64", "--backend", "tensorrt") == 0
    assert builds.asked == [("tiny-fp16-64", None, 8)] * 2


def test_without_a_name_it_builds_for_the_gpu_that_is_here(
    builds: Builds, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for capability, asked in (("sm120", "sm120"), ("sm90", None)):
        monkeypatch.setattr(
            build_command, "cuda_device", lambda c=capability: SimpleNamespace(capability=c, name="NVIDIA")
        )
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


def test_what_cannot_be_deleted_is_said(builds: Builds, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It ended with 0 and said nothing."""
    (tmp_path / "cache" / "clearcall" / "plans" / "odd.plan").mkdir(parents=True)
    assert build("--prune", "--list") == 1
    said = capsys.readouterr()
    assert "odd.plan cannot be deleted" in said.err and "odd.plan" in said.out and "deleted odd" not in said.out


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
    with Bar("tiny for sm89", out, lambda: now[0]) as bar:
        for step in range(100):
            now[0] = step / 100
            bar.show("Timing", step / 100)
    shown = out.getvalue().split("\r")
    assert 4 <= sum("tiny for sm89: Timing" in text for text in shown) <= 6
    assert shown[-2].strip() == "" and shown[-1] == ""
    plain = io.StringIO()
    with Bar("tiny", plain) as bar:
        bar.show("Timing", 0.5)
    assert plain.getvalue() == ""
