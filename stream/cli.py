"""The command `clearcall`: one module per subcommand, imported only when it is called."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from engines.errors import ClearcallError

COMMANDS = {
    "relay": ("stream.relay.command", "answer WebRTC calls from a browser and send the face back restored"),
    "webcam": ("stream.webcam.command", "offer a virtual camera with the restored picture of the real one"),
    "filter": ("stream.files.command", "restore the picture of a video file"),
    "bench": ("benchmarks.command", "measure speed and quality"),
    "train": ("training.command", "train a generator from a folder of faces"),
    "curate": ("training.curation.command", "find faces worth training on in photos and videos"),
    "export": ("export.command", "export a trained generator to ONNX"),
    "build": ("engines.build_command", "build TensorRT plans for NVIDIA GPUs"),
    "doctor": ("stream.doctor", "show what this machine has and what is missing"),
}
"""Subcommand to the module with `add_arguments(parser)` and `run(arguments)`, and its one-line help."""


def _version() -> str:
    from importlib.metadata import version

    return version("clearcall")


class OneLineParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, as all others are."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is, exit status 2."""
        self.exit(2, f"clearcall: {message} ({self.prog} --help tells more)\n")


class Terminated(KeyboardInterrupt):
    """SIGTERM, to be tidied up after like Ctrl-C.

    By itself it leaves a training without its last checkpoint, and what a benchmark started running.
    """


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


@contextmanager
def _sigterm_heard() -> Iterator[None]:
    """Within it SIGTERM raises Terminated, unless it is ignored, or a command hears it in a way of its own."""
    before = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or before is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _overview() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog="clearcall",
        description="Restores the face in a live video call.",
        epilog="clearcall COMMAND --help tells more of a command.",
    )
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, (_, text) in COMMANDS.items():
        commands.add_parser(name, help=text, add_help=False)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status: 0, 1 for a failure, 2 for a wrong call or bad input."""
    argv = sys.argv[1:] if argv is None else argv
    if not argv or argv[0] not in COMMANDS:
        overview = _overview()
        if overview.parse_args(argv).version:
            print(f"clearcall {_version()}")
            return 0
        overview.print_help(sys.stderr)
        return 2
    name, rest = argv[0], argv[1:]
    module_name, text = COMMANDS[name]
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in {"torch", "onnx", "onnxscript"}:
            raise
        print(f"clearcall: {name} needs {error.name}: pip install 'clearcall[train]'", file=sys.stderr)
        return 1
    parser = OneLineParser(prog=f"clearcall {name}", description=f"{text[0].upper()}{text[1:]}.")
    module.add_arguments(parser)
    arguments = parser.parse_args(rest)
    try:
        with _sigterm_heard():
            status = module.run(arguments)
    except ClearcallError as error:
        print(f"clearcall: {error}", file=sys.stderr)
        return error.exit_status
    except Terminated:
        print("clearcall: terminated", file=sys.stderr)
        return 128 + signal.SIGTERM
    except KeyboardInterrupt:
        print("clearcall: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read the output has seen enough (`clearcall doctor | head`); what is left must not fail at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return int(status or 0)


if __name__ == "__main__":
    sys.exit(main())
