"""Limits of a GPU: what cannot be measured is left out with a reason, and a file is whole at any moment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import gpu_limits
from benchmarks.json_file import write_json
from engines.errors import EngineError, OutOfDeviceMemory


class Full:
    """A device with room for one block only."""

    name, capability = "full", "sm90"

    def __init__(self) -> None:
        self.held = 0

    def enter(self) -> None:
        pass

    def allocate(self, size: int) -> int:
        if self.held:
            raise OutOfDeviceMemory("no room")
        self.held += 1
        return 4096

    def free(self, address: int) -> None:
        self.held -= 1


def test_without_room_there_is_no_rate_and_nothing_stays_held(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    device: Any = Full()
    monkeypatch.setattr(gpu_limits, "cuda_device", lambda: device)
    monkeypatch.setattr(gpu_limits, "_matrix_rate", lambda _: (None, "nothing"))
    assert gpu_limits.main(tmp_path / "out.json") == 0 and device.held == 0
    content = json.loads((tmp_path / "out.json").read_text())
    assert content == {"gpu": "full, sm90", "limits": {"bytes_per_s": None, "macs_per_s": None, "by": "nothing"}}


def test_without_a_gpu_the_reason_is_written_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing() -> None:
        raise EngineError("no NVIDIA GPU")

    monkeypatch.setattr(gpu_limits, "cuda_device", missing)
    assert gpu_limits.main(tmp_path / "out.json") == 1
    assert json.loads((tmp_path / "out.json").read_text()) == {"missing": {"gpu": "no NVIDIA GPU"}}


def test_a_file_is_replaced_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    for number in (1, 2):
        write_json(tmp_path / "out.json", {"number": number})
    assert [p.name for p in tmp_path.iterdir()] == ["out.json"]
    assert json.loads((tmp_path / "out.json").read_text()) == {"number": 2}
    with pytest.raises(TypeError):
        write_json(tmp_path / "out.json", {"number": object()})
    assert json.loads((tmp_path / "out.json").read_text()) == {"number": 2}
