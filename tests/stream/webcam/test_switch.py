"""On and off: strength and prompt changed meanwhile must hold when it is switched on again."""

from __future__ import annotations

import pytest

from engines.errors import BadInput
from stream.webcam.switch import Switch
from tests.stream.webcam.fakes import FakeFilter


def test_off_is_strength_nought_and_on_is_what_it_was() -> None:
    target = FakeFilter()
    switch = Switch(target, "auto", 0.7)
    switch.toggle()
    assert switch.state() == {"on": False, "prompt": "auto", "strength": 0.7}
    switch.toggle()
    assert target.told == [0.0, 0.7]


def test_strength_changed_while_off_waits_until_it_is_on() -> None:
    target = FakeFilter()
    switch = Switch(target, "auto", 1.0)
    switch.turn(False)
    switch.change(strength=0.3)
    switch.turn(True)
    assert target.told == [0.0, 0.3]


def test_a_wrong_prompt_changes_nothing_and_every_change_is_announced() -> None:
    target, changes = FakeFilter(), []
    switch = Switch(target, "auto", 1.0, lambda: changes.append(1))
    with pytest.raises(BadInput):
        switch.change(prompt="beauty", strength=0.2)
    assert switch.state() == {"on": True, "prompt": "auto", "strength": 1.0} and changes == []
    switch.change(prompt="noise")
    switch.toggle()
    assert target.told == ["noise", 0.0] and len(changes) == 2
