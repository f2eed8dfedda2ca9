"""A foreign ONNX model that takes a picture, with a TOML file beside it that says how.

```toml
layout = "nchw"       # or "nhwc"
order = "rgb"         # or "bgr", or "y": one channel, the colours are kept
range = [0.0, 1.0]    # of the input, and of the output unless output_range says otherwise
multiple = 8          # edges are padded to multiples of this, where the graph leaves them open
tasks = ["noise"]     # what it is for; without it, all
```
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from engines.errors import BadInput, first_line
from training.faces import Picture

LAYOUTS, ORDERS = ("nchw", "nhwc"), ("rgb", "bgr", "y")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a model wants its pictures."""

    layout: str = "nchw"
    order: str = "rgb"
    range: tuple[float, float] = (0.0, 1.0)
    output_range: tuple[float, float] | None = None
    multiple: int = 8
    tasks: tuple[str, ...] = field(default=())


def read_layout(path: Path) -> Layout:
    """Read the TOML; the defaults where there is none. BadInput for what it does not know."""
    if not path.is_file():
        return Layout()
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        lists: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
        made = Layout(**lists)
        ranges = [made.range, made.output_range or made.range]
        if any(len(r) != 2 or not float(r[0]) < float(r[1]) for r in ranges):
            raise ValueError("range must be two rising numbers")
        if made.layout not in LAYOUTS or made.order not in ORDERS:
            raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, order one of {', '.join(ORDERS)}")
        if not isinstance(made.multiple, int) or made.multiple < 1:
            raise ValueError("multiple must be a positive number of pixels")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise BadInput(f"{path}: {str(error).splitlines()[0]}") from error
    return made


class OnnxImage:
    """Runs it, one picture at a time, on one thread of the CPU."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Load the model; BadInput when it is none, or takes anything but one picture."""
        if not path.is_file():
            raise BadInput(f"{path}: no such file")
        self.path, self.layout = path, read_layout(path.with_suffix(".toml"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors have no common base
            raise BadInput(f"{path}: not a model that can be run ({first_line(error)[:200]})") from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4:
            raise BadInput(f"{path}: takes {len(inputs)} inputs, not one picture of four axes")
        self._input = inputs[0]

    def raw(self, picture: Picture) -> NDArray[np.float32]:
        """The first output for a BGR picture that is scaled to the model's own size where it has one."""
        rows, columns = self._fixed()
        if rows and columns:
            picture = np.asarray(cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
        low, high = self.layout.range
        if self.layout.order == "y":
            channels = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[..., None]
        else:
            channels = picture[..., ::-1] if self.layout.order == "rgb" else picture
        values = channels.astype(np.float32) / 255 * (high - low) + low
        batch = values.transpose(2, 0, 1)[None] if self.layout.layout == "nchw" else values[None]
        kind = np.float16 if self._input.type == "tensor(float16)" else np.float32
        try:
            out = self._session.run(None, {self._input.name: np.ascontiguousarray(batch, kind)})[0]
        except Exception as error:  # its errors have no common base
            raise BadInput(f"{self.path}: cannot be run on a picture ({first_line(error)[:200]})") from error
        return np.asarray(out, np.float32)

    def __call__(self, picture: Picture) -> Picture:
        """A BGR picture [H,W,3] restored, of its own size again."""
        height, width = picture.shape[:2]
        padded = picture
        if not all(self._fixed()):
            down, right = -height % self.layout.multiple, -width % self.layout.multiple
            padded = np.asarray(cv2.copyMakeBorder(picture, 0, down, 0, right, cv2.BORDER_REFLECT_101), np.uint8)
        out = self.raw(padded)
        if out.ndim != 4 or out.shape[0] != 1:
            raise BadInput(f"{self.path}: gives an array of shape {out.shape}, not a picture")
        image = out[0].transpose(1, 2, 0) if self.layout.layout == "nchw" else out[0]
        if image.shape[2] != (1 if self.layout.order == "y" else 3):
            raise BadInput(f"{self.path}: gives {image.shape[2]} channels")
        low, high = self.layout.output_range or self.layout.range
        levels = np.clip(np.rint((image - low) / (high - low) * 255), 0, 255).astype(np.uint8)
        # Back to the size that went in: a model may also enlarge.
        rows, columns = padded.shape[:2]
        way = cv2.INTER_AREA if levels.shape[0] > rows else cv2.INTER_CUBIC
        levels = np.atleast_3d(cv2.resize(levels, (columns, rows), interpolation=way))[:height, :width]
        if self.layout.order == "rgb":
            return np.ascontiguousarray(levels[..., ::-1])
        if self.layout.order == "bgr":
            return np.ascontiguousarray(levels)
        colours = cv2.cvtColor(picture, cv2.COLOR_BGR2YCrCb)
        colours[..., 0] = levels[..., 0]
        return np.asarray(cv2.cvtColor(colours, cv2.COLOR_YCrCb2BGR), np.uint8)

    def _fixed(self) -> tuple[int, int]:
        """Rows and columns that the graph insists on; 0 where it leaves them open."""
        shape = self._input.shape[2:] if self.layout.layout == "nchw" else self._input.shape[1:3]
        rows, columns = (n if isinstance(n, int) else 0 for n in shape)
        return rows, columns
