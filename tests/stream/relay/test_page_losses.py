"""What the page does when picture, camera or relay are lost in a call: it says which, and seeks them again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.stream.relay.chromium import LIVE_WITHIN_MS, Stage, go_live, play, staged, until
from tests.stream.relay.test_command import running

DRAWN = """{
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [640, 360];
  const ink = canvas.getContext("2d");
  window.moving = %s;
  setInterval(() => {
    if (!window.moving) return;
    ink.fillStyle = `hsl(${performance.now() / 10}, 50%%, 50%%)`;
    ink.fillRect(0, 0, 640, 360);
  }, 50);
  navigator.mediaDevices.getUserMedia = async () => canvas.captureStream();
}"""
"""A camera that gives pictures only while `moving` is true."""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Chromium with its own test picture for a camera."""
    with staged(None) as made:
        yield made


def _state(page: Any, state: str) -> None:
    page.wait_for_selector(f"body[data-state={state}]", timeout=LIVE_WITHIN_MS)


def _end(stage: Stage, page: Any) -> None:
    page.close()
    until(lambda: stage.sessions() == 0)
    assert stage.errors == []


def test_a_picture_that_freezes_is_not_live_until_it_moves_again(stage: Stage) -> None:
    # The page said "Live", in green, over a picture that stood still.
    page = stage.open(DRAWN % "true")
    go_live(page)
    play(page, 1)
    page.evaluate("moving = false")
    _state(page, "frozen")
    assert page.inner_text("#status-text") == "No picture from the camera"
    page.evaluate("moving = true")
    _state(page, "live")
    assert page.inner_text("#status-text") == "Live"
    _end(stage, page)


def test_a_camera_that_never_gives_a_picture_is_named_as_the_reason(stage: Stage) -> None:
    # "Connecting" for 15 seconds, then "The relay ended the call", though the relay's log knew why.
    page = stage.open(DRAWN % "false")
    page.click("#start")
    _state(page, "frozen")
    _state(page, "error")
    assert page.inner_text("#problem") == "The relay ended the call: no picture for 15 s."
    _end(stage, page)


def test_a_camera_that_goes_away_is_sought_again(stage: Stage) -> None:
    page = stage.open()
    go_live(page)
    page.evaluate("const [track] = before.srcObject.getTracks(); track.stop(); track.dispatchEvent(new Event('ended'))")
    _state(page, "reconnecting")
    assert "camera went away" in page.inner_text("#veil-text")
    _state(page, "live")
    play(page, 1)
    _end(stage, page)


@pytest.mark.parametrize("kindly", [True, False])
def test_a_relay_that_comes_back_is_called_again(stage: Stage, kindly: bool) -> None:
    # It took 14 seconds to say that the relay was gone, and a press of Start to call it again.
    with running("--max-sessions", "1") as (process, address):
        page = Stage(stage.browser, address, stage.errors).open()
        go_live(page)
        # It knows of the relay only by what comes from there.
        until(lambda: page.inner_text("#figure-fps") != "–")
        if kindly:
            process.terminate()
        else:
            process.kill()
        process.wait(30)
        _state(page, "reconnecting")
        said = "the relay stops" if kindly else "connection to the relay was lost"
        assert said in page.inner_text("#veil-text")
        assert page.inner_text("#figure-fps") == "–"
        until(lambda: "cannot be reached" in page.inner_text("#veil-text"))
    with running("--max-sessions", "1", "--port", str(urlsplit(address).port)):
        _state(page, "live")
        play(page, 1)
    _state(page, "reconnecting")
    page.click("#start")
    assert page.inner_text("#status-text") == "Call ended"
    page.close()


def test_an_error_of_the_relay_ends_the_search(stage: Stage) -> None:
    # Who is refused will be refused again: the page must say so and stop.
    page = stage.open()
    go_live(page)
    page.route("**/call?*", lambda route: route.fulfill(status=401, body="this is not the relay's token\n"))
    page.evaluate("before.srcObject.getTracks()[0].dispatchEvent(new Event('ended'))")
    _state(page, "error")
    assert "not the relay's token" in page.inner_text("#problem")
    assert page.evaluate("before.srcObject === null")
    _end(stage, page)
