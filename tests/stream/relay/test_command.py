"""The command itself, as its own process."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engines.manifest import MODELS
from stream.cli import main
from stream.models import open_model
from stream.relay import aiortc_tuning, command

COMMAND = [sys.executable, "-m", "stream.cli", "relay"]


@contextmanager
def running(
    *options: str, scheme: str = "http", command: Sequence[str] = COMMAND
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A relay on a free port, and the address of its page."""
    with subprocess.Popen(
        [*command, "--port", "0", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None and process.stderr is not None
            line = process.stdout.readline()
            assert line.startswith(f"clearcall: open {scheme}://127.0.0.1:"), line + process.stderr.read()
            yield process, line.split()[-1]
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_answers_and_stops_cleanly(number: signal.Signals) -> None:
    with running() as (process, address):
        with urllib.request.urlopen(f"{address}healthz", timeout=30) as answer:
            assert json.load(answer)["ready"] is True
        process.send_signal(number)
        assert process.wait(30) == 0
        assert process.stderr is not None and "Traceback" not in process.stderr.read()


def test_it_serves_https_with_a_certificate(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
    cert_file, key_file = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert_file.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    with running("--tls-cert", str(cert_file), "--tls-key", str(key_file), scheme="https") as (_, address):
        trust = ssl.create_default_context(cafile=str(cert_file))
        with urllib.request.urlopen(f"{address}healthz", timeout=30, context=trust) as answer:
            assert json.load(answer)["ready"] is True


def test_a_port_in_use_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == f"clearcall: port {port} on 127.0.0.1 is in use: choose another with --port\n"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--host", "0.0.0.0"], "--token"),
        (["--port", "x"], "--port"),
        (["--model", "unknown", "--port", "0"], "lite"),
    ],
)
def test_a_wrong_call_is_said_in_one_line(options: list[str], reason: str) -> None:
    done = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("clearcall: ") and done.stderr.count("\n") == 1 and reason in done.stderr


def test_a_damaged_model_is_said_before_anyone_calls(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "models"
    shutil.copytree(MODELS, folder)
    weights = next(folder.glob("*.data"))
    weights.write_bytes(weights.read_bytes()[:-1])
    monkeypatch.setattr(command, "open_model", partial(open_model, folder=folder))
    monkeypatch.setattr(aiortc_tuning, "tune", lambda: True)
    assert main(["relay", "--port", "0"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"clearcall: model file {weights} is damaged") and said.count("\n") == 1


def test_missing_face_models_are_said_before_anyone_calls(tmp_path: Path) -> None:
    # The relay opened, and its first caller got the error.
    done = subprocess.run(
        [*COMMAND, "--port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "CLEARCALL_FACE_MODELS": str(tmp_path)},
    )
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("clearcall: CLEARCALL_FACE_MODELS=") and done.stderr.count("\n") == 1
