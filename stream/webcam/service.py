"""The webcam as a service of the user's session: systemd's unit, with the path of this very program."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from engines.errors import BadInput, ClearcallError
from engines.whole_file import replace_file

NAME = "clearcall-webcam.service"
TARGET = "default.target"
ENABLE = "systemctl --user enable --now clearcall-webcam"
JOURNAL = "journalctl --user -u clearcall-webcam -f"
UNIT = """\
# Written by clearcall webcam --install-service, which also replaces it; --remove-service takes it away.
[Unit]
Description=clearcall virtual webcam
After=pipewire.service wireplumber.service
Wants=pipewire.service wireplumber.service

[Service]
{where}ExecStart={command}
Restart=on-failure
# A camera that is not plugged in is looked for at every start.
RestartSec=15
NoNewPrivileges=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
UMask=0077

[Install]
WantedBy={target}
"""
KEPT = ("CLEARCALL_FACE_MODELS", "XDG_CACHE_HOME")
"""What a shell was told and the session's manager was not: where the models are."""
PREVIEWS = {"window", "terminal"}
TIMEOUT_S = 30.0

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


def options(arguments: argparse.Namespace, defaults: argparse.Namespace) -> list[str]:
    """The webcam's options that were given, so that they mean the same in any folder.

    Raises:
        BadInput: Nobody would see the preview.
    """
    if arguments.output in PREVIEWS:
        raise BadInput(
            f"a service has nobody to show --output {arguments.output} to: leave it out, or start it yourself"
        )
    words = []
    for name, value in vars(arguments).items():
        if name == "install_service" or value == getattr(defaults, name):
            continue
        if name == "input" and Path(value).is_file():
            value = os.path.abspath(value)
        option = f"--{name.replace('_', '-')}"
        words.append(option if value is True else f"{option}={value}")
    return words


def unit(words: Sequence[str], program: str = sys.argv[0], environment: Mapping[str, str] = os.environ) -> str:
    """The unit's text, for the program that was started as `program` and the webcam's options."""
    script = os.path.abspath(program)
    lines = [f"Environment={quoted(f'{name}={environment[name]}')}" for name in KEPT if environment.get(name)]
    if os.path.basename(script) == "clearcall" and os.access(script, os.X_OK):
        command = [quoted(script)]
    else:
        # Python looks for modules in the folder that it is started in first.
        lines.append(f"WorkingDirectory={str(Path(__file__).parents[2]).replace('%', '%%')}")
        command = [quoted(sys.executable), "-m", "stream.cli"]
    command += ["webcam", *(quoted(word).replace("$", "$$") for word in words)]
    where = "".join(f"{line}\n" for line in lines)
    return UNIT.format(where=where, command=" ".join(command), target=TARGET)


def quoted(word: str) -> str:
    """A word as systemd reads it back."""
    if re.fullmatch(r"[\w./:=+,@-]+", word, re.ASCII):
        return word
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\x{ord(found[0]):02x}", word) + '"'


def unit_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where systemd looks for this user's units.

    Raises:
        ClearcallError: There is no home.
    """
    if os.path.isabs(environment.get("XDG_CONFIG_HOME", "")):
        return Path(environment["XDG_CONFIG_HOME"]) / "systemd" / "user" / NAME
    home = Path(environment.get("HOME") or os.path.expanduser("~"))
    if not home.is_absolute() or not home.is_dir():
        raise ClearcallError(f"there is no home to put the service into: HOME is {str(home)!r}")
    return home / ".config" / "systemd" / "user" / NAME


def systemctl(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Ask the manager of the user's units."""
    return subprocess.run(["systemctl", "--user", *words], capture_output=True, text=True, timeout=TIMEOUT_S)


def install(text: str, path: Path, run: Run = systemctl) -> str:
    """Write the unit and start it, anew where it runs; returns what to tell.

    Raises:
        ClearcallError: There is no systemd, or it refuses.
    """
    if shutil.which("systemctl") is None:
        raise ClearcallError("there is no systemd here: let your session start clearcall webcam in its own way")
    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise ClearcallError(f"the service cannot be written to {path}: {error.strerror}") from None
    if not _answers(run):
        return f"{path} is written, but no user session of systemd answers here; in yours, run: {ENABLE}"
    for step in (["daemon-reload"], ["enable", NAME], ["restart", NAME]):
        done = run(step)
        if done.returncode:
            raise ClearcallError(f"systemctl --user {' '.join(step)} failed: {done.stderr.strip()[-300:]}")
    return f"{path} is written, enabled and started; what it does: {JOURNAL}"


def remove(path: Path, run: Run = systemctl) -> str:
    """Stop the service and take its unit away; returns what to tell."""
    there, link = path.exists(), path.parent / f"{TARGET}.wants" / NAME
    answers = shutil.which("systemctl") is not None and _answers(run)
    if there and answers:
        run(["disable", "--now", NAME])
    try:
        path.unlink(missing_ok=True)
        link.unlink(missing_ok=True)
    except OSError as error:
        raise ClearcallError(f"{path} cannot be removed: {error.strerror}") from None
    if answers:
        run(["daemon-reload"])
    return f"{path} is removed" if there else f"there is no service: no {path}"


def _answers(run: Run) -> bool:
    try:
        return run(["show-environment"]).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
