"""Samples drawn ahead: the same as drawn at once, never half written, and bounded."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import training.cache
from engines.errors import BadInput
from tests.training.faces import write_stills
from tests.training.test_samples import SHAPE, landmarks
from training.cache import HEADER, Cache, CachedSamples, draw_into, open_cache
from training.faces import list_faces
from training.fill_cache import fill
from training.samples import Samples, mirrored, sample_loader


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    folder = write_stills(tmp_path_factory.mktemp("faces"), 2)
    return Samples(list_faces(folder), landmarks("p0_still.png"), SHAPE, 3)


def filled(path: Path, samples: Samples, rows: int = 6) -> Cache:
    cache = open_cache(path, samples, 0.09 * rows)
    fill(cache, samples, range(cache.rows))
    return cache


def of_row(samples: Samples, row: int, times: int = 0) -> dict[str, Tensor]:
    return samples.draw(np.random.default_rng([samples.seed, row, times]))


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    # Regions are kept in half precision.
    return one.keys() == other.keys() and all(
        torch.allclose(one[n], other[n], atol=1e-3 if n.endswith("regions") else 1e-6) for n in one
    )


def test_a_row_is_the_sample_of_its_number(tmp_path: Path, samples: Samples) -> None:
    cache = filled(tmp_path, samples)
    assert list(cache.ready()) == list(range(cache.rows)) and cache.rows > 3
    for row in range(cache.rows):
        read = cache.read(row)
        assert read is not None and same(read, of_row(samples, row))
        assert all(t.dtype == torch.float32 for t in read.values())


def test_it_goes_on_where_it_was_cut_off(tmp_path: Path, samples: Samples) -> None:
    # Guards against a row that was half written when the process ended, and taken for a whole one.
    cache = filled(tmp_path, samples)
    cache.state[2] = 1
    cache.state[4] = 0
    assert cache.read(2) is None and cache.read(4) is None
    again = open_cache(tmp_path, samples, 0.09 * 6)
    drawn = [row for row in range(again.rows) if again.read(row) is None]
    fill(again, samples, range(again.rows))
    assert drawn == [2, 4] and len(again.ready()) == again.rows
    read = again.read(2)
    assert read is not None and same(read, of_row(samples, 2))
    assert list(again.state) == [2] * again.rows


def test_a_row_can_be_drawn_anew(tmp_path: Path, samples: Samples) -> None:
    cache = filled(tmp_path, samples)
    draw_into(cache, samples, 1)
    read = cache.read(1)
    assert read is not None and same(read, of_row(samples, 1, times=1)) and not same(read, of_row(samples, 1))


def test_a_row_written_while_it_is_read_is_not_given_out(
    tmp_path: Path, samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = filled(tmp_path, samples)
    given = training.cache._given

    def meanwhile(name: str, values: np.ndarray) -> Tensor:
        cache.state[0] = 3
        return given(name, values)

    monkeypatch.setattr(training.cache, "_given", meanwhile)
    assert cache.read(0) is None


def test_each_pass_takes_every_row_once_in_another_order(tmp_path: Path, samples: Samples) -> None:
    cache = filled(tmp_path, samples)
    rows = [cache.read(row) for row in range(cache.rows)]
    drawn = list(islice(CachedSamples(tmp_path, 1, mirror=False), 3 * cache.rows))
    numbers = [next(i for i, r in enumerate(rows) if r is not None and same(r, d)) for d in drawn]
    passes = [numbers[i : i + cache.rows] for i in range(0, len(numbers), cache.rows)]
    assert all(sorted(p) == list(range(cache.rows)) for p in passes)
    assert len({tuple(p) for p in passes}) > 1
    again = list(islice(CachedSamples(tmp_path, 1, mirror=False), 3 * cache.rows))
    assert all(same(a, b) for a, b in zip(drawn, again, strict=True))


def test_half_are_mirrored(tmp_path: Path, samples: Samples) -> None:
    cache = filled(tmp_path, samples)
    rows = [r for r in (cache.read(row) for row in range(cache.rows)) if r is not None]
    drawn = list(islice(CachedSamples(tmp_path, 1), 40))
    plain = sum(any(same(r, d) for r in rows) for d in drawn)
    turned = sum(any(same(mirrored(r), d) for r in rows) for d in drawn)
    assert plain + turned == 40 and 8 < plain < 32


def test_it_feeds_the_loader(tmp_path: Path, samples: Samples) -> None:
    filled(tmp_path, samples)
    batch = next(sample_loader(CachedSamples(tmp_path), 2, workers=0))
    assert batch["y"].shape == (2, 3, 1, 64, 64)


def test_it_stays_within_its_size(tmp_path: Path, samples: Samples) -> None:
    cache = filled(tmp_path, samples, 20)
    size = sum(f.stat().st_size for f in tmp_path.iterdir())
    assert 0.5 * 0.09e6 * 20 < size < 0.09e6 * 20 + 4000 and cache.rows > 10
    with pytest.raises(BadInput, match="no sample"):
        open_cache(tmp_path / "small", samples, 1e-3)


@pytest.mark.parametrize("damage", ["missing", "text", "version", "short"])
def test_what_is_no_cache_is_refused(tmp_path: Path, samples: Samples, damage: str) -> None:
    if damage != "missing":
        filled(tmp_path, samples)
        header = tmp_path / HEADER
        if damage == "text":
            header.write_text("no json")
        elif damage == "version":
            header.write_text(header.read_text().replace('"version": 1', '"version": 0'))
        else:
            (tmp_path / "y.bin").write_bytes(b"")
    with pytest.raises(BadInput, match="cache"):
        CachedSamples(tmp_path)


def test_an_empty_cache_and_one_of_other_samples_are_refused(tmp_path: Path, samples: Samples) -> None:
    open_cache(tmp_path, samples, 0.5)
    with pytest.raises(BadInput, match="no samples in it yet"):
        CachedSamples(tmp_path)
    other = Samples([*samples.stills], {}, SHAPE, 4)
    with pytest.raises(BadInput, match="seed"):
        open_cache(tmp_path, other, 0.5)
    with pytest.raises(BadInput, match="rows"):
        open_cache(tmp_path, samples, 0.3)
