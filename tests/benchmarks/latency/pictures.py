"""Pictures and runs made up for the harness's tests."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.latency.figures import Came, Sent


def moving(count: int, width: int = 640, height: int = 360) -> list[NDArray[np.uint8]]:
    """I420 pictures of soft noise that moves, so that a codec has work."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(40, 216, (height // 8 + 2, width // 8 + count + 2)).astype(np.uint8)
    scene = coarse.repeat(8, 0).repeat(8, 1)
    pictures = []
    for step in range(count):
        picture = np.full((height * 3 // 2, width), 128, np.uint8)
        picture[:height] = scene[:height, step : step + width] + rng.integers(0, 12, (height, width), np.uint8)
        pictures.append(picture)
    return pictures


def film(path: Path, count: int = 30, width: int = 640, height: int = 360, fps: int = 30) -> Path:
    """A small recording."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=fps, width=width, height=height, pix_fmt="yuv420p")
        stream.options = {"preset": "ultrafast"}
        for place, picture in enumerate(moving(count, width, height)):
            frame = av.VideoFrame.from_ndarray(picture, "yuv420p")
            frame.pts, frame.time_base = place, Fraction(1, fps)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def sent(count: int, length: int = 300, every: float = 0.1) -> list[Sent]:
    """Frames that left on time from 0 s on, of a clip of `length` frames."""
    return [Sent(place % length, place * every, place * every) for place in range(count)]


def came(frame: Sent, delay: float, decoding: float = 0.0) -> Came:
    """A frame's arrival, `delay` seconds after it left, decoded `decoding` later."""
    return Came(frame.stamp, frame.left + delay, frame.left + delay + decoding)


def phase(
    p50: float, p95: float = 40.0, fps: float = 30.0, missing: int = 0, relay: dict[str, Any] | None = None
) -> dict[str, Any]:
    """One phase of a run, as `--json` has it; `relay` is what the relay told of itself."""
    told = {"stages": {"engine": {"median_ms": 8.0, "p95_ms": 12.0}}} if relay is None else relay
    return {
        "sent": 90,
        "fps": fps,
        "missing": missing,
        "late": 0,
        "repeated": 0,
        "unreadable": 0,
        "freezes": 0,
        "frozen_s": 0.0,
        "p50": p50,
        "p90": p95,
        "p95": p95,
        "p99": p95,
        "max": p95,
        "drift": 0.0,
        "first_picture_s": 0.2,
        "source_late_p95": 0.5,
        "decoding": {"p50": 2.0, "p95": 3.0},
        "callers": [{"delays": [[0.0, p50], [0.5, p50 + 1.0], [1.0, p95]], "relay": told}],
        "processes": {"relay": {"cpu_percent": 50.0, "memory_first_mib": 100.0, "memory_last_mib": 101.0}},
    }


def run(*repeats: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A run, as `--json` has it, without what is worked out from the repeats."""
    return {
        "bench": "latency",
        "when": "2024-01-01T00:00:00+0000",
        "machine": {"processor": "some <processor>", "cores": 2, "load_before": 0.1},
        "target": "http://relay/call?a=1&b=2",
        "start_s": None,
        "settings": {
            "shape": "720p30",
            "codec": "vp8",
            "callers": 1,
            "seconds": 2.0,
            "warm_up_s": 3.0,
        },
        "repeats": list(repeats),
        "missed": [],
    }
