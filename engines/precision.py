"""In which precision a model is run."""

from __future__ import annotations

from engines.errors import BadInput
from engines.manifest import Manifest, half_family, int8_family

AUTO, FP32, INT8, FP16 = "auto", "fp32", "int8", "fp16"
PRECISIONS = (AUTO, FP32, INT8, FP16)


def check_precision(text: str) -> str:
    """One of `PRECISIONS`; BadInput for anything else."""
    if text not in PRECISIONS:
        raise BadInput(f"--precision must be {', '.join(PRECISIONS[:-1])} or {PRECISIONS[-1]}, not {text[:40]!r}")
    return text


def family_in(name: str, precision: str) -> str:
    """The family of a model's graphs in a precision."""
    return {INT8: int8_family(name), FP16: half_family(name)}.get(precision, name)


def precision_of(manifest: Manifest) -> str:
    """What a graph is in, by the family it is of."""
    return next((p for p in (INT8, FP16) if manifest.family.endswith(f"-{p}")), FP32)


def in_half(manifest: Manifest) -> bool:
    """Whether a graph is in half precision, as GPUs have it: its states are, not only what happens in between."""
    return any(state.dtype == "float16" for state in manifest.states)
