"""Inside the machine that v4l2_qemu.sh boots: vivid's camera in, v4l2loopback out, another program reads."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import av

from engines.errors import ClearcallError
from stream.webcam import control
from stream.webcam.devices import find
from stream.webcam.users import users_of

LOOPBACK = "/dev/video9"
COMMAND = [sys.executable, "-m", "stream.cli", "webcam"]
OPTIONS = ["--output", f"v4l2:{LOOPBACK}", "--strength", "0", "--size", "640x360"]


def until(condition: Callable[[], object], what: str, seconds: float = 150.0) -> float:
    """Wait until it holds; returns how many seconds that took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            subprocess.run("ls -l /dev/video*; dmesg | tail", shell=True)
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


def started(*options: str) -> subprocess.Popen[bytes]:
    """The webcam with these options."""
    return subprocess.Popen([*COMMAND, *options])


def ended(webcam: subprocess.Popen[bytes]) -> None:
    """End it; it must do so by itself and well."""
    webcam.send_signal(signal.SIGTERM)
    assert webcam.wait(20) == 0


def streaming(device: str) -> subprocess.Popen[bytes]:
    """Another program that takes pictures from the device without end."""
    command = ["v4l2-ctl", "-d", device, "--stream-mmap", "--stream-count=100000"]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def appears() -> bool:
    """Whether the virtual camera passes for a camera: with exclusive_caps=1 it does once something was written."""
    return any(device.path == LOOPBACK and not device.can_output for device in find())


def figures() -> dict[str, object]:
    """What the webcam tells of itself; nothing while none runs."""
    try:
        return control.ask({}, control.socket_path())
    except ClearcallError:
        return {}


def check_busy(camera: str) -> None:
    """A camera that another program uses is named with that program, at the start and when a reader comes."""
    other = streaming(camera)
    until(lambda: users_of(camera), "another program has the camera")
    webcam = started("--input", camera, *OPTIONS)
    until(lambda: figures().get("output") and appears(), "the virtual camera is there")
    reader = streaming(LOOPBACK)
    named = f"it is in use by v4l2-ctl (process {other.pid})"
    until(lambda: named in str(figures().get("trouble")), named)
    other.terminate()
    until(lambda: figures().get("camera"), "it let go, and pictures come")
    print(f"         {figures().get('camera')}", flush=True)
    reader.terminate()
    ended(webcam)


def check_pyvirtualcam(camera: str) -> None:
    """The same device through pyvirtualcam, where that is installed."""
    if importlib.util.find_spec("pyvirtualcam") is None:
        print("pyvirtualcam is not installed and was not tried", flush=True)
        return
    webcam = started("--input", camera, "--output", f"pyvirtualcam:{LOOPBACK}", *OPTIONS[2:])
    until(lambda: figures().get("output") and appears(), "pyvirtualcam's camera is there")
    taken = read(60)
    print(f"         60 pictures, {len({data for _, data in taken})} differ", flush=True)
    assert len({data for _, data in taken}) > 10
    ended(webcam)


def main() -> int:
    """Run all checks; the exit status is 0 where all hold."""
    for device in find():
        print(device.path, device.name, device.driver, f"{len(device.modes)} modes", flush=True)
    camera = next(device.path for device in find() if device.driver == "vivid")
    subprocess.run([*COMMAND, "--list"])
    webcam = started("--input", camera, *OPTIONS)
    until(appears, "the virtual camera is there")
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
    reader = streaming(LOOPBACK)
    assert until(lambda: users_of(camera), "a reader came and the camera is open") < 1.5
    until(lambda: figures().get("camera"), "and gives pictures")
    for node in ("unbind", "bind"):
        with open(f"/sys/bus/platform/drivers/vivid/{node}", "w") as file:
            file.write("vivid.0")
        if node == "unbind":
            until(lambda: figures().get("trouble"), "the camera was unplugged")
    until(lambda: users_of(camera), "it was plugged in again and is open")
    before = figures().get("camera_frames")
    until(lambda: figures().get("camera_frames") != before, "and gives pictures")
    reader.terminate()
    ended(webcam)
    check_busy(camera)
    check_pyvirtualcam(camera)
    print("all checks hold", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
