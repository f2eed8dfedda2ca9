"""The text of /metrics."""

from __future__ import annotations

from stream.relay import metrics

FIGURES = {
    "call": {"received": 1_234_567, "sent": 90},
    "dropped": {"late": 3, 'a "b"\n': 1},
    "failures": {"no face": 2},
    "added_ms": {"median": 20.0, "p95": 41.5},
    "quality": {"level": 2, "frames": {"512 fp32": 80, "256 fp32, reuse": 10}, "steps": {"down": 2, "up": 1}},
}


def _values(text: str) -> dict[str, float]:
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def test_an_idle_relay_has_all_figures() -> None:
    values = _values(metrics.render(0, 2, 0, 0, metrics.Totals(), []))
    assert values["clearcall_sessions_max"] == 2
    assert values["clearcall_added_delay_p95_seconds"] == 0


def test_counts_run_on_over_calls_that_ended_and_keep_every_digit() -> None:
    ended = metrics.Totals()
    ended.add(FIGURES)
    values = _values(metrics.render(1, 2, 2, 1, ended, [FIGURES]))
    assert values["clearcall_frames_received_total"] == 2_469_134
    assert values['clearcall_frames_dropped_total{reason="late"}'] == 6
    assert values['clearcall_frames_unrestored_total{reason="no face"}'] == 4
    assert values["clearcall_added_delay_p95_seconds"] == 0.0415
    assert ended.received == 1_234_567


def test_every_step_of_quality_is_told() -> None:
    ended = metrics.Totals()
    ended.add(FIGURES)
    values = _values(metrics.render(1, 2, 2, 1, ended, [FIGURES, {"quality": {"level": 0}}, {}]))
    assert values['clearcall_quality_steps_total{direction="down"}'] == 4
    assert values['clearcall_quality_steps_total{direction="up"}'] == 2
    assert values['clearcall_frames_by_quality_total{quality="256 fp32, reuse"}'] == 20
    assert values["clearcall_quality_below_best"] == 2


def test_a_reason_cannot_break_the_format() -> None:
    text = metrics.render(1, 2, 1, 0, metrics.Totals(), [FIGURES])
    assert 'reason="a _b__"' in text


def test_missing_figures_count_as_nothing() -> None:
    values = _values(metrics.render(1, 2, 1, 0, metrics.Totals(), [{"added_ms": {"median": None}}]))
    assert values["clearcall_added_delay_median_seconds"] == 0
