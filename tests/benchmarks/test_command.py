"""`clearcall bench`: what it cannot do is said in one line."""

from __future__ import annotations

import subprocess
import sys

import pytest

from stream.cli import main


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["engine", "--threads", "1,x"], "--threads"),
        (["engine", "--threads", "0"], "--threads"),
        (["engine", "--threads", ""], "--threads"),
        (["engine", "--steps", "0"], "--steps"),
        (["engine", "--steps", "1e9"], "--steps"),
        (["engine", "--sizes", "100"], "--sizes"),
        (["engine", "--sizes", "x"], "--sizes"),
        (["engine", "--model", "large"], "unknown model 'large'; known models: "),
        (["engine", "--model", "large", "--untrained"], "no configuration is named 'large'; there are: lite, base"),
        (["engine", "--fps", "0"], "--fps"),
        (["engine", "--json", "missing/figures.json"], "missing"),
    ],
)
def test_a_wrong_call_is_said_in_one_line(capsys: pytest.CaptureFixture[str], options: list[str], reason: str) -> None:
    assert main(["bench", *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith("clearcall: ") and error.count("\n") == 1 and reason in error


@pytest.mark.parametrize(("options", "reason"), [(["speed"], "'speed'"), ([], "WHAT")])
def test_an_unknown_kind_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], options: list[str], reason: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", *options])
    error = capsys.readouterr().err
    assert ended.value.code == 2
    assert error.startswith("clearcall: ") and error.count("\n") == 1 and reason in error


def test_no_benchmark_needs_torch_to_be_listed() -> None:
    """Guards against: one kind's import of torch takes all the others away where it is not installed."""
    check = "import sys, benchmarks.command; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0
