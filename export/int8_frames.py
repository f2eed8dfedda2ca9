"""Frames that the ranges of the integers are taken from: training samples, run through the float32 graph."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnxruntime
from torch import Tensor

from engines.errors import BadInput
from engines.manifest import Manifest
from export.int8 import Feeds
from training.faces import list_faces
from training.landmarks import find_landmarks
from training.samples import Samples, SampleShape

STILLS = 40
"""People enough for the ranges; more would only take time."""
CLIPS, FRAMES = 24, 3
"""Clips, and frames of each: the state is empty on the first, and the recurrence has settled on the third."""
MARGIN = 32
"""Pixels of the degraded picture beyond the crop"""
SEED = 5

Clip = dict[str, Tensor]
"""As `Samples` draws it"""


def samples(folder: Path, size: int, clips: int = CLIPS) -> list[Clip]:
    """Clips of that crop size from training faces, degraded as in training.

    Raises:
        BadInput: There are no stills in the folder.
    """
    stills = [file for file in list_faces(folder) if not file.clip]
    if not stills:
        raise BadInput(f"{folder}: no stills in it")
    stills = stills[:: max(1, len(stills) // STILLS)][:STILLS]
    with tempfile.TemporaryDirectory(prefix="clearcall-") as cache:
        landmarks = find_landmarks(stills, Path(cache) / "landmarks.npz")
    drawn = Samples(stills, landmarks, SampleShape(FRAMES, size + MARGIN, size), SEED)
    rng = np.random.default_rng(SEED)
    return [drawn.draw(rng) for _ in range(clips)]


def feeds(manifest: Manifest, clips: Iterable[Clip]) -> Iterator[Feeds]:
    """What the graph gets for each frame; each clip begins with a forgotten state."""
    session = onnxruntime.InferenceSession(str(manifest.graph.path), providers=["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]
    for clip in clips:
        states: Feeds = {s.input: np.full(s.shape, s.initial, s.dtype) for s in manifest.states}
        for frame in range(len(clip["y"])):
            shown = {name: clip[name][frame : frame + 1].numpy() for name in ("y", "uv", "regions", "prompt")}
            planes = {name: np.rint(255 * shown[name]).astype(np.uint8) for name in ("y", "uv")}
            one, keep = np.ones((1, 1), np.float32), np.full((1, 1), float(frame > 0), np.float32)
            given: Feeds = {**shown, **planes, "strength": one, "keep": keep, **states}
            yield given
            found = dict(zip(outputs, session.run(None, given), strict=True))
            states = {s.input: found[s.output] for s in manifest.states}
