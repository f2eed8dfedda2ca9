"""The private session, one for all tests of a file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stream.webcam.session import Session, check_programs, running


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    check_programs()
    # Not pytest's own folder: the path of a socket may only have 107 letters.
    with tempfile.TemporaryDirectory(prefix="clearcall-") as folder, running(Path(folder)) as found:
        yield found
