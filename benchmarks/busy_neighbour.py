"""What the filter does when another program takes the machine: delay and quality, second by second.

Runs the live filter of a call on a film at its own pace; for a while as many other processes as there are cores compute
as fast as they can:

    python -m benchmarks.busy_neighbour FILM [--latency-budget 33ms] [--alone 8] [--busy 8]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engines.errors import ClearcallError
from engines.precision import AUTO, check_precision
from stream.budget import DEFAULT, read_budget
from stream.filter import FaceFilter
from stream.governor import quantile
from stream.live import Done, LiveFilter
from stream.models import open_model
from stream.webcam import source


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame that came out; seconds."""

    at: float
    """Since the start"""
    waited: float
    taken: float
    engine: float
    edge: int
    """Of the graph that may run, px"""
    quality: str


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """So many processes that compute, until the end."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    started = [context.Process(target=compute, args=(stop,), daemon=True) for _ in range(count)]
    for process in started:
        process.start()
    try:
        yield
    finally:
        stop.set()
        for process in started:
            process.join()


def compute(stop: threading.Event) -> None:
    """Compute until told to stop."""
    while not stop.is_set():
        sum(range(100_000))


def measure(film: Path, name: str, precision: str, budget_s: float, alone: float, busy: float) -> list[Seen]:
    """All frames: `alone` seconds by itself, `busy` with neighbours, and as long as both by itself again."""
    face_filter = FaceFilter(open_model(name, 1, live=True, precision=precision), "auto", 1.0, budget_s)
    governor = face_filter.governor
    assert governor is not None
    seen: list[Seen] = []
    began = time.monotonic()

    def done(frame: Done) -> None:
        level, engine = governor.level, face_filter.engine_s
        seen.append(Seen(time.monotonic() - began, frame.waited, frame.taken, engine, level.size, level.name))
        face_filter.took(frame)

    live = LiveFilter(face_filter, on_done=done)
    end = [False]

    def play() -> None:
        for frame in source.frames(source.Origin("file", str(film))):
            if end[0]:
                return
            live.push(frame)
            live.pull()

    thread = threading.Thread(target=play)
    thread.start()
    time.sleep(alone)
    with neighbours(os.cpu_count() or 1):
        time.sleep(busy)
    time.sleep(alone + busy)
    end[0] = True
    thread.join()
    live.close()
    return seen


def table(seen: Sequence[Seen]) -> list[str]:
    """A line for each second."""
    lines = [f"{'second':>6}{'frames':>8}{'p50 ms':>8}{'p95 ms':>8}{'max ms':>8}  quality at its end"]
    for second in range(int(seen[-1].at)):
        of = [s for s in seen if second <= s.at < second + 1]
        if of:
            delays = [1000 * (s.waited + s.taken) for s in of]
            row = "".join(f"{v:>8.1f}" for v in (quantile(delays, 0.5), quantile(delays, 0.95), max(delays)))
            lines.append(f"{second:>6}{len(of):>8}{row}  {of[-1].quality}")
    return lines


def main() -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film", type=Path)
    parser.add_argument("--latency-budget", default=DEFAULT)
    parser.add_argument("--model", default="lite")
    parser.add_argument("--precision", default=AUTO)
    parser.add_argument("--alone", type=float, default=8.0)
    parser.add_argument("--busy", type=float, default=8.0)
    parser.add_argument("--json", type=Path, help="keep every frame's figures")
    arguments = parser.parse_args()
    try:
        budget_s, precision = read_budget(arguments.latency_budget), check_precision(arguments.precision)
        seen = measure(arguments.film, arguments.model, precision, budget_s, arguments.alone, arguments.busy)
    except ClearcallError as error:
        print(f"busy_neighbour: {error}", file=sys.stderr)
        return error.exit_status
    print(f"load {os.getloadavg()[0]:.1f}; neighbours from second {arguments.alone:g} for {arguments.busy:g} s")
    print("\n".join(table(seen)))
    if arguments.json:
        rows = [[round(v, 5) for v in (s.at, s.waited, s.taken, s.engine)] + [s.edge] for s in seen]
        arguments.json.write_text(json.dumps(rows) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
