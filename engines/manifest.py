"""Model manifests: all that the run time knows of a graph."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.errors import BadInput, ModelError
from engines.install_hint import restore_models

MODELS = Path(__file__).parent / "models"

DTYPES = ("uint8", "float32", "float16")
INPUTS = {"y", "uv", "regions", "prompt", "strength", "keep"}
OUTPUTS = {"y_out", "uv_out", "prompt_hat"}
"""What the engines feed and read besides the states: no more and no less."""
MAX_CROP = 4096
BATCH_AXIS = "batch"
"""Name of the first axis in a graph that takes several sessions at once; its manifest has 1 there."""
OFFLINE_STEPS = (2, 4, 8)
"""Steps of the flow that files can be filtered with instead of one; each is a graph of its own."""
FIELDS = {"name", "family", "crop", "graph", "weights", "inputs", "outputs", "states", "prompts", "regions", "training"}
OPTIONAL = {"unfit"}


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Name, shape and dtype of an input or output of the graph."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class StateSpec:
    """A state: read from `input`, its next value written to `output`, `initial` everywhere at the start."""

    input: str
    output: str
    shape: tuple[int, ...]
    dtype: str
    initial: float
    stride: int
    """Luma pixels per cell along one axis: a crop that moves by so many moves the state by one cell."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file beside the manifest and what it must hash to."""

    path: Path
    sha256: str

    def check(self) -> None:
        """Raise ModelError when the file is missing or not the one that the manifest describes."""
        try:
            digest = hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError as error:
            raise ModelError(f"model file {self.path} cannot be read: {error.strerror}") from error
        if digest != self.sha256:
            # Models of the user's own are nowhere else.
            hint = f": {restore_models()}" if self.path.parent == MODELS else ""
            raise ModelError(f"model file {self.path} is damaged (its sha256 is not the manifest's){hint}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """One exported graph."""

    name: str
    family: str
    """Graphs of one family share their weights and differ in crop size."""
    crop: int
    graph: StoredFile
    weights: StoredFile
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    states: tuple[StateSpec, ...]
    prompts: tuple[str, ...]
    regions: tuple[str, ...]
    training: dict[str, Any]
    """Provenance: data, command, minutes, device, seed, figures, attributions."""
    unfit: tuple[str, ...] = ()
    """Prompts under which this graph loses too much: where there is a better one, that one runs."""

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of an input or output; ModelError when the graph has none of that name."""
        for spec in (*self.inputs, *self.outputs):
            if spec.name == name:
                return spec.shape
        raise ModelError(f"model {self.name} has no tensor named {name}")


def read_manifest(path: Path) -> Manifest:
    """Read and validate a manifest; ModelError names what is wrong with it."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        manifest = _parse(raw, path.parent)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"model manifest {path} is damaged: {error}") from error
    if manifest.name != path.stem:
        raise ModelError(f"model manifest {path} is damaged: it calls itself {manifest.name}")
    return manifest


def _parse(raw: dict[str, Any], folder: Path) -> Manifest:
    if odd_keys := (set(raw) - OPTIONAL) ^ FIELDS:
        raise ValueError(f"unknown or missing keys: {', '.join(sorted(odd_keys))}")
    crop = raw["crop"]
    if not isinstance(crop, int) or not 32 <= crop <= MAX_CROP or crop % 32:
        raise ValueError(f"crop is {crop}, not a multiple of 32 up to {MAX_CROP}")
    manifest = Manifest(
        name=str(raw["name"]),
        family=str(raw["family"]),
        crop=crop,
        graph=_stored(raw["graph"], folder),
        weights=_stored(raw["weights"], folder),
        inputs=tuple(_tensor(t) for t in raw["inputs"]),
        outputs=tuple(_tensor(t) for t in raw["outputs"]),
        states=tuple(
            StateSpec(
                s["input"],
                s["output"],
                _shape(s["shape"]),
                _dtype(s["dtype"]),
                float(s["initial"]),
                _stride(s["stride"]),
            )
            for s in raw["states"]
        ),
        prompts=tuple(str(p) for p in raw["prompts"]),
        regions=tuple(str(r) for r in raw["regions"]),
        training=dict(raw["training"]),
        unfit=tuple(str(p) for p in raw.get("unfit", ())),
    )
    if unknown := set(manifest.unfit) - set(manifest.prompts):
        raise ValueError(f"unfit for {', '.join(sorted(unknown))}, which is none of its prompts")
    for what, specs, wanted in (("inputs", manifest.inputs, INPUTS), ("outputs", manifest.outputs, OUTPUTS)):
        odd = {t.name for t in specs} ^ wanted
        if odd:
            raise ValueError(f"unknown or missing {what}: {', '.join(sorted(odd))}")
    return manifest


def _stored(raw: dict[str, str], folder: Path) -> StoredFile:
    name = raw["file"]
    if Path(name).name != name:
        raise ValueError(f"{name} is not a plain file name")
    return StoredFile(folder / name, raw["sha256"])


def _tensor(raw: dict[str, Any]) -> TensorSpec:
    return TensorSpec(str(raw["name"]), _shape(raw["shape"]), _dtype(raw["dtype"]))


def _stride(raw: int) -> int:
    if not isinstance(raw, int) or raw < 1:
        raise ValueError(f"stride is {raw}, not a positive number of pixels")
    return raw


def _shape(raw: list[int]) -> tuple[int, ...]:
    if not all(isinstance(n, int) and n > 0 for n in raw):
        raise ValueError(f"shape {raw} is not static")
    return tuple(raw)


def _dtype(raw: str) -> str:
    if raw not in DTYPES:
        raise ValueError(f"unknown dtype {raw}")
    return raw


def offline_family(name: str, steps: int, invert: bool) -> str:
    """The family of graphs of a model that take so many steps, the flow inverted first or not."""
    return f"{name}-{steps}step{'-inverted' if invert else ''}"


def half_family(name: str) -> str:
    """The family of the same graphs in half precision, which take several sessions at once."""
    return f"{name}-fp16"


def int8_family(name: str) -> str:
    """The family of the same graphs with convolutions of 8-bit integers."""
    return f"{name}-int8"


def read_family(name: str, folder: Path = MODELS) -> list[Manifest]:
    """All graphs of a model, the smallest crop first; BadInput lists the known models."""
    known = [read_manifest(path) for path in sorted(folder.glob("*.json"))]
    chosen = sorted((m for m in known if m.family == name), key=lambda m: m.crop)
    if not chosen:
        names = ", ".join(sorted({m.family for m in known})) or "none"
        raise BadInput(f"unknown model {name!r}; known models: {names}")
    return chosen
