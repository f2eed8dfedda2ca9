"""A real Chromium at a relay of its own process."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import shutil
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.stream.relay.test_command import running

REQUIRED = ("CLEARCALL_REQUIRE_CHROMIUM", "CI")
"""Where one of these is set, a missing Chromium is a failure."""
WIDTH, HEIGHT = 1280, 720
LIVE_WITHIN_MS = 60_000
FLAGS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
GRAB = """id => {
  const video = document.getElementById(id);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas.toDataURL("image/png").split(",")[1];
}"""
PLAYED = "document.getElementById('after').currentTime"
LINKS = """{
  const Made = RTCPeerConnection;
  window.links = [];
  window.RTCPeerConnection = class extends Made {
    constructor(...settings) {
      super(...settings);
      links.push(this);
    }
  };
}"""
"""Keeps the page's connections where a test can reach them."""
FRAMES = """async () => {
  const found = {};
  for (const report of (await links.at(-1).getStats()).values()) {
    if (report.kind === "video" && report.type === "outbound-rtp") found.sent = report.framesSent || 0;
    if (report.kind === "video" && report.type === "inbound-rtp") found.back = report.framesReceived || 0;
  }
  return [found.sent, found.back];
}"""
Picture = NDArray[np.float32]


def find_chromium() -> str:
    """The browser's path; without one the test is skipped, or fails where it is `REQUIRED`."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is not None and importlib.util.find_spec("playwright") is not None:
        return found
    reason = "needs Chromium and the package playwright"
    if any(os.environ.get(name) for name in REQUIRED):
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass
class Stage:
    """A relay and a browser to call it with, and what was heard of errors in pages."""

    browser: Any
    address: str
    errors: list[str]

    def open(self, script: str = "") -> Any:
        """A fresh page at the relay; `script` runs before the page's own."""
        page = self.browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._no_other(request.url))
        page.add_init_script(LINKS)
        if script:
            page.add_init_script(script)
        page.goto(self.address)
        return page

    def _no_other(self, url: str) -> None:
        if not url.startswith((self.address, "data:")):
            self.errors.append(f"the page asked for {url}")

    def sessions(self) -> int:
        """Calls that the relay has now."""
        return int(json.loads(self._read("healthz"))["sessions"])

    def metric(self, text: str, name: str) -> int:
        """The sum over the labels of one metric in the relay's `metrics`."""
        lines = [line for line in text.splitlines() if line.startswith(f"clearcall_{name}")]
        return sum(int(float(line.split()[-1])) for line in lines)

    def counts(self) -> tuple[int, int, int]:
        """Frames that the relay received, returned and dropped, at one moment."""
        text = self._read("metrics")
        names = ("frames_received_total", "frames_returned_total", "frames_dropped_total")
        received, returned, dropped = (self.metric(text, name) for name in names)
        return received, returned, dropped

    def _read(self, path: str) -> str:
        with urllib.request.urlopen(f"{self.address}{path}", timeout=30) as answer:
            return str(answer.read().decode())


@contextmanager
def staged(camera: Path | None) -> Iterator[Stage]:
    """A relay and a browser whose camera shows that film, or Chromium's own test picture."""
    path = find_chromium()
    from playwright.sync_api import sync_playwright

    film = [f"--use-file-for-fake-video-capture={camera}"] if camera else []
    # A busy machine must not take the restoring away that these tests look for.
    options = ("--max-sessions", "1", "--latency-budget", "1s")
    with running(*options) as (_, address), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *film])
        yield Stage(browser, address, [])
        browser.close()


@contextmanager
def opened(stage: Stage) -> Iterator[Any]:
    """A page; in the end its call must be over and nothing have gone wrong in it."""
    stage.errors.clear()
    page = stage.open()
    yield page
    page.close()
    until(lambda: stage.sessions() == 0)
    assert stage.errors == []


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until `condition()` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)


def go_live(page: Any) -> None:
    """Start a call and wait for its picture."""
    page.click("#start")
    page.wait_for_selector("body[data-state=live]", timeout=LIVE_WITHIN_MS)


def choose(page: Any, prompt: str, strength: int) -> None:
    """Set what to restore, and how strongly in per cent."""
    page.select_option("#prompt", prompt)
    page.fill("#strength", str(strength))


def grab(page: Any, element: str) -> Picture:
    """What a video element shows, as grey levels [720, 1280]."""
    data = base64.b64decode(page.evaluate(GRAB, element))
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None and picture.shape == (HEIGHT, WIDTH), "the picture came in another size"
    return picture.astype(np.float32)


def play(page: Any, seconds: float) -> None:
    """Wait until so many more seconds of the returned picture have been played."""
    start = page.evaluate(PLAYED)
    until(lambda: page.evaluate(PLAYED) > start + seconds)


def figure(page: Any, name: str) -> float:
    """A figure that the page shows, once it shows it."""
    until(lambda: page.get_attribute(f"#figure-{name}", "data-value"))
    return float(page.get_attribute(f"#figure-{name}", "data-value"))
