"""The relay's options."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from engines.errors import BadInput
from stream.relay import command, settings


def _read(*options: str) -> settings.RelaySettings:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return settings.read(parser.parse_args(options))


def test_the_relay_listens_on_this_machine_alone_unless_told_otherwise() -> None:
    chosen = _read()
    assert (chosen.host, chosen.port, chosen.model, chosen.token) == ("127.0.0.1", 8080, "lite", None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example"])
def test_a_host_open_to_the_network_needs_a_token_or_tls(host: str) -> None:
    with pytest.raises(BadInput, match="--token T or --tls-cert"):
        _read("--host", host)
    assert _read("--host", host, "--token", "secret").host == host


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"])
def test_loopback_needs_neither(host: str) -> None:
    assert settings.is_loopback(_read("--host", host).host)


@pytest.mark.parametrize(
    "options",
    [
        ["--port", "eighty"],
        ["--port", "65536"],
        ["--port", "-1"],
        ["--max-sessions", "0"],
        ["--max-sessions", "257"],
        ["--max-sessions", "two"],
        ["--token", ""],
        ["--token", "a\nb"],
        ["--stun", "https://stun"],
        ["--stun", "stun:"],
        ["--tls-cert", "none.pem", "--tls-key", "none.pem"],
        ["--host", ""],
        ["--latency-budget", "soon"],
        ["--precision", "int4"],
    ],
)
def test_a_wrong_option_is_named_in_one_line(options: list[str]) -> None:
    with pytest.raises(BadInput) as error:
        _read(*options)
    assert options[0] in str(error.value) and "\n" not in str(error.value)


def test_certificate_and_key_go_together(tmp_path: Path) -> None:
    file = tmp_path / "cert.pem"
    file.write_text("no certificate")
    with pytest.raises(BadInput, match="go together"):
        _read("--tls-cert", str(file))
    with pytest.raises(BadInput, match="--tls-cert"):
        command.tls_context(_read("--tls-cert", str(file), "--tls-key", str(file)))


def test_the_latency_budget() -> None:
    assert _read().latency_budget_s == pytest.approx(0.033)
    assert _read("--latency-budget", "50ms").latency_budget_s == pytest.approx(0.05)


def test_two_cores_carry_one_call() -> None:
    assert [settings.default_sessions(cores) for cores in (1, 2, 4, 16)] == [1, 1, 2, 8]


def test_the_address_to_open_does_not_show_the_token() -> None:
    assert command.address(_read(), 8080) == "http://127.0.0.1:8080/"
    assert command.address(_read("--host", "::1", "--token", "secret"), 8443) == "http://[::1]:8443/?token=TOKEN"
