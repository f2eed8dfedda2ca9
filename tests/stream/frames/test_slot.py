"""The slot between two threads: the newest item wins, and every other one is counted."""

from __future__ import annotations

import threading

from stream.frames.slot import LatestSlot

TIMEOUT_S = 10


def test_the_newest_wins_and_the_other_counts() -> None:
    slot: LatestSlot[int] = LatestSlot()
    assert slot.take() is None
    assert slot.put(1) and slot.put(2) and slot.put(3)
    assert slot.take() == 3 and slot.take() is None
    assert slot.dropped == 2


def test_an_item_that_is_false_is_an_item() -> None:
    # Guards against an emptiness test by truth.
    slot: LatestSlot[int] = LatestSlot()
    slot.put(0)
    slot.put(0)
    assert slot.dropped == 1 and slot.wait() == 0


def test_after_the_end_nothing_is_kept_and_all_is_counted() -> None:
    slot: LatestSlot[int] = LatestSlot()
    slot.put(1)
    slot.close()
    slot.close()
    assert slot.dropped == 1
    assert not slot.put(2)
    assert slot.dropped == 2 and slot.take() is None and slot.wait() is None


def test_a_waiting_thread_gets_the_item_and_hears_of_the_end() -> None:
    # Guards against a filter thread that outlives its call.
    slot: LatestSlot[str] = LatestSlot()
    got: list[str | None] = []
    first = threading.Event()

    def wait() -> None:
        while (item := slot.wait()) is not None:
            got.append(item)
            first.set()
        got.append(None)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    slot.put("frame")
    assert first.wait(TIMEOUT_S)
    slot.close()
    thread.join(TIMEOUT_S)
    assert not thread.is_alive() and got == ["frame", None]


def test_of_many_threads_no_item_is_lost_or_seen_twice() -> None:
    slot: LatestSlot[int] = LatestSlot()
    got: list[int] = []

    def wait() -> None:
        while (item := slot.wait()) is not None:
            got.append(item)

    def put(start: int) -> None:
        for item in range(start, start + 500):
            slot.put(item)

    takers = [threading.Thread(target=wait, daemon=True) for _ in range(2)]
    givers = [threading.Thread(target=put, args=(start,)) for start in (0, 1000, 2000)]
    for thread in (*takers, *givers):
        thread.start()
    for thread in givers:
        thread.join(TIMEOUT_S)
    slot.close()
    for thread in takers:
        thread.join(TIMEOUT_S)
    assert len(set(got)) == len(got) and len(got) + slot.dropped == 1500
