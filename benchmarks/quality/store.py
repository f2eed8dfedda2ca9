"""A run's rows and pictures on disk, so that the same command goes on where it was stopped."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from benchmarks.quality.summary import Row
from engines.errors import BadInput


class Store:
    """A folder of one run: what other settings found lies in another one."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        """Open or make it; BadInput where it cannot be written to.

        Args:
            folder: Holds the runs.
            settings: All that the figures depend on.
        """
        self.digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
        self._folder = folder / self.digest
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"--out {folder}: {error.strerror}") from error
        self._path = self._folder / "rows.jsonl"
        self._cases = self._read()

    def _read(self) -> dict[str, list[Row]]:
        if not self._path.is_file():
            return {}
        found: dict[str, list[Row]] = {}
        kept = []
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                case = json.loads(line)
                found[case["case"]] = case["rows"]
            except (json.JSONDecodeError, KeyError, TypeError):
                continue  # the line that a run broke off in
            kept.append(line)
        self._path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
        return found

    def __contains__(self, case: str) -> bool:
        return case in self._cases

    def add(self, case: str, rows: list[Row], pictures: dict[str, bytes]) -> None:
        """Keep a case that is done; the rows last, since they say that it is."""
        for kind, content in pictures.items():
            self.picture(case, kind).write_bytes(content)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"case": case, "rows": rows}) + "\n")
        self._cases[case] = rows

    def rows(self, cases: list[str]) -> list[Row]:
        """The rows of those of the cases that are done."""
        return [row for case in cases for row in self._cases.get(case, [])]

    def picture(self, case: str, kind: str) -> Path:
        """Where a case's picture lies."""
        return picture_path(self._folder, case, kind)


def picture_path(folder: Path, case: str, kind: str) -> Path:
    """Where a case's picture lies in the folder of a run."""
    return folder / f"{hashlib.sha256(case.encode()).hexdigest()[:16]}-{kind}.jpg"
