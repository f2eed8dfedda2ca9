"""What the check of a GPU found, as the table that docs/gpu.md shows: `python -m benchmarks.gpu_table gpu.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HEAD = """| graph | engine | batch | median ms | p99 ms | faces/s | of the roofline | MB | samples off by more than 1 |
|---|---|---|---|---|---|---|---|---|"""


def table(parts: Mapping[str, Any]) -> str:
    """A row for each figure, then a line for each part that gave none."""
    lines, others = [HEAD], []
    for name, part in parts.items():
        rows = (part.get("result") or {}).get("rows", [])
        lines += [_line(row) for row in rows if "median_ms" in row]
        others += [f"- {row['graph']} {row['engine']}, batch {row['batch']}: {row['error']}"
                   for row in rows if "error" in row]  # fmt: skip
        if part["status"] != "done":
            others.append(f"- {name}: {part['status']}")
    return "\n".join([*lines, "", *others])


def _line(row: Mapping[str, Any]) -> str:
    roof = f"{100 * row['roof_ms'] / row['median_ms']:.1f} %" if row.get("roof_ms") else "-"
    memory = "-" if row.get("memory_mb") is None else f"{row['memory_mb']:.0f}"
    beyond = "-" if row.get("beyond_one") is None else f"{100 * row['beyond_one']:.3f} %"
    return (
        f"| {row['graph']} | {row['engine']} | {row['batch']} | {row['median_ms']:.3f} | {row['p99_ms']:.3f} "
        f"| {row['faces_per_s']:.0f} | {roof} | {memory} | {beyond} |"
    )


if __name__ == "__main__":
    print(table(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["parts"]))
