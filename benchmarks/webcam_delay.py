"""What the webcam costs: the delay from a source's frame to another program, and the processor's share.

Runs the real loop in this process; needs a PipeWire session and GStreamer with its PipeWire plugin (docs/webcam.md):

    python -m benchmarks.webcam_delay FILM [--strength 0] [--seconds 20]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from engines.errors import BadInput, ClearcallError
from stream.budget import DEFAULT, read_budget
from stream.filter import FaceFilter
from stream.live import LiveFilter
from stream.models import open_model
from stream.webcam import source
from stream.webcam.capture import Capture
from stream.webcam.door import Door
from stream.webcam.outputs import open_output
from stream.webcam.presence import LINGER_S
from stream.webcam.settings import shape_of
from stream.webcam.wake import Wake

BITS, CELL = 32, 16
"""Microseconds since the start, a bit in each cell of 16x16 pixels along the upper edge."""
WARM_UP = 60
"""Frames at the start that do not count."""


def stamp(frame: av.VideoFrame, microseconds: int) -> av.VideoFrame:
    """The frame, decoded once more into planes of our own, with the time written into its upper edge."""
    picture = frame.to_ndarray(format="yuv420p")
    for bit in range(BITS):
        picture[:CELL, bit * CELL : (bit + 1) * CELL] = 235 if microseconds >> bit & 1 else 16
    return av.VideoFrame.from_ndarray(picture, "yuv420p")


def read_stamp(luma: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> int:
    """The time that `stamp` wrote, in microseconds."""
    row = luma[CELL // 2, CELL // 2 : BITS * CELL : CELL]
    return sum(1 << bit for bit in range(BITS) if row[bit] > 128)


def measure(film: Path, strength: float, seconds: float) -> dict[str, float]:
    """Delays in ms (median, p95), frames a second, and shares of one core in per cent while read and while not."""
    origin = source.Origin("file", str(film))
    probed = source.probe(origin)
    if probed is None:
        raise BadInput(f"{film} does not say how large it is")
    shape = shape_of(*probed)
    began = time.monotonic()

    def frames() -> Iterator[av.VideoFrame]:
        for frame in source.frames(origin):
            yield stamp(frame, int((time.monotonic() - began) * 1e6))

    wake = Wake()
    face_filter = FaceFilter(open_model("lite", 1), "auto", strength, read_budget(DEFAULT))
    live = LiveFilter(face_filter, wake.set, on_done=face_filter.took)
    capture = Capture(frames, live.push)
    door = Door(lambda: open_output("pipewire", shape, wake.set), capture, live, shape, False, wake)
    thread = threading.Thread(target=door.run)
    thread.start()
    try:
        delays, rate, busy = _read(shape.width, shape.height, began, seconds)
        time.sleep(LINGER_S + 2.0)
        idle = _share(seconds)
    finally:
        door.stop()
        thread.join()
        live.close()
    return {
        "median_ms": round(statistics.median(delays), 1),
        "p95_ms": round(statistics.quantiles(delays, n=20)[-1], 1),
        "fps": round(rate, 2),
        "fresh_pct": round(100 * len(delays) / (rate * seconds), 1),
        "busy_pct": round(busy, 1),
        "idle_pct": round(idle, 2),
    }


def _read(width: int, height: int, began: float, seconds: float) -> tuple[list[float], float, float]:
    """Delays of new frames in ms, frames a second, and this process's share of a core in per cent."""
    pipeline = "pipewiresrc target-object=clearcall ! video/x-raw,format=I420 ! fdsink fd=1 sync=false"
    reader = subprocess.Popen(["gst-launch-1.0", "-q", *pipeline.split()], stdout=subprocess.PIPE)
    assert reader.stdout is not None
    size, delays, last, count = width * height * 3 // 2, [], -1, 0
    try:
        for _ in range(WARM_UP):
            reader.stdout.read(size)
        start, used = time.monotonic(), time.process_time()
        while time.monotonic() - start < seconds:
            luma = np.frombuffer(reader.stdout.read(size), np.uint8)[: width * height].reshape(height, width)
            now, stamped = (time.monotonic() - began) * 1e6, read_stamp(luma)
            count += 1
            if stamped > last:
                delays.append((now - stamped) / 1e3)
                last = stamped
        spent = time.monotonic() - start
        return delays, count / spent, 100 * (time.process_time() - used) / spent
    finally:
        reader.terminate()
        reader.stdout.close()
        reader.wait()


def _share(seconds: float) -> float:
    start, used = time.monotonic(), time.process_time()
    time.sleep(seconds)
    return 100 * (time.process_time() - used) / (time.monotonic() - start)


def main() -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film", type=Path)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    arguments = parser.parse_args()
    try:
        found = measure(arguments.film, arguments.strength, arguments.seconds)
    except ClearcallError as error:
        print(f"webcam_delay: {error}", file=sys.stderr)
        return error.exit_status
    print(f"strength {arguments.strength:g}, load {os.getloadavg()[0]:.1f}:", found, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
