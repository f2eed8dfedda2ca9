"""pyvirtualcam's camera: OBS's virtual one on Windows and macOS, a v4l2loopback device on Linux.

pyvirtualcam is GPL-2: an optional extra, never needed on Linux, imported only when this output is asked for.
"""

from __future__ import annotations

import sys
from typing import Any

from engines.errors import ClearcallError
from engines.install_hint import install_extra
from stream.webcam.errors import OutputLost
from stream.webcam.loopback import SETUP
from stream.webcam.output import Picture, Shape

EXTRA = install_extra("pyvirtualcam")
NEEDS = {
    "win32": "install OBS Studio, which brings OBS Virtual Camera",
    "darwin": "install OBS Studio, and in it press Start Virtual Camera and Stop Virtual Camera once",
}
"""What pyvirtualcam needs besides itself; elsewhere v4l2loopback."""


class PyVirtualCamera:
    """The camera; who reads cannot be known, so it counts as always read."""

    idle_interval: float | None = None

    def __init__(self, shape: Shape, device: str | None = None) -> None:
        """Open the virtual camera of that name, or the first.

        Raises:
            ClearcallError: pyvirtualcam is missing, or finds no camera; the text says what to do.
        """
        try:
            import pyvirtualcam
        except ImportError as error:
            raise ClearcallError(f"pyvirtualcam is missing ({error}): {EXTRA}") from None
        wanted = {"fmt": pyvirtualcam.PixelFormat.I420, "device": device}
        try:
            self._camera: Any = pyvirtualcam.Camera(shape.width, shape.height, float(shape.rate), **wanted)
        except RuntimeError as error:
            text = " ".join(str(error).split())
            raise ClearcallError(f"pyvirtualcam finds no camera ({text}): {NEEDS.get(sys.platform, SETUP)}") from None
        self.name = f"pyvirtualcam {self._camera.device}"

    def has_reader(self) -> bool:
        """True while it is open: OBS's camera does not tell who reads."""
        return self._camera is not None

    def send(self, picture: Picture) -> bool:
        """Hand one picture over."""
        if self._camera is None:
            return False
        try:
            self._camera.send(picture)
        except RuntimeError as error:
            raise OutputLost(f"{self.name} is gone: {error}") from None
        return True

    def close(self) -> None:
        """Let go of the camera."""
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()
