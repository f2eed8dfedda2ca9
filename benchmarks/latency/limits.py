"""`--budget p95=50ms,missing=0`: what a run must keep to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engines.errors import BadInput

UNITS = {
    **dict.fromkeys(("p50", "p90", "p95", "p99", "max", "own_p50", "own_p95"), "ms"),
    **dict.fromkeys(("missing", "repeated", "freezes", "fps"), ""),
    "drift": "ms",
    "first_picture": "s",
    **dict.fromkeys(("changed", "cpu", "memory"), "%"),
}
"""Name of a limit to the unit that its value is given in; a figure may be at most what is said."""
AT_LEAST = {"fps", "changed"}
"""Those that must be at least what is said."""
SHARES = {"missing", "repeated"}
"""What may also be given in per cent of the frames sent."""
_LIMIT = re.compile(r"([a-z_0-9]+)=(\d+(?:\.\d+)?)(ms|s|%|)")


@dataclass(frozen=True, slots=True)
class Limit:
    """One figure's limit, in the unit of `UNITS`, or a share of the frames sent."""

    name: str
    value: float
    share: bool = False

    def __str__(self) -> str:
        if self.share:
            return f"{self.name} ≤ {100 * self.value:g} %"
        return f"{self.name} {'≥' if self.name in AT_LEAST else '≤'} {self.value:g} {UNITS[self.name]}".rstrip()


def parse_limits(text: str) -> list[Limit]:
    """Limits with commas between them.

    Raises:
        BadInput: One is not understood.
    """
    return [_parse(part.strip()) for part in text.split(",")]


def _parse(text: str) -> Limit:
    found = _LIMIT.fullmatch(text)
    if found is None or found[1] not in UNITS:
        raise BadInput(f"--budget: {text[:40]!r} is no limit; one is NAME=VALUE, NAME one of {', '.join(UNITS)}")
    name, value, unit = found[1], float(found[2]), found[3]
    if unit == "%" and name in SHARES:
        return Limit(name, value / 100, True)
    if unit not in {"": {""}, "%": {"%", ""}}.get(UNITS[name], {"ms", "s", ""}):
        raise BadInput(f"--budget: {name} is not given in {unit}")
    if unit and unit != UNITS[name]:
        value = value / 1000 if UNITS[name] == "s" else value * 1000
    return Limit(name, value)


def missed(limits: Sequence[Limit], figures: Mapping[str, float | None]) -> list[str]:
    """A line for each limit that the figures miss; a figure that is not there misses it."""
    lines = []
    for limit in limits:
        value = figures.get("first_picture_s" if limit.name == "first_picture" else limit.name)
        if value is not None and limit.share:
            value = value / max(1.0, figures.get("sent") or 0.0)
        if value is None:
            lines.append(f"{limit}: not measured")
        elif value < limit.value if limit.name in AT_LEAST else value > limit.value:
            lines.append(f"{limit}: it is {f'{100 * value:.2f} %' if limit.share else f'{value:g}'}")
    return lines
