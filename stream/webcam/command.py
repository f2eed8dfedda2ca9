"""`clearcall webcam`: a virtual camera with the restored picture of the real one."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack

from engines.errors import BadInput
from engines.precision import AUTO
from stream import threads
from stream.budget import DEFAULT
from stream.webcam import control, settings
from stream.webcam.settings import WebcamSettings
from stream.webcam.switch import Switch
from stream.webcam.wake import Wake
from stream.wishes import check_prompt, parse_strength

CHANGES: dict[str, Callable[[str], object]] = {"strength": parse_strength, "prompt": check_prompt}
"""What --set takes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's options; they are checked by `settings.read`."""
    parser.add_argument(
        "--input",
        default="auto",
        metavar="SOURCE",
        help="/dev/videoN, avfoundation:NAME, dshow:NAME, a film or picture, or an address (default: first camera)",
    )
    parser.add_argument("--output", default="auto", help=f"{settings.OUTPUTS} (default: the first virtual camera)")
    parser.add_argument("--prompt", default="auto", help="what to remove, such as noise; auto finds out (default)")
    parser.add_argument("--strength", default="1", help="0 changes nothing, 1 restores fully (default)")
    parser.add_argument("--mirror", action="store_true", help="swap left and right")
    parser.add_argument("--size", default="1280x720", help="camera mode to look for (default: 1280x720)")
    parser.add_argument("--fps", default="30", help="frames a second to look for (default: 30)")
    parser.add_argument("--model", default="lite", help="model to use (default: lite)")
    parser.add_argument("--engine", default="auto", help="what to run it on; auto finds the best (default: auto)")
    parser.add_argument(
        "--precision", default=AUTO, help="auto, fp32, int8 or fp16; auto takes what is faster and as good (default)"
    )
    parser.add_argument(
        "--latency-budget",
        default=DEFAULT,
        metavar="TIME",
        help=f"delay that the filter may add; quality gives way where time is short (default: {DEFAULT})",
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--list", action="store_true", help="show cameras and virtual cameras, and what is missing")
    instead.add_argument("--toggle", action="store_true", help="switch the webcam that runs on or off")
    instead.add_argument("--show", action="store_true", help="show the figures of the webcam that runs, as JSON")
    instead.add_argument(
        "--set", action="append", metavar="NAME=VALUE", help="change the webcam that runs: strength=0.5, prompt=noise"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; 0 after a clean stop.

    Raises:
        BadInput: An option is wrong, or there is no such camera.
        ClearcallError: No virtual camera can be had, or another webcam runs.
    """
    chosen = settings.read(arguments)
    if arguments.list:
        from stream.webcam.listing import listing

        print(listing(chosen))
        return 0
    if arguments.toggle or arguments.show or arguments.set:
        answer = control.ask(request(arguments), control.socket_path())
        print(json.dumps(answer, indent=2) if arguments.show else f"clearcall: {spoken(answer)}")
        return 0
    wipe = "\r\x1b[K" if sys.stderr.isatty() else ""  # the status line, which is written anew
    logging.basicConfig(level=logging.WARNING, format=f"{wipe}clearcall: %(message)s")
    return serve(chosen)


def request(arguments: argparse.Namespace) -> dict[str, object]:
    """What to ask of the webcam that runs.

    Raises:
        BadInput: --set is wrong.
    """
    if arguments.toggle:
        return {"toggle": True}
    changes: dict[str, object] = {}
    for text in arguments.set or ():
        name, equals, value = text.partition("=")
        if name not in CHANGES or not equals:
            raise BadInput(f"--set needs strength=0..1 or prompt=TEXT, not {text[:80]!r}")
        changes[name] = CHANGES[name](value)
    return changes


def spoken(answer: dict[str, object]) -> str:
    """The state in words."""
    switched = "on" if answer.get("on") else "off"
    return f"{switched}, prompt {answer.get('prompt')}, strength {answer.get('strength'):g}"


def serve(chosen: WebcamSettings) -> int:
    """Open all that is needed, what fails at once first, and run.

    Raises:
        ClearcallError: As for `run`.
    """
    from stream.collector import settle
    from stream.face.models import model_paths
    from stream.filter import FaceFilter
    from stream.live import LiveFilter
    from stream.models import engine_line, open_model
    from stream.scope import of_call, tiles_of
    from stream.webcam import locate, source
    from stream.webcam.capture import Capture
    from stream.webcam.door import Door
    from stream.webcam.modes import Mode
    from stream.webcam.outputs import open_output
    from stream.webcam.status import Status

    origin = locate.locate(chosen.source, Mode("", chosen.width, chosen.height, chosen.rate))
    if users := source.busy(origin):
        warning = f"{origin.name} is open in {users}, which may have to be closed first"
        print(f"clearcall: {warning}", file=sys.stderr, flush=True)
    shape = settings.shape_of(*(source.probe(origin) or (chosen.width, chosen.height, chosen.rate)))
    wake = Wake()
    with ExitStack() as stack:
        # Held from here on, so that a second webcam is told at once.
        listener = stack.enter_context(control.listening(control.socket_path())) if control.POSSIBLE else None
        model_paths()
        model = open_model(
            chosen.model,
            threads.for_calls(os.cpu_count() or 1),
            engine=chosen.engine,
            precision=chosen.precision,
            live=True,
        )
        scope = of_call(model, chosen.latency_budget_s)
        tiles = tiles_of(model) if scope.whole else None
        face_filter = FaceFilter(model, chosen.prompt, chosen.strength, chosen.latency_budget_s, tiles)
        switch = Switch(face_filter, chosen.prompt, chosen.strength, wake.set)
        live = LiveFilter(face_filter, wake.set, on_done=face_filter.took)
        stack.callback(face_filter.close)
        stack.callback(live.close)
        capture = Capture(lambda: source.frames(locate.follow(origin)), live.push)
        door = Door(
            lambda: open_output(chosen.output, shape, wake.set, chosen.device),
            capture,
            live,
            shape,
            chosen.mirror,
            wake,
        )

        def figures() -> dict[str, object]:
            return {**switch.state(), "input": str(origin), **door.figures()}

        if listener is not None:
            stack.enter_context(control.answering(listener, switch, figures))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: door.stop())
        if hasattr(signal, "SIGUSR1"):  # not on Windows
            signal.signal(signal.SIGUSR1, lambda *_: switch.toggle())
        print(f"clearcall: {origin} -> {door.figures()['output']}; Ctrl-C stops", flush=True)
        print(f"clearcall: {scope.why}; {engine_line(model)}", flush=True)
        status = Status(figures)
        stack.callback(status.close)
        settle()
        door.run(status.update)
    return 0
