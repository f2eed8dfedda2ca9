"""The page in a real Chromium, against a relay of its own process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stream.relay.chromium import LIVE_WITHIN_MS, Stage, go_live, opened, staged, until
from tests.stream.relay.test_command import running


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Chromium with its own test picture for a camera: what the page does needs no face."""
    with staged(None) as made:
        yield made


@pytest.fixture
def page(stage: Stage) -> Iterator[Any]:
    with opened(stage) as made:
        yield made


def test_stop_ends_the_call_and_the_page_can_start_again(stage: Stage, page: Any) -> None:
    for _ in range(2):
        go_live(page)
        assert page.evaluate("document.getElementById('after').muted"), "the echo must not howl"
        page.click("#start")
        assert page.inner_text("#status-text") == "Call ended"
        # The last call's figures stood there as if they were of now.
        assert page.inner_text("#figure-fps") == page.inner_text("#figure-delay") == "–"
        assert not page.inner_text("#doing")
        until(lambda: stage.sessions() == 0)


def test_a_picture_without_a_face_is_said_to_be_one(page: Any) -> None:
    # Frames go back as they came, and nothing told the caller why nothing changed.
    go_live(page)
    until(lambda: "No face found" in page.inner_text("#doing"))
    until(lambda: "no face" in page.text_content("#figure-failures"))
    # Quality stays where a call begins: without a face nothing says what more of it would take.
    assert "0 down, 0 up to keep within 1000 ms" in page.text_content("#figure-steps")
    page.fill("#strength", "0")
    until(lambda: "strength is 0" in page.inner_text("#doing"))
    assert page.inner_text("#status-text") == "Live"


def test_leaving_the_page_ends_the_call(stage: Stage, page: Any) -> None:
    go_live(page)
    page.goto("about:blank")
    stage.errors.clear()
    until(lambda: stage.sessions() == 0, 10)


def test_the_divider_and_the_comparison_work_from_the_keyboard(page: Any) -> None:
    go_live(page)
    page.focus("#split")
    page.keyboard.press("Home")
    assert page.evaluate("document.getElementById('frame').style.getPropertyValue('--split')") == "0%"
    page.focus("#hold")
    page.keyboard.down(" ")
    assert page.get_attribute("#hold", "aria-pressed") == "true"
    page.keyboard.up(" ")
    assert page.get_attribute("#hold", "aria-pressed") == "false"
    page.focus("#mirror")
    assert "mirrored" in page.get_attribute("#frame", "class")
    page.keyboard.press(" ")
    assert "mirrored" not in page.get_attribute("#frame", "class")
    for control in page.query_selector_all("select, input, button"):
        assert control.evaluate("e => (e.labels && e.labels.length) || e.ariaLabel || e.textContent.trim()")


def test_a_full_relay_says_so(stage: Stage, page: Any) -> None:
    go_live(page)
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
    # It is said once: a status and the picture's place told of it in other words.
    assert page.inner_text("#status-text") == page.inner_text("#veil-text") == ""
    assert page.inner_text("#start") == "Start"
    page.close()


def test_a_page_opened_with_its_token_can_call(stage: Stage) -> None:
    with running("--token", "s3cret/+") as (_, address):
        base = address.split("?")[0]
        page = Stage(stage.browser, base + "?token=s3cret%2F%2B", []).open()
        go_live(page)
        page.click("#start")
        page.close()
        refused = Stage(stage.browser, base + "?token=wrong", []).open()
        assert "not the relay's token" in refused.inner_text("body")
        refused.close()


HANDING_OVER = """
import sys
from pathlib import Path
from stream.cli import main
from stream.models import Model
file = Path(sys.argv[1])
Model.engine = property(lambda self: file.read_text())
Model.refused = property(lambda self: {} if self.engine == "tensorrt" else {"tensorrt": "fell off the bus"})
sys.exit(main(sys.argv[2:]))
"""


def test_an_engine_that_hands_over_in_a_call_is_seen(stage: Stage, tmp_path: Path) -> None:
    """The page was told of the engine when the call began, and showed the GPU long after it was lost."""
    file = tmp_path / "engine"
    file.write_text("tensorrt")
    command = [sys.executable, "-c", HANDING_OVER, str(file), "relay"]
    with running("--max-sessions", "1", command=command) as (_, address):
        page = Stage(stage.browser, address, []).open()
        go_live(page)
        until(lambda: page.text_content("#figure-engine") == "tensorrt")
        file.write_text("onnxruntime-cpu")
        until(lambda: page.text_content("#figure-engine") == "onnxruntime-cpu")
        assert page.get_attribute("#figure-engine", "title") == "not tensorrt: fell off the bus"
        page.close()
