"""What is judged: damaged clips, with the clean ones where there are any. The same on every machine, every time.

The damage is the training's own code at fixed levels, with seeds of four numbers; training's have one or two.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.quality.flow import estimated_motion
from benchmarks.quality.landmarks import Landmarks
from benchmarks.quality.motion import render, sample_path
from benchmarks.quality.pictures import bgr
from engines.errors import BadInput
from training.degrade import TASKS, Degradation, Planar, degrade, to_planes
from training.faces import FaceFile, Picture, list_faces, load_clip, load_still
from training.measures import Mask, face_masks
from training.planar import Floats
from training.warp_error import Motion, known_motion

CLEAN, DARK, BAD_CALL = "clean", "dark and noisy", "bad call"
LEVELS: dict[str, dict[str, float]] = {
    "noise": {"noise": 0.8},
    "compression": {"compression": 0.95},
    "low light": {"low light": 0.8},
    "blur": {"blur": 1.2},
    "low resolution": {"low resolution": 1.8},
    "haze": {"haze": 0.5},
    "rain": {"rain": 0.9},
    DARK: {"low light": 0.85, "noise": 0.35},
    BAD_CALL: {"low light": 0.35, "noise": 0.3, "low resolution": 0.5, "compression": 0.55},
    CLEAN: {},
}
"""Levels at strength `middle`: noise leaves about 25 dB, compression 32.3, blur 33.8, lost resolution 35.7, rain 28.4
on portraits of 512 px (`docs/benchmarks.md` has them all); darkness is -2.5 EV. Lost resolution is a factor of 6, since
3 leaves 39.6 dB, and stronger than any in training (1.7). A bad call has four tasks at once, where training has three
at most."""
STRENGTHS = {"mild": 0.5, "middle": 1.0, "strong": 1.25}
"""Factors of the levels."""
EDGES = (512, 384, 256)
"""Edges of the clips, px: the largest that fits into the file."""
SEED = 20_011
FEWEST = 2
"""Frames of a clip: a single one does not flicker."""


@dataclass(frozen=True, slots=True)
class Source:
    """A clean clip."""

    name: str
    person: str
    frames: list[Picture]
    """BGR, square, of an edge out of `EDGES` (other sizes only in footage and whole clips)"""
    motion: list[Motion] | None
    """Where it is known exactly: in clips made from stills"""


@dataclass
class Case:
    """One damaged clip and what is known of it."""

    name: str
    """Of the file"""
    person: str
    task: str
    bad: Planar
    clean: Planar | None
    levels: dict[str, float] | None
    """None where nobody knows: pairs and footage"""
    seed: tuple[int, ...]
    known: list[Motion] | None
    finder: Landmarks | None

    @property
    def reference(self) -> Planar:
        """The clean clip; where there is none, the input itself."""
        return self.bad if self.clean is None else self.clean

    @cached_property
    def motion(self) -> list[Motion]:
        """From each frame of the reference back to the last one."""
        return self.known if self.known is not None else estimated_motion(self.reference)

    @cached_property
    def landmarks(self) -> Floats | None:
        """[T,468,2] in the reference; None without a face."""
        return self.finder.follow(self.reference) if self.finder else None

    @cached_property
    def face(self) -> Mask | None:
        """[T,H,W] True within the face; None without one."""
        return None if self.landmarks is None else face_masks(self.landmarks, *self.reference[0].shape[2:])

    @cached_property
    def reference_pictures(self) -> list[Picture]:
        """BGR frames of the reference."""
        return bgr(self.reference)

    def right_prompt(self) -> Floats | None:
        """Weights of what was done, 0..1 each; None where nobody knows."""
        return None if self.levels is None else np.clip(Degradation(self.levels).prompt(), 0, 1)

    def wrong_prompt(self) -> Floats | None:
        """As strong a prompt for other tasks: every weight moved on by one; for a clean clip, half-strong noise."""
        right = self.right_prompt()
        if right is None:
            return None
        if not right.any():
            right = Degradation({TASKS[-1]: 0.5}).prompt()
        return np.roll(right, 1)


def files_in(folder: Path, limit: int | None) -> list[FaceFile]:
    """At most `limit` files, spread over the folder, clips and stills in turn; BadInput where there are none."""
    files = list_faces(folder)
    if limit is not None:
        places = np.linspace(0, len(files) - 1, min(limit, len(files))).round().astype(int)
        files = [files[i] for i in places]
    kinds = [[f for f in files if not f.clip], [f for f in files if f.clip]]
    share = {f.path: (i + 0.5) / len(kind) for kind in kinds for i, f in enumerate(kind)}
    return sorted(files, key=lambda f: share[f.path])


def read_source(file: FaceFile, count: int, largest: int | None) -> Source:
    """A clip's first frames, its middle cut out; a still moved along a path of its own. BadInput for a bad file.

    With None for the `largest` edge, clips stay whole; stills are no larger than ever.
    """
    if file.clip:
        frames = _frames(file.path, count)
        if largest is None:
            return Source(file.path.stem, file.identity, [_even(f) for f in frames], None)
        edge = _edge(frames[0], largest, file.path)
        return Source(file.path.stem, file.identity, [_middle(f, edge) for f in frames], None)
    still = load_still(file.path)
    edge = _edge(still, largest or max(EDGES), file.path)
    rng = np.random.default_rng([SEED, 1, 1, _number(file.path.stem)])
    path = sample_path(rng, count, (still.shape[0], still.shape[1]), edge)
    motion = known_motion(path.matrices, edge, edge)
    return Source(file.path.stem, file.identity, render(still, path, edge), motion)


def damaged(source: Source, task: str, strength: str, finder: Landmarks | None) -> Case:
    """The source with a task's damage."""
    levels = {name: level * STRENGTHS[strength] for name, level in LEVELS[task].items()}
    seed = (SEED, 2, 1 + list(LEVELS).index(task), _number(source.name))
    clean = to_planes(source.frames)
    bad = degrade(source.frames, Degradation(levels), np.random.default_rng(seed)) if levels else clean
    return Case(source.name, source.person, task, bad, clean, levels, seed, source.motion, finder)


def footage(file: FaceFile, count: int, finder: Landmarks | None) -> Case:
    """A clip without a clean one beside it, whole; a still stands for `count` frames."""
    planes = _whole(file, count)
    return Case(file.path.stem, file.identity, "real", planes, None, None, (), None, finder)


def pair(bad: FaceFile, clean: FaceFile, count: int, finder: Landmarks | None) -> Case:
    """A degraded file and its clean one of equal size; BadInput where they do not go together."""
    one, two = _whole(bad, count), _whole(clean, count)
    if one[0].shape[2:] != two[0].shape[2:]:
        raise BadInput(f"{bad.path} and {clean.path} differ in size")
    length = min(len(one[0]), len(two[0]))
    one, two = (one[0][:length], one[1][:length]), (two[0][:length], two[1][:length])
    return Case(bad.path.stem, bad.identity, "pairs", one, two, None, (), None, finder)


def pairs_in(degraded: Path, clean: Path, limit: int | None) -> list[tuple[FaceFile, FaceFile]]:
    """Files of the same name, whatever they end in; BadInput where one is alone."""
    others = {f.path.stem: f for f in list_faces(clean)}
    files = files_in(degraded, limit)
    alone = [f.path.name for f in files if f.path.stem not in others]
    if alone:
        raise BadInput(f"{clean}: nothing there goes with {', '.join(alone[:3])}")
    return [(f, others[f.path.stem]) for f in files]


def _whole(file: FaceFile, count: int) -> Planar:
    frames = _frames(file.path, count) if file.clip else [load_still(file.path)] * count
    return to_planes([_even(f) for f in frames])


def _frames(path: Path, count: int) -> list[Picture]:
    frames = load_clip(path, count)
    if len(frames) < min(count, FEWEST):
        raise BadInput(f"{path}: a single frame")
    return frames


def _even(picture: Picture) -> Picture:
    height, width = (n // 2 * 2 for n in picture.shape[:2])
    return np.ascontiguousarray(picture[:height, :width])


def _edge(picture: Picture, largest: int, path: Path) -> int:
    fitting = [edge for edge in EDGES if edge <= min(*picture.shape[:2], largest)]
    if not fitting:
        raise BadInput(f"{path}: smaller than {EDGES[-1]} pixels")
    return fitting[0]


def _middle(picture: Picture, edge: int) -> Picture:
    top, left = (picture.shape[0] - edge) // 2, (picture.shape[1] - edge) // 2
    return np.ascontiguousarray(picture[top : top + edge, left : left + edge])


def _number(name: str) -> int:
    # Never 0: a seed's zeros at the end say nothing.
    return 1 + zlib.crc32(name.encode())
