"""Peers: each does what its name says, and gets its best setting."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality import ffmpeg, peers
from benchmarks.quality.protocol import Case, Source, damaged
from tests.training.faces import pattern
from training.measures import psnr


def case(task: str) -> Case:
    return damaged(Source("p1_a", "p1", [pattern(1, 128)] * 4, None), task, "middle", None)


def peer(name: str) -> peers.Peer:
    there, _ = peers.ffmpeg_peers(ffmpeg.available_filters())
    return next(p for p in (*peers.opencv_peers(), *there) if p.name == name)


@pytest.mark.parametrize(
    ("name", "task", "least"),
    [
        ("OpenCV fastNlMeans", "noise", 1.0),
        ("ffmpeg nlmeans", "noise", 1.0),
        ("ffmpeg atadenoise", "noise", 0.5),
        ("median of 3 frames", "noise", 1.0),
        ("fixed gain, known", "low light", 20.0),
        ("auto levels", "low light", 3.0),
        ("OpenCV CLAHE", "low light", 0.5),
        ("auto levels", "haze", 1.0),
        ("Wiener, kernel known", "blur", 2.0),
        ("ffmpeg unsharp", "blur", 0.05),
    ],
)
def test_each_helps_where_it_is_meant_to(name: str, task: str, least: float) -> None:
    judged = case(task)
    assert judged.clean is not None
    result = peers.method(peer(name)).run(judged)
    assert result is not None and result.ms is not None
    gain = psnr(result.clip, judged.clean) - psnr(judged.bad, judged.clean)
    assert gain > least


def test_a_peer_leaves_other_tasks_alone() -> None:
    assert peers.method(peer("ffmpeg unsharp")).run(case("noise")) is None


def test_the_best_setting_is_chosen() -> None:
    def darker(clip: tuple, by: int, judged: Case) -> tuple:  # type: ignore[type-arg]
        return clip[0] - np.uint8(by), clip[1]

    result = peers.method(peers.Peer("darker", ("clean",), darker, (9, 1, 5))).run(case("clean"))
    assert result is not None and result.setting == "1"


def test_the_median_of_three_is_causal() -> None:
    y = np.array([10, 90, 20, 30], np.uint8).reshape(4, 1, 1, 1)
    uv = np.zeros((4, 2, 1, 1), np.uint8)
    out, _ = peers.median_of_three((y, uv), None, case("clean"))
    assert out.ravel().tolist() == [10, 50, 20, 30]


def test_filters_that_the_build_lacks_are_named() -> None:
    there, missing = peers.ffmpeg_peers({"unsharp"})
    assert [p.name for p in there] == ["ffmpeg unsharp"]
    assert missing == ["hqdn3d", "nlmeans", "atadenoise", "deblock"]
