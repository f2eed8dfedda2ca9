"""The arms: the generator as it is, and with one thing different. After the systems that the parts come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Part = Literal["all", "temporal"]
"""What learns in a stage (`training.stages`)."""

WHOLE = "as it is"
CLEARCALL = "clearcall"
STAGED, SKIPPED = "temporal parts anew in stages", "temporal parts anew with stages skipped"


@dataclass(frozen=True, slots=True)
class Arm:
    """One generator under one treatment; by default the whole one under the right prompt."""

    name: str
    system: str
    change: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the configuration that differ"""
    training: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the training that differ; without training on, the arm is as the whole"""
    prompt: str = "right"
    """right, wrong, none or auto"""
    steps: int = 1
    """Euler steps of the flow"""
    inverted: bool = False
    """First backwards from the input without a prompt"""
    noise: float = 0.0
    """Deviation of the noise that is put onto the latent the flow starts from, as a share of the latent's own"""
    regions: bool = True
    stages: tuple[Part, ...] = ()
    """If any: what frames before reach forgets all it learned, and learns it anew in these stages of equal length.
    Such an arm is to be compared with another one of the kind, and only after training."""

    @property
    def run_time_only(self) -> bool:
        """Whether it differs in nothing that training on could get used to: it runs the whole one's weights."""
        return self.name != WHOLE and not (self.change or self.training or self.stages)


PER_FRAME: dict[str, Any] = {
    "attention": "off",
    "temporal_codes": False,
    "taps": False,
    "recurrence": False,
    "previous": False,
}
"""The configuration without any memory of frames before, but for the slow gains"""

ARMS: tuple[Arm, ...] = (
    Arm(WHOLE, CLEARCALL),
    Arm("sharpening off", CLEARCALL, {"sharpening": False}),
    Arm("spatial codes off", "DVFace", {"spatial_codes": False}),
    Arm("temporal codes off", "DVFace", {"temporal_codes": False}),
    Arm("fusion off", "DVFace", {"fusion": "off"}),
    Arm("fusion symmetric", "DVFace", {"fusion": "symmetric"}),
    Arm("fusion swapped", "DVFace", {"fusion": "swapped"}),
    Arm("2 steps", "VividFace", steps=2),
    Arm("4 steps", "VividFace", steps=4),
    Arm("8 steps", "VividFace", steps=8),
    Arm("8 steps inverted", "VividFace", steps=8, inverted=True),
    Arm("face switch off", "VividFace", training={"face_switch": 0.0}),
    Arm("taps off", "DL-Diff", {"taps": False}),
    Arm("recurrence off", "DL-Diff", {"recurrence": False}),
    Arm("previous planes off", "DL-Diff", {"previous": False}),
    Arm("illumination off", "DL-Diff", {"illumination": False}),
    Arm("per frame", "DL-Diff", PER_FRAME),
    Arm(STAGED, "DL-Diff", stages=("temporal", "all")),
    Arm(SKIPPED, "DL-Diff", stages=("all", "all")),
    Arm("regions unknown", "CUGD", regions=False),
    Arm("context off", "CUGD", {"context": False}),
    Arm("semantic weights off", "CUGD", training={"semantic": 0.0}),
    Arm("attention off", "TDM", {"attention": "off"}),
    Arm("attention to the first frame", "TDM", {"attention": "first"}),
    Arm("attention to a running mean", "TDM", {"attention": "ema"}),
    Arm("wrong prompt", "TDM", prompt="wrong"),
    Arm("no prompt", "TDM", prompt="none"),
    Arm("prompt auto", "TDM", prompt="auto"),
    Arm("start with noise", "TDM", noise=0.3),
)
