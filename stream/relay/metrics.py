"""The relay's figures as Prometheus text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NOT_A_LABEL = re.compile(r"[^A-Za-z0-9_ .,:-]")


@dataclass(slots=True)
class Totals:
    """Counts over calls, the ended ones included."""

    received: int = 0
    sent: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    unrestored: Counter[str] = field(default_factory=Counter)
    by_level: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)

    def add(self, figures: Mapping[str, object]) -> None:
        """Add one call's figures."""
        call = figures.get("call")
        if isinstance(call, Mapping):
            self.received += int(call.get("received", 0))
            self.sent += int(call.get("sent", 0))
        quality = _quality(figures)
        for counts, total in (
            (figures.get("dropped"), self.dropped),
            (figures.get("failures"), self.unrestored),
            (quality.get("frames"), self.by_level),
            (quality.get("steps"), self.steps),
        ):
            if isinstance(counts, Mapping):
                total.update({str(reason): int(count) for reason, count in counts.items()})

    def copy(self) -> Totals:
        """An independent copy."""
        counts = (self.dropped, self.unrestored, self.by_level, self.steps)
        return Totals(self.received, self.sent, *(Counter(each) for each in counts))


def render(
    sessions: int, limit: int, started: int, refused: int, ended: Totals, live: Iterable[Mapping[str, object]]
) -> str:
    """The text of `/metrics`.

    Args:
        sessions: Calls now.
        limit: Calls at most.
        started: Calls so far.
        refused: Callers turned away.
        ended: The counts of calls that are over.
        live: The figures of each call now.
    """
    running = list(live)
    totals = ended.copy()
    for figures in running:
        totals.add(figures)
    lines: list[str] = []
    _metric(lines, "sessions", "gauge", "Calls now.", {"": sessions})
    _metric(lines, "sessions_max", "gauge", "Calls at most.", {"": limit})
    _metric(lines, "sessions_started_total", "counter", "Calls so far.", {"": started})
    _metric(lines, "sessions_refused_total", "counter", "Callers turned away from a full relay.", {"": refused})
    _metric(lines, "frames_received_total", "counter", "Frames that callers sent.", {"": totals.received})
    _metric(lines, "frames_returned_total", "counter", "Frames that went back.", {"": totals.sent})
    _metric(lines, "frames_dropped_total", "counter", "Frames that did not go back.", _by("reason", totals.dropped))
    text = "Frames that went back as they came."
    _metric(lines, "frames_unrestored_total", "counter", text, _by("reason", totals.unrestored))
    text = "Frames by what the time allowed to spend on them."
    _metric(lines, "frames_by_quality_total", "counter", text, _by("quality", totals.by_level))
    text = "Steps down and up in quality."
    _metric(lines, "quality_steps_total", "counter", text, _by("direction", totals.steps))
    lowest = max((_whole(_quality(figures), "level") for figures in running), default=0)
    text = "Steps below the best quality, of the call that is worst off."
    _metric(lines, "quality_below_best", "gauge", text, {"": lowest})
    for key in ("median", "p95"):
        worst = max((_added(figures, key) for figures in running), default=0.0)
        text = f"Delay that the filter adds, {key}, of the slowest call."
        _metric(lines, f"added_delay_{key}_seconds", "gauge", text, {"": worst / 1000})
    return "\n".join(lines) + "\n"


def engines(chosen: str, refused: Mapping[str, str]) -> str:
    """The text of `/metrics` on engines: 1 for the one in use, 0 for each better one with the reason why not."""
    values = {_engine(chosen, ""): 1.0}
    values |= {_engine(name, why): 0.0 for name, why in refused.items()}
    lines: list[str] = []
    _metric(lines, "engine", "gauge", "The engine in use, and better ones that are not.", values)
    return "\n".join(lines) + "\n"


def _engine(name: str, why: str) -> str:
    return f'{{engine="{_NOT_A_LABEL.sub("_", name)}",refused="{_NOT_A_LABEL.sub("_", why)}"}}'


def _by(label: str, counts: Mapping[str, int]) -> dict[str, float]:
    return {f'{{{label}="{_NOT_A_LABEL.sub("_", name)}"}}': count for name, count in counts.items()}


def _quality(figures: Mapping[str, object]) -> Mapping[str, object]:
    found = figures.get("quality")
    return found if isinstance(found, Mapping) else {}


def _whole(figures: Mapping[str, object], key: str) -> int:
    value = figures.get(key)
    return value if isinstance(value, int) else 0


def _metric(lines: list[str], name: str, kind: str, text: str, values: Mapping[str, float]) -> None:
    lines += [f"# HELP clearcall_{name} {text}", f"# TYPE clearcall_{name} {kind}"]
    lines += [f"clearcall_{name}{labels} {value}" for labels, value in values.items()]


def _added(figures: Mapping[str, object], key: str) -> float:
    added = figures.get("added_ms")
    value = added.get(key) if isinstance(added, Mapping) else None
    return float(value) if isinstance(value, (int, float)) else 0.0
