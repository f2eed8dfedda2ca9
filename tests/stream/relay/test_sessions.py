"""The table of calls."""

from __future__ import annotations

import asyncio

import pytest

from stream.relay.sessions import RelayFull, SessionTable, starved


class _Call:
    def __init__(self, number: int, last_media: float = 0.0, fails: bool = False) -> None:
        self.id, self.number, self.last_media = f"id{number}", number, last_media
        self.closed = 0
        self.told: str | None = None
        self._fails = fails

    async def close(self, reason: str = "") -> None:
        await asyncio.sleep(0)
        self.closed += 1
        self.told = reason
        if self._fails:
            raise RuntimeError("stuck")


def _table(limit: int = 2) -> SessionTable[_Call]:
    return SessionTable(limit, 15.0, clock=lambda: 100.0)


def test_a_call_is_starved_after_the_limit_and_not_before() -> None:
    calls = [_Call(1, 85.0), _Call(2, 84.9), _Call(3, 100.0)]
    assert [call.number for call in starved(calls, 100.0, 15.0)] == [2]


def test_a_full_table_refuses_even_while_calls_are_being_set_up() -> None:
    table = _table()
    with table.place(), table.place(), pytest.raises(RelayFull), table.place():
        pass
    assert (table.refused, table.started, len(table)) == (1, 2, 0)
    with table.place() as number:
        table.add(_Call(number))
    assert len(table) == 1


def test_a_failed_set_up_gives_its_place_back() -> None:
    table = _table(1)
    with pytest.raises(ValueError), table.place():
        raise ValueError
    with table.place():
        pass


def test_ending_twice_closes_once_and_frees_the_place_also_when_closing_fails() -> None:
    async def run() -> None:
        table = _table()
        good, bad = _Call(1), _Call(2, fails=True)
        table.add(good)
        table.add(bad)
        ends = [table.end(good, "a"), table.end(good, "b"), table.end(bad, "c")]
        assert table.get(good.id) is None and len(table) == 2
        await asyncio.gather(*ends)
        assert (good.closed, bad.closed, len(table)) == (1, 1, 0)

    asyncio.run(run())


def test_the_reason_is_told_to_who_does_not_know_it() -> None:
    # The log alone knew why a call had ended. Who hangs up knows, and must not wait for the message.
    async def run() -> None:
        table = _table()
        calls = _Call(1), _Call(2)
        for call, known in zip(calls, (False, True), strict=True):
            table.add(call)
            await table.end(call, "a reason", known)
        assert [call.told for call in calls] == ["a reason", ""]

    asyncio.run(run())


def test_the_sweep_ends_calls_without_media_and_close_ends_the_rest() -> None:
    async def run() -> None:
        freed: list[_Call] = []
        table: SessionTable[_Call] = SessionTable(2, 15.0, freed.append, clock=lambda: 100.0)
        old, fresh = _Call(1, 10.0), _Call(2, 99.0)
        table.add(old)
        table.add(fresh)
        sweeper = asyncio.ensure_future(table.sweep())
        while not freed:
            await asyncio.sleep(0)
        sweeper.cancel()
        assert freed == [old] and table.get(fresh.id) is fresh
        await table.close()
        assert freed == [old, fresh] and len(table) == 0

    asyncio.run(run())
