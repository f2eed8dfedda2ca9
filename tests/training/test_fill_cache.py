"""Workers that fill a cache: they share the rows, and end with whoever started them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engines.errors import ClearcallError
from tests.training.faces import write_stills
from tests.training.test_samples import SHAPE
from training import fill_cache
from training.cache import Cache, open_cache
from training.faces import list_faces
from training.fill_cache import Filler, fill, main, refresh_for_ever
from training.samples import Samples, SampleShape
from training.stages import Stage


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return Samples(list_faces(write_stills(tmp_path_factory.mktemp("faces"), 2)), {}, SHAPE, 3)


def test_two_workers_draw_what_one_would(tmp_path: Path, samples: Samples) -> None:
    alone = open_cache(tmp_path / "one", samples, 0.8)
    fill(alone, samples, range(alone.rows))
    with Filler(tmp_path / "two", samples, 0.8, workers=2, refresh=False) as filler:
        assert filler.wait(10**6) == alone.rows
    shared = Cache(tmp_path / "two")
    for row in range(alone.rows):
        one, other = alone.read(row), shared.read(row)
        assert one is not None and other is not None and all(torch.equal(one[n], other[n]) for n in one)
    assert not any(worker.is_alive() for worker in filler._workers)


def test_refreshing_takes_the_oldest_first(tmp_path: Path, samples: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = open_cache(tmp_path, samples, 0.5)
    fill(cache, samples, range(cache.rows))
    cache.state[1] = 4
    taken: list[int] = []

    def watched(into: Cache, data: Samples, row: int) -> None:
        if len(taken) == 4:
            raise KeyboardInterrupt
        taken.append(row)
        into.state[row] += 2

    monkeypatch.setattr(fill_cache, "draw_into", watched)
    with pytest.raises(KeyboardInterrupt):
        refresh_for_ever(cache, samples, range(4))
    assert taken == [0, 2, 3, 0]


def test_without_workers_waiting_ends_in_an_error(tmp_path: Path, samples: Samples) -> None:
    with (
        Filler(tmp_path, samples, 0.5, workers=0, refresh=False) as filler,
        pytest.raises(ClearcallError, match="0 of"),
    ):
        filler.wait(1)


def test_the_command_fills_and_says_how_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fill_cache, "find_landmarks", lambda files, cache: {})
    small = Stage("clips", 1.0, SampleShape(frames=2, canvas=96, crop=64), 1)
    monkeypatch.setattr(fill_cache, "CATALOGUE", (small,))
    faces = write_stills(tmp_path / "faces", 1)
    command = [str(faces), str(tmp_path / "cache"), "--megabytes", "0.3", "--workers", "1"]
    assert main(command) == 0
    count = Cache(tmp_path / "cache").rows
    # A trainer of that stage reads it, and that one needs to know the motion.
    assert {"flow", "visible"} <= set(Cache(tmp_path / "cache").fields)
    assert capsys.readouterr().out == f"{count} samples are ready\n" and count > 3
    assert main([str(tmp_path / "none"), str(tmp_path / "cache")]) == 2
    assert main([*command[:-1], "0"]) == 2
    assert main([*command, "--seed", "2"]) == 2
    assert main([str(faces), str(faces / "p0_still.png"), "--workers", "1"]) == 2
    assert capsys.readouterr().err.count("fill_cache: ") == 4
