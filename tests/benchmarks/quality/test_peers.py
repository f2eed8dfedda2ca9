"""Peers: each does what its name says, and gets its best setting."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality import chains, ffmpeg, peers
from benchmarks.quality.protocol import Case, Source, damaged
from tests.training.faces import pattern
from training.degrade import Planar
from training.measures import psnr


def case(task: str) -> Case:
    return damaged(Source("p1_a", "p1", [pattern(1, 128)] * 4, None), task, "middle", None)


def peer(name: str) -> peers.Peer:
    filters = ffmpeg.available_filters()
    there = (*peers.opencv_peers(), *peers.ffmpeg_peers(filters)[0], *chains.chain_peers(filters)[0])
    return next(p for p in there if p.name == name)


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


def test_deblock_smooths_the_edges_of_blocks() -> None:
    """Guards against: a filter that is in the list and does nothing, so that ours seems to beat it."""
    ramp = np.broadcast_to(np.linspace(60, 180, 128), (4, 1, 128, 128)).astype(np.uint8)
    blocky = np.repeat(ramp.reshape(4, 1, 128, 16, 8).mean(axis=-1), 8, axis=-1).astype(np.uint8)
    colours = np.full((4, 2, 64, 64), 128, np.uint8)
    judged = Case("p1_a", "p1", "compression", (blocky, colours), (ramp, colours), {}, (), None, None)
    result = peers.method(peer("ffmpeg deblock")).run(judged)
    assert result is not None and result.setting in dict((n, s) for n, _, s in peers.FFMPEG)["deblock"]
    assert psnr(result.clip, (ramp, colours)) > psnr(judged.bad, (ramp, colours)) + 1

    def step(clip: Planar) -> float:
        edges = np.abs(np.diff(clip[0].astype(int), axis=-1))[..., 7::8]
        return float(edges[..., 2:-2].mean())

    assert step(result.clip) < 0.7 * step(judged.bad)


needs_hqdn3d = pytest.mark.skipif(
    "hqdn3d" not in ffmpeg.available_filters(), reason="neither this PyAV's FFmpeg nor a program ffmpeg has hqdn3d"
)


@needs_hqdn3d
def test_hqdn3d_takes_noise_off_a_still_picture() -> None:
    judged = case("noise")
    assert judged.clean is not None
    result = peers.method(peer("ffmpeg hqdn3d")).run(judged)
    assert result is not None
    assert psnr(result.clip, judged.clean) - psnr(judged.bad, judged.clean) > 0.3
    # It looks back: the last frame of a still picture is cleaner than the first.
    errors = np.abs(result.clip[0].astype(int) - judged.clean[0]).mean(axis=(1, 2, 3))
    assert errors[-1] < errors[0]


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


@needs_hqdn3d
def test_two_denoisers_are_better_than_either() -> None:
    """Guards against: a chain of which only one filter runs, and a bar that is too low by the other."""
    judged = case("noise")
    assert judged.clean is not None
    results = [peers.method(peer(name)).run(judged) for name in (chains.DENOISERS, peers.NLMEANS, "ffmpeg hqdn3d")]
    both, *single = [psnr(r.clip, judged.clean) for r in results if r is not None]
    assert len(single) == 2 and both > max(single)


@pytest.mark.parametrize(("name", "task"), [(chains.LIT_NLMEANS, "low light"), (chains.LIT_HQDN3D, "bad call")])
def test_light_is_given_back_before_it_is_filtered(name: str, task: str) -> None:
    """Guards against: the gain or the filter is left out, and what ours has to beat is too weak."""
    if not {"hqdn3d", "nlmeans"} <= ffmpeg.available_filters():
        pytest.skip("needs hqdn3d and nlmeans")
    judged = case(task)
    assert judged.clean is not None
    told, gained = peers.method(peer(name)).run(judged), peers.known_gain(judged.bad, None, judged)
    assert told is not None and psnr(told.clip, judged.clean) > psnr(judged.bad, judged.clean) + 5
    assert not np.array_equal(told.clip[0], gained[0])
    unknown = Case("a", "a", "real", judged.bad, None, None, (), None, None)
    assert peers.method(peer(name)).run(unknown) is None


def test_chains_are_left_out_and_named_where_a_filter_is_missing() -> None:
    there, missing = chains.chain_peers({"nlmeans"})
    assert [p.name for p in there] == [chains.LIT_NLMEANS]
    assert missing == [chains.DENOISERS, chains.LIT_HQDN3D]


def test_the_centred_median_looks_ahead_and_always_at_three_frames() -> None:
    """Guards against: a causal median, or one of two frames at the ends, makes the bar of rain too low."""
    y = np.array([10, 90, 20, 30, 80], np.uint8).reshape(5, 1, 1, 1)
    uv = np.repeat(y, 2, axis=1)
    out = peers.centred_median((y, uv), None, case("clean"))
    assert out[0].ravel().tolist() == [20, 20, 30, 30, 30] and out[1][:, 1].ravel().tolist() == [20, 20, 30, 30, 30]
    assert peers.centred_median((y[:2], uv[:2]), None, case("clean"))[0].ravel().tolist() == [50, 50]


def test_what_no_call_can_run_says_so_by_its_name() -> None:
    """Guards against: a peer that is told the answer is shown as the best one that people can have."""
    there = (*peers.opencv_peers(), *chains.chain_peers({"nlmeans", "hqdn3d"})[0])
    assert [p.name for p in there if p.needs_answer] == [p.name for p in there if p.name.endswith("known")]
    assert peers.CENTRED_MEDIAN in {p.name for p in there if p.needs_answer}
