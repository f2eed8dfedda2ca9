"""Peers of several steps: two denoisers one after the other, and light given back before one of them."""

from __future__ import annotations

from collections.abc import Collection
from itertools import product
from typing import Any

from benchmarks.quality.ffmpeg import parse, run_chain
from benchmarks.quality.peers import HQDN3D, HQDN3D_SETTINGS, NLMEANS_SETTINGS, Peer, known_gain
from benchmarks.quality.protocol import BAD_CALL, Case
from training.degrade import Planar

DENOISERS = f"ffmpeg nlmeans + {HQDN3D}"
LIT_NLMEANS, LIT_HQDN3D = "gain + nlmeans, known", "gain + hqdn3d, known"
FAINT = ("s=1:p=7:r=9", "s=2:p=7:r=9", "s=5:p=7:r=9")
"""Of nlmeans, for clips that had no noise before they were dark"""


TRIAL = 6
"""Frames that the two denoisers' setting is chosen on: with two, hqdn3d has hardly anything to look back at"""


def filters(clip: Planar, setting: Any, case: Case) -> Planar:
    """FFmpeg's filters one after the other; the setting is the chain as FFmpeg writes it."""
    return run_chain(clip, parse(setting))


def lit(clip: Planar, setting: Any, case: Case) -> Planar:
    """`known_gain`, then filters."""
    return filters(known_gain(clip, None, case), setting, case)


def chain_peers(available: Collection[str]) -> tuple[list[Peer], list[str]]:
    """Those whose filters are all there, and the names of the others."""
    both = tuple(f"nlmeans={a},hqdn3d={b}" for a, b in product(NLMEANS_SETTINGS[2:], HQDN3D_SETTINGS))
    every = [
        Peer(DENOISERS, ("noise",), filters, both, TRIAL),
        Peer(LIT_NLMEANS, ("low light",), lit, tuple(f"nlmeans={s}" for s in FAINT), needs_answer=True),
        Peer(LIT_HQDN3D, (BAD_CALL,), lit, tuple(f"hqdn3d={s}" for s in HQDN3D_SETTINGS), needs_answer=True),
    ]
    there = [peer for peer in every if all(f.name in available for s in peer.settings for f in parse(s))]
    return there, [peer.name for peer in every if peer not in there]
