"""FFmpeg's filters: what PyAV lacks goes through the program, and comes back the same."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

from benchmarks.quality import ffmpeg
from benchmarks.quality.ffmpeg import Filter, parse, run_chain
from engines.errors import ClearcallError
from training.degrade import Planar

needs_program = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the program ffmpeg")


def clip() -> Planar:
    rng = np.random.default_rng(1)
    return rng.integers(16, 235, (4, 1, 48, 64), np.uint8), rng.integers(16, 240, (4, 2, 24, 32), np.uint8)


def test_a_chain_is_read_as_ffmpeg_writes_it() -> None:
    assert parse("nlmeans=s=5:p=7,hqdn3d=4:3") == [Filter("nlmeans", "s=5:p=7"), Filter("hqdn3d", "4:3")]


@needs_program
def test_both_ways_give_the_same_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against: planes in the wrong order or place behind the pipe, which makes a peer look bad."""
    chain = parse("unsharp=5:5:0.8,unsharp=5:5:-0.4")
    here = run_chain(clip(), chain)
    monkeypatch.setattr(ffmpeg, "_of_pyav", frozenset)
    through = run_chain(clip(), chain)
    assert all(np.array_equal(a, b) for a, b in zip(here, through, strict=True))
    assert not np.array_equal(here[0], clip()[0])


@needs_program
def test_a_filter_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "_of_pyav", frozenset)
    with pytest.raises(ClearcallError, match="ffmpeg unsharp=nonsense: "):
        run_chain(clip(), parse("unsharp=nonsense"))
    with pytest.raises(ClearcallError, match="2 of 4 frames"):
        run_chain(clip(), parse("trim=end_frame=2"))


def test_without_the_program_its_filters_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against: a run that ends with an error hours later, where a filter could have been left out."""
    monkeypatch.setattr(ffmpeg, "_of_pyav", lambda: frozenset({"unsharp"}))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert ffmpeg._of_program.__wrapped__() == frozenset()

    def gone(*_: object, **__: object) -> None:
        raise FileNotFoundError("ffmpeg")

    monkeypatch.setattr(subprocess, "run", gone)
    with pytest.raises(ClearcallError, match="ffmpeg hqdn3d=1"):
        run_chain(clip(), parse("hqdn3d=1"))
    monkeypatch.setattr(ffmpeg, "_of_program", frozenset)
    assert ffmpeg.available_filters() == {"unsharp"}
