"""The page in a real Chromium, with a frame of the recording as its camera, against a relay of its own process.

The camera shows one noisy picture for ever. So every frame is comparable with every other, and an echo (strength 0)
tells what the two codecs alone do to it.
"""

from __future__ import annotations

import base64
import shutil
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.media import CALL_LANDMARKS, CALL_VIDEO, needs_shared
from tests.stream.relay.test_command import running

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [needs_shared, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]

FRAME = 30
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
Picture = NDArray[np.float32]


@dataclass
class Stage:
    """A page at a relay, and what it got to hear of errors."""

    browser: Any
    address: str
    errors: list[str]

    def open(self, script: str = "") -> Any:
        """A fresh page at the relay; `script` runs before the page's own."""
        page = self.browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._no_other(request.url))
        if script:
            page.add_init_script(script)
        page.goto(self.address)
        return page

    def _no_other(self, url: str) -> None:
        if not url.startswith((self.address, "data:")):
            self.errors.append(f"the page asked for {url}")

    def metric(self, name: str) -> int:
        """The sum over the labels of one of the relay's metrics."""
        with urllib.request.urlopen(f"{self.address}metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        return sum(int(float(line.split()[-1])) for line in lines if line.startswith(f"clearcall_{name}"))


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One frame of the recording with sensor noise, as a raw film of two equal frames."""
    with av.open(str(CALL_VIDEO)) as container:
        frame = next(islice(container.decode(video=0), FRAME, None))
        planes = frame.to_ndarray(format="yuv420p")
    assert planes.shape == (HEIGHT * 3 // 2, WIDTH)
    noise = np.random.default_rng(5).normal(0, 7, planes.shape)
    data = np.clip((planes + noise).round(), 16, 235).astype(np.uint8).tobytes()
    path = tmp_path_factory.mktemp("camera") / "still.y4m"
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F30:1 Ip A1:1 C420\n".encode() + (b"FRAME\n" + data) * 2)
    return path


@pytest.fixture(scope="module")
def stage(still: Path) -> Iterator[Stage]:
    with running("--max-sessions", "1") as (_, address), sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, f"--use-file-for-fake-video-capture={still}"]
        )
        yield Stage(browser, address, [])
        browser.close()


@pytest.fixture
def page(stage: Stage) -> Iterator[Any]:
    stage.errors.clear()
    opened = stage.open()
    yield opened
    opened.close()
    _until(lambda: stage.metric("sessions ") == 0)
    assert stage.errors == []


def _until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)


def _go_live(page: Any) -> None:
    page.click("#start")
    page.wait_for_selector("body[data-state=live]", timeout=LIVE_WITHIN_MS)


def _choose(page: Any, prompt: str, strength: int) -> None:
    page.select_option("#prompt", prompt)
    page.fill("#strength", str(strength))


def _grab(page: Any, element: str) -> Picture:
    data = base64.b64decode(page.evaluate(GRAB, element))
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None and picture.shape == (HEIGHT, WIDTH), "the picture came in another size"
    return picture.astype(np.float32)


def _play(page: Any, seconds: float) -> None:
    start = page.evaluate(PLAYED)
    _until(lambda: page.evaluate(PLAYED) > start + seconds)


def _settled(page: Any, where: NDArray[np.bool_], seconds: float) -> Picture:
    """The returned picture, after some seconds of it, once the two codecs add nothing more to the still `where`."""
    _play(page, seconds)
    picture = _grab(page, "after")
    for _ in range(20):
        _play(page, 1)
        before, picture = picture, _grab(page, "after")
        if abs(picture - before)[where].mean() < 0.3:
            break
    return picture


def _regions() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Masks of the face, and of what is surely outside of the crop around it."""
    points = np.load(CALL_LANDMARKS)["landmarks"][FRAME]
    low, high = points.min(0), points.max(0)
    middle, size = (low + high) / 2, float((high - low).max())
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    face = (x > low[0]) & (x < high[0]) & (y > low[1]) & (y < high[1])
    return face, np.maximum(abs(x - middle[0]), abs(y - middle[1])) > 1.4 * size


def _figure(page: Any, name: str) -> float:
    _until(lambda: page.get_attribute(f"#figure-{name}", "data-value"))
    return float(page.get_attribute(f"#figure-{name}", "data-value"))


def test_the_face_comes_back_changed_the_rest_as_sent_and_no_frames_pile_up(stage: Stage, page: Any) -> None:
    _choose(page, "auto", 0)
    _go_live(page)
    face, rest = _regions()
    echo = _settled(page, rest, 5)
    early = _figure(page, "delay")
    _choose(page, "noise", 100)
    restored = _settled(page, rest, 3)
    sent = _grab(page, "before")
    late = _figure(page, "delay")
    loss = [float(abs(echo - sent)[mask].mean()) for mask in (face, rest)]
    change = [float(abs(restored - sent)[mask].mean()) for mask in (face, rest)]
    told = f"mean difference from the sent picture, face and rest: echo {loss}, restored {change}"
    assert change[0] > 1.5 * loss[0] + 0.5, told
    assert change[1] < 1.3 * loss[1] + 0.5, told
    # Nothing waits anywhere: what came in went out or was counted as dropped, but for the few frames on their way.
    kept = stage.metric("frames_received_total") - stage.metric("frames_returned_total")
    assert kept - stage.metric("frames_dropped_total") <= 10
    assert late < 3 * early + 200, f"the added delay grew from {early} to {late} ms"
    frames = page.evaluate("document.getElementById('after').getVideoPlaybackQuality().totalVideoFrames")
    assert frames > 20
    assert page.is_hidden("#problem")


def test_stop_ends_the_call_and_the_page_can_start_again(stage: Stage, page: Any) -> None:
    for _ in range(2):
        _go_live(page)
        assert page.evaluate("document.getElementById('after').muted"), "the echo must not howl"
        page.click("#start")
        assert page.inner_text("#status-text") == "Call ended"
        _until(lambda: stage.metric("sessions ") == 0)


def test_leaving_the_page_ends_the_call(stage: Stage, page: Any) -> None:
    _go_live(page)
    page.goto("about:blank")
    stage.errors.clear()
    _until(lambda: stage.metric("sessions ") == 0, 10)


def test_the_divider_and_the_comparison_work_from_the_keyboard(page: Any) -> None:
    _go_live(page)
    page.focus("#split")
    page.keyboard.press("Home")
    assert page.evaluate("document.getElementById('frame').style.getPropertyValue('--split')") == "0%"
    page.focus("#hold")
    page.keyboard.down(" ")
    assert page.get_attribute("#hold", "aria-pressed") == "true"
    page.keyboard.up(" ")
    assert page.get_attribute("#hold", "aria-pressed") == "false"
    for control in page.query_selector_all("select, input, button"):
        assert control.evaluate("e => (e.labels && e.labels.length) || e.ariaLabel || e.textContent.trim()")


def test_a_full_relay_says_so(stage: Stage, page: Any) -> None:
    _go_live(page)
    other = stage.open()
    other.click("#start")
    other.wait_for_selector("body[data-state=error]", timeout=LIVE_WITHIN_MS)
    assert "full" in other.inner_text("#problem")
    other.close()


@pytest.mark.parametrize(
    ("error", "said"),
    [("NotAllowedError", "not allowed"), ("NotFoundError", "No camera"), ("NotReadableError", "be read")],
)
def test_a_camera_that_cannot_be_had_is_explained(stage: Stage, error: str, said: str) -> None:
    refuse = f"navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', '{error}'))"
    page = stage.open(refuse)
    page.click("#start")
    page.wait_for_selector("body[data-state=error]", timeout=LIVE_WITHIN_MS)
    assert said in page.inner_text("#problem")
    assert page.inner_text("#start") == "Start"
    page.close()


def test_a_page_opened_with_its_token_can_call(stage: Stage) -> None:
    with running("--token", "s3cret/+") as (_, address):
        base = address.split("?")[0]
        page = Stage(stage.browser, base + "?token=s3cret%2F%2B", []).open()
        _go_live(page)
        page.click("#start")
        page.close()
        refused = Stage(stage.browser, base + "?token=wrong", []).open()
        assert "needs its token" in refused.inner_text("body")
        refused.close()


def test_a_relay_that_goes_away_is_explained(still: Path, stage: Stage) -> None:
    with running("--max-sessions", "1") as (process, address):
        page = Stage(stage.browser, address, []).open()
        _go_live(page)
        process.terminate()
        assert process.wait(30) == 0
        page.wait_for_selector("body:is([data-state=error], [data-state=ended])", timeout=LIVE_WITHIN_MS)
        assert page.inner_text("#problem")
        page.click("#start")
        _until(lambda: "cannot be reached" in page.inner_text("#problem"))
        page.close()
