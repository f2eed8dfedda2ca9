"""The headline: "restoring" was said while four of five frames passed as they came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stream.webcam.headline import SPAN_S, Story, tell

SHORT = {"quality": {"passing": True, "budget_ms": 33.0}}
PASSING = "passing the camera as it is: too little time (--latency-budget 100ms helps)"


class Webcam:
    """Figures that grow as a test says, looked at once a second."""

    def __init__(self, **filtered: Any) -> None:
        self.filter: dict[str, Any] = {"frames": 0, "changed": 0, "failures": {}, "bypassed": 0, "faces": 1, **filtered}
        self.figures: dict[str, Any] = {"on": True, "reader": True, "strength": 1.0, "filter": self.filter}
        self.now, self.story = 0.0, tell(Story(), self.figures, 0.0)
        self.said: list[str] = []
        """Every change."""

    def second(self, **frames: int) -> str:
        """A second goes by with so many frames that had this done to them."""
        self.filter["changed"] += frames.pop("restored", 0)
        self.filter["bypassed"] += frames.pop("bypassed", 0)
        for name, number in frames.items():
            failures, kind = self.filter["failures"], name.replace("_", " ")
            failures[kind] = failures.get(kind, 0) + number
        self.now += 1.0
        self.story = tell(self.story, self.figures, self.now)
        if self.story.text != (self.said or [""])[-1]:
            self.said.append(self.story.text)
        return self.story.text

    def seconds(self, count: float, **frames: int) -> list[str]:
        """So many of them; all that was said."""
        for _ in range(int(count)):
            self.second(**frames)
        return self.said


def weighed(**weights: float) -> dict[str, float]:
    return {name.replace("_", " "): weight for name, weight in weights.items()}


def test_what_needs_no_second_look() -> None:
    cam = Webcam()
    for changed, text in (
        ({"strength": 0.0}, "strength 0: the camera as it is"),
        ({"on": False}, "switched off: the camera as it is"),
        ({"reader": False, "camera_open": True}, "nobody is looking, the camera is still open"),
        ({"reader": False, "camera_open": False}, "nobody is looking, the camera is closed"),
        ({"trouble": "/dev/video0 is gone"}, "trouble: /dev/video0 is gone"),
    ):
        cam.figures.update(changed)
        assert cam.second() == text


def test_too_little_time_is_said_and_what_helps() -> None:
    cam = Webcam(**SHORT)
    assert cam.second(restored=6, no_time=24) == PASSING
    for size, source, budget, helps in (
        ((1280, 720), "/dev/video0, 1280x720 MJPG 30 fps", 33.0, "--latency-budget 100ms helps"),
        ((1280, 720), "/dev/video0, 1280x720 MJPG 30 fps", 100.0, "--size 640x480 helps"),
        ((1280, 720), "a.mp4", 100.0, "fewer other programs help"),
        ((640, 480), "/dev/video0, 640x480 MJPG 30 fps", 200.0, "fewer other programs help"),
    ):
        cam = Webcam(quality={"passing": True, "budget_ms": budget})
        cam.figures.update(camera=dict(zip(("width", "height"), size, strict=True)), input=source)
        assert cam.second(no_time=30).endswith(f"too little time ({helps})") and len(cam.story.text) < 80


def test_before_anything_is_known_nothing_is_said() -> None:
    # Guards against "restoring" before the first frame was.
    cam = Webcam()
    assert cam.story.text == "" and cam.second() == "" and cam.second(restored=3) == ""
    assert cam.second(restored=30) == "restoring"
    before = Webcam(failures={"no time": 5000})
    assert before.second(restored=30) == "restoring", "what was before anyone looked says nothing"
    silent = Webcam()
    assert silent.seconds(SPAN_S) == ["waiting for the camera"]
    assert silent.second(restored=30) == "restoring"


def test_a_level_that_comes_and_goes_does_not_fill_the_journal() -> None:
    cam = Webcam(**SHORT)
    for _ in range(60):
        cam.second(restored=30)
        cam.second(no_time=30)
    assert cam.said == ["restoring", PASSING], "once for all, and not the better of the two"
    assert cam.seconds(2 * SPAN_S, restored=30) == ["restoring", PASSING, "restoring"]
    for _ in range(60):
        cam.second(no_time=30)
        cam.seconds(4, restored=30)
    assert cam.said[3:] == []


def test_no_more_than_one_line_a_span_whatever_happens() -> None:
    cam, kinds = Webcam(), ("restored", "no_time", "no_face", "error")
    for second in range(200):
        cam.second(**{kinds[second // 5 % 4]: 30})
    assert len(cam.said) <= 200 / SPAN_S + 1


def test_no_face() -> None:
    cam = Webcam(faces=0)
    assert cam.second(no_face=30) == "no face found"
    assert cam.seconds(2 * SPAN_S, restored=30)[-1] == "no face found, only the room is restored"
    cam.filter["faces"] = 1
    assert cam.seconds(2 * SPAN_S, restored=30)[-1] == "restoring"


def test_frames_that_pass_do_not_count_as_without_a_face() -> None:
    cam = Webcam(quality={"passing": False})
    cam.second(restored=30)
    for _ in range(4):
        cam.filter.update(faces=1, quality={"passing": False})
        cam.second(restored=45)
        cam.filter.update(faces=0, quality={"passing": True})
        cam.second(no_time=15)
    assert cam.said == ["restoring"]


def test_a_filter_that_fails_or_hangs_restores_nothing() -> None:
    assert Webcam().second(engine=30) == "passing the camera as it is: the filter fails"
    assert Webcam().second(bypassed=30) == "passing the camera as it is: the filter fails"


def test_what_is_done_is_said_in_words() -> None:
    cam = Webcam(understood="auto", weights=weighed(noise=0.3, low_light=0.8, blur=0.1))
    assert cam.second(restored=30) == "restoring: low light, some noise"
    cam.filter["weights"] = weighed(noise=0.0, low_light=0.0, blur=0.0)
    assert cam.seconds(SPAN_S, restored=30)[-1] == "nothing found to restore"
    cam.filter["understood"] = "none"
    assert cam.seconds(SPAN_S, restored=30)[-1] == "restoring"


def test_weights_that_sway_about_a_limit_say_one_thing() -> None:
    def said(weights: Sequence[float]) -> list[str]:
        cam = Webcam(understood="noise")
        for weight in weights:
            cam.filter["weights"] = {"noise": weight}
            cam.seconds(SPAN_S, restored=30)
        return cam.said

    assert said([0.62, 0.58, 0.62, 0.45] * 5) == ["restoring: noise"]
    assert said([0.16, 0.14, 0.1, 0.55] * 5) == ["restoring: some noise"]
    assert said([0.7, 0.3, 0.05]) == ["restoring: noise", "restoring: some noise", "restoring"]


def test_off_and_on_begins_anew() -> None:
    cam = Webcam(**SHORT)
    cam.second(restored=30)
    cam.figures["on"] = False
    cam.second()
    cam.figures["on"] = True
    cam.second()
    assert cam.second(no_time=30) == PASSING
