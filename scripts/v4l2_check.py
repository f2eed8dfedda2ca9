"""Inside the machine that v4l2_qemu.sh boots: vivid's camera in, v4l2loopback out, another program reads."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable

import av

from stream.webcam import control
from stream.webcam.devices import find
from stream.webcam.users import users_of

LOOPBACK = "/dev/video9"
OPTIONS = ["--output", f"v4l2:{LOOPBACK}", "--strength", "0", "--size", "640x360"]


def until(condition: Callable[[], object], what: str, seconds: float = 180.0) -> float:
    """Wait until it holds; returns how many seconds that took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise SystemExit(f"not in time: {what}")
        time.sleep(0.02)
    took = time.monotonic() - began
    print(f"{took:6.2f} s  {what}", flush=True)
    return took


def read(count: int) -> list[tuple[float, bytes]]:
    """Pictures that a program gets from the virtual camera, and when."""
    taken = []
    with av.open(LOOPBACK, format="v4l2") as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.pix_fmt) == (640, 360, "yuv420p"), stream
        for frame in container.decode(stream):
            taken.append((time.monotonic(), frame.to_ndarray()[:360:4].tobytes()))
            if len(taken) == count:
                return taken
    raise SystemExit("the virtual camera broke off")


def main() -> int:
    """Run all checks; the exit status is 0 where all hold."""
    for device in find():
        print(device.path, device.name, device.driver, f"{len(device.modes)} modes", flush=True)
    camera = next(device.path for device in find() if device.driver == "vivid")
    command = [sys.executable, "-m", "stream.cli", "webcam"]
    subprocess.run([*command, "--list"])
    webcam = subprocess.Popen([*command, "--input", camera, *OPTIONS])
    # With exclusive_caps=1 it passes for a camera once something has been written.
    until(lambda: any(d.path == LOOPBACK and not d.can_output for d in find()), "the virtual camera is there")
    assert users_of(camera) == [], "nobody reads, the camera is closed"
    print(subprocess.run(["v4l2-ctl", "-d", LOOPBACK, "--get-fmt-video"], capture_output=True, text=True).stdout)
    for _ in range(2):
        taken = read(150)
        late = taken[-90:]
        rate = 89 / (late[-1][0] - late[0][0])
        print(
            f"         150 pictures, {len({data for _, data in late})} of the last 90 differ, {rate:.2f} fps",
            flush=True,
        )
        # Without KVM the machine is too slow for more.
        assert len({data for _, data in late}) > 30 and rate > 10
        until(lambda: users_of(camera) == [], "the reader left and the camera is closed", 10)
    reader = subprocess.Popen(["v4l2-ctl", "-d", LOOPBACK, "--stream-mmap", "--stream-count=100000"], stderr=-3)
    assert until(lambda: users_of(camera), "a reader came and the camera is open") < 1.5
    for node in ("unbind", "bind"):
        with open(f"/sys/bus/platform/drivers/vivid/{node}", "w") as file:
            file.write("vivid.0")
        if node == "unbind":
            until(lambda: control.ask({}, control.socket_path())["trouble"], "the camera was unplugged")
    until(lambda: users_of(camera), "it was plugged in again and is open")
    before = control.ask({}, control.socket_path())["camera_frames"]
    until(lambda: control.ask({}, control.socket_path())["camera_frames"] != before, "and gives pictures")
    reader.terminate()
    webcam.send_signal(signal.SIGTERM)
    assert webcam.wait(20) == 0
    print("all checks hold", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
