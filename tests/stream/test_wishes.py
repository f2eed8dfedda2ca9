"""Prompt and strength: each door checked them in a way and in words of its own."""

from __future__ import annotations

import pytest

from engines.errors import BadInput
from stream.wishes import MAX_PROMPT, check_prompt, check_strength, parse_strength


@pytest.mark.parametrize("value", [0, 0.5, 1])
def test_a_strength(value: float) -> None:
    found = check_strength(value)
    assert found == parse_strength(str(value)) == value and isinstance(found, float)


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), float("inf"), True, None, "1", [], 10**400, "x" * 5000])
def test_what_is_no_strength_is_refused_in_one_short_line(value: object) -> None:
    with pytest.raises(BadInput, match="^strength must be a number from 0 to 1") as error:
        check_strength(value)
    assert len(str(error.value)) < 80


@pytest.mark.parametrize("text", ["", "half", "nan", "inf", "-1", "1.5", "x" * 5000, "1\n2"])
def test_a_text_that_is_no_strength_is_refused_by_its_option(text: str) -> None:
    with pytest.raises(BadInput, match="^--strength must be a number from 0 to 1, not ") as error:
        parse_strength(text, "--strength")
    assert len(str(error.value)) < 120 and "\n" not in str(error.value)


def test_a_prompt_is_a_text_of_bounded_length() -> None:
    assert check_prompt("x" * MAX_PROMPT) == "x" * MAX_PROMPT
    for wrong in ("x" * (MAX_PROMPT + 1), 3, None, b"noise"):
        with pytest.raises(BadInput, match=f"at most {MAX_PROMPT} characters"):
            check_prompt(wrong)
