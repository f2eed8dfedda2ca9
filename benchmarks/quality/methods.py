"""What is compared: each takes a case and gives back its clip and what a frame took. All on one thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np

from benchmarks.quality.border import Square
from benchmarks.quality.pictures import from_i420, video_frames
from benchmarks.quality.protocol import Case
from engines.engine import StepInputs
from engines.errors import ClearcallError
from stream.face.regions import region_maps
from stream.filter import FaceFilter
from stream.models import Model
from stream.prompt import AUTO, Weights, describe, follow_estimate, prompt_from_estimate
from stream.tiles.restorer import TileRestorer
from stream.tone.haze import weighed
from training.degrade import Planar
from training.faces import Picture

MOST_TOLD = 0.99
"""The largest weight that the filter takes at its word."""
UNTOUCHED, REFERENCE = "untouched", "clean itself"
PROMPTS = ("auto", "right", "wrong")
FACE, FRAME = SCOPES = "face", "frame"
OURS = "clearcall"
"""What names of the whole pipeline begin with"""


@dataclass(frozen=True, slots=True)
class Result:
    """What a method made of a case."""

    clip: Planar
    ms: float | None
    """A frame's time: the median where frames were timed one by one"""
    setting: str = ""
    """Of a peer, as it was chosen"""
    restored: float | None = None
    """Share of the frames that the filter changed: where it finds no face, they pass as they are"""
    squares: list[Square | None] | None = None
    """Where each frame was pasted into, of the filter"""
    stages: dict[str, float] | None = None
    """Median ms of each part of the filter, over the frames in which it had something to do"""


@dataclass(frozen=True, slots=True)
class Method:
    """Something that restores clips."""

    name: str
    run: Callable[[Case], Result | None]
    """None where it has nothing to do with the case"""


def untouched() -> Method:
    """The input as it is."""
    return Method(UNTOUCHED, lambda case: Result(case.bad, 0.0))


def reference() -> Method:
    """The clean clip as a method: what its temporal figures are, which nothing can be steadier than."""
    return Method(REFERENCE, lambda case: None if case.clean is None else Result(case.clean, None))


def pipeline_name(prompt: str, scope: str) -> str:
    """What the whole filter is called."""
    return f"{OURS} {prompt}" + (f", {FRAME}" if scope == FRAME else "")


def pipeline(model: Model, prompt: str, scope: str = FACE) -> Method:
    """The filter as the doors run it: tracking, crop, generator, paste; without a time budget."""

    def run(case: Case) -> Result | None:
        weights = _weights(case, prompt)
        if weights is None and prompt != AUTO:
            return None
        tiles = TileRestorer(model) if scope == FRAME else None
        face_filter = FaceFilter(model, exactly(weights, model.prompts), tiles=tiles)
        frames, taken, squares = _filtered(face_filter, case)
        figures = face_filter.figures()
        told = figures["stages"]
        stages = {name: float(times["median_ms"]) for name, times in told.items()} if isinstance(told, dict) else None
        restored = float(str(figures["changed"])) / len(frames)
        return Result(from_i420(frames), median(taken), "", restored, squares, stages)

    return Method(pipeline_name(prompt, scope), run)


def with_strength(model: Model, case: Case, strength: float) -> Planar:
    """The case through the whole pipeline, under the right prompt, at some strength."""
    words = exactly(_weights(case, "right"), model.prompts)
    return from_i420(_filtered(FaceFilter(model, words, strength), case)[0])


def _filtered(face_filter: FaceFilter, case: Case) -> tuple[list[Picture], list[float], list[Square | None]]:
    """Frames as I420 pictures, what each took in ms, and where its face was pasted."""
    frames, taken, squares = [], [], []
    for frame in video_frames(case.bad):
        began = time.perf_counter()
        out = face_filter.process(frame)
        taken.append(1000 * (time.perf_counter() - began))
        frames.append(np.asarray(out.to_ndarray(), np.uint8))
        crop = face_filter.figures()["crop"]
        squares.append((crop["x"], crop["y"], crop["size"]) if isinstance(crop, dict) else None)
    failures = face_filter.figures()["failures"]
    broken = {k: n for k, n in failures.items() if k != "no face"} if isinstance(failures, dict) else {}
    if broken:
        raise ClearcallError(f"the filter failed on {case.name}, {case.task}: {', '.join(broken)}")
    return frames, taken, squares


def generator(model: Model, prompt: str) -> Method:
    """The generator alone on the whole clip, with regions out of the clean one; no tracking, no paste.

    It does clips of an edge that the model has a graph for.
    """

    def run(case: Case) -> Result | None:
        weights = _weights(case, prompt)
        edge = case.bad[0].shape[2]
        if case.bad[0].shape[3] != edge or edge not in model.engines or (weights is None and prompt != AUTO):
            return None
        engine = model.engines[edge]
        grid = engine.manifest.shape("regions")[-1]
        nothing = np.zeros((1, len(model.prompts)), np.float32)
        cache = engine.new_cache()
        average: Weights | None = None
        luma, chroma, taken = [], [], []
        for index, (y, uv) in enumerate(zip(*case.bad, strict=True)):
            points = None if case.landmarks is None else case.landmarks[index]
            regions = region_maps(points, 0, 0, edge, grid)[None]
            began = time.perf_counter()
            if weights is not None:
                words = weights
            else:
                if average is None:
                    # As the filter does it: the first look tells what is needed.
                    first = engine.step(StepInputs(y[None], uv[None], regions, nothing, 1.0), cache)
                    average = follow_estimate(None, weighed(first.prompt_hat[0], y[0], model.prompts))
                    cache.forget()
                words = prompt_from_estimate(average, model.prompts)
            found = engine.step(StepInputs(y[None], uv[None], regions, words[None], 1.0), cache)
            average = follow_estimate(average, weighed(found.prompt_hat[0], y[0], model.prompts))
            taken.append(1000 * (time.perf_counter() - began))
            luma.append(found.y[0].copy())
            chroma.append(found.uv[0].copy())
        return Result((np.stack(luma), np.stack(chroma)), median(taken))

    return Method(f"generator {prompt}", run)


def exactly(weights: Weights | None, known: tuple[str, ...]) -> str:
    """A prompt for the filter that means these weights exactly: 1 would leave it to the picture how much."""
    return describe(None if weights is None else np.minimum(weights, MOST_TOLD), known)


def _weights(case: Case, prompt: str) -> Weights | None:
    return {"right": case.right_prompt, "wrong": case.wrong_prompt}.get(prompt, lambda: None)()
