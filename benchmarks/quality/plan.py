"""What a run has to do: its cases in their order, and what its figures depend on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from benchmarks.quality import chains, ffmpeg, methods, peers, protocol
from benchmarks.quality.landmarks import Landmarks
from benchmarks.quality.methods import Method
from benchmarks.quality.onnx_image import OnnxImage
from benchmarks.quality.options import Options
from benchmarks.quality.pictures import bgr
from benchmarks.quality.protocol import Case
from benchmarks.quality.scores import METRICS
from benchmarks.quality.usable import usable
from engines.errors import BadInput
from engines.manifest import read_family
from stream.models import Model
from training.degrade import to_planes
from training.faces import FaceFile

VERSION = 2
"""Of the protocol: another one where what is done to a clip, or how it is measured, changes."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A case that can be made."""

    key: str
    file: str
    task: str
    strength: str
    make: Callable[[], Case]


def cases(options: Options, finder: Landmarks | None) -> list[Planned]:
    """All cases; every task has had its first person before one has its second. BadInput where none can be made."""
    if options.real is not None:
        there = protocol.files_in(options.real, options.limit)
        files = usable(there, lambda f: protocol.footage(f, protocol.FEWEST, None))
        return [_planned(f, "real", "", partial(protocol.footage, f, options.frames, finder)) for f in files]
    if options.degraded is not None and options.clean is not None:
        both = protocol.pairs_in(options.degraded, options.clean, options.limit)
        pairs = usable(both, lambda p: protocol.pair(*p, protocol.FEWEST, None))
        return [_planned(b, "pairs", "", partial(protocol.pair, b, c, options.frames, finder)) for b, c in pairs]
    if not options.folder.is_dir():
        raise BadInput(f"{options.folder}: not a folder; say which one holds clean stills and clips")

    # The cases of a file come one after the other.
    @lru_cache(maxsize=1)
    def source(file: FaceFile) -> protocol.Source:
        return protocol.read_source(file, options.frames, options.size)

    def make(file: FaceFile, task: str, strength: str) -> Case:
        return protocol.damaged(source(file), task, strength, finder)

    found = protocol.files_in(options.folder, options.limit)
    return [
        _planned(file, task, strength, partial(make, file, task, strength))
        for file in usable(found, lambda f: protocol.read_source(f, protocol.FEWEST, options.size))
        for task in options.tasks
        for strength in (options.strengths if protocol.LEVELS[task] else ("middle",))
    ]


def _planned(file: FaceFile, task: str, strength: str, make: Callable[[], Case]) -> Planned:
    # The size tells another file of the same name from this one.
    key = f"{task}/{strength}/{file.path.name}:{file.path.stat().st_size}"
    return Planned(key, file.path.stem, task, strength, make)


def all_methods(options: Options, model: Model) -> tuple[list[Method], list[str]]:
    """Everything that is compared, and notes on what is missing; BadInput for a foreign model that cannot be run."""
    found = [methods.untouched(), methods.reference()]
    if "pipeline" in options.runs:
        found += [methods.pipeline(model, prompt, scope) for prompt in options.prompts for scope in options.scopes]
    if "generator" in options.runs:
        found += [methods.generator(model, prompt) for prompt in options.prompts]
    notes = []
    if options.peers:
        filters = ffmpeg.available_filters()
        there, missing = peers.ffmpeg_peers(filters)
        chained, lacking = chains.chain_peers(filters)
        found += [peers.method(peer) for peer in (*peers.opencv_peers(), *there, *chained)]
        if missing or lacking:
            names = ", ".join((*missing, *lacking))
            notes.append(f"not compared with, because neither PyAV's FFmpeg nor a program ffmpeg has it: {names}")
    for name, path in options.own_peers:
        if name in {m.name for m in found}:
            raise BadInput(f"--peer {name}: there is a method of that name already")
        network = OnnxImage(path)
        tasks = network.layout.tasks or tuple(protocol.LEVELS)
        odd = set(tasks) - set(protocol.LEVELS)
        if odd:
            raise BadInput(f"{path.with_suffix('.toml')}: unknown tasks: {', '.join(sorted(odd))}")
        found.append(peers.method(peers.Peer(name, tasks, _on_pictures(network))))
    return found, notes


def _on_pictures(network: OnnxImage) -> peers.Apply:
    return lambda clip, setting, case: to_planes([network(picture) for picture in bgr(clip)])


def settings(options: Options, names: list[str]) -> dict[str, Any]:
    """All that the figures depend on, apart from which cases are run."""
    own = {name: digest(path) + digest(path.with_suffix(".toml")) for name, path in options.own_peers}
    return {
        "protocol": VERSION,
        "levels": protocol.LEVELS,
        "frames": options.frames,
        "size": options.size,
        "model": options.model,
        "graphs": {m.name: [m.graph.sha256, m.weights.sha256] for m in read_family(options.model)},
        "methods": names,
        # Cases that were judged before a figure came about must not be taken for done.
        "figures": [metric.key for metric in METRICS],
        "folder": str((options.real or options.degraded or options.folder).absolute()),
        "peers": own,
        "identity": digest(options.identity) if options.identity else None,
        "metrics": list(options.metrics),
    }


def digest(path: Path) -> str:
    """The file's sha256; empty where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


