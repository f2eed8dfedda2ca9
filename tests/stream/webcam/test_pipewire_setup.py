"""What to do without PipeWire: not one package after the other, and no systemctl where it can do nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.webcam.pipewire_setup import PROGRAMS, setup


@pytest.fixture
def desktop(tmp_path: Path) -> dict[str, str]:
    """Units of both programs, and somebody who starts them."""
    (tmp_path / "systemd").mkdir()
    (tmp_path / "systemd" / "private").touch()
    for name in PROGRAMS:
        (tmp_path / f"{name}.service").touch()
    return {"XDG_RUNTIME_DIR": str(tmp_path)}


@pytest.mark.parametrize("there", [set(), {"pipewire"}])
def test_all_packages_are_named_at_once(there: set[str], tmp_path: Path, desktop: dict[str, str]) -> None:
    def which(name: str) -> str | None:
        return name if name in there else None

    told = setup(which=which, units=(tmp_path,), environment=desktop)
    assert told.startswith("sudo apt install libpipewire-0.3-0 pipewire wireplumber")


def test_systemctl_only_where_it_has_something_to_start(tmp_path: Path, desktop: dict[str, str]) -> None:
    def told(*needed: str, environment: dict[str, str] = desktop, units: Path = tmp_path) -> str:
        return setup(*needed, which=lambda name: name, units=(units,), environment=environment)

    assert told() == "systemctl --user start pipewire wireplumber"
    assert told("wireplumber") == "systemctl --user start wireplumber"
    assert told(environment={}) == "start pipewire and wireplumber in this session", "a container"
    assert told(units=tmp_path / "none") == "start pipewire and wireplumber in this session"
    (tmp_path / "wireplumber.service").unlink()
    assert "systemctl" not in told("wireplumber") and "systemctl" in told("pipewire")
