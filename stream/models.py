"""A model as the doors use it: all graphs of one family, loaded once, shared by all sessions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engines.engine import Engine
from engines.manifest import MODELS, read_family
from engines.onnx_runtime import OrtEngine


@dataclass(frozen=True, slots=True)
class Model:
    """Engines by crop size."""

    name: str
    engines: dict[int, Engine]
    """Crop edge in pixels to the engine that runs it, the smallest first."""

    @property
    def prompts(self) -> tuple[str, ...]:
        """The prompt vocabulary, one weight each in the prompt vector."""
        return self._any().manifest.prompts

    @property
    def engine(self) -> str:
        """What runs the graphs."""
        return self._any().name

    def _any(self) -> Engine:
        return next(iter(self.engines.values()))


def open_model(name: str, threads: int = 1, folder: Path = MODELS) -> Model:
    """Load all graphs of a model; BadInput for an unknown name, ModelError for damaged files."""
    return Model(name, {m.crop: OrtEngine(m, threads) for m in read_family(name, folder)})
