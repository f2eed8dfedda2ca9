"""Decoding in a thread of its own, a few items ahead of the filter."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from types import TracebackType

from stream.files.source import Item


class Ahead:
    """Runs a generator in a thread, a few items ahead: decoding then overlaps with the filter.

    What the generator raises is raised where the items are read. Leaving the block ends and joins the thread.
    """

    def __init__(self, items: Generator[Item, None, None], depth: int = 4) -> None:
        self._items = items
        self._queue: queue.Queue[Item | BaseException | None] = queue.Queue(depth)
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="decode", daemon=True)

    def _run(self) -> None:
        end: BaseException | None = None
        try:
            for item in self._items:
                self._queue.put(item)
                if self._closed:
                    break
        except BaseException as error:
            end = error
        finally:
            self._items.close()
        if not self._closed:
            self._queue.put(end)

    def __enter__(self) -> Ahead:
        self._thread.start()
        return self

    def __iter__(self) -> Iterator[Item]:
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        while self._thread.is_alive():
            # Makes room for the one item the thread may be trying to put.
            try:
                self._queue.get(timeout=0.05)
            except queue.Empty:
                continue
        self._thread.join()
