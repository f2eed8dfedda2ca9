"""The section of the model's page that holds its figures against what they have to reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.model_page.targets import JUDGED, PARTS, Outcome
from benchmarks.quality.bootstrap import Interval


def lines(found: Sequence[Outcome]) -> Iterator[str]:
    """Counts, then a table: a row for each target and part of the picture, the prompts beside each other."""
    yield "The filter's figure with its 95 % interval over people. Where the bar is over something else that was run,"
    yield "the number is that one's mean and the margin, on the same clips; behind *met* stands how far the figure is"
    yield "ahead of it or behind. A mean that reaches the bar meets it: where the lead's interval includes 0, other"
    yield "people might decide otherwise. Some of what it is held against is told the answer (the kernel, the gain, the"
    yield "frame to come). Strength is the middle one. Not measured: fewer than three people, or a peer that might be"
    yield "better is missing. Steadiness, steps and wrong prompts are in [ablations.md](ablations.md)."
    yield ""
    for prompt in JUDGED:
        answers = [one.met for one in found if one.prompt == prompt]
        yes, no = answers.count(True), answers.count(False)
        yield f"- under {prompt}: {yes} met, {no} not met, {len(answers) - yes - no} not measured"
    yield ""
    yield "| task | bar | part | number | auto | met | right | met |"
    yield "|---|---|---|---|---|---|---|---|"
    by_place = {(one.target, one.part, one.prompt): one for one in found}
    for target in dict.fromkeys(one.target for one in found):
        for part in PARTS:
            auto, right = (by_place.get((target, part, prompt)) for prompt in JUDGED)
            number = next((one.bar for one in (auto, right) if one is not None and one.bar != "-"), "-")
            cells = [target.task, target.words, part, number, _figure(auto), _met(auto), _figure(right), _met(right)]
            yield f"| {' | '.join(cells)} |"


def _figure(one: Outcome | None) -> str:
    if one is None or one.figure is None:
        return "-"
    return _text(one.figure, ".2f") + ("" if one.worst is None else f", worst {one.worst:.2f}")


def _met(one: Outcome | None) -> str:
    if one is None:
        return "-"
    return one.word if one.lead is None else f"{one.word}: {_text(one.lead, '+.2f')}"


def _text(interval: Interval, form: str) -> str:
    ends = "" if interval.low is None else f" ({interval.low:{form}} .. {interval.high:{form}})"
    return f"{interval.mean:{form}}{ends}"
