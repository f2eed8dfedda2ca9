"""The command: what it asks of a webcam that runs, and what it starts and ends in which order."""

from __future__ import annotations

import argparse

import pytest

from engines.errors import BadInput
from stream.webcam import command


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
