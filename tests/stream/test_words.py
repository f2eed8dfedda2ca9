"""Plain words find their task, and only theirs."""

from __future__ import annotations

import pytest

from engines.errors import BadInput
from stream.prompt import describe, parse_prompt
from stream.words import PHRASES, understand

KNOWN = tuple(PHRASES)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("my room is dark", {"low light": 1.0}),
        ("My room's DARK, and the picture is a bit grainy!", {"low light": 1.0, "noise": 0.5}),
        ("remove the rain", {"rain": 1.0}),
        ("it is out of focus but not dark", {"blur": 1.0}),
        ("slightly blurry, blurry", {"blur": 1.0}),
        ("bad connection", {"compression": 1.0}),
        ("low resolution webcam in the fog", {"low resolution": 1.0, "haze": 1.0}),
        ("it isn't noisy", {}),
        ("darkroom", {}),
        ("", {}),
    ],
)
def test_what_people_say(text: str, meant: dict[str, float]) -> None:
    assert understand(text, KNOWN) == meant


def test_no_phrase_belongs_to_two_tasks() -> None:
    phrases = [phrase for group in PHRASES.values() for phrase in group]
    assert len(phrases) == len(set(phrases))


def test_a_model_that_does_not_know_a_task_ignores_its_words() -> None:
    assert understand("rain and noise", ("noise", "blur")) == {"noise": 1.0}


def test_prompts_in_words_and_what_was_understood() -> None:
    weights = parse_prompt("my room is a bit dark", KNOWN)
    assert describe(weights, KNOWN) == "low light:0.5"
    assert describe(parse_prompt("auto", KNOWN), KNOWN) == "auto"
    assert describe(parse_prompt("none", KNOWN), KNOWN) == "none"


def test_words_that_mean_nothing_are_refused() -> None:
    with pytest.raises(BadInput, match="known prompts: noise"):
        parse_prompt("make me pretty", KNOWN)
