"""A JSON file that is whole at any moment, however often it is written again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_json(target: Path, content: Any) -> None:
    """Write beside it, then let it take the file's place."""
    beside = target.with_name(f".{target.name}")
    beside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    os.replace(beside, target)
