"""The command line: quick to start, free of torch where it is not needed, clear where it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from types import SimpleNamespace

import pytest

from engines.errors import ClearcallError
from stream.cli import COMMANDS, main

DOORS = (
    "stream.relay.command, stream.files.command, stream.webcam.command, stream.webcam.door, "
    "stream.filter, stream.live, stream.models, benchmarks.command, benchmarks.latency.sender, "
    "benchmarks.latency.receiver, training.curation.command, training.curation.calibrate"
)
WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == {module!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
from stream.cli import main
sys.exit(main({argv!r}))
"""


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


def cpu_seconds(*arguments: str) -> float:
    """Processor time of a Python process: unlike the time on the wall it does not depend on what else runs."""
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_utime + used.ru_stime


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="needs wait4")
def test_help_is_quick() -> None:
    # Of several runs the quickest, since the first ones fill caches.
    bare, helped = (
        min(cpu_seconds(*arguments) for _ in range(3)) for arguments in (("-c", "pass"), ("-m", "stream.cli", "--help"))
    )
    assert helped - bare < 0.5


def test_calls_and_files_need_neither_torch_nor_onnx() -> None:
    done = python(f"import sys, {DOORS}; print(*sorted({{'torch', 'onnx', 'onnxscript'}} & sys.modules.keys()))")
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


@pytest.mark.parametrize(("command", "module"), [("train", "torch"), ("export", "onnx")])
def test_a_missing_extra_is_named_in_one_line(command: str, module: str) -> None:
    done = python(WITHOUT.format(module=module, argv=[command, "x"]))
    assert done.returncode == 1
    assert done.stderr == f"clearcall: {command} needs {module}: pip install 'clearcall[train]'\n"


def test_another_missing_module_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "bench", ("benchmarks.no_such_module", "measure"))
    with pytest.raises(ModuleNotFoundError):
        main(["bench"])


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"clearcall {version('clearcall')}\n"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in COMMANDS)


def test_help_writes_names_as_they_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    """`Build tensorrt plans for nvidia gpus.`, it said."""
    with pytest.raises(SystemExit):
        main(["build", "--help"])
    assert "Build TensorRT plans for NVIDIA GPUs." in capsys.readouterr().out


def test_no_command_shows_the_help_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    output = capsys.readouterr()
    assert output.out == "" and "relay" in output.err


def test_an_unknown_command_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["restore"])
    assert ended.value.code == 2
    assert "restore" in capsys.readouterr().err


def pretend(monkeypatch: pytest.MonkeyPatch, run: Callable[[object], int]) -> None:
    """Let every command be one without arguments that runs this."""
    command = SimpleNamespace(add_arguments=lambda parser: None, run=run)
    monkeypatch.setattr("stream.cli.importlib.import_module", lambda name: command)


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (ClearcallError("the machine is on fire"), 1, "clearcall: the machine is on fire\n"),
        (KeyboardInterrupt(), 130, "clearcall: interrupted\n"),
    ],
)
def test_failures_are_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    text: str,
) -> None:
    def run(arguments: object) -> int:
        raise error

    pretend(monkeypatch, run)
    assert main(["bench"]) == status
    assert capsys.readouterr().err == text


def test_a_reader_that_has_seen_enough_is_no_failure_to_report() -> None:
    # Guards against a traceback from `clearcall doctor | head -1`.
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "stream.cli", "doctor"]
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    assert done.returncode == 1 and done.stderr == ""


def test_sigterm_is_tidied_up_after(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    # Guards against a training without its last checkpoint, and a relay that outlives the benchmark that started it.
    tidied = []

    def run(arguments: object) -> int:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            tidied.append(True)
        return 0

    pretend(monkeypatch, run)
    before = signal.getsignal(signal.SIGTERM)
    assert main(["bench"]) == 128 + signal.SIGTERM
    assert tidied and capsys.readouterr().err == "clearcall: terminated\n"
    assert signal.getsignal(signal.SIGTERM) is before
