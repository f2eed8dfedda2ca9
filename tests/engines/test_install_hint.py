"""Hints guard against a package index that is asked for clearcall, which a clone's user has from elsewhere."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from engines import install_hint
from engines.install_hint import ROOT, install_extra, pip_install, restore_models

PIP = "/home/a b/.venv/bin/python"


@pytest.fixture(autouse=True)
def this_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", PIP)
    monkeypatch.setattr(sys, "platform", "linux")


def came_from(monkeypatch: pytest.MonkeyPatch, told: str | None) -> None:
    """Let pip have written this of where clearcall came from."""
    there = SimpleNamespace(read_text=lambda name: told)
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: there)


def test_in_a_clone_its_own_folder_is_installed_and_git_brings_the_models_back(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    assert install_extra("train", tmp_path) == f"'{PIP}' -m pip install -e '{tmp_path}[train]'"
    assert restore_models(tmp_path) == f"git -C {tmp_path} checkout engines/models"
    # These tests run in one.
    assert install_hint.is_clone(ROOT) and (ROOT / "engines" / "models").is_dir()


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ({"url": "https://h/c.git", "vcs_info": {"vcs": "git"}}, "clearcall[train] @ git+https://h/c.git"),
        ({"url": "file:///home/c", "dir_info": {}}, "clearcall[train] @ file:///home/c"),
    ],
)
def test_elsewhere_it_comes_from_where_pip_had_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: dict[str, object], wanted: str
) -> None:
    came_from(monkeypatch, json.dumps(told))
    assert install_extra("train", tmp_path) == f"'{PIP}' -m pip install '{wanted}'"


@pytest.mark.parametrize("told", [None, "", "{", "[]", "{}"])
def test_only_what_came_from_an_index_is_asked_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str | None
) -> None:
    came_from(monkeypatch, told)
    assert install_extra("train", tmp_path) == f"'{PIP}' -m pip install 'clearcall[train]'"
    assert restore_models(tmp_path) == f"'{PIP}' -m pip install --force-reinstall --no-deps clearcall"


def test_windows_shells_know_other_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert pip_install("av") == f'"{PIP}" -m pip install av'
