"""A model as the doors use it: all graphs of one family, loaded once, shared by all sessions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from engines.choice import AUTO, candidates, choose
from engines.engine import Engine
from engines.errors import BadInput, ClearcallError
from engines.line import EngineLine
from engines.manifest import MODELS, read_family
from engines.onnx_runtime import CPU
from engines.precision import FP32, INT8, family_in, precision_of
from engines.self_timing import FASTER, relative_cost


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
        """What runs the graphs; where crop sizes have several, since only some lost theirs, the least."""
        return max(self.engines.values(), key=lambda engine: engine.rank if isinstance(engine, EngineLine) else 0).name

    @property
    def refused(self) -> dict[str, str]:
        """Name of each better engine to the reason why it is not used, those lost since included."""
        passed: dict[str, dict[int, str]] = {}
        for crop, engine in self.engines.items():
            for name, why in engine.passed.items() if isinstance(engine, EngineLine) else ():
                passed.setdefault(name, {})[crop] = why
        told = dict(self.refused_at_start)
        for name, reasons in passed.items():
            crops = "" if len(reasons) == len(self.engines) else f" (crop size {', '.join(map(str, reasons))} only)"
            told[name] = next(iter(reasons.values())) + crops
        return told

    def _any(self) -> Engine:
        return next(iter(self.engines.values()))


def open_model(
    name: str, threads: int = 1, folder: Path = MODELS, engine: str = AUTO, precision: str = AUTO, live: bool = False
) -> Model:
    """Load all graphs of a model in the best engine that works here, or in the one named.

    Args:
        name: Of the model.
        threads: Of the engine on the CPU.
        folder: Where its files are.
        engine: Name, or `auto`.
        precision: `fp32`, `int8`, `fp16`; or `auto`: half on a GPU, else float32.
        live: Whether time matters: then `auto` brings 8-bit integers along where they are faster on this CPU.

    Raises:
        BadInput: The model or the engine is unknown, or the model has no graphs in that precision.
        ModelError: A file is damaged.
        EngineError: The engine named cannot be used here.
    """
    manifests = read_family(name, folder)
    if precision not in (AUTO, FP32):
        try:
            manifests = read_family(family_in(name, precision), folder)
        except BadInput:
            raise BadInput(f"model {name} has no graphs in {precision}: choose another --precision") from None
    chosen = choose(manifests, candidates(threads, may_build=engine != AUTO, half=precision != FP32), engine)
    model = Model(name, chosen.engines, chosen.refused, precision_of(next(iter(chosen.engines.values())).manifest))
    return _with_int8(model, threads, folder) if live and precision == AUTO and chosen.name == CPU else model


def _with_int8(model: Model, threads: int, folder: Path) -> Model:
    """The model with 8-bit integers beside float32, where it has them and they are faster here."""
    try:
        manifests = read_family(family_in(model.name, INT8), folder)
    except BadInput:
        return model
    try:
        engines = choose(manifests, candidates(threads), CPU).engines
        if engines.keys() != model.engines.keys():
            raise BadInput("its crop sizes are not those of the others")
        middle = sorted(engines)[len(engines) // 2]
        cost = relative_cost(engines[middle], model.engines[middle], threads)
    except ClearcallError as error:  # float32 does without
        return replace(model, refused_at_start={**model.refused_at_start, INT8: str(error)})
    if cost > FASTER:
        why = f"takes {cost:.2f} of the time of {model.precision} here"
        return replace(model, refused_at_start={**model.refused_at_start, INT8: why})
    return replace(model, cheaper={INT8: Cheaper(engines, cost)})


def engine_line(model: Model) -> str:
    """What runs the model, and why nothing better does; engines that cannot be used for the same reason share it."""
    reasons: dict[str, list[str]] = {}
    for name, why in model.refused.items():
        reasons.setdefault(why, []).append(name)
    text = "; ".join(f"not {', '.join(names)}: {why}" for why, names in reasons.items())
    return f"engine {model.engine}" + (f" ({text})" if text else "")
