"""Worker processes that fill a cache of samples; `python -m training.fill_cache FACES CACHE` fills one ahead."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType

import cv2

from engines.errors import BadInput, ClearcallError
from training.cache import Cache, draw_into, open_cache
from training.faces import list_faces
from training.landmarks import find_landmarks
from training.samples import Samples
from training.stages import CATALOGUE

POLL = 0.2
"""Seconds between two looks at how far the workers are."""


class Filler:
    """Processes that fill a cache and then, if told so, replace its rows one after another for ever.

    A context manager: the processes end with it. With none, nothing is drawn.
    """

    def __init__(self, path: Path, samples: Samples, megabytes: float, workers: int, refresh: bool) -> None:
        """Open or make the cache; BadInput as `open_cache`."""
        self.cache = open_cache(path, samples, megabytes)
        context = get_context("spawn")
        self._workers: list[BaseProcess] = [
            context.Process(target=_work, args=(path, samples, number, workers, refresh), daemon=True)
            for number in range(workers)
        ]

    def __enter__(self) -> Filler:
        # Ctrl-C reaches all processes of a terminal: the workers, born deaf to it, leave the answer to this one.
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            for worker in self._workers:
                worker.start()
        finally:
            signal.signal(signal.SIGINT, previous)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            worker.join()

    def wait(self, rows: int) -> int:
        """Wait until so many rows, or all, are ready; returns how many are. ClearcallError when no worker is left."""
        while (ready := len(self.cache.ready())) < min(rows, self.cache.rows):
            if not any(worker.is_alive() for worker in self._workers):
                raise ClearcallError(f"the workers ended with {ready} of {self.cache.rows} samples drawn")
            time.sleep(POLL)
        return ready


def fill(cache: Cache, samples: Samples, rows: Sequence[int]) -> None:
    """Draw those of the rows that are not ready."""
    for row in rows:
        if cache.state[row] == 0 or cache.state[row] % 2:
            draw_into(cache, samples, row)


def refresh_for_ever(cache: Cache, samples: Samples, rows: Sequence[int]) -> None:
    """Replace the rows by new samples, the oldest first."""
    while True:
        draw_into(cache, samples, min(rows, key=lambda row: (int(cache.state[row]), row)))


def _work(path: Path, samples: Samples, number: int, workers: int, refresh: bool) -> None:
    cv2.setNumThreads(1)
    cache = Cache(path)
    rows = range(number, cache.rows, workers)
    fill(cache, samples, rows)
    if refresh and rows:
        refresh_for_ever(cache, samples, rows)


def main(argv: list[str] | None = None) -> int:
    """Fill a cache; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.fill_cache", description=__doc__.split(";")[0])
    parser.add_argument("faces", type=Path, metavar="FACES", help="stills and clips, named PERSON_anything.jpg")
    parser.add_argument("cache", type=Path, metavar="CACHE", help="folder; goes on where it stands")
    parser.add_argument("--megabytes", type=float, default=2000.0, help="room it may take (default: %(default)g)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: %(default)d)")
    names = [stage.name for stage in CATALOGUE]
    parser.add_argument("--stage", choices=names, default="clips", help="whose samples (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="random seed (default: %(default)d)")
    arguments = parser.parse_args(argv)
    try:
        if not 1 <= arguments.workers <= 256 or not 0 <= arguments.seed < 2**32 or not 0 < arguments.megabytes < 1e8:
            raise BadInput("--workers must be 1 to 256, --seed 0 to 4294967295, --megabytes above 0 and below 1e8")
        files = list_faces(arguments.faces)
        try:
            arguments.cache.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"{arguments.cache}: {error.strerror}") from error
        landmarks = find_landmarks(files, arguments.cache / "landmarks.npz")
        stage = next(stage for stage in CATALOGUE if stage.name == arguments.stage)
        samples = Samples(files, landmarks, stage.shape, arguments.seed, stage.motion)
        with Filler(arguments.cache, samples, arguments.megabytes, arguments.workers, refresh=False) as filler:
            print(f"{filler.wait(filler.cache.rows)} samples are ready")
    except ClearcallError as error:
        print(f"fill_cache: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("fill_cache: interrupted; the same command goes on from there", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
