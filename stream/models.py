"""A model as the doors use it: all graphs of one family, loaded once, shared by all sessions."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from engines.choice import AUTO, candidates, choose
from engines.engine import Engine
from engines.line import EngineLine
from engines.manifest import MODELS, read_family

FP32 = "fp32"


@dataclass(frozen=True, slots=True)
class Cheaper:
    """The same graphs in a precision that takes less time."""

    engines: dict[int, Engine]
    """As in the model."""
    cost: float
    """Time of a step, as a share of the same step in the model's own precision."""


@dataclass(frozen=True, slots=True)
class Model:
    """Engines by crop size."""

    name: str
    engines: dict[int, Engine]
    """Crop edge in pixels to the engine that runs it, the smallest first."""
    refused_at_start: dict[str, str] = field(default_factory=dict)
    """Name of each engine that would be better to the reason why it was not taken"""
    precision: str = FP32
    """Of `engines`."""
    cheaper: dict[str, Cheaper] = field(default_factory=dict)
    """Other precisions by name, the cheapest last."""

    @property
    def precisions(self) -> dict[str, dict[int, Engine]]:
        """All engines, by precision and crop edge; the best precision first."""
        return {self.precision: self.engines, **{name: other.engines for name, other in self.cheaper.items()}}

    @property
    def costs(self) -> dict[str, float]:
        """Time of a step in each precision, as a share of that in the best."""
        return {self.precision: 1.0, **{name: other.cost for name, other in self.cheaper.items()}}

    @property
    def prompts(self) -> tuple[str, ...]:
        """The prompt vocabulary, one weight each in the prompt vector."""
        return self._any().manifest.prompts

    @property
    def engine(self) -> str:
        """What runs the graphs."""
        return self._any().name

    @property
    def refused(self) -> dict[str, str]:
        """Name of each better engine to the reason why it is not used, those lost since included."""
        lines = [engine for engine in self.engines.values() if isinstance(engine, EngineLine)]
        return dict(self.refused_at_start) | {name: why for line in lines for name, why in line.lost.items()}

    def _any(self) -> Engine:
        return next(iter(self.engines.values()))


def open_model(name: str, threads: int = 1, folder: Path = MODELS, engine: str = AUTO) -> Model:
    """Load all graphs of a model in the best engine that works here, or in the one named.

    Raises:
        BadInput: The model or the engine is unknown.
        ModelError: A file is damaged.
        EngineError: The engine named cannot be used here.
    """
    offered = candidates(threads, may_build=engine != AUTO)
    chosen = choose(read_family(name, folder), offered, engine)
    return Model(name, chosen.engines, chosen.refused)


def engine_lines(model: Model) -> list[str]:
    """What runs the model, and why nothing better does, one line each."""
    return [f"engine {model.engine}", *(f"not {name}: {why}" for name, why in model.refused.items())]
