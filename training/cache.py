"""Samples drawn ahead and kept in memory-mapped files, so that a trainer is fed faster than workers can draw.

A cache is a folder: `cache.json` says what is in it, `NAME.bin` holds one field of all rows, `state.bin` a counter a
row: 0 empty, odd while it is written, even once it is ready; half of it is how often the row was drawn. Row and round
decide on a sample alone, whoever draws it; so a fill that was cut off goes on where it stood.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from engines.errors import BadInput
from engines.whole_file import replace_file
from training.samples import Samples, mirrored

HEADER, STATE = "cache.json", "state.bin"
VERSION = 1
BYTES = ("y", "uv", "clean_y", "clean_uv", "visible")
"""Fields in 0..1 that are kept as bytes: planes were bytes before, a mask is 0 or 1."""
HALVES = ("regions", "clean_regions", "flow")
"""Fields kept as halves; all others are kept as they are."""
LOOK_AGAIN = 64
"""Samples after which a reader looks for rows that have become ready meanwhile, while not all are."""


@dataclass(frozen=True, slots=True)
class Field:
    """One tensor of a sample."""

    shape: tuple[int, ...]
    kept: str
    """Type in the file"""


class Cache:
    """The rows of a cache, open for reading and writing."""

    def __init__(self, path: Path) -> None:
        """Open a cache; BadInput when there is none, or a damaged one."""
        try:
            header = json.loads((path / HEADER).read_text())
            if header["version"] != VERSION:
                raise BadInput(f"{path}: a cache of another version: give another folder")
            self.identity: dict[str, Any] = header["identity"]
            self.rows = int(self.identity["rows"])
            self.fields = {name: Field(tuple(shape), kept) for name, (shape, kept) in header["fields"].items()}
            self.state = _mapped(path / STATE, "uint32", (self.rows,))
            self._planes = {
                name: _mapped(path / f"{name}.bin", f.kept, (self.rows, *f.shape)) for name, f in self.fields.items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadInput(f"{path}: not a cache of samples ({error})") from error

    def ready(self) -> NDArray[np.intp]:
        """Numbers of the rows that can be read."""
        return np.flatnonzero((self.state > 0) & (self.state % 2 == 0))

    def write(self, row: int, sample: dict[str, Tensor]) -> None:
        """Put a sample into a row. Two writers must never share one."""
        self.state[row] |= 1
        for name, plane in self._planes.items():
            plane[row] = _kept(name, sample[name].numpy())
        self.state[row] += 1

    def read(self, row: int) -> dict[str, Tensor] | None:
        """The sample of a row; None when it is not ready, or was written meanwhile."""
        before = int(self.state[row])
        if before == 0 or before % 2:
            return None
        sample = {name: _given(name, np.array(plane[row])) for name, plane in self._planes.items()}
        return sample if int(self.state[row]) == before else None


def open_cache(path: Path, samples: Samples, megabytes: float) -> Cache:
    """The cache of these samples at `path`, made where there is none yet, of at most so many megabytes.

    Raises:
        BadInput: It was made for other samples or another size, not even one row fits, or it cannot be written.
    """
    example = samples.draw(np.random.default_rng(samples.seed))
    fields = {name: Field(tuple(t.shape), _type(name, t)) for name, t in example.items()}
    row_bytes = sum(math.prod(f.shape) * np.dtype(f.kept).itemsize for f in fields.values())
    rows = int(megabytes * 1e6 // row_bytes)
    if rows < 1:
        raise BadInput(f"a cache of {megabytes:g} MB holds no sample of {row_bytes / 1e6:.2f} MB")
    identity = {
        "rows": rows,
        "seed": samples.seed,
        "shape": asdict(samples.shape),
        "files": len(samples.stills) + len(samples.clips),
        "names": _digest(samples),
    }
    if not (path / HEADER).exists():
        _make(path, identity, fields)
    cache = Cache(path)
    if cache.identity != identity or cache.fields != fields:
        other = [name for name, value in identity.items() if cache.identity.get(name) != value]
        raise BadInput(f"{path}: its samples are others (in {', '.join(other) or 'fields'}): give another folder")
    return cache


def draw_into(cache: Cache, samples: Samples, row: int) -> None:
    """Draw a row's next sample, which depends on seed, row and round alone; one that was cut off is drawn again."""
    cache.write(row, samples.draw(np.random.default_rng([samples.seed, row, int(cache.state[row]) // 2])))


class CachedSamples(IterableDataset[dict[str, Tensor]]):
    """Yields dicts as `Samples` does, for ever: each pass takes every ready row once, in another order.

    Half of them mirrored. Rows that become ready while it runs join in.
    """

    def __init__(self, path: Path, seed: int = 0, mirror: bool = True) -> None:
        """BadInput when there is no cache at `path`, or nothing in it yet."""
        self.path, self.seed, self.mirror = path, seed, mirror
        if not len(Cache(path).ready()):
            raise BadInput(f"{path}: no samples in it yet")

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        """Draw for ever; the order depends on the seed, the worker's number and which rows are ready."""
        worker = get_worker_info()
        rng = np.random.default_rng([self.seed, worker.id if worker else 0])
        cache = Cache(self.path)
        while True:
            ready = rng.permutation(cache.ready())
            for row in ready if len(ready) == cache.rows else ready[:LOOK_AGAIN]:
                sample = cache.read(int(row))
                if sample is not None:
                    yield mirrored(sample) if self.mirror and rng.random() < 0.5 else sample


def _mapped(path: Path, kept: str, shape: tuple[int, ...]) -> NDArray[Any]:
    # A map that may be written to would lengthen a file that was cut off, by zeros.
    if path.stat().st_size != math.prod(shape) * np.dtype(kept).itemsize:
        raise ValueError(f"{path.name} has another length")
    return np.memmap(path, np.dtype(kept), "r+", shape=shape)


def _make(path: Path, identity: dict[str, Any], fields: dict[str, Field]) -> None:
    """Files of full length, which take room as they are filled; the header last."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        lengths = {f"{n}.bin": math.prod(f.shape) * np.dtype(f.kept).itemsize for n, f in fields.items()} | {STATE: 4}
        for name, length in lengths.items():
            with (path / name).open("wb") as file:
                file.truncate(length * identity["rows"])
        header = {"version": VERSION, "identity": identity, "fields": {n: (f.shape, f.kept) for n, f in fields.items()}}
        replace_file(path / HEADER, json.dumps(header, indent=1).encode())
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error


def _digest(samples: Samples) -> str:
    names = sorted(f.path.name for f in (*samples.stills, *samples.clips))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def _type(name: str, tensor: Tensor) -> str:
    return "uint8" if name in BYTES else "float16" if name in HALVES else str(tensor.numpy().dtype)


def _kept(name: str, values: NDArray[Any]) -> NDArray[Any]:
    return np.rint(values * 255).astype(np.uint8) if name in BYTES else values


def _given(name: str, values: NDArray[Any]) -> Tensor:
    if name in BYTES:
        return torch.from_numpy(values).float().div_(255)
    return torch.from_numpy(values).float() if name in HALVES else torch.from_numpy(values)
