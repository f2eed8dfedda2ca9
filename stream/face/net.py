"""One LiteRT model on one thread."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from stream.face.models import FaceModelError

_first = threading.Lock()


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """Keep LiteRT's greeting off the user's terminal: it comes once a process, and there is no setting for it.

    Only the first caller hushes, so that standard error is away for some milliseconds in the life of a process.
    """
    if not _first.acquire(blocking=False):
        yield
        return
    # Never released: the greeting comes but once.
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class Net:
    """A float32 model with one input; not for two threads at once."""

    def __init__(self, path: Path) -> None:
        """Load and prepare the model.

        Raises:
            FaceModelError: The file is not a model that LiteRT can run.
        """
        try:
            with _hushed():
                self._interpreter = Interpreter(model_path=str(path), num_threads=1)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise FaceModelError(f"LiteRT cannot load {path}: {error}") from error
        self._input: int = self._interpreter.get_input_details()[0]["index"]
        self._outputs: dict[int, int] = {
            int(np.prod(detail["shape"])): detail["index"] for detail in self._interpreter.get_output_details()
        }

    def run(self, batch: NDArray[np.float32]) -> None:
        """Run the model on [1, height, width, 3]."""
        self._interpreter.set_tensor(self._input, batch)
        self._interpreter.invoke()

    def output(self, count: int) -> NDArray[np.float32]:
        """A copy of the output that has `count` elements: sizes tell the outputs apart, names and order do not."""
        values: NDArray[np.float32] = self._interpreter.get_tensor(self._outputs[count])
        return values
