"""A preview in a window: Tk, which comes with Python, draws what readers of the virtual camera would see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

from engines.errors import ClearcallError
from stream.webcam.errors import OutputClosed
from stream.webcam.output import Picture, Shape

if TYPE_CHECKING:
    import tkinter

PART_OF_SCREEN = 0.9
"""Share of the screen's width and height that the window takes at most."""


def open_display() -> tkinter.Tk:
    """A window that is not shown yet.

    Raises:
        ClearcallError: There is no Tk, or no display; the text says what is missing.
    """
    try:
        import tkinter
    except ImportError:
        raise ClearcallError("Python's tkinter is missing (Debian: sudo apt install python3-tk)") from None
    try:
        root = tkinter.Tk()
    except tkinter.TclError as error:
        raise ClearcallError(f"no display can be opened ({str(error).splitlines()[0]})") from None
    root.withdraw()
    return root


class WindowPreview:
    """A window; its owner is the one reader. All calls from one thread, on macOS the main one."""

    idle_interval: float | None = None

    def __init__(self, shape: Shape) -> None:
        """Show an empty window.

        Raises:
            ClearcallError: As for `open_display`.
        """
        root = open_display()
        import tkinter  # is there, now

        self.name = "preview window"
        self._root: tkinter.Tk | None = root
        screen = root.winfo_screenwidth(), root.winfo_screenheight()
        scale = min(1.0, PART_OF_SCREEN * screen[0] / shape.width, PART_OF_SCREEN * screen[1] / shape.height)
        self._size = max(1, int(shape.width * scale)), max(1, int(shape.height * scale))
        self._closed = False
        self._image = tkinter.PhotoImage(master=root, width=self._size[0], height=self._size[1])
        tkinter.Label(root, image=self._image, borderwidth=0).pack()
        root.title("clearcall")
        root.resizable(False, False)
        root.protocol("WM_DELETE_WINDOW", self._leave)
        for key in ("<Escape>", "q"):
            root.bind(key, lambda _: self._leave())
        root.deiconify()
        root.update()

    def _leave(self) -> None:
        self._closed = True

    def has_reader(self) -> bool:
        """Whoever has the window open reads."""
        return self._root is not None

    def send(self, picture: Picture) -> bool:
        """Draw one picture; raises OutputClosed once the window was closed."""
        if self._root is None:
            return False
        colours = cv2.cvtColor(picture, cv2.COLOR_YUV2RGB_I420)
        if self._size != (colours.shape[1], colours.shape[0]):
            colours = cv2.resize(colours, self._size, interpolation=cv2.INTER_AREA)
        # The plainest of image files, which Tk reads the quickest.
        header = f"P6 {self._size[0]} {self._size[1]} 255\n".encode()
        self._image.configure(data=header + colours.tobytes(), format="ppm")
        self._root.update()
        if self._closed:
            raise OutputClosed("the preview window was closed")
        return True

    def close(self) -> None:
        """Take the window away."""
        root, self._root = self._root, None
        if root is not None:
            root.destroy()
