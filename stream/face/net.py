"""One LiteRT model on one thread."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from stream.face.models import FaceModelError


class Net:
    """A float32 model with one input; not for two threads at once."""

    def __init__(self, path: Path) -> None:
        """Load and prepare the model.

        Raises:
            FaceModelError: The file is not a model that LiteRT can run.
        """
        try:
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
