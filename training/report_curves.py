"""The curves of a training report, and the table of what stands at their end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from training.log_reading import Points, RunLog
from training.plot import SMALL, Plot, line_plot

CLEAN = "clean"


@dataclass(frozen=True, slots=True)
class Figure:
    """How one of `RunLog.more` is shown."""

    name: str
    title: str
    unit: str
    form: str
    clean: bool
    """Whether the clean input is on the same scale as the tasks"""


FIGURES = (
    Figure("psnr_face", "PSNR within the face", "dB", ".2f", False),
    Figure("exposure_free", "PSNR but for exposure", "dB", ".2f", False),
    Figure("ssim", "SSIM of Y", "", ".4f", True),
    Figure("sharpness", "Sharpness", "x clean", ".3f", True),
    Figure("ewarp", "E*warp", "1e-3", ".3f", True),
)


def curves(log: RunLog) -> dict[str, Plot]:
    """Plots of what the log has curves of, by a name for a file: of losses and, smaller, of scores on dev."""
    terms = {name: points for name, points in log.losses.items() if name != "loss"}
    plots = {
        "loss": line_plot("Loss", "thousandths", {"loss": log.losses.get("loss", [])}, logarithmic=True),
        "loss-terms": line_plot("Its terms", "thousandths", terms, logarithmic=True),
    }
    for prompt, found in (("known", log.after), ("word", log.more.get("word", {})), ("auto", log.auto)):
        gains = {task: _gain(log, task, points) for task, points in found.items() if task != CLEAN}
        plots[f"gain-{prompt}"] = line_plot(f"PSNR gain on dev, prompt {prompt}", "dB", gains, width=SMALL)
    left_alone = {name: found[CLEAN] for name, found in _of_auto(log).items() if CLEAN in found}
    plots["clean"] = line_plot("Clean in, clean out, prompt auto", "dB", left_alone, width=SMALL)
    for figure in FIGURES:
        shown = {t: p for t, p in log.more.get(figure.name, {}).items() if figure.clean or t != CLEAN}
        title = f"{figure.title} on dev, prompt auto"
        plots[figure.name.replace("_", "-")] = line_plot(title, figure.unit, shown, width=SMALL)
    return {name: plot for name, plot in plots.items() if plot is not None}


def _of_auto(log: RunLog) -> dict[str, dict[str, Points]]:
    return {"PSNR": log.auto, "in the face": log.more.get("psnr_face", {})}


def _gain(log: RunLog, task: str, points: Points) -> Points:
    # By the minute: a log may have begun before the word's line was written.
    before = dict(log.before.get(task, []))
    return [(minute, value - before[minute]) for minute, value in points if minute in before]


def table(log: RunLog) -> Iterator[str]:
    """The last scores as HTML; nothing where there are none."""
    if not log.after:
        return
    yield "<h2>Last scores on dev</h2><table>"
    heads = ["PSNR input, dB", "known", "auto", "word", *(f"{f.title}{f.unit and ', '}{f.unit}" for f in FIGURES)]
    yield f"<tr><th>task</th>{''.join(f'<th>{escape(head)}</th>' for head in heads)}</tr>"
    columns = [(log.before, ".2f"), (log.after, ".2f"), (log.auto, ".2f"), (log.more.get("word", {}), ".2f")]
    columns += [(log.more.get(figure.name, {}), figure.form) for figure in FIGURES]
    for task in log.after:
        cells = (f"{found[task][-1][1]:{form}}" if task in found else "" for found, form in columns)
        yield f"<tr><td>{escape(task)}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    yield "</table>"
    if log.more:
        yield (
            "<p>Known: the right prompt with the right weights. Word: the task's name alone. All further figures are "
            "of auto. What blurs is steady, too: E*warp counts beside sharpness, and that of the clean input is about "
            "what resampling alone costs.</p>"
        )
