"""`clearcall train FOLDER`: trains a generator from a folder of faces."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from engines.errors import BadInput
from generator.config import CONFIGS
from training.feed import CacheSettings
from training.stages import CATALOGUE, DEFAULT, named_stages
from training.train import train
from training.trainer import MOST_WORKERS, TrainSettings

LARGEST = {"threads": 256, "workers": MOST_WORKERS, "seed": 2**32 - 1}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    default = TrainSettings()
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="stills and clips, named PERSON_anything.jpg")
    parser.add_argument("--dev", type=Path, metavar="FOLDER", help="other people, to measure progress on")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/lite"), help="checkpoints and log; goes on where they stand"
    )
    parser.add_argument(
        "--start-from", type=Path, metavar="CHECKPOINT", help="begin with what fits of another run's weights"
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=default.minutes,
        # The schedules of stages and rates run over the same clock: with validation in it, --dev would change them.
        help="of training steps alone, each with its wait for samples; looking for landmarks, the first fill of a "
        "--cache, checkpoints and validation on --dev come on top (default: %(default)g)",
    )
    names = ", ".join(stage.name for stage in CATALOGUE)
    parser.add_argument(
        "--stages",
        default=",".join(DEFAULT),
        metavar="NAME,...",
        help=f"which stages run, in this order, of {names} (default: %(default)s)",
    )
    parser.add_argument("--rate", type=float, default=default.rate, help="peak learning rate (default: %(default)g)")
    parser.add_argument("--threads", type=int, default=default.threads, help="compute threads (default: %(default)d)")
    parser.add_argument(
        "--workers",
        type=int,
        default=default.workers,
        help="processes that make samples (default: a core less than there are, here %(default)d)",
    )
    parser.add_argument("--model", choices=sorted(CONFIGS), default="lite", help="size to train (default: %(default)s)")
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default=default.device, help="where (default: %(default)s)"
    )
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep samples there and use them several times")
    parser.add_argument(
        "--cache-megabytes", type=float, default=2000.0, help="room for each stage's samples (default: %(default)g)"
    )
    parser.add_argument("--seed", type=int, default=default.seed, help="random seed (default: %(default)d)")


def run(arguments: argparse.Namespace) -> int:
    """Train; returns the exit status. BadInput for a folder without faces or numbers out of range."""
    if not 0 < arguments.minutes <= 100_000:
        raise BadInput(f"--minutes must be above 0, not {arguments.minutes:g}")
    if not 0 < arguments.rate <= 1:
        raise BadInput(f"--rate must be above 0 and at most 1, not {arguments.rate:g}")
    if not 1 <= arguments.cache_megabytes <= 1e7:
        raise BadInput(f"--cache-megabytes must be 1 to 10000000, not {arguments.cache_megabytes:g}")
    for name, least in (("threads", 1), ("workers", 0), ("seed", 0)):
        if not least <= getattr(arguments, name) <= LARGEST[name]:
            raise BadInput(f"--{name} must be {least} to {LARGEST[name]}, not {getattr(arguments, name)}")
    settings = TrainSettings(
        minutes=arguments.minutes,
        rate=arguments.rate,
        threads=arguments.threads,
        workers=arguments.workers,
        seed=arguments.seed,
        device=arguments.device,
        stages=named_stages(arguments.stages),
    )
    cache = None if arguments.cache is None else CacheSettings(arguments.cache, arguments.cache_megabytes)
    command = shlex.join(["clearcall", *sys.argv[1:]])
    config = CONFIGS[arguments.model]
    train(arguments.folder, arguments.dev, arguments.out, config, settings, command, arguments.start_from, cache)
    return 0
