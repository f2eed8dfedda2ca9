"""Waking: a wake-up between two waits must not be lost, and many of them must not pile up."""

from __future__ import annotations

import os
import signal
import threading
import time

from stream.webcam.wake import Wake


def test_a_wake_up_before_the_wait_ends_it() -> None:
    wake = Wake()
    for _ in range(1000):
        wake.set()
    began = time.monotonic()
    wake.wait(30.0)
    assert time.monotonic() - began < 10
    began = time.monotonic()
    wake.wait(0.05)
    assert time.monotonic() - began >= 0.04


def test_another_thread_and_a_signal_handler_wake() -> None:
    wake = Wake()
    threading.Timer(0.05, wake.set).start()
    began = time.monotonic()
    wake.wait(30.0)
    before = signal.signal(signal.SIGUSR1, lambda *_: wake.set())
    try:
        threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
        wake.wait(30.0)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert time.monotonic() - began < 20
