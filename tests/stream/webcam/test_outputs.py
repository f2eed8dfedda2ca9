"""Which output is taken: the first that works, and where none does, what each is missing."""

from __future__ import annotations

from fractions import Fraction

import pytest

from engines.errors import ClearcallError
from stream.webcam import outputs
from stream.webcam.output import Shape
from tests.stream.webcam.fakes import FakeOutput

SHAPE = Shape(64, 48, Fraction(30))


def works(name: str, *names: str) -> object:
    """A stand-in for `_open` in which only these work."""

    def opened(kind: str, *_: object) -> FakeOutput:
        if kind not in {name, *names}:
            raise ClearcallError(f"no {kind} here")
        return FakeOutput(kind)

    return opened


@pytest.mark.parametrize(
    ("kind", "there", "taken"),
    [
        ("auto", ("pipewire", "v4l2"), "pipewire"),
        ("auto", ("v4l2", "window"), "v4l2"),
        ("window", ("window", "terminal"), "window"),
        ("window", ("terminal",), "terminal"),
        ("terminal", ("window", "terminal"), "terminal"),
    ],
)
def test_the_first_that_works(monkeypatch: pytest.MonkeyPatch, kind: str, there: tuple[str, ...], taken: str) -> None:
    monkeypatch.setattr(outputs, "_open", works(*there))
    monkeypatch.setattr("stream.webcam.outputs.sys.platform", "linux")
    assert outputs.open_output(kind, SHAPE, lambda: None).name == taken


def test_none_works_and_each_says_what_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "_open", works("none"))
    with pytest.raises(ClearcallError, match="no preview can be shown; window: no window here; terminal: no terminal"):
        outputs.open_output("window", SHAPE, lambda: None)
    with pytest.raises(ClearcallError, match="^no v4l2 here$"):
        outputs.open_output("v4l2", SHAPE, lambda: None)


def test_a_preview_is_no_virtual_camera() -> None:
    assert outputs.tried("auto", "linux") == ("pipewire", "v4l2")
    assert outputs.tried("auto", "darwin") == outputs.tried("auto", "win32") == ("pyvirtualcam",)
