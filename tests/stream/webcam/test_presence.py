"""Whether the camera is open: its light must go out when nobody looks, and not flicker when a program reopens it."""

from __future__ import annotations

from stream.webcam.presence import LINGER_S, Presence


def test_closed_until_somebody_looks_and_again_a_while_after() -> None:
    presence = Presence()
    assert not presence.wanted(False, 0.0)
    assert presence.wanted(True, 1.0)
    assert presence.wanted(False, 1.0 + LINGER_S - 0.1)
    assert not presence.wanted(False, 1.0 + LINGER_S)
    assert not presence.wanted(False, 100.0)
    assert presence.wanted(True, 101.0)


def test_a_program_that_comes_back_at_once_finds_it_open() -> None:
    presence = Presence()
    presence.wanted(True, 0.0)
    assert presence.wanted(False, 2.0)
    assert presence.wanted(True, 2.5)
    assert presence.wanted(False, 2.5 + LINGER_S - 0.1)
