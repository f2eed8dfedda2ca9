"""`clearcall bench WHAT`: its kinds."""

from __future__ import annotations

import argparse
from typing import Protocol

from benchmarks import engine_command
from benchmarks.ablation import command as ablation
from benchmarks.latency import command as latency
from benchmarks.latency import sessions
from benchmarks.model_page import command as model_page
from benchmarks.quality import command as quality


class Kind(Protocol):
    """A kind of benchmark."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add its arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Measure and print; returns the exit status."""


KINDS: dict[str, tuple[Kind, str]] = {
    "ablation": (ablation, "what each part of the generator contributes (torch)"),
    "engine": (engine_command, "what a step of each graph of a model costs"),
    "latency": (latency, "what a call through a relay costs, with its filter on and off"),
    "model": (model_page, "write the page that tells what a model is and what it is not"),
    "quality": (quality, "how much the picture gains, against the input and against other filters"),
    "sessions": (sessions, "how many callers at once a machine serves in real time"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the kinds of benchmark, with the arguments of each."""
    kinds = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    for name, (module, text) in KINDS.items():
        module.add_arguments(kinds.add_parser(name, help=text, description=text.capitalize() + "."))


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen kind; returns the exit status. BadInput for arguments that it cannot use."""
    return KINDS[arguments.what][0].run(arguments)
