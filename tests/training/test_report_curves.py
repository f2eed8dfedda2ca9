"""Which curves a report shows, and the table at their end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.test_log_reading import LINES
from training.log_reading import RunLog, read_log
from training.report_curves import FIGURES, curves, table


@pytest.fixture
def log(tmp_path: Path) -> RunLog:
    (tmp_path / "train.log").write_text(LINES)
    return read_log(tmp_path / "train.log")


def ends(log: RunLog, name: str) -> list[str]:
    """What stands beside the curves."""
    plot = curves(log)[name]
    coloured = {colour for colour, _ in plot.ways}
    return [text.words for text in plot.texts if text.colour in coloured]


def test_every_figure_has_its_plot(log: RunLog) -> None:
    assert list(curves(log)) == [
        *("loss", "loss-terms", "gain-known", "gain-word", "gain-auto", "clean"),
        *("psnr-face", "exposure-free", "ssim", "sharpness", "ewarp"),
    ]
    assert ends(log, "gain-known") == ["noise 7.75", "low light 18.5"]
    assert ends(log, "gain-word") == ["noise 7.25", "low light 9.25"]
    assert ends(log, "clean") == ["PSNR 76.5"]
    assert ends(log, "ssim") == ["noise 0.9125", "low light 0.97", "clean 1"]
    assert ends(log, "ewarp") == ["noise 0.125", "low light 1.5e-05"]


def test_a_log_from_before_has_the_curves_it_had(log: RunLog) -> None:
    log.more.clear()
    assert list(curves(log)) == ["loss", "loss-terms", "gain-known", "gain-auto", "clean"]
    rows = "".join(table(log))
    assert "<td>28.50</td><td>36.25</td><td>36.00</td><td></td>" in rows and "E*warp counts" not in rows
    assert rows.count("<th>") == 5 + len(FIGURES)


def test_a_run_that_went_on_under_a_later_program_has_gains_where_it_knows_them(log: RunLog) -> None:
    # Guards against curves of unequal length, which a report refused to draw.
    log.before["noise"].append((2.0, 28.5))
    log.after["noise"].append((2.0, 36.5))
    log.auto["noise"].append((2.0, 36.5))
    log.more["word"]["noise"] = [(2.0, 36.0), (3.0, 40.0)]
    assert ends(log, "gain-word") == ["noise 7.5", "low light 9.25"]


def test_the_table_says_all_there_is(log: RunLog) -> None:
    rows = "".join(table(log))
    figures = "<td>28.50</td><td>36.25</td><td>36.00</td><td>35.75</td><td>35.50</td><td>36.25</td><td>0.9125</td>"
    assert f"<td>noise</td>{figures}<td>0.875</td><td>0.125</td>" in rows
    assert "<td>25.50</td><td></td><td></td><td>0.9700</td><td>0.900</td><td>0.000</td>" in rows
    assert "".join(table(RunLog())) == ""
