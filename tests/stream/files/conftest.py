"""The command with a stand-in for the filter: what is tested is the file door, not the model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stream.cli import main
from stream.files import command
from tests.stream.files.media import Brighten

Run = Callable[..., int]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Brighten:
    """The filter that `clearcall filter` uses in this test."""
    brighten = Brighten()
    monkeypatch.setattr(command, "load_filter", lambda *_: brighten)
    return brighten


@pytest.fixture
def run(stand_in: Brighten) -> Run:
    """Run `clearcall filter`; returns its exit status."""

    def call(source: Path, output: Path, *options: str) -> int:
        return main(["filter", str(source), str(output), *options])

    return call
