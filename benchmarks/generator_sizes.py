"""Which patch and which channels: short trainings of several generators on the same data, beside what they cost.

    python -m benchmarks.generator_sizes FOLDER --dev FOLDER [--steps 400]

Each starts untrained, sees the same samples in the same order and the same learning rates; then PSNR on `dev` is
measured at native resolution, and a graph of 384 x 384 is timed on one thread.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import torch

from benchmarks.engine import EngineCase, take_turns
from benchmarks.macs import total_macs
from benchmarks.switches import export_untrained
from engines.errors import BadInput, ClearcallError
from generator.config import GeneratorConfig
from generator.model import Generator
from stream.face.models import model_paths
from training.dev_clips import dev_clips
from training.faces import list_faces
from training.landmarks import StillLandmarks, find_landmarks
from training.samples import Samples, SampleShape, sample_loader
from training.stages import Stage
from training.trainer import Trainer, TrainSettings
from training.validate import validate

CANDIDATES = (
    GeneratorConfig(),
    GeneratorConfig(channels=(24, 48, 96)),
    GeneratorConfig(patch=8, channels=(64, 96, 128)),
    GeneratorConfig(patch=2, channels=(16, 32, 64)),
)
SIZE = 384
BATCH = 16
DEV_EDGE, DEV_FILES = 256, 10
SHAPE = {"frames": 1, "canvas": 160, "crop": 128}
TIMED_STEPS = 40


def train(config: GeneratorConfig, samples: Samples, steps: int, seed: int) -> Generator:
    """A generator after so many steps; the learning rate falls with the steps, not with the clock."""
    torch.manual_seed(seed)
    stage = Stage("clips", 1.0, SampleShape(**SHAPE), BATCH)
    settings = TrainSettings(minutes=1.0, warm_up=1.0, average=0.99, stages=(stage,))
    trainer = Trainer(config, settings)
    loader = sample_loader(samples, BATCH, 0)
    for step in range(steps):
        trainer.elapsed = 60 * settings.minutes * step / steps
        trainer.learn(next(loader))
    return trainer.average


def main() -> int:
    """Train and measure each candidate and print a table; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dev", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=400)
    arguments = parser.parse_args()
    try:
        compare(arguments.folder, arguments.dev, arguments.steps)
    except ClearcallError as error:
        print(f"generator_sizes: {error}", file=sys.stderr)
        return error.exit_status
    return 0


def compare(folder: Path, dev: Path, steps: int) -> None:
    """Print one line of the table per candidate as it is done; BadInput for unusable folders."""
    if steps < 1:
        raise BadInput(f"--steps must be at least 1, not {steps}")
    torch.set_num_threads(1)
    files = list_faces(folder)
    clips = dev_clips(dev, DEV_EDGE, DEV_FILES)
    print(f"{steps} steps of {BATCH} pictures of {SHAPE['crop']}²; PSNR gain on {len(clips)} files")
    print("| patch | channels | GMAC | ms, best and median | gain, dB |\n|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="clearcall-sizes-") as name:
        landmarks = find_landmarks(files, Path(name) / "landmarks.npz")
        graphs = [
            export_untrained(config, f"size{index}", [SIZE], Path(name))[0] for index, config in enumerate(CANDIDATES)
        ]
        times = take_turns([EngineCase(graph, 1) for graph in graphs], TIMED_STEPS)
        for config, cost in zip(CANDIDATES, times, strict=True):
            shape = SampleShape(**SHAPE, stride=config.latent_stride)
            generator = train(config, Samples(files, landmarks, shape, 1), steps, 1)
            gains = ", ".join(
                f"{score.task} {score.after - score.before:+.2f}"
                for score in validate(generator, clips, StillLandmarks(model_paths()))
                if score.task != "clean"
            )
            channels = "/".join(map(str, config.channels))
            gmac = total_macs(generator, SIZE) / 1e9
            taken = f"{cost.best:.1f}, {cost.median:.1f}"
            print(f"| {config.patch} | {channels} | {gmac:.2f} | {taken} | {gains} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
