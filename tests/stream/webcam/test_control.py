"""The control socket: for this user alone, bounded, and no request may change half of what it asks."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.errors import BadInput, ClearcallError
from stream.webcam import control
from stream.webcam.switch import Switch
from tests.stream.webcam.fakes import FakeFilter


@pytest.fixture
def switch() -> Switch:
    return Switch(FakeFilter(), "auto", 1.0)


@pytest.fixture
def path(tmp_path: Path, switch: Switch) -> Iterator[Path]:
    path = Path(os.path.relpath(tmp_path)) / "socket"
    with control.listening(path) as listener, control.answering(listener, switch, switch.state):
        yield path
    assert not path.exists()


def answers() -> list[threading.Thread]:
    """The threads that answer."""
    return [thread for thread in threading.enumerate() if thread.name == "clearcall-control"]


def test_the_thread_ends_at_once_and_until_then_no_second_webcam_takes_its_place(
    tmp_path: Path, switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Guards against waiting for the thread before it is woken: every end of the webcam took those two seconds.
    monkeypatch.setattr(control, "TIMEOUT_S", 60.0)
    path = Path(os.path.relpath(tmp_path)) / "socket"
    with control.listening(path) as listener:
        with control.answering(listener, switch, switch.state):
            assert control.ask({}, path)["on"] is True and len(answers()) == 1
            began = time.monotonic()
        assert time.monotonic() - began < 30 and answers() == []
        with pytest.raises(ClearcallError, match="another clearcall webcam runs"):
            control.listen(path)
    assert not path.exists()


def test_what_runs_is_changed_and_tells_its_state(path: Path) -> None:
    assert control.ask({}, path) == {"on": True, "prompt": "auto", "strength": 1.0}
    assert control.ask({"toggle": True}, path)["on"] is False
    assert control.ask({"on": True, "prompt": "noise", "strength": 0.5}, path) == {
        "on": True,
        "prompt": "noise",
        "strength": 0.5,
    }


@pytest.mark.parametrize(
    "request_",
    [
        b"{",
        b"[]",
        b'"on"',
        b'{"colour": 1}',
        b'{"on": 1}',
        b'{"toggle": "yes"}',
        b'{"strength": 2}',
        b'{"strength": NaN}',
        b'{"strength": true}',
        b'{"prompt": 3}',
        b'{"on": false, "prompt": "beauty"}',
        b'{"on": false, "strength": "1"}',
        b"\xff\xfe",
        b"[" * 2000,
    ],
)
def test_a_wrong_request_is_refused_and_changes_nothing(request_: bytes, switch: Switch) -> None:
    with pytest.raises(BadInput):
        control.apply(request_, switch)
    assert switch.state() == {"on": True, "prompt": "auto", "strength": 1.0}


def test_a_refusal_reaches_who_asked(path: Path) -> None:
    with pytest.raises(BadInput, match="unknown prompt 'beauty'"):
        control.ask({"prompt": "beauty"}, path)


def test_a_line_without_end_is_not_read_to_its_end(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        client.sendall(b"x" * (control.MAX_LINE + 1))
        assert "error" in json.loads(client.recv(4096))
    assert control.ask({}, path)["on"] is True


def test_a_caller_that_hangs_up_does_not_harm_the_next(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.close()
    assert control.ask({}, path)["on"] is True


def test_only_this_user_may_connect(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_one_at_a_time_but_what_a_killed_one_left_is_replaced(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ClearcallError, match="another clearcall webcam runs"):
        control.listen(path)
    assert path.exists()
    left = Path(os.path.relpath(tmp_path)) / "left"
    control.listen(left).close()
    assert left.exists()
    with control.listening(left):
        pass


def test_a_folder_of_others_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(ClearcallError, match="can be written to by others"):
        control.listen(tmp_path / "socket")


def test_none_runs(tmp_path: Path) -> None:
    with pytest.raises(ClearcallError, match="no clearcall webcam runs"):
        control.ask({}, tmp_path / "none")


def test_where_the_socket_is() -> None:
    assert control.socket_path({"XDG_RUNTIME_DIR": "/run/user/7"}) == Path("/run/user/7/clearcall-webcam")
    assert str(os.getuid()) in control.socket_path({}).parent.name
