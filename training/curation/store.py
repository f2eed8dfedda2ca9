"""What was found so far, on disk: a line of JSON for each finished source, and a picture for each face.

A run that is broken off loses the source it was at, no more. Lines and pictures that are damaged are made again.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np

from engines.errors import BadInput, ClearcallError
from training.curation.face import Square
from training.curation.found import Found, Span
from training.curation.likeness import LENGTH, Signature
from training.curation.measures import VERSION, Measures
from training.curation.rubric import NAMES, Rubric
from training.curation.sources import SourceFile
from training.faces import Picture

LINES = "found.jsonl"
PICTURES = "faces"
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]


@dataclass(frozen=True, slots=True)
class Entry:
    """A face or a track, as it is remembered."""

    id: str
    """Name of the source within the folder, # and a number."""
    source: str
    measures: Measures
    signature: Signature
    square: Square
    frames: Span | None
    window: Span | None
    rate: float

    @property
    def picture(self) -> str:
        """File of the cut face, within the output folder."""
        return f"{PICTURES}/{short(self.id)}.jpg"


def short(name: str) -> str:
    """A file name for an entry's id: a name in the folder may be long, or have slashes in it."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:12]


class Store:
    """The output folder's memory; one process at a time.

    Raises:
        BadInput: The folder cannot be made or written into, or another run is at work in it.
    """

    def __init__(self, out: Path, rubric: Rubric) -> None:
        self._out = out
        self._basis = _basis(rubric)
        self.damaged = 0
        """Lines that could not be read."""
        try:
            (out / PICTURES).mkdir(parents=True, exist_ok=True)
            self._file = (out / LINES).open("a+b")
        except OSError as error:
            raise BadInput(f"cannot write {out}: {error.strerror}") from error
        if not _lock(self._file):
            self._file.close()
            raise BadInput(f"{out}: another run is at work in it")
        self._known = self._read()

    def entries(self, source: SourceFile) -> list[Entry] | None:
        """What was found in a source that has not changed since; None where it has to be scanned."""
        line = self._known.get(source.name)
        if line is None or line["key"] != self._key(source):
            return None
        entries = [_entry(source.name, index, raw) for index, raw in enumerate(line["entries"])]
        return entries if all(read_picture(self._out / e.picture) is not None for e in entries) else None

    def add(self, source: SourceFile, found: list[Found]) -> list[Entry]:
        """Remember what was found in a source; ClearcallError where the disk is full."""
        raw = [_raw(f) for f in found]
        entries = [_entry(source.name, index, item) for index, item in enumerate(raw)]
        line = json.dumps({"source": source.name, "key": self._key(source), "entries": raw}, separators=(",", ":"))
        try:
            # Pictures first: a line says that all of its source is there.
            for entry, item in zip(entries, found, strict=True):
                write_picture(self._out / entry.picture, item.picture)
            self._file.write(line.encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise ClearcallError(f"cannot write {self._out}: {error.strerror}") from error
        return entries

    def close(self) -> None:
        """Let go of the folder."""
        self._file.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _key(self, source: SourceFile) -> list[Any]:
        return [self._basis, source.size, source.changed]

    def _read(self) -> dict[str, dict[str, Any]]:
        known: dict[str, dict[str, Any]] = {}
        self._file.seek(0)
        last = b"\n"
        for last in self._file:
            line = _parsed(last)
            if line is None:
                self.damaged += 1
            else:
                known[line["source"]] = line
        if not last.endswith(b"\n"):
            self._file.write(b"\n")  # the last run broke off within a line
        return known


def _basis(rubric: Rubric) -> str:
    """What the findings rest on; where it changes, all are made again."""
    text = json.dumps([VERSION, sorted(rubric.limits.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _lock(file: IO[bytes]) -> bool:
    try:
        import fcntl
    except ImportError:
        return True  # Windows: two runs at once are the user's to avoid there
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _parsed(line: bytes) -> dict[str, Any] | None:
    """A line, if it is whole."""
    try:
        raw = json.loads(line)
        for index, item in enumerate(raw["entries"]):
            _entry(raw["source"], index, item)
        return raw if isinstance(raw["source"], str) and isinstance(raw["key"], list) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _raw(found: Found) -> dict[str, Any]:
    return {
        "measures": found.measures,
        "signature": found.signature.tolist(),
        "square": [found.square.x, found.square.y, found.square.edge],
        "frames": None if found.frames is None else list(asdict(found.frames).values()),
        "window": None if found.window is None else list(asdict(found.window).values()),
        "rate": found.rate,
    }


def _entry(source: str, index: int, raw: dict[str, Any]) -> Entry:
    """An entry out of a line; KeyError, TypeError or ValueError where it is damaged."""
    signature = np.array(raw["signature"], np.int32)
    if signature.shape != (LENGTH,):
        raise ValueError("signature")
    return Entry(
        id=f"{source}#{index + 1}",
        source=source,
        measures={str(name): float(raw["measures"][name]) for name in NAMES if name in raw["measures"]},
        signature=signature,
        square=Square(*(int(v) for v in raw["square"])),
        frames=None if raw["frames"] is None else Span(*(int(v) for v in raw["frames"])),
        window=None if raw["window"] is None else Span(*(int(v) for v in raw["window"])),
        rate=float(raw["rate"]),
    )


def write_picture(path: Path, picture: Picture) -> None:
    """Write a JPEG in one step."""
    _, data = cv2.imencode(".jpg", picture, QUALITY)
    write_whole(path, data.tobytes())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that its name never stands for half of it."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(data)
    os.replace(temporary, path)


def read_picture(path: Path) -> Picture | None:
    """A cut face [N, N, 3], BGR; None where it is missing or damaged."""
    try:
        picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error):
        return None
    return None if picture is None else np.asarray(picture, np.uint8)
