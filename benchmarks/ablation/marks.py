"""Signs behind the names of arms that are not compared with the whole generator like with like."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from benchmarks.ablation.arms import ARMS

RUN_TIME, ANEW = " †", " \\*"


def marks(trained: bool, untrained: Collection[str]) -> dict[str, str]:
    """Arm to its sign, for those that need one.

    Args:
        trained: Whether arms were trained on; without that all differ at run time only, which needs no sign.
        untrained: Arms with tensors that the whole one has no trained weights for.
    """
    found = {arm.name: RUN_TIME for arm in ARMS if trained and arm.run_time_only}
    return found | {name: ANEW for name in untrained}


def legend(signs: Collection[str], steps: int) -> Iterator[str]:
    """What the signs in use mean.

    Args:
        signs: Of `marks`.
        steps: That each arm was trained on for; 0 for none.
    """
    if RUN_TIME in signs:
        yield "† run time only: on the weights of the generator as it is, which never learned to run so."
    if ANEW in signs and steps:
        yield f"\\* parts trained for {steps} steps from nothing, against parts that were trained for long before."
    elif ANEW in signs:
        yield "\\* has parts without trained weights, which change nothing: fair only after training on."
