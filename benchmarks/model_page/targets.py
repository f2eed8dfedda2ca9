"""What the model has to reach, task by task, and whether it did: by the rows of one run, clip by clip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.quality import chains, peers
from benchmarks.quality.bootstrap import Interval, over_people
from benchmarks.quality.methods import PROMPTS, UNTOUCHED
from benchmarks.quality.protocol import BAD_CALL, CLEAN
from benchmarks.quality.summary import CLEAN_BAR

PARTS = ("whole crop", "face")
JUDGED = ("auto", "right")
"""Prompts that the filter is judged under"""
RIGHT = "the filter under the right prompt"
"""Stands for the name that it has in the run"""
TASKS = ("noise", "compression", "low light", "blur", "low resolution", "haze", "rain", BAD_CALL)
PSNR, EXPOSURE_FREE = ("psnr", "psnr_face"), ("exposure_free", "exposure_free_face")


@dataclass(frozen=True, slots=True)
class Target:
    """One bar; either over other methods, or an end of what a figure may be."""

    task: str
    words: str
    figures: tuple[str, str]
    """Keys of the whole crop's and of the face's"""
    over: tuple[str, ...] = ()
    """Methods, of which the best counts; if any is missing from the run, the bar cannot be met"""
    margin: float = 0.0
    low: float | None = None
    high: float | None = None
    below: float | None = None
    """As `high`, but itself not reached"""
    every_clip: bool = False
    """The worst clip counts, not the mean"""
    prompts: tuple[str, ...] = JUDGED


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a target in one part of the picture under one prompt."""

    target: Target
    part: str
    prompt: str
    figure: Interval | None
    worst: float | None
    """Of all clips, where every one counts"""
    bar: str
    """As a number"""
    lead: Interval | None
    """Over the best of the methods and the margin, on the same clips"""
    met: bool | None
    """None where it was not measured: too few people, or a method is missing that might be better"""

    @property
    def word(self) -> str:
        """Yes, no, or not measured."""
        return "not measured" if self.met is None else "yes" if self.met else "no"


def _targets() -> Iterator[Target]:
    best = (peers.NLMEANS, chains.DENOISERS)
    yield Target("noise", "better of nlmeans and nlmeans + hqdn3d, and 0.5 dB PSNR", PSNR, best, 0.5)
    yield Target("compression", "input + 0.3 dB PSNR", PSNR, (UNTOUCHED,), 0.3)
    lit = "known gain + nlmeans, and 0.3 dB exposure-free PSNR"
    yield Target("low light", lit, EXPOSURE_FREE, (chains.LIT_NLMEANS,), 0.3)
    light = ("exposure_error", "exposure_error_face")
    yield Target("low light", "mean exposure error under 12 levels of 255", light, below=12.0)
    yield Target("blur", "Wiener filter with the known kernel, and 0.5 dB PSNR", PSNR, (peers.WIENER,), 0.5)
    yield Target("low resolution", "input + 0.4 dB PSNR", PSNR, (UNTOUCHED,), 0.4)
    yield Target("haze", "input + 1 dB exposure-free PSNR", EXPOSURE_FREE, (UNTOUCHED,), 1.0)
    yield Target("haze", "auto levels + 2 dB PSNR", PSNR, (peers.AUTO_LEVELS,), 2.0)
    rain = "median of 3 frames, one of them in the future, and 0.3 dB PSNR"
    yield Target("rain", rain, PSNR, (peers.CENTRED_MEDIAN,), 0.3)
    yield Target(BAD_CALL, "input + 0.3 dB exposure-free PSNR", EXPOSURE_FREE, (UNTOUCHED,), 0.3)
    edges, near = ("gradients", "gradients_face"), "auto within 0.3 dB PSNR of right"
    for task in TASKS:
        yield Target(task, "gradient energy over the clean clip's from 0.8 to 1.2", edges, low=0.8, high=1.2)
    for task in TASKS:
        yield Target(task, near, PSNR, (RIGHT,), -0.3, prompts=("auto",))
    yield Target(CLEAN, f"every clip {CLEAN_BAR:g} dB PSNR or more", PSNR, low=CLEAN_BAR, every_clip=True)


TARGETS = tuple(_targets())
Clip = Mapping[str, Mapping[str, Any]]
"""Method to its row, of one clip"""


def outcomes(rows: Iterable[Mapping[str, Any]], main: str, targets: Sequence[Target] = TARGETS) -> list[Outcome]:
    """All of them, at middle strength.

    Args:
        rows: Of `clearcall bench quality`.
        main: Name of the filter in that run, under any prompt.
        targets: To be judged.
    """
    clips: dict[str, dict[str, dict[str, Mapping[str, Any]]]] = {}
    for row in rows:
        if row["strength"] == "middle":
            clips.setdefault(row["task"], {}).setdefault(row["name"], {})[row["method"]] = row
    return [
        _outcome(target, place, prompt, main, list(clips.get(target.task, {}).values()))
        for target in targets
        for place in range(len(PARTS))
        for prompt in target.prompts
    ]


def under(main: str, prompt: str) -> str:
    """What the filter is called under another prompt."""
    told = next((word for word in main.replace(",", " ").split() if word in PROMPTS), None)
    return main if told is None else main.replace(f" {told}", f" {prompt}", 1)


def _outcome(target: Target, place: int, prompt: str, main: str, clips: list[Clip]) -> Outcome:
    own, key = under(main, prompt), target.figures[place]
    judged = [clip for clip in clips if key in _figures(clip, own)]
    values = [_figures(clip, own)[key] for clip in judged]
    figure = over_people([(clip[own]["person"], value) for clip, value in zip(judged, values, strict=True)])
    worst = min(values) if values and target.every_clip else None
    met: bool | None = None
    if not target.over:
        if figure is not None and figure.low is not None:
            met = _within(target, figure.mean if worst is None else worst)
        return Outcome(target, PARTS[place], prompt, figure, worst, _ends(target), None, met)
    others = [under(main, "right") if name == RIGHT else name for name in target.over]
    leads = [_lead(target, own, other, key, judged) for other in others]
    there = [lead for lead in leads if lead is not None]
    lead = min(there, key=lambda one: one.mean, default=None)
    if lead is not None and lead.low is not None:
        # Behind one of them is behind the best; ahead of some is not ahead of one that is missing.
        met = False if lead.mean < 0 else True if len(there) == len(leads) else None
    bar = "-" if lead is None or figure is None else f"{figure.mean - lead.mean:.2f}"
    return Outcome(target, PARTS[place], prompt, figure, None, bar, lead, met)


def _figures(clip: Clip, method: str) -> Mapping[str, float]:
    return clip[method]["figures"] if method in clip else {}


def _lead(target: Target, own: str, other: str, key: str, clips: list[Clip]) -> Interval | None:
    """None also where the other was run on some of the clips only: the rest might be those it is good at."""
    if any(key not in _figures(clip, other) for clip in clips):
        return None
    return over_people(
        [(c[own]["person"], _figures(c, own)[key] - _figures(c, other)[key] - target.margin) for c in clips]
    )


def _within(target: Target, value: float) -> bool:
    return (
        (target.low is None or value >= target.low)
        and (target.high is None or value <= target.high)
        and (target.below is None or value < target.below)
    )


def _ends(target: Target) -> str:
    if target.below is not None:
        return f"< {target.below:g}"
    return f"≥ {target.low:g}" if target.high is None else f"{target.low:g} .. {target.high:g}"
