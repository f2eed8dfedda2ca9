"""The page's controls: what they ask of browser and relay, what they say, and what is remembered of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stream.relay.chromium import Stage, go_live, opened, staged, until

ASKED = """{
  window.asked = [];
  const given = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) => {
    asked.push(...Object.keys(wanted));
    return given(wanted);
  };
}"""
HEARD = """async () => {
  const reports = [...(await links.at(-1).getStats()).values()];
  return reports.some((r) => r.type === "inbound-rtp" && r.kind === "audio" && r.packetsReceived > 20);
}"""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Chromium with its own test picture for a camera."""
    with staged(None) as made:
        yield made


@pytest.fixture
def page(stage: Stage) -> Iterator[Any]:
    with opened(stage) as made:
        yield made


def test_the_microphone_is_asked_for_only_by_who_wants_the_echo(stage: Stage) -> None:
    # The page took it at Start, and told nobody what it was for.
    page = stage.open(ASKED)
    go_live(page)
    assert page.evaluate("asked") == ["video"]
    page.check("#echo")
    until(lambda: page.evaluate(HEARD))
    assert page.evaluate("asked") == ["video", "audio"]
    assert not page.evaluate("after.muted")
    page.uncheck("#echo")
    until(lambda: page.evaluate("after.muted"))
    page.close()
    until(lambda: stage.sessions() == 0)


def test_a_smaller_picture_can_be_chosen_in_the_call_and_before(page: Any) -> None:
    # Time was said to be too short, and no way out was offered.
    go_live(page)
    page.select_option("#size", "480")
    until(lambda: page.evaluate("after.videoHeight") == 480)
    page.click("#start")
    go_live(page)
    assert page.evaluate("after.videoHeight") == 480


def test_prompts_can_be_written_and_the_relays_objection_is_read_beside_them(page: Any) -> None:
    go_live(page)
    page.select_option("#prompt", "*")
    page.fill("#words", "low light + sharpness:2")
    page.press("#words", "Enter")
    until(lambda: "unknown prompt 'sharpness" in page.inner_text("#words-problem"))
    assert page.is_hidden("#problem")
    page.fill("#words", "low light + noise:0.5")
    page.press("#words", "Enter")
    until(lambda: not page.text_content("#words-problem"))
    assert page.get_attribute("#words", "aria-invalid") == "false"


def test_choices_are_remembered(page: Any) -> None:
    page.select_option("#size", "480")
    page.select_option("#prompt", "*")
    page.fill("#words", "low light + noise:0.5")
    page.fill("#strength", "40")
    page.uncheck("#mirror")
    go_live(page)
    camera = page.input_value("#camera")
    assert camera
    page.click("#start")
    page.reload()
    until(lambda: page.input_value("#prompt") == "*")
    assert (page.input_value("#words"), page.is_visible("#words")) == ("low light + noise:0.5", True)
    assert (page.input_value("#strength"), page.inner_text("#strength-text")) == ("40", "40 %")
    assert (page.input_value("#size"), page.is_checked("#mirror")) == ("480", False)
    go_live(page)
    assert page.input_value("#camera") == camera
    until(lambda: page.evaluate("after.videoHeight") == 480)


BEFORE: dict[str, Any] = {"frames": 10, "changed": 10, "faces": 1, "failures": {}, "weights": {}}


@pytest.mark.parametrize(
    ("figures", "prompt", "said"),
    [
        ({"weights": {"noise": 0.3, "low light": 0.9, "rain": 0.01}}, "auto", "Automatic: low light, some noise."),
        ({"weights": {"noise": 0.1}}, "noise", "As asked: a little noise."),
        ({"weights": {}}, "auto", "Automatic: nothing found to restore."),
        ({"faces": 0, "weights": {"noise": 1}}, "auto", "No face found: the rest of the picture is restored."),
        ({"changed": 10, "failures": {"no face": 10}}, "auto", "No face found: the picture goes back as it came."),
        (
            {"changed": 10, "failures": {"no time": 9, "no face": 1}},
            "auto",
            "Too little time to restore. Choose 480p, or close other programs.",
        ),
        ({"changed": 10, "failures": {"engine": 10}}, "auto", "Not restored (engine): the relay's log has more."),
        (
            {"weights": {"blur": 1}, "quality": {"level": 3, "usual": 2}},
            "auto",
            "Automatic: blur. Time is short. Choose 480p, or close other programs.",
        ),
        ({"frames": 10}, "auto", None),
    ],
)
def test_one_plain_line_says_what_is_being_done(
    page: Any, figures: dict[str, Any], prompt: str, said: str | None
) -> None:
    now = {**BEFORE, "frames": 20, "changed": 20, **figures}
    wishes = {"prompt": prompt, "strength": 1}
    given = ", ".join(json.dumps(each) for each in (now, BEFORE, wishes))
    assert page.evaluate(f"async () => (await import('./figures.js')).doing({given})") == said


@pytest.mark.parametrize(
    ("width", "height"), [(320, 568), (390, 844), (568, 320), (800, 360), (1280, 800), (2560, 1300)]
)
def test_the_picture_fits_into_any_window(page: Any, width: int, height: int) -> None:
    # On a phone held sideways it was taller than the window; a wide screen was left empty.
    page.set_viewport_size({"width": width, "height": height})
    box = page.locator("#frame").bounding_box()
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"
    assert box["y"] + box["height"] <= height
    assert box["width"] > 0.5 * min(width, height * 16 / 9)
