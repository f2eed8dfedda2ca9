"""What a caller may say on the data channel."""

from __future__ import annotations

import json

import pytest

from engines.errors import BadInput
from stream.relay import control
from stream.wishes import MAX_PROMPT


def test_a_change_names_a_prompt_a_strength_or_both() -> None:
    assert control.read_change('{"prompt": "noise", "strength": 0.5}') == control.Change("noise", 0.5)
    assert control.read_change('{"strength": 1}') == control.Change(None, 1.0)
    assert control.read_change('{"prompt": "noise", "strength": null}') == control.Change("noise", None)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[]",
        "{}",
        "1",
        b"{}",
        "[" * 2000,
        '{"prompt": 1}',
        '{"prompt": "noise", "other": 1}',
        '{"strength": true}',
        '{"strength": "1"}',
        '{"strength": NaN}',
        '{"strength": 1e999}',
        '{"strength": -0.01}',
        '{"strength": 1.01}',
        '{"strength": ' + "9" * 400 + "}",
        json.dumps({"prompt": "x" * (MAX_PROMPT + 1)}),
        json.dumps({"prompt": "x" * control.MAX_MESSAGE}),
    ],
)
def test_anything_else_is_refused_in_one_short_line(message: str | bytes) -> None:
    with pytest.raises(BadInput) as error:
        control.read_change(message)
    assert len(str(error.value)) < 120 and "\n" not in str(error.value)
