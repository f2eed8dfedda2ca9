"""A JSON file that is whole at any moment, however often it is written again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engines.whole_file import replace_file


def write_json(target: Path, content: Any) -> None:
    """Write it, in place of what was there; OSError where that cannot be."""
    replace_file(target, (json.dumps(content, indent=1) + "\n").encode())
