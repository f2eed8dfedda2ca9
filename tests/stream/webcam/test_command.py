"""The command: what it asks of a webcam that runs, and what it starts and ends, the last first."""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import pytest

from engines.errors import BadInput, ClearcallError
from stream import threads
from stream.live import Done
from stream.models import Model
from stream.scope import Scope
from stream.webcam import command, control, settings
from tests.stream.fakes import fake_model
from tests.stream.files.media import clip
from tests.stream.webcam.fakes import FakeFilter, FakeOutput


def parse(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(options)


def test_changes_for_the_one_that_runs() -> None:
    assert command.request(parse("--toggle")) == {"toggle": True}
    assert command.request(parse("--show")) == {}
    changes = command.request(parse("--set", "strength=0.5", "--set", "prompt=low light + noise:0.5"))
    assert changes == {"strength": 0.5, "prompt": "low light + noise:0.5"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("colour=1", "--set needs"),
        ("strength", "--set needs"),
        ("strength=much", "strength must be a number from 0 to 1"),
        ("strength=2", "strength must be a number from 0 to 1"),
        ("prompt=" + "x" * 300, "at most 200 characters"),
    ],
)
def test_a_wrong_change_is_refused_before_anyone_is_asked(change: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        command.request(parse("--set", change))


def test_the_answer_in_words() -> None:
    assert command.spoken({"on": False, "prompt": "auto", "strength": 0.5}) == "off, prompt auto, strength 0.5"


def answering() -> bool:
    """Whether somebody answers at a control socket."""
    return any(thread.name == "clearcall-control" for thread in threading.enumerate())


@dataclass
class Stage:
    """All that the command opens, as stand-ins, and what they were told."""

    meanwhile: Callable[[], object] = lambda: None
    """Called once the virtual camera is asked whether somebody reads."""
    threads: list[int] = field(default_factory=list)
    """That the engine got."""
    filters: list[Filter] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    handlers: dict[int, Callable[..., object]] = field(default_factory=dict)
    """Of signals."""

    def open_model(self, name: str, threads: int, **_: object) -> Model:
        self.threads.append(threads)
        return fake_model(128)[0]

    def open_filter(self, *_: object) -> Filter:
        self.filters.append(Filter())
        return self.filters[-1]

    def open_output(self, *_: object) -> Output:
        self.outputs.append(Output(stage=self))
        return self.outputs[-1]


@dataclass
class Filter(FakeFilter):
    """Notes how often it was closed, and whether anyone could still be told of it then."""

    closed: list[bool] = field(default_factory=list)

    def process(self, frame: av.VideoFrame) -> av.VideoFrame:
        return frame

    def figures(self) -> dict[str, object]:
        return {}

    def took(self, done: Done) -> None:
        pass

    def close(self) -> None:
        self.closed.append(answering())


@dataclass
class Output(FakeOutput):
    """Does what is to happen while the webcam runs, and then ends it as Ctrl-C does."""

    stage: Stage = field(default_factory=Stage)

    def has_reader(self) -> bool:
        self.stage.meanwhile()
        self.stage.handlers[signal.SIGINT]()
        return False


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    made = Stage()
    monkeypatch.setattr("stream.models.open_model", made.open_model)
    monkeypatch.setattr("stream.filter.FaceFilter", made.open_filter)
    monkeypatch.setattr("stream.webcam.outputs.open_output", made.open_output)
    monkeypatch.setattr("stream.scope.of_call", lambda *_: Scope(False, "for a test"))
    monkeypatch.setattr("stream.face.models.model_paths", lambda: None)
    monkeypatch.setattr("stream.collector.settle", lambda: None)
    monkeypatch.setattr(signal, "signal", made.handlers.__setitem__)
    # Not pytest's own folder: the path of a socket may only have 107 letters.
    with tempfile.TemporaryDirectory(prefix="clearcall-") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield made


def serve(tmp_path: Path, *options: str) -> int:
    film = tmp_path / "a.mp4"
    return command.serve(settings.read(parse("--input", str(film if film.exists() else clip(film)), *options)))


def test_while_it_runs_it_answers_and_afterwards_nothing_is_left(stage: Stage, tmp_path: Path) -> None:
    # Guards against a filter that is closed while a request changes it, and against what outlives the command.
    told: list[dict[str, object]] = []
    stage.meanwhile = lambda: told.append(control.ask({"strength": 0.25}, control.socket_path()))
    assert serve(tmp_path) == 0
    assert (told[0]["strength"], told[0]["input"]) == (0.25, str(tmp_path / "a.mp4"))
    (filter_,), (output,) = stage.filters, stage.outputs
    assert 0.25 in filter_.told and filter_.closed == [False] and output.closed == 1
    assert not answering() and not control.socket_path().exists()


def test_the_engine_gets_the_threads_of_a_call(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Guards against half of a large machine's cores taken from the call itself, as a file may.
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    serve(tmp_path)
    assert stage.threads == [threads.for_calls(16)]


def test_a_second_one_is_told_before_it_loads_anything(stage: Stage, tmp_path: Path) -> None:
    refused: list[str] = []

    def second() -> None:
        with pytest.raises(ClearcallError) as error:
            serve(tmp_path)
        refused.append(str(error.value))

    stage.meanwhile = second
    assert serve(tmp_path) == 0
    assert "another clearcall webcam runs" in refused[0] and len(stage.threads) == 1


def test_a_virtual_camera_that_cannot_be_had_ends_it_cleanly(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Output:
        raise ClearcallError("no virtual camera can be had")

    monkeypatch.setattr("stream.webcam.outputs.open_output", fail)
    with pytest.raises(ClearcallError, match="no virtual camera"):
        serve(tmp_path)
    assert stage.filters[0].closed == [False] and not control.socket_path().exists()
