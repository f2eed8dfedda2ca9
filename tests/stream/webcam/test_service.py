"""The service: its unit named a program that was not there, and systemd refused the way it told to name another."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from engines.errors import BadInput, ClearcallError
from stream.cli import main
from stream.webcam import command, service


def parse(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(options)


def given(*options: str) -> list[str]:
    return service.options(parse("--install-service", *options), parse())


class Manager:
    """systemd's manager of the user's units, who notes what it is asked and refuses one thing."""

    def __init__(self, refuses: str = "") -> None:
        self.asked: list[str] = []
        self.refuses = refuses

    def __call__(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        self.asked.append(" ".join(words))
        return subprocess.CompletedProcess(words, int(words[0] == self.refuses), "", "no such thing\n")


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the unit would be, on a machine with systemctl."""
    monkeypatch.setattr(shutil, "which", lambda name: name)
    return tmp_path / "systemd" / "user" / service.NAME


def test_only_what_was_given_is_kept_and_means_the_same_in_any_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "face.jpg").touch()
    assert given() == []
    assert given("--mirror", "--latency-budget", "50") == ["--mirror", "--latency-budget=50"]
    assert given("--input", "face.jpg") == [f"--input={tmp_path / 'face.jpg'}"]
    assert given("--input", "/dev/video2", "--size", "1280x720") == ["--input=/dev/video2"]


@pytest.mark.parametrize("preview", ["window", "terminal"])
def test_a_preview_that_nobody_sees_is_refused(preview: str) -> None:
    with pytest.raises(BadInput, match=f"--output {preview}"):
        given("--output", preview)


def test_words_that_systemd_would_read_as_something_else() -> None:
    text = service.unit(["--mirror", '--prompt=a "b" $HOME 50% \\', "--input=two\nlines"], "cli.py", {})
    line = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    assert line.endswith(r'webcam --mirror "--prompt=a \"b\" $$HOME 50%% \\" "--input=two\x0alines"')


def test_the_program_is_the_one_that_was_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Guards against ~/.local/bin/clearcall, where README's way of installing puts nothing.
    script = tmp_path / "clearcall"
    script.touch(0o755)
    monkeypatch.chdir(tmp_path)
    assert f"\nExecStart={script} webcam\n" in service.unit([], "./clearcall", {})
    text = service.unit([], "stream/cli.py", {})
    assert f"\nExecStart={service.quoted(sys.executable)} -m stream.cli webcam\n" in text
    assert f"\nWorkingDirectory={Path(service.__file__).parents[2]}\n" in text


def test_a_folder_of_models_that_only_the_shell_was_told_is_kept() -> None:
    text = service.unit([], "cli.py", {"CLEARCALL_FACE_MODELS": "/my models", "PATH": "/bin"})
    assert 'Environment="CLEARCALL_FACE_MODELS=/my models"' in text and "PATH" not in text


def test_it_is_written_and_started_and_once_more_with_other_options(path: Path) -> None:
    manager = Manager()
    for words in (["--mirror"], []):
        assert "started" in service.install(service.unit(words), path, manager)
    assert "--mirror" not in path.read_text(), "the newer options hold"
    steps = ["show-environment", "daemon-reload", f"enable {service.NAME}", f"restart {service.NAME}"]
    assert manager.asked == 2 * steps
    assert [entry.name for entry in path.parent.iterdir()] == [service.NAME]


def test_where_no_session_answers_the_one_command_is_told(path: Path) -> None:
    manager = Manager(refuses="show-environment")
    assert service.install("", path, manager).endswith("systemctl --user enable --now clearcall-webcam")
    assert manager.asked == ["show-environment"] and path.exists()


def test_removing_leaves_nothing_and_may_be_repeated(path: Path) -> None:
    service.install("", path, Manager())
    link = path.parent / "default.target.wants" / service.NAME
    link.parent.mkdir()
    link.symlink_to(path)
    manager = Manager()
    assert "removed" in service.remove(path, manager)
    assert manager.asked[1:] == [f"disable --now {service.NAME}", "daemon-reload"]
    assert not path.exists() and not link.is_symlink()
    assert "there is no service" in service.remove(path, Manager(refuses="show-environment"))


def test_what_is_in_the_way_is_told_in_one_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ClearcallError, match="enable .* failed: no such thing$"):
        service.install("", path, Manager(refuses="enable"))
    path.unlink()
    path.mkdir()
    with pytest.raises(ClearcallError, match="cannot be written"):
        service.install("", path, Manager())
    with pytest.raises(ClearcallError, match="there is no home"):
        service.unit_path({"HOME": str(path / "none")})
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ClearcallError, match="no systemd here"):
        service.install("", path, Manager())


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze: apt install systemd")
def test_systemd_takes_the_unit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir(0o700)
    for name, value in (("XDG_CONFIG_HOME", str(tmp_path)), ("XDG_RUNTIME_DIR", str(tmp_path / "run"))):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(service, "_answers", lambda run: False)
    assert main(["webcam", "--install-service", "--prompt", 'low light + "noise" 50% $HOME']) == 0
    assert service.ENABLE in capsys.readouterr().out
    where = tmp_path / "systemd" / "user" / service.NAME
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(where)], capture_output=True, text=True, env=dict(os.environ)
    )
    # Of other units, which it looks at as well, it may complain.
    assert done.returncode == 0 and service.NAME not in done.stderr, done.stderr
    assert main(["webcam", "--remove-service"]) == 0 and not where.exists()


def test_the_unit_in_deploy_is_the_one_that_is_installed() -> None:
    """Guards against two units that drift apart."""
    kept = (Path(service.__file__).parents[2] / "deploy" / service.NAME).read_text(encoding="utf-8")
    command = "%h/.local/bin/clearcall webcam"
    written = service.UNIT.format(where="", command=command, target=service.TARGET)
    assert kept.partition("[Unit]")[2] == written.partition("[Unit]")[2]
